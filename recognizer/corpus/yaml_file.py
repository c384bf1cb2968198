"""Small YAML files of one mapping: recipes, rules, cards of collections."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from recognizer.errors import RecognizerError


def read_mapping(path: Path, keys: Sequence[str] = ()) -> dict[str, Any]:
    """Return the mapping that a YAML file holds, {} where the file is empty.

    Args:
        path: of the file.
        keys: the only ones that may stand there; none allows any.

    Raises:
        RecognizerError: it cannot be read, is no YAML, no mapping, or has another key.
    """
    try:
        tree = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise RecognizerError(f"{path}: cannot be read ({error.strerror}), expected YAML") from None
    except (yaml.YAMLError, ValueError) as error:
        raise RecognizerError(f"{path}: {' '.join(str(error).split())}, expected YAML") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise RecognizerError(f"{path}: a {type(tree).__name__}, expected a mapping of keys to values")
    if strange := [key for key in tree if keys and key not in keys]:
        raise RecognizerError(f"{path}: no key is called {strange[0]!r}, expected {', '.join(keys)}")
    return tree


def text_of(path: Path, tree: dict[str, Any], key: str) -> str:
    """Return the string under a key, "" where there is none.

    Raises:
        RecognizerError: it is no string.
    """
    value = tree.get(key, "")
    if not isinstance(value, str):
        raise RecognizerError(f"{path}: {key} is {value!r}, expected a string in quotation marks")
    return value


def list_of(path: Path, tree: dict[str, Any], key: str) -> tuple[str, ...]:
    """Return the list of strings under a key, () where there is none.

    Raises:
        RecognizerError: it is another thing.
    """
    value = tree.get(key) or []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise RecognizerError(f"{path}: {key} is {value!r}, expected a list of strings")
    return tuple(value)


def pairs_of(path: Path, tree: dict[str, Any], key: str) -> tuple[tuple[str, str], ...]:
    """Return the mapping of strings under a key as pairs in its order, () where there is none.

    Raises:
        RecognizerError: it is another thing.
    """
    value = tree.get(key) or {}
    if not isinstance(value, dict) or not all(isinstance(part, str) for pair in value.items() for part in pair):
        raise RecognizerError(f"{path}: {key} is {value!r}, expected strings for strings, in quotation marks")
    return tuple(value.items())
