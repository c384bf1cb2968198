"""Recipes that are data: which pages of a published collection are taken, and into which split."""

from dataclasses import dataclass
from pathlib import Path

from recognizer.corpus.collections import CollectionSettings
from recognizer.corpus.rules import read_rules
from recognizer.corpus.yaml_file import list_of, read_mapping, text_of

RECIPE = "pages.yaml"
TEXTS = ("home", "commit", "licence")
LISTS = ("pages", "leave_out", "valid", "test", "wrong")
KEYS = (*TEXTS, *LISTS, "group", "rules")


@dataclass(frozen=True)
class CollectionRecipe:
    """A collection that is known.

    Args:
        name: the folder under datasets/.
        home: where it is published.
        commit: the state of its repository that was looked at.
        licence: in a few words.
        settings: which pages, documents, splits and rules.
    """

    name: str
    home: str
    commit: str
    licence: str
    settings: CollectionSettings


def read_collection_recipe(path: Path) -> CollectionRecipe:
    """Read the pages.yaml of a corpus.

    Raises:
        RecognizerError: no YAML, an unknown key, a value of another type, rules that are not there.
    """
    tree = read_mapping(path, KEYS)
    texts = {key: text_of(path, tree, key) for key in (*TEXTS, "rules")}
    lists = {key: list_of(path, tree, key) for key in LISTS}
    rules = read_rules(texts["rules"], path.parents[1]) if texts["rules"] else None
    settings = CollectionSettings(group=text_of(path, tree, "group") or "folder", rules=rules, **lists)
    return CollectionRecipe(path.parent.name, texts["home"], texts["commit"], texts["licence"], settings)
