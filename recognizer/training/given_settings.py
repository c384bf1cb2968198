"""The words of a command line and the configuration files among them, held against the settings that there are."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from recognizer.errors import RecognizerError
from recognizer.training.config_file import places
from recognizer.training.setting_types import is_group, refuse_value, setting_names, type_of

CONFIG = "--config"
PRINT = "--print_config"  # the one flag without a value
MORE = "+"  # behind the name of a list: one more for it


def refuse_words(words: Sequence[str]) -> None:
    """Refuse what is no flag of a setting with a value of its type, in the words and in the files that they name.

    Raises:
        RecognizerError: the first word, or line of a file, at fault.
    """
    rest = list(words)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if not name.startswith("--"):
            raise RecognizerError(f"{name}{equals}{value}: expected --SETTING VALUE")
        if name == PRINT:
            continue
        if name != CONFIG:
            type_of(name[2:].removesuffix(MORE))
        if not equals and (not rest or rest[0].startswith("--")):
            raise RecognizerError(f"{name}: expected a value")
        _refuse_flag(name, value if equals else rest.pop(0))


def _refuse_flag(name: str, word: str) -> None:
    if name == CONFIG:
        _refuse_file(Path(word))
    elif name.endswith(MORE):
        _refuse(name.removeprefix("--").removesuffix(MORE), [_read(word)])
    else:
        _refuse(name.removeprefix("--"), word)


def _refuse_file(path: Path) -> None:
    found = places(path, setting_names())
    for name, value in _settings(_read(path.read_text(encoding="utf-8")), ""):
        try:
            _refuse(name, value)
        except RecognizerError as error:
            raise RecognizerError(f"{found[name]}: {error}") from None


def _settings(group: dict[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    """Yield the settings of a file by their dotted names with their values, groups left out."""
    for key, value in group.items():
        name = f"{above}{key}"
        yield from _settings(value, f"{name}.") if is_group(name) else ((name, value),)


def _refuse(name: str, value: Any) -> None:
    """Refuse a value; that of a text is what the text stands for, or the text itself."""
    if not isinstance(value, str):
        return refuse_value(name, value)
    try:
        refuse_value(name, value)
    except RecognizerError:
        read = _read(value)
        refuse_value(name, value if read is None and value != "null" else read)


def _read(word: str) -> Any:
    """Return the plain data that a word stands for, as the parser reads it (1e-3 is a number), or the word itself."""
    from jsonargparse import get_loader

    try:
        return get_loader("yaml")(word)
    except yaml.YAMLError:
        return word
