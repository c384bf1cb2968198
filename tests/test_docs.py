"""The documentation: its links lead somewhere, its marked commands run as printed."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("docs", "datasets", "configs")
PAGES = [ROOT / "README.md", *(page for folder in FOLDERS for page in sorted((ROOT / folder).rglob("*.md")))]
RUN = "<!-- run -->"


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path) if path else page
        assert there.exists(), f"{name(page)}: {target}"
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), f"{name(page)}: {target}"


def anchors(page: Path) -> set[str]:
    """Return the anchors that the headings of a page make."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)|`", r"\1", heading) for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in plain}


def blocks() -> list[tuple[str, str]]:
    """Return page and text of the blocks that are marked to be run, in the order of the pages."""
    found = []
    for page in (ROOT / "README.md", ROOT / "docs" / "tutorial.md"):
        for block in re.findall(rf"{RUN}\n```\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL):
            found.append((name(page), block))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder as that of a user who has run the demo: its samples, and the pictures of the docs."""
    import zipfile

    made = tmp_path_factory.mktemp("docs")
    with zipfile.ZipFile(ROOT / "recognizer" / "demo_data" / "demo.zip") as archive:
        archive.extractall(made / "demo" / "samples")
    (made / "docs").symlink_to(ROOT / "docs")
    return made


@pytest.mark.slow
@pytest.mark.parametrize("page, block", blocks(), ids=lambda value: value.splitlines()[0][:60])
def test_a_marked_block_runs_as_printed(page: str, block: str, folder: Path) -> None:
    command, *expected = block.strip().splitlines()
    words = shlex.split(command.removeprefix("$ "))
    assert words[0] == "recognizer", f"{page}: {command}"
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from recognizer.cli import main; main()"
    call = [sys.executable, "-c", code, str(ROOT), *words[1:]]
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == expected


def test_pages_of_the_site_are_all_in_its_navigation() -> None:
    listed = set(re.findall(r"[\w/\-]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")))
    assert listed == {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}


@pytest.mark.slow
def test_the_site_is_built_without_a_wrong_name(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="the documentation is built with the extra [docs]")
    call = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "site" / "reference" / "index.html").is_file()
