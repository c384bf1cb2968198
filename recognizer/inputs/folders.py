"""The files in a folder and below it; what cannot be looked into is named."""

import os
from dataclasses import dataclass, field
from pathlib import Path

FOREIGN = (  # suffixes of pictures and sounds that nothing here reads
    *(".pdf", ".djvu", ".tga", ".pcx", ".psd", ".xcf", ".sgi", ".jxl", ".jxr", ".exr", ".eps", ".dng", ".cr2", ".cr3"),
    *(".nef", ".arw", ".raf", ".orf", ".rw2", ".avi", ".mpg", ".mpeg", ".flv", ".wmv", ".ra", ".rm", ".ape", ".wv"),
    *(".tta", ".dss", ".ds2", ".aax", ".mid", ".shn"),
)
OTHERS = ("@eaDir", "__MACOSX", "$RECYCLE.BIN")  # folders that machines make beside those of people


@dataclass
class Listing:
    """What is in a folder and below it.

    Args:
        files: sorted; links are followed.
        faults: folders that cannot be read, and links that lead nowhere or in a circle, each with a line that says so.
        foreign: pictures and sounds of forms that nothing here reads, by their suffixes.
    """

    files: list[Path] = field(default_factory=list)
    faults: list[tuple[Path, str]] = field(default_factory=list)
    foreign: list[Path] = field(default_factory=list)


def list_folder(folder: Path) -> Listing:
    """Return the files below a folder, without hidden ones and those that machines put there."""
    found = Listing()
    _list_into(found, folder, {os.path.realpath(folder)})
    return found


def _list_into(found: Listing, folder: Path, above: set[str]) -> None:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        why = f"{folder}: cannot be read ({error.strerror or error}), expected a folder that can"
        found.faults.append((folder, why))
        return
    for entry in entries:
        path = folder / entry.name
        if entry.name.startswith(".") or entry.name in OTHERS:
            continue
        if path.is_dir():
            real = os.path.realpath(path)
            if real in above:
                found.faults.append((path, f"{path}: a link to a folder that it stands in, left out"))
            else:
                _list_into(found, path, {*above, real})
        elif path.is_file() and path.suffix.lower() in FOREIGN:
            found.foreign.append(path)
        elif path.is_file():
            found.files.append(path)
        elif path.is_symlink():
            found.faults.append((path, f"{path}: a link to {os.readlink(path)!r}, which is not there"))
