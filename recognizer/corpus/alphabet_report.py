"""What is odd about the characters of a corpus."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from recognizer.corpus.alphabet import Alphabet, TextSettings

RARE = 10  # times: what is seen less often is hardly learned
INVISIBLE = ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")  # general categories that no pen writes and no voice says

# Letters that look the same in print, capitals and small letters apart; of each row one script belongs in a text.
TWINS = (
    "AΑА", "BΒВ", "CС", "EΕЕ", "HΗН", "IΙІ", "JЈ", "KΚК", "MΜМ", "NΝ", "OΟО", "PΡР", "SЅ", "TΤТ", "XΧХ", "YΥУ", "ZΖ",
    "aа", "cс", "eе", "iі", "jј", "oοо", "pρр", "sѕ", "vν", "xх", "yу", "ГΓ", "ПΠ", "ΛЛ", "ΦФ",
)  # fmt: skip
FAMILIES = {
    "dashes": "-\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2e3a\ufe58\uff0d\u05be",
    "apostrophes": "'`\u00b4\u02b9\u02bb\u02bc\u02c8\u2018\u2019\u201b\u2032\uff07\ua78b\ua78c\u02be\u02bf\u05f3",
    "quotation marks": '"\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\uff02',
    "spaces": " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "dots": ".\u2024\u2026\u00b7\u2022\u2219\u22c5",
}
JAPANESE = ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC")  # stand in one text with CJK


@dataclass(frozen=True)
class AlphabetReport:
    """The characters of a corpus.

    Args:
        learned: each symbol of the texts that are learned, with counts.
        elsewhere: symbols that no model can write, as they stand in no learned text: split -> symbol -> count.
        rare: learned symbols that are seen fewer than RARE times.
        look_alikes: (symbol, count, why): letters of another script than most, characters that differ in code alone.
        families: kinds of sign that are written in more than one way: kind -> symbol -> count.
        invisible: control and format characters of the raw texts, with counts.
        changed: characters of the raw texts that normalisation changes: (character, count, what becomes of it).
        changed_texts: samples whose text normalisation changes.
    """

    learned: dict[str, int]
    elsewhere: dict[str, dict[str, int]]
    rare: dict[str, int]
    look_alikes: list[tuple[str, int, str]]
    families: dict[str, dict[str, int]]
    invisible: dict[str, int]
    changed: list[tuple[str, int, str]]
    changed_texts: int


def report_alphabet(texts: Mapping[str, Sequence[str]], learned: str, known: Alphabet) -> AlphabetReport:
    """Look at raw texts by split.

    Args:
        texts: split -> raw transcripts.
        learned: the split that is learned; where `texts` has none of that name, all count as learned.
        known: symbols that a model has; one without symbols takes those of the learned texts.
    """
    symbols = {split: _symbols(each, known) for split, each in texts.items()}
    seen = symbols[learned] if learned in symbols else sum(symbols.values(), Counter())
    writable = set(known.symbols) or set(seen)
    elsewhere = {split: {s: n for s, n in _sorted(found) if s not in writable} for split, found in symbols.items()}
    raw: Counter[str] = Counter()
    for each in texts.values():
        raw.update("".join(each))
    everything = sum(symbols.values(), Counter())
    return AlphabetReport(
        learned=dict(_sorted(seen)),
        elsewhere={split: found for split, found in elsewhere.items() if found},
        rare={symbol: count for symbol, count in _sorted(seen) if count < RARE},
        look_alikes=_strangers(everything) + _compatible(everything),
        families=_families(everything),
        invisible={c: n for c, n in _sorted(raw) if unicodedata.category(c) in INVISIBLE},
        changed=[(c, n, new) for c, n in _sorted(raw) if (new := _normal(c, known.text)) != c],
        changed_texts=sum(known.text.normalize(text) != text for each in texts.values() for text in each),
    )


def named(character: str) -> str:
    """Return a symbol as people can tell it from its likes: itself, its code point, its name."""
    if len(character) != 1:
        return repr(character)
    shown = character if character.isprintable() and not unicodedata.combining(character) else ""
    return f"{shown} U+{ord(character):04X} {unicodedata.name(character, '(without a name)')}".strip()


def script(character: str) -> str:
    """Return the script of a letter as Unicode names it, such as "LATIN"; "" of what is no letter, or of any script."""
    if not unicodedata.category(character).startswith("L"):
        return ""
    name = unicodedata.name(character, "").partition(" ")[0]
    return "CJK" if name in JAPANESE else "" if name == "MODIFIER" else name


def _symbols(texts: Iterable[str], alphabet: Alphabet) -> Counter[str]:
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(alphabet.split(alphabet.text.normalize(text)))
    return counts


def _sorted(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items())


def _normal(character: str, text: TextSettings) -> str:
    """Return what becomes of one character between two letters, where white space stays what it is."""
    around = text.normalize("x" + character + "x")
    inner = around[1:-1] if around[:1] == around[-1:] == "x" and len(around) > 1 else around
    return inner


def _strangers(counts: Mapping[str, int]) -> list[tuple[str, int, str]]:
    """Return letters of another script than most letters have."""
    letters = {symbol: name for symbol in counts if len(symbol) == 1 and (name := script(symbol))}
    sizes: Counter[str] = Counter()
    for symbol, name in letters.items():
        sizes[name] += counts[symbol]
    if len(sizes) < 2:
        return []
    main = sizes.most_common(1)[0][0]
    return [
        (symbol, counts[symbol], _stranger(symbol, name, main))
        for symbol, name in sorted(letters.items())
        if name != main
    ]


def _stranger(symbol: str, name: str, main: str) -> str:
    twins = [twin for row in TWINS if symbol in row for twin in row if script(twin) == main]
    like = f", looks like {named(twins[0])}" if twins else ""
    return f"{name} among {main} letters{like}"


def _compatible(counts: Mapping[str, int]) -> list[tuple[str, int, str]]:
    """Return symbols that NFKC takes for others, such as ligatures, full-width letters and superscripts."""
    found = []
    for symbol, count in _sorted(counts):
        plain = unicodedata.normalize("NFKC", symbol)
        if plain != unicodedata.normalize("NFC", symbol) and len(symbol) == 1:
            found.append((symbol, count, f"the same as {plain!r} by NFKC"))
    return found


def _families(counts: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Return the kinds of sign that stand in more than one form."""
    found = {kind: {c: counts[c] for c in signs if counts.get(c)} for kind, signs in FAMILIES.items()}
    return {kind: signs for kind, signs in found.items() if len(signs) > 1}
