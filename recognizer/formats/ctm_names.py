"""Names of recordings in CTM, where files of several folders may be called alike."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from recognizer.formats.result import Result


class CtmNames:
    """A name of its own for each file; that of the folder comes before one that another file has already."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Tell `say` of names that are not the file's alone."""
        self.say = say
        self.names: dict[str, str] = {}  # file -> name
        self.owners: dict[str, str] = {}  # name -> file

    def named(self, result: Result) -> Result:
        """Return a reading called as its file is in CTM; all pieces of one recording have one name."""
        if result.name not in self.names:
            self.names[result.name] = self._free(result.name)
        return replace(result, name=f"{self.names[result.name]}{Path(result.name).suffix}")

    def _free(self, file: str) -> str:
        path = Path(file)
        name, parents = path.stem, [part for part in path.parent.parts[::-1] if part not in ("/", "..")]
        while name in self.owners and parents:
            name = f"{parents.pop(0)}_{name}"
        plain, number = name, 1
        while name in self.owners:
            number += 1
            name = f"{plain}_{number}"
        if name != path.stem:
            self.say(f"{file}: called {name} in CTM, {path.stem} is {self.owners[path.stem]}")
        self.owners[name] = file
        return name
