"""Drafts whose file is not where it was: given to the file that they are of, else named: none is lost unseen."""

from collections import defaultdict

from recognizer.errors import RecognizerError
from recognizer.pages.page import is_there
from recognizer.web.drafts import Draft, Drafts, digest_of
from recognizer.web.project import Project, ProjectFile

SHOWN = 5  # names in a line


def give_back(project: Project, drafts: Drafts) -> list[str]:
    """Give drafts to the files that they are of, where ids have changed; return what is to be said of the others.

    A file's draft is found by its id, else by the id that earlier versions gave it, else by its name where the file
    is as it was. What stays are drafts of files that were renamed, deleted, or moved and changed.
    """
    strays = drafts.names()
    if not strays:
        return []
    files = project.files()
    strays -= {file.id for file in files}
    strays -= {file.former for file in files if file.former in strays and drafts.move(file.former, file.id)}
    by_name = defaultdict(list)
    for file in files:
        by_name[file.name].append(file)
    lost = []
    for name in sorted(strays, key=drafts.age):
        try:
            draft = drafts.get(name)
        except RecognizerError as error:
            lost.append(str(error))
            continue
        if draft is None:
            continue
        same = by_name[draft.name]
        if any(_is_of(file, draft) and drafts.move(name, file.id) for file in same):
            continue
        if draft.worked_on and (same or not is_there(project.folder / draft.name)):
            lost.append(f"{draft.name} ({name}.json)")
    return [_line(project, lost)] if lost else []


def _is_of(file: ProjectFile, draft: Draft) -> bool:
    try:
        return digest_of(file.path) == draft.digest
    except OSError:  # said when it is opened
        return False


def _line(project: Project, lost: list[str]) -> str:
    more = f" and {len(lost) - SHOWN} more" if len(lost) > SHOWN else ""
    which = "1 draft with corrections belongs" if len(lost) == 1 else f"{len(lost)} drafts with corrections belong"
    return (
        f"{project.drafts}: {which} to no file of {project.folder}: {', '.join(lost[:SHOWN])}{more}; expected "
        f"files of these names, as they were: name them so again and start anew, or move the drafts away"
    )
