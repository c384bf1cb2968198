"""The types of a run's settings by their dotted names, and values held against them before jsonargparse parses them."""

from collections.abc import Iterator
from dataclasses import is_dataclass
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from recognizer.common.plain_data import NAMES, choices_of, field_types, typed
from recognizer.errors import RecognizerError
from recognizer.training.config_file import nearest
from recognizer.training.trainer_settings import OWN_TRAINER, PRECISIONS


@cache
def setting_types() -> dict[str, Any]:
    """Return the types of the settings by name; a group of settings is a dataclass or, the Trainer's, a dictionary."""
    from lightning import Trainer

    from recognizer.training.config import Config

    trainer: dict[str, Any] = get_type_hints(Trainer.__init__)
    trainer["precision"] = Literal[PRECISIONS + (32, 16)] | None  # of Lightning's those that go with this training
    return {
        **field_types(Config),
        "trainer": {name: trainer[name] for name in trainer if name not in ("return", *OWN_TRAINER)},
    }


@cache
def setting_names() -> tuple[str, ...]:
    """Return the dotted names of all settings, and of groups of them."""
    return tuple(_names(setting_types(), ""))


def _names(group: dict[str, Any], above: str) -> Iterator[str]:
    for name, expected in group.items():
        yield f"{above}{name}"
        yield from _names(_group(expected) or {}, f"{above}{name}.")


def refuse_value(name: str, value: Any) -> None:
    """Refuse the value of a setting, or of a group of them, that has another type than the setting.

    Args:
        name: dotted, of the setting.
        value: plain data. Those of objects, such as a strategy of Lightning's, are left to who makes the objects.

    Raises:
        RecognizerError: no setting is called so, or its value has another type.
    """
    expected = type_of(name)
    if _group(expected) is None:
        if _is_plain(expected):
            typed(expected, value, name)
        return
    if not isinstance(value, dict):
        raise RecognizerError(f"{name} is {value!r}, expected names with values: it is a group of settings")
    for key, inner in value.items():
        refuse_value(f"{name}.{key}", inner)


def type_of(name: str) -> Any:
    """Return the type of a setting by its dotted name, Any for what stands below an object or in a dictionary.

    Raises:
        RecognizerError: no setting is called so.
    """
    expected: Any = setting_types()
    for part in name.split("."):
        below = _below(expected)
        if below is None and _takes_names(expected):
            return Any
        if below is None or part not in below:
            known = [*setting_names(), *(f"{name.rpartition('.')[0]}.{inner}" for inner in below or ())]
            raise RecognizerError(f"no setting is called {name}{nearest(name, known)}")
        expected = below[part]
    return expected


def is_group(name: str) -> bool:
    """Return whether a dotted name is that of a group of settings."""
    return _group(type_of(name)) is not None


def _group(expected: Any) -> dict[str, Any] | None:
    """Return the types of what a group of settings holds, None for the type of one setting."""
    return expected if isinstance(expected, dict) else field_types(expected) if is_dataclass(expected) else None


def _below(expected: Any) -> dict[str, Any] | None:
    """Return the types of what may stand below a name: of a group, or of a setting that is a dataclass or nothing."""
    found = [group for choice in choices_of(expected) if (group := _group(choice)) is not None]
    return found[0] if found else None


def _is_plain(expected: Any) -> bool:
    """Return whether values of a type are plain data throughout, which none of Lightning's objects is."""
    if get_origin(expected) in (list, tuple, dict) or len(choices_of(expected)) > 1:
        return all(_is_plain(inner) for inner in get_args(expected))
    return expected in NAMES or is_dataclass(expected) or get_origin(expected) is Literal


def _takes_names(expected: Any) -> bool:
    return any(get_origin(choice) is dict or not _is_plain(choice) for choice in choices_of(expected))
