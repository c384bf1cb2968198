"""Transcription rules: what editors write differently, brought to one form."""

import hashlib
import html
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recognizer.corpus.yaml_file import pairs_of, read_mapping, text_of
from recognizer.errors import RecognizerError

FOLDER = "rules"  # below datasets/
SUFFIX = ".yaml"
MOST_ESCAPES = 4  # times that an entity is unescaped: "&amp;amp;" was escaped twice
KEYS = ("about", "unescape", "replace", "substitute", "leave_out", "examples")


@dataclass(frozen=True)
class Ruled:
    """What became of a transcript.

    Args:
        text: in the normal form; "" where the line is left out.
        reason: why it is left out, "" where it is kept.
    """

    text: str
    reason: str = ""


@dataclass(frozen=True)
class Example:
    """A transcript with what the rules make of it.

    Args:
        text: as it was published.
        becomes: its normal form, or the reason for which it is left out.
    """

    text: str
    becomes: str


@dataclass(frozen=True)
class TranscriptionRules:
    """How the transcripts of a corpus come to one form. The steps are taken in this order, each once.

    Args:
        name: what the rules are called.
        about: what they are for, in a sentence.
        unescape: whether entities such as &amp; that stand in the text itself become what they stand for.
        leave_out: (reason, pattern): a line in whose text a pattern is found is left out for that reason.
        substitute: (pattern, replacement), regular expressions in order.
        replace: strings in the place of others, in order.
        examples: what is to come of some transcripts; checked when the rules are read.
        sha256: of the file that they were read from.
    """

    name: str
    about: str = ""
    unescape: bool = False
    leave_out: tuple[tuple[str, re.Pattern[str]], ...] = ()
    substitute: tuple[tuple[re.Pattern[str], str], ...] = ()
    replace: tuple[tuple[str, str], ...] = ()
    examples: tuple[Example, ...] = ()
    sha256: str = ""

    @property
    def title(self) -> str:
        """Name and content in a few words, for the record of a model."""
        return f"{self.name} (sha256 {self.sha256[:16]})"

    def apply(self, text: str) -> Ruled:
        """Return the normal form of a transcript, in NFC with single spaces, or why its line is left out."""
        if self.unescape:
            text = _unescaped(text)
        text = unicodedata.normalize("NFC", text)
        for reason, pattern in self.leave_out:
            if pattern.search(text):
                return Ruled("", reason)
        for pattern, put in self.substitute:
            text = pattern.sub(put, text)
        for old, new in self.replace:
            text = text.replace(old, new)
        text = unicodedata.normalize("NFC", " ".join(text.split()))
        return Ruled(text) if text else Ruled("", "line without text")


def read_rules(name_or_path: str, folder: Path) -> TranscriptionRules:
    """Read rules by their name, a file of `folder`, or by the path of a file.

    Raises:
        RecognizerError: there are none, the file is at fault, or an example comes out otherwise than it says.
    """
    known = folder / FOLDER / f"{name_or_path}{SUFFIX}"
    path = known if known.is_file() else Path(name_or_path)
    if not path.is_file():
        names = ", ".join(sorted(p.stem for p in (folder / FOLDER).glob(f"*{SUFFIX}")))
        raise RecognizerError(f"{name_or_path}: no such rules, expected a YAML file or one of {names}")
    rules = _rules(path, read_mapping(path, KEYS), hashlib.sha256(path.read_bytes()).hexdigest())
    _check_examples(path, rules)
    return rules


def _unescaped(text: str) -> str:
    for _ in range(MOST_ESCAPES):
        plain = html.unescape(text)
        if plain == text:
            break
        text = plain
    return text


def _rules(path: Path, tree: dict[str, Any], sha256: str) -> TranscriptionRules:
    return TranscriptionRules(
        path.stem,
        text_of(path, tree, "about"),
        tree.get("unescape") is True,
        tuple((reason, _pattern(path, pattern)) for reason, pattern in pairs_of(path, tree, "leave_out")),
        tuple((_pattern(path, pattern), put) for pattern, put in pairs_of(path, tree, "substitute")),
        tuple((unicodedata.normalize("NFC", old), put) for old, put in pairs_of(path, tree, "replace")),
        tuple(Example(*pair) for pair in pairs_of(path, tree, "examples")),
        sha256,
    )


def _pattern(path: Path, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(unicodedata.normalize("NFC", pattern))
    except re.error as error:
        raise RecognizerError(f"{path}: {pattern!r} is no regular expression ({error})") from None


def _check_examples(path: Path, rules: TranscriptionRules) -> None:
    for example in rules.examples:
        found = rules.apply(example.text)
        if example.becomes not in (found.text, found.reason):
            raise RecognizerError(
                f"{path}: example {example.text!r} becomes {found.text or found.reason!r}, expected {example.becomes!r}"
            )
