"""The keys of a configuration file with the places where they stand."""

import difflib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from recognizer.errors import RecognizerError


def places(path: Path, known: Collection[str]) -> dict[str, str]:
    """Return the dotted keys of a YAML file with their places, such as "copiste.yaml:7".

    Args:
        path: of the file.
        known: the dotted keys there are; what stands below one that is no group is its value.

    Raises:
        RecognizerError: it cannot be read, is no YAML, or has a key that is not known or stands twice.
    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise RecognizerError(f"{path}: cannot be read ({error.strerror}), expected a configuration") from None
    except UnicodeDecodeError:
        raise RecognizerError(f"{path}: not UTF-8 text, expected a configuration in YAML") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RecognizerError(f"{path}:{line}: {error.problem}, expected YAML") from None
    except (yaml.YAMLError, ValueError) as error:
        raise RecognizerError(f"{path}: {error}, expected YAML") from None
    except RecursionError:
        raise RecognizerError(f"{path}: groups within groups without end, expected those that there are") from None
    if root is None:
        raise RecognizerError(f"{path}: no setting there, expected lines such as `seed: 1`")
    if not isinstance(root, yaml.MappingNode):
        raise RecognizerError(f"{path}:1: no key there, expected lines such as `seed: 1`")
    found: dict[str, str] = {}
    for key, line, names_below in _keys(root, "", known):
        place = f"{path}:{line}"
        if key in found:
            raise RecognizerError(f"{place}: {key} stands at {found[key]} too, expected it once")
        if not _is_known(key, known):
            raise RecognizerError(f"{place}: no setting is called {key}{nearest(key, known)}")
        if _is_group(key, known) and not names_below:
            raise RecognizerError(f"{place}: {key} is a group of settings, expected names with values below it")
        found[key] = place
    return found


def stated(path: Path) -> dict[str, Any]:
    """Return the settings of a file that `places` has looked at: what stands at its keys, groups as dictionaries."""
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def names(value: str) -> list[str]:
    """Return the names in the value of a setting as a command line gives it: one, a list in YAML, or itself."""
    try:
        named = yaml.safe_load(value)
    except yaml.YAMLError:
        return [value]
    return [str(name) for name in named] if isinstance(named, list) else [str(named)]


def nearest(key: str, known: Collection[str]) -> str:
    """Return a hint at the key that is most like `key`, "" where none is."""
    near = difflib.get_close_matches(key, known, 1, 0.5)
    return f" (did you mean {near[0]}?)" if near else ""


def _keys(node: yaml.MappingNode, above: str, known: Collection[str]) -> Iterator[tuple[str, int, bool]]:
    """Yield the dotted keys with their lines and whether names stand below them, groups before what is in them."""
    for key_node, value in node.value:
        key = f"{above}{key_node.value}"
        yield key, key_node.start_mark.line + 1, isinstance(value, yaml.MappingNode)
        if isinstance(value, yaml.MappingNode) and _is_group(key, known):
            yield from _keys(value, f"{key}.", known)


def _is_known(key: str, known: Collection[str]) -> bool:
    return key in known or _is_group(key, known)


def _is_group(key: str, known: Collection[str]) -> bool:
    return any(other.startswith(f"{key}.") for other in known)
