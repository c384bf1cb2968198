"""Plain data, as JSON holds it, to the dataclasses of settings, every type checked."""

import math
import types
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from recognizer.errors import RecognizerError

NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", type(None): "nothing"}
SHOWN = 40  # characters of a value in a message
Settings = TypeVar("Settings")


def from_plain(settings: type[Settings], data: Any, where: str) -> Settings:
    """Return a dataclass made of plain data: nested dataclasses from dictionaries, tuples from lists.

    Args:
        settings: the dataclass.
        data: what a file holds in its place, a dictionary if nothing is wrong.
        where: what the data are called in messages, "" where their names say enough.

    Raises:
        RecognizerError: no dictionary, a key that is not known or lacks, a value of another type, a number that is
            not finite, or what the dataclass itself refuses.
    """
    if not isinstance(data, dict):
        raise RecognizerError(f"{where or 'it'} is {_shown(data)}, expected names with values")
    hints = field_types(settings)
    if unknown := [key for key in data if key not in hints]:
        raise RecognizerError(f"{where or 'it'} has no setting {_shown(unknown[0])}, there are {', '.join(hints)}")
    needed = {f.name for f in fields(settings) if f.default is MISSING and f.default_factory is MISSING}  # type: ignore[arg-type]
    if lacking := sorted(needed - data.keys()):
        raise RecognizerError(f"{where or 'it'} lacks {lacking[0]}")
    above = f"{where}." if where else ""
    return settings(**{key: typed(hints[key], value, f"{above}{key}") for key, value in data.items()})


def field_types(settings: Any) -> dict[str, Any]:
    """Return the types of a dataclass's fields by name."""
    hints = get_type_hints(settings)
    return {field.name: hints[field.name] for field in fields(settings)}


def choices_of(expected: Any) -> tuple[Any, ...]:
    """Return the types that a union offers, a type alone where it is none."""
    return get_args(expected) if get_origin(expected) in (Union, types.UnionType) else (expected,)


def typed(expected: Any, value: Any, where: str) -> Any:
    """Return a value as the type `expected` says.

    Raises:
        RecognizerError: it has another type.
    """
    origin, inner = get_origin(expected), get_args(expected)
    if is_dataclass(expected) and isinstance(expected, type):
        return from_plain(expected, value, where)
    if len(choices := choices_of(expected)) > 1:
        return _one_of(choices, value, where)
    if origin in (list, tuple) and isinstance(value, list | tuple):
        return origin(typed(inner[0], one, f"{where}[{i}]") for i, one in enumerate(value))
    if origin is dict and isinstance(value, dict):
        return {typed(inner[0], k, where): typed(inner[1], one, f"{where}.{k}") for k, one in value.items()}
    if expected is Any or _is(expected, value):
        return value
    raise RecognizerError(f"{where} is {_shown(value)}, expected {_words(expected)}")


def _one_of(choices: tuple[Any, ...], value: Any, where: str) -> Any:
    """Return a value as the first of several types that it has."""
    for choice in choices:
        if isinstance(value, dict) and is_dataclass(choice):
            return typed(choice, value, where)  # whose complaint says what is wrong within
        try:
            return typed(choice, value, where)
        except RecognizerError as error:
            if isinstance(value, list) and get_origin(choice) is list:
                raise error from None
    names = dict.fromkeys(_words(choice) for choice in choices if choice is not int or float not in choices)
    raise RecognizerError(f"{where} is {_shown(value)}, expected {' or '.join(names)}")


def _words(expected: Any) -> str:
    """Return what a type is called in a message."""
    origin = get_origin(expected)
    if origin is Literal:
        return ", ".join(dict.fromkeys(map(str, get_args(expected))))
    if origin in (list, tuple):
        return "a list"
    return "names with values" if origin is dict or is_dataclass(expected) else NAMES.get(expected, str(expected))


def _is(expected: Any, value: Any) -> bool:
    """Return whether a value is of a simple type; true is no number, and every number is finite."""
    if expected is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and _finite(value)
    if expected is int:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    if get_origin(expected) is Literal:
        return any(type(value) is type(one) and value == one for one in get_args(expected))
    return expected in NAMES and isinstance(value, expected)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond what a float holds
        return False


def _shown(value: Any) -> str:
    """Return a value for a message, not too long and with nothing that a terminal cannot show."""
    text = ascii(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
