"""Readings of the parts of one recording put together."""

import math
from collections.abc import Sequence
from dataclasses import replace

from recognizer.corpus.alphabet import Alphabet
from recognizer.decoding.hypothesis import Hypothesis, Span

TOUCH = 0.5  # share of the shorter of two words that they must have in common to be the same one


def joined(parts: Sequence[Hypothesis], alphabet: Alphabet) -> Hypothesis:
    """Return one hypothesis for parts that follow one another, their texts parted by a space.

    The confidence is the geometric mean over all characters, as that of a part is over its own (of nothing but silence
    the lowest of the parts'); the score is the sum.
    """
    spoken = [part for part in parts if part.text]
    score = math.fsum(part.score for part in parts)
    if not spoken:
        return Hypothesis("", min((part.confidence for part in parts), default=1.0), (), (), score)
    characters: list[Span] = []
    for part in spoken:
        if characters and part.characters and alphabet.text.unit != "token":
            characters.append(Span(" ", characters[-1].end, part.characters[0].start, 1.0))
        characters += part.characters
    sizes = [max(1, len(part.characters)) for part in spoken]
    logs = math.fsum(n * math.log(max(part.confidence, 1e-45)) for n, part in zip(sizes, spoken, strict=True))
    words = tuple(word for part in spoken for word in part.words)
    text = " ".join(part.text for part in spoken)
    return Hypothesis(text, math.exp(logs / sum(sizes)), tuple(characters), words, score)


def stitched(before: Hypothesis, after: Hypothesis, start: float, end: float) -> tuple[Hypothesis, Hypothesis]:
    """Return two readings without what both say of the time from `start` to `end` that they share.

    The seam is behind the word that both read alike at the same time, the one nearest to the middle; where they agree
    on none, it is at the middle, and a word that it cuts is left to the reading that has more of it.

    Args:
        before: reading of the sound that ends at `end`.
        after: reading of the sound that begins at `start`; spans in the same unit.
        start: where the overlap begins.
        end: where it ends.
    """
    if not any(word.end > start for word in before.words) or not any(word.start < end for word in after.words):
        return before, after
    middle = (start + end) / 2
    same = [
        (abs((one.start + one.end) / 2 - middle), i, j)
        for i, one in enumerate(before.words)
        for j, other in enumerate(after.words)
        if one.text == other.text and one.end > start and other.start < end and _touch(one, other)
    ]
    if same:
        _, i, j = min(same)
        return kept_words(before, 0, i + 1), kept_words(after, j + 1, len(after.words))
    last = sum((word.start + word.end) / 2 < middle for word in before.words)
    first = sum((word.start + word.end) / 2 < middle for word in after.words)
    if last and first < len(after.words) and _touch(before.words[last - 1], after.words[first]):
        first += 1
    return kept_words(before, 0, last), kept_words(after, first, len(after.words))


def kept_words(hypothesis: Hypothesis, first: int, last: int) -> Hypothesis:
    """Return the words from number `first` to before `last` of a hypothesis with the characters between them."""
    if first <= 0 and last >= len(hypothesis.words):
        return hypothesis
    words = hypothesis.words[first:last]
    if not words:
        return replace(hypothesis, text="", characters=(), words=())
    characters = hypothesis.characters
    if characters:
        begins = [
            i for i, span in enumerate(characters) if _is_word(span) and (i == 0 or not _is_word(characters[i - 1]))
        ]
        ends = [i + 1 for i, span in enumerate(characters) if _is_word(span)]
        starts = begins if len(begins) == len(hypothesis.words) else list(range(len(characters)))
        stop = starts[last] if last < len(starts) else len(characters)
        stop = max((e for e in ends if e <= stop), default=stop)
        characters = characters[starts[first] : stop]
    return replace(hypothesis, text=" ".join(word.text for word in words), characters=characters, words=words)


def _is_word(span: Span) -> bool:
    return not span.text.isspace()


def _touch(one: Span, other: Span) -> bool:
    """Return whether two words have so much time in common that they are one."""
    shared = min(one.end, other.end) - max(one.start, other.start)
    return shared >= TOUCH * min(one.end - one.start, other.end - other.start)
