"""Text to labels, labels to text."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from recognizer.corpus.picture_order import DIRECTIONS, in_picture_order, in_text_order
from recognizer.errors import RecognizerError

BLANK = 0
WORD_BOUNDARY = "|"  # the token between words, in alphabets of tokens
AROUND = 10  # symbols before and behind an unknown one that its message shows
FORMS = ("NFC", "NFD", "NFKC", "NFKD")
SCORINGS = ("", "timit-39")
LOGICAL = "logical"  # the order in which a text is spoken, and in which Unicode keeps it


@dataclass(frozen=True)
class TextSettings:
    """How a transcript becomes the text that is learned, scored and printed.

    Args:
        form: Unicode normalisation form, one of NFC, NFD, NFKC, NFKD.
        case: "keep" or "lower".
        replace: strings put in the place of others, applied in order after form and case; "" deletes. Those that are
            canonically the same by Unicode are one string; the text is in its form again behind them.
        unit: "character" (a label is a code point) or "token" (labels are separated by white space).
        scoring: "" compares symbols as they are; "timit-39" folds TIMIT's 61 phones to 39 classes first.
        order: of the labels: "logical", as the text is spoken; or as its characters stand in a picture that is read
            from the left ("ltr") or the right ("rtl"), which is the direction of its paragraphs too. Texts that are
            read are in logical order in any case.
    """

    form: str = "NFC"
    case: str = "keep"
    replace: dict[str, str] = field(default_factory=dict)
    unit: str = "character"
    scoring: str = ""
    order: str = LOGICAL

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        for name, value, choices in (
            ("form", self.form, FORMS),
            ("case", self.case, ("keep", "lower")),
            ("unit", self.unit, ("character", "token")),
            ("scoring", self.scoring, SCORINGS),
            ("order", self.order, (LOGICAL, *DIRECTIONS)),
        ):
            if value not in choices:
                raise RecognizerError(f"text.{name} is {value!r}, expected one of {', '.join(map(repr, choices))}")
        if self.scoring and self.unit != "token":
            raise RecognizerError(f"text.scoring is {self.scoring!r}, expected text.unit token with it")
        if self.order != LOGICAL and self.unit == "token":
            raise RecognizerError(f"text.order is {self.order!r}, expected logical with text.unit token")

    def normalize(self, text: str) -> str:
        """Return `text` as it is learned: Unicode form, case, replacements, single inner spaces, none outside."""
        text = self._in_form_and_case(text)
        for old, new in self._replacements:
            text = text.replace(old, new)
        return " ".join((self._composed(text) if self.replace else text).split())

    def idle_replacements(self) -> dict[str, str]:
        """Return what `replace` replaces and no text in this form and case can hold, with what it holds instead."""
        put = "\n".join(new for _, new in self._replacements)
        found = {old: self._in_form_and_case(old) for old, _ in self._replacements if old not in put}
        return {old: there for old, there in found.items() if there != old}

    @cached_property
    def _replacements(self) -> list[tuple[str, str]]:
        return [(self._composed(old), self._composed(new)) for old, new in self.replace.items()]

    def _in_form_and_case(self, text: str) -> str:
        text = unicodedata.normalize(self.form, text)  # type: ignore[arg-type]
        if self.case == "lower":
            text = unicodedata.normalize(self.form, text.lower())  # type: ignore[arg-type]
        return text

    def _composed(self, text: str) -> str:
        """Return a text with its accents as the form has them; what NFKC and NFKD make alike stays apart."""
        return unicodedata.normalize("NFD" if self.form.endswith("D") else "NFC", text)


@dataclass(frozen=True)
class Alphabet:
    """The symbols of a model in class order; class 0 is the blank, class i is `symbols[i - 1]`.

    Args:
        symbols: distinct characters, or tokens where `text.unit` is "token".
        text: the normalisation that transcripts go through before they are encoded.
    """

    symbols: tuple[str, ...]
    text: TextSettings = TextSettings()

    def __post_init__(self) -> None:
        """Refuse an alphabet that cannot be told apart."""
        if len(set(self.symbols)) != len(self.symbols):
            raise RecognizerError("alphabet: a symbol stands twice, expected distinct symbols")
        if "" in self.symbols:
            raise RecognizerError("alphabet: an empty symbol, expected at least one character")
        for symbol in self.symbols:
            _refuse_bad_symbol(symbol, self.text.unit)
        object.__setattr__(self, "_class_of", {symbol: i for i, symbol in enumerate(self.symbols, 1)})

    @property
    def classes(self) -> int:
        """Number of classes, the blank included."""
        return len(self.symbols) + 1

    def split(self, text: str) -> list[str]:
        """Return the symbols of an already normalised `text`, known or not."""
        return text.split() if self.text.unit == "token" else list(text)

    def learned(self, text: str) -> list[str]:
        """Return the symbols of an already normalised `text` in the order of their labels, known or not."""
        return self.split(text if self.text.order == LOGICAL else in_picture_order(text, self.text.order))

    def spoken(self, symbols: Sequence[str]) -> tuple[Sequence[int], Sequence[str]]:
        """Return which of `symbols`, in the order of their labels, come one after the other in the text, and how."""
        if self.text.order == LOGICAL:
            return range(len(symbols)), symbols
        places, text = in_text_order(symbols, self.text.order)
        return places, list(text)

    def join(self, symbols: Iterable[str]) -> str:
        """Return the text that `symbols` spell."""
        return (" " if self.text.unit == "token" else "").join(symbols)

    def unknown(self, text: str) -> list[str]:
        """Return the symbols of a raw `text` that have no class, each once, in order."""
        return [s for s in dict.fromkeys(self.learned(self.text.normalize(text))) if s not in self._classes]

    def encode(self, text: str) -> list[int]:
        """Return the labels of a raw `text` after normalisation.

        Raises:
            RecognizerError: a symbol has no class.
        """
        symbols = self.learned(self.text.normalize(text))
        try:
            return [self._classes[symbol] for symbol in symbols]
        except KeyError as error:
            place = symbols.index(error.args[0])
            near = self.join(symbols[max(0, place - AROUND) : place + AROUND + 1])
            raise RecognizerError(f"character {error.args[0]!r} in {near!r} is not in the alphabet") from None

    def decode(self, labels: Sequence[int]) -> str:
        """Return what `labels` (no blanks among them) spell, one symbol each, in the order of the text."""
        return self.join(self.spoken([self.symbols[label - 1] for label in labels])[1])

    def text_of(self, labels: Sequence[int]) -> str:
        """Return the text that is read in `labels`, spaces as `spelled` leaves them."""
        return self.decode([labels[i] for i in self.spelled(labels)])

    def spelled(self, labels: Sequence[int]) -> Sequence[int]:
        """Return the positions of those of `labels` that a text is made of: single spaces inside, none outside.

        References have no other spaces (`TextSettings.normalize`); this is the one place where readings get the same.
        """
        space = self._classes.get(" ")
        if self.text.unit == "token" or space not in labels:
            return range(len(labels))
        last = max((i for i, label in enumerate(labels) if label != space), default=-1)
        return [i for i in range(last + 1) if labels[i] != space or i > 0 and labels[i - 1] != space]

    @property
    def _classes(self) -> dict[str, int]:
        return self.__dict__["_class_of"]  # type: ignore[no-any-return]


def _refuse_bad_symbol(symbol: str, unit: str) -> None:
    """Refuse what no text of a unit falls into: several characters, white space in a token, half a character."""
    if unit == "character" and len(symbol) > 1:
        raise RecognizerError(f"alphabet: the symbol {symbol!r}, expected one character (or text.unit token)")
    if unit == "token" and symbol.split() != [symbol]:
        raise RecognizerError(f"alphabet: the symbol {symbol!r}, expected a token without white space")
    if any(0xD800 <= ord(character) < 0xE000 for character in symbol):
        raise RecognizerError(f"alphabet: the symbol {symbol!r} is half a character, expected a whole one")


def alphabet_of(texts: Iterable[str], settings: TextSettings) -> tuple[Alphabet, Counter[str]]:
    """Return the alphabet of raw `texts`, sorted by code point, and how often each symbol occurs."""
    empty = Alphabet((), settings)
    seen: Counter[str] = Counter()
    for text in texts:
        seen.update(empty.learned(settings.normalize(text)))
    return Alphabet(tuple(sorted(seen)), settings), seen


def frames_needed(labels: Sequence[int]) -> int:
    """Return the fewest output frames CTC can spell `labels` in: one each, and a blank between equal neighbours."""
    return len(labels) + sum(a == b for a, b in zip(labels, labels[1:], strict=False))
