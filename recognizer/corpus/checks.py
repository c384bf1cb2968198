"""What is wrong with the samples of a packed corpus."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recognizer.corpus.alphabet import LOGICAL, Alphabet
from recognizer.corpus.ctc_feasibility import infeasible
from recognizer.corpus.picture_order import MARKED, marks_in
from recognizer.corpus.sample import NO_TEXT, groups_in_several_splits
from recognizer.corpus.shared_time import shared_time
from recognizer.corpus.store import Store
from recognizer.corpus.writing_direction import direction_fault
from recognizer.inputs.registry import kind_named

VALID = "valid"  # the split that chooses the best weights
LOST, FAULT, NOTE = "lost", "fault", "note"  # nothing can be learned from it; suspect; worth knowing


@dataclass(frozen=True)
class Finding:
    """One thing that was found, with where.

    Args:
        what: the fault in a few words.
        weight: LOST, FAULT or NOTE.
        count: how often.
        cases: samples by name, with numbers where the fault has some; fewer than `count` where names are not known.
        samples: their indices in the store, where they are in it.
    """

    what: str
    weight: str
    count: int
    cases: list[str]
    samples: list[int]


@dataclass(frozen=True)
class SplitSummary:
    """The size of one split.

    Args:
        name: of the split.
        samples: in it.
        groups: writers, speakers or pages in it.
        characters: of its normalised texts.
        words: separated by white space.
        lengths: shortest, median, longest signal, in pixels or seconds of the signal.
        texts: shortest, median, longest text, in characters.
    """

    name: str
    samples: int
    groups: int
    characters: int
    words: int
    lengths: tuple[float, float, float]
    texts: tuple[float, float, float]


@dataclass(frozen=True)
class CorpusColumns:
    """The strings of a store, read once.

    Args:
        names: of the files.
        texts: raw.
        normal: the same normalised.
        splits: of the samples.
        groups: of the samples.
    """

    names: list[str]
    texts: list[str]
    normal: list[str]
    splits: list[str]
    groups: list[str]

    def by_split(self, values: Sequence[str]) -> dict[str, list[str]]:
        """Return `values`, one a sample, split by split."""
        found: dict[str, list[str]] = {}
        for split, value in zip(self.splits, values, strict=True):
            found.setdefault(split, []).append(value)
        return found


def corpus_columns(store: Store, normalize: Callable[[str], str]) -> CorpusColumns:
    """Return the strings of `store`."""
    texts = store.column("text")
    normal = [normalize(text) for text in texts]
    return CorpusColumns(store.column("path"), texts, normal, store.column("split"), store.column("group"))


def summaries(store: Store, rows: CorpusColumns, unit: float) -> list[SplitSummary]:
    """Return the size of each split; `unit` is steps of a signal in a pixel or second."""
    splits, lengths = np.array(rows.splits), store.counts / unit
    texts = np.array([len(text) for text in rows.normal])
    words = np.array([len(text.split()) for text in rows.normal])
    found = []
    for name in dict.fromkeys(rows.splits):
        at = splits == name
        groups = {group for group, here in zip(rows.groups, at, strict=True) if here and group}
        sizes = int(at.sum()), len(groups), int(texts[at].sum()), int(words[at].sum())
        found.append(SplitSummary(name, *sizes, _spread(lengths[at]), _spread(texts[at])))
    return found


def findings(
    store: Store,
    rows: CorpusColumns,
    frames: Sequence[int],
    alphabet: Alphabet,
    learned: str,
    look: bool = True,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Finding]:
    """Return all that is wrong or odd, the gravest first.

    Args:
        store: the corpus.
        rows: its strings.
        frames: output frames that a network makes of each signal.
        alphabet: of that network, without symbols where the corpus makes it.
        learned: name of the split that is learned.
        look: reads every signal and names each kind of repair; else what `prepare` found in the signals is taken, where
            it has looked, and repaired samples are counted alone.
        progress: takes how many signals are looked at, and how many there are.
    """
    return [
        *left_out(store),
        *missing_splits(store, learned),
        *unlearnable(rows, store.frames_needed(alphabet), frames),
        *suspect_signals(store, rows, look, progress),
        *duplicates(store, rows),
        *overlaps(rows),
        *(repaired(store, rows) if look else repairs_counted(store)),
        *shared_texts(rows, learned),
        *shared_groups(rows),
        *against_the_direction(store, rows),
        *marked(rows, alphabet),
        *idle_replacements(alphabet),
    ]


def left_out(store: Store) -> list[Finding]:
    """Return what `prepare` could not use, by reason, with names where it was a file's own fault."""
    cases: dict[str, list[str]] = defaultdict(list)
    for one in store.unusable():
        cases[one.reason].append(one.line)
    counts = store.header.left_out
    return [
        Finding(f"left out by prepare: {r}", NOTE if r == NO_TEXT else LOST, n, cases.get(r, []), [])
        for r, n in counts.items()
    ]


def missing_splits(store: Store, learned: str) -> list[Finding]:
    """Return the splits that `train` needs, the learned one and the one to choose by, where they have no sample."""
    missing = [name for name in (learned, VALID) if name not in store.splits()]
    return [Finding(f"no samples in split {name!r}, which train needs", NOTE, 1, [], []) for name in missing]


def unlearnable(rows: CorpusColumns, needed: Sequence[int], frames: Sequence[int]) -> list[Finding]:
    """Return the samples with an empty text, or with more characters than CTC can spell in their output frames."""
    found = _Found(rows.names)
    for index, (need, have) in enumerate(zip(needed, frames, strict=True)):
        if fault := infeasible(need, have):
            found.add(fault[0], index, fault[1])
    return found.findings(LOST)


def suspect_signals(
    store: Store,
    rows: CorpusColumns,
    look: bool = True,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Finding]:
    """Return the faults of the signals themselves: as `prepare` found them, or, to `look`, read one by one."""
    kept = None if look else store.faults()
    found = _Found(rows.names)
    for index, faults in _looked_at(store, progress) if kept is None else kept.items():
        for fault in faults:
            what, _, detail = fault.partition(" (")
            found.add(what, index, detail.removesuffix(")"))
    return found.findings(FAULT)


def _looked_at(store: Store, progress: Callable[[int, int], None]) -> Iterator[tuple[int, list[str]]]:
    """Read every signal; yield each sample with its faults."""
    kind = kind_named(store.header.kind)
    settings = kind.settings(store.header.signal)
    for index in range(len(store)):
        yield index, kind.faults(store.signal(index), settings)
        progress(index + 1, len(store))


def repaired(store: Store, rows: CorpusColumns) -> list[Finding]:
    """Return what `prepare` found odd and repaired, such as images with light ink on dark paper."""
    found = _Found(rows.names)
    for index, notes in enumerate(store.column("notes")):
        for note in store.notes(index) if notes else ():
            found.add(note, index, "")
    return found.findings(NOTE)


def repairs_counted(store: Store) -> list[Finding]:
    """Return how many samples `prepare` has a word about: tags of pages make hundreds of kinds of it."""
    count = sum(bool(notes) for notes in store.column("notes"))
    what = "with tags, repairs or other notes of prepare, which recognizer check names"
    return [Finding(what, NOTE, count, [], [])] if count else []


def duplicates(store: Store, rows: CorpusColumns) -> list[Finding]:
    """Return files whose bytes stand more than once in the corpus, across splits or within one."""
    across, within = _Found(rows.names), _Found(rows.names)
    for members in _groups(store.digest(index) for index in range(len(store))):
        for place, index in enumerate(members[1:], 1):
            split = rows.splits[index]
            others = [other for other in members[:place] if rows.splits[other] != split]
            if others:
                here, there = _split(split), _split(rows.splits[others[0]])
                across.add("the same file in two splits", index, f"{here}, as {rows.names[others[0]]}, {there}")
            else:
                within.add("the same file twice in a split", index, f"{_split(split)}, as {rows.names[members[0]]}")
    return across.findings(FAULT) + within.findings(NOTE)


def overlaps(rows: CorpusColumns) -> list[Finding]:
    """Return the stretches of recordings that share time with one of another split."""
    found, what = _Found(rows.names), "stretches of one recording that overlap in two splits"
    for index, other in shared_time(zip(rows.names, rows.splits, strict=True)):
        here, there = _split(rows.splits[index]), _split(rows.splits[other])
        found.add(what, index, f"{here}, {rows.names[other]}, {there}")
    return found.findings(FAULT)


def against_the_direction(store: Store, rows: CorpusColumns) -> list[Finding]:
    """Return that texts run from right to left, where lines are read from the left."""
    fault = direction_fault(rows.texts, store.header.signal)
    return [Finding(fault, FAULT, 1, [], [])] if fault else []


def marked(rows: CorpusColumns, alphabet: Alphabet) -> list[Finding]:
    """Return the samples whose text has marks of direction, which the order of the picture leaves out."""
    found = _Found(rows.names)
    for index, text in enumerate(rows.normal if alphabet.text.order != LOGICAL else ()):
        if (marks := marks_in(text)) and len(alphabet.learned(text)) < len(text):
            found.add(MARKED, index, marks)
    return found.findings(FAULT)


def idle_replacements(alphabet: Alphabet) -> list[Finding]:
    """Return the replacements that find nothing, as no text in the form and case of this alphabet holds their key."""
    cases = [f"{old!r}, expected {there!r}" for old, there in alphabet.text.idle_replacements().items()]
    what = f"text.replace without effect beside {alphabet.text.form} and case {alphabet.text.case}"
    return [Finding(what, FAULT, len(cases), cases, [])] if cases else []


def shared_texts(rows: CorpusColumns, learned: str) -> list[Finding]:
    """Return the samples of other splits whose text is learned too."""
    known = {text for text, split in zip(rows.normal, rows.splits, strict=True) if split == learned}
    found = _Found(rows.names)
    for index, (text, split) in enumerate(zip(rows.normal, rows.splits, strict=True)):
        if split != learned and text in known:
            found.add(f"text of {_split(split)} that is in {_split(learned)} too", index, repr(text))
    return found.findings(NOTE)


def shared_groups(rows: CorpusColumns) -> list[Finding]:
    """Return the writers, speakers or pages that stand in several splits."""
    shared = groups_in_several_splits(zip(rows.groups, rows.splits, strict=True))
    cases = [
        f"{group} ({', '.join(f'{_split(split)} {count}' for split, count in counts.items())})"
        for group, counts in shared.items()
    ]
    return [Finding("group in several splits", NOTE, len(cases), cases, [])] if cases else []


class _Found:
    """Cases by fault, in order of appearance."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.cases: dict[str, list[tuple[int, str]]] = defaultdict(list)

    def add(self, what: str, index: int, detail: str) -> None:
        """Note a fault of a sample."""
        self.cases[what].append((index, f"{self.names[index]} ({detail})" if detail else self.names[index]))

    def findings(self, weight: str) -> list[Finding]:
        """Return a finding for each fault."""
        return [Finding(w, weight, len(c), [case for _, case in c], [i for i, _ in c]) for w, c in self.cases.items()]


def _groups(keys: Iterable[Hashable]) -> list[list[int]]:
    """Return the positions of equal keys, where there are several."""
    found: dict[Hashable, list[int]] = defaultdict(list)
    for index, key in enumerate(keys):
        found[key].append(index)
    return [members for members in found.values() if len(members) > 1]


def _split(name: str) -> str:
    return name or "(no split)"


def _spread(values: np.ndarray) -> tuple[float, float, float]:
    return float(values.min()), float(np.median(values)), float(values.max())
