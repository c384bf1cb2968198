"""Say what is wrong with a prepared corpus before anything is learned from it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from recognizer.common.plain_data import from_plain
from recognizer.corpus import checks as inspect
from recognizer.corpus.alphabet import Alphabet, TextSettings
from recognizer.corpus.alphabet_report import AlphabetReport, named, report_alphabet
from recognizer.corpus.check_samples import show_samples
from recognizer.corpus.checks import FAULT, LOST, NOTE, Finding, SplitSummary, corpus_columns
from recognizer.corpus.shards import open_store
from recognizer.corpus.store import Store
from recognizer.errors import RecognizerError
from recognizer.evaluation.open_corpus import refuse_other_form
from recognizer.inputs.registry import kind_named
from recognizer.inputs.speech.log_mel import LogMelSettings
from recognizer.model.model import Model, ModelSettings
from recognizer.model.model_file import EXPORTED, load_model_file
from recognizer.network.network import NetworkSettings

LISTED = 20  # names of a finding, characters of a kind, in the table; the data have all
SHOWN = 20  # samples that are written to be looked at or listened to
HEADINGS = {
    LOST: "lost (nothing can be learned from it or read of it)",
    FAULT: "suspect (kept)",
    NOTE: "worth knowing",
}


@dataclass(frozen=True)
class CheckSettings:
    """What a corpus is measured against.

    Args:
        model: a model file, whose settings and alphabet then count; none takes what follows.
        network: the form of the network: how many output frames a signal makes.
        features: sound to frames.
        text: how transcripts are normalised; none takes what the corpus proposes.
        learned: name of the split that is learned.
    """

    model: Path | None = None
    network: NetworkSettings = field(default_factory=NetworkSettings)
    features: LogMelSettings = field(default_factory=LogMelSettings)
    text: TextSettings | None = None
    learned: str = "train"


@dataclass(frozen=True)
class CheckReport:
    """What a check found.

    Args:
        corpus: its name.
        kind: "handwriting", "speech" or "strokes".
        against: the model or network that the CTC rule was applied for.
        steps_per_frame: steps of a signal (columns, samples) that one output frame stands for.
        splits: sizes.
        findings: faults and notes, the gravest first.
        alphabet: what is odd about the characters.
        shown: files that were written to be looked at or listened to.
    """

    corpus: str
    kind: str
    against: str
    steps_per_frame: float
    splits: list[SplitSummary]
    findings: list[Finding]
    alphabet: AlphabetReport
    shown: list[Path]

    @property
    def lost(self) -> int:
        """Files and samples from which nothing can be learned."""
        return sum(one.count for one in self.findings if one.weight == LOST)

    def as_data(self) -> dict[str, Any]:
        """Return plain data for JSON, every name in it, file names that are not Unicode with escapes."""
        plain = {**asdict(self), "shown": list(map(str, self.shown)), "lost": self.lost}
        escaped: dict[str, Any] = _escaped(plain)
        return escaped

    def as_table(self) -> str:
        """Return the report for people, at most LISTED names a finding."""
        kind = kind_named(self.kind)
        lines = [f"{self.corpus}: {self.kind}, {sum(split.samples for split in self.splits)} samples"]
        lines += _split_table(self.splits, kind.unit)
        lines.append(f"CTC rule for {self.against}: a frame every {self.steps_per_frame:g} {kind.steps}")
        for weight, heading in HEADINGS.items():
            found = [one for one in self.findings if one.weight == weight]
            lines += ["", f"{heading}:"] * bool(found) + [line for one in found for line in _finding_lines(one)]
        lines += ["", *_alphabet_lines(self.alphabet)]
        lines += [f"{len(self.shown)} files to look at or listen to: {path.parent}" for path in self.shown[:1]]
        lines += ["", f"{self.lost} lost" if self.lost else "nothing is lost"]
        return _escaped("\n".join(lines))  # type: ignore[no-any-return]


def check(
    folder: Path,
    settings: CheckSettings,
    show: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> CheckReport:
    """Look at every sample of a prepared corpus once.

    Args:
        folder: what `prepare` made.
        settings: what it is measured against.
        show: folder for a few samples as the network sees them, suspect ones first; none writes nothing.
        progress: takes how many signals are looked at, and how many there are.

    Raises:
        RecognizerError: no such corpus, a model of another kind or form, a folder that cannot be written.
    """
    store = open_store(folder)
    alphabet, model = _measure(store, settings)
    rows = corpus_columns(store, alphabet.text.normalize)
    frames = model.counts(torch.from_numpy(store.counts.astype("int64"))).tolist()
    findings = inspect.findings(store, rows, frames, alphabet, settings.learned, progress=progress)
    seen = _worth_seeing(findings, len(store)) if show else []
    unit = kind_named(store.header.kind).counts_per_unit(store.header.signal)
    return CheckReport(
        corpus=store.header.name,
        kind=store.header.kind,
        against=str(settings.model) if settings.model else "the network of the configuration",
        steps_per_frame=model.steps_per_frame(),
        splits=inspect.summaries(store, rows, unit),
        findings=findings,
        alphabet=report_alphabet(rows.by_split(rows.texts), settings.learned, alphabet),
        shown=show_samples(store, model.features, seen, show, fit=settings.model is None) if show else [],
    )


def _measure(store: Store, settings: CheckSettings) -> tuple[Alphabet, Model]:
    """Return the alphabet (without symbols where the corpus makes it) and the model that count."""
    header = store.header
    if settings.model is None:
        text = settings.text or from_plain(TextSettings, header.text, "text")
        made = ModelSettings(header.kind, header.signal, settings.features, settings.network)
        return Alphabet((), text), Model(made, 2).eval()
    if settings.model.suffix.lower() == EXPORTED:
        raise RecognizerError(f"{settings.model}: an export, check takes the model file that it was exported from")
    model_file = load_model_file(settings.model)
    refuse_other_form(model_file.settings, store)
    return model_file.alphabet, model_file.model


def _worth_seeing(findings: Iterable[Finding], samples: int) -> list[int]:
    """Return up to SHOWN samples: half of them such that something is wrong with, the others from all over."""
    odd = [one.samples[:2] for one in findings if one.weight in (LOST, FAULT)]
    odd += [one.samples[:2] for one in findings if one.weight == NOTE]
    chosen = list(dict.fromkeys(index for few in odd for index in few))[: SHOWN // 2]
    rest = SHOWN - len(chosen)
    return sorted({*chosen, *(index * samples // rest for index in range(rest))})


def _split_table(splits: list[SplitSummary], unit: str) -> list[str]:
    """Return the sizes of the splits as rows of equal columns."""
    rows = [["split", "samples", "groups", "characters", "words", f"length ({unit})", "characters a text"]]
    for one in splits:
        sizes = map(str, (one.samples, one.groups, one.characters, one.words))
        rows.append([one.name or "(no split)", *sizes, _range(one.lengths), _range(one.texts)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    aligned = [
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return [*aligned, "(shortest / median / longest)"]


def _range(values: tuple[float, float, float]) -> str:
    return " / ".join(f"{value:.4g}" if value < 1000 else f"{value:.0f}" for value in values)


def _finding_lines(one: Finding) -> list[str]:
    lines = [f"{one.count:7d}  {one.what}", *(f"           {case}" for case in one.cases[:LISTED])]
    if len(one.cases) > LISTED:
        lines.append(f"           and {len(one.cases) - LISTED} more (--json has all)")
    return lines


def _alphabet_lines(found: AlphabetReport) -> list[str]:
    lines = [f"{len(found.learned)} characters are learned: {' '.join(map(_plain, found.learned))}"]
    for split, counts in found.elsewhere.items():
        lines += _counted(f"only in {split or '(no split)'}, no reading can get it right", counts)
    lines += _counted("seen fewer than ten times", found.rare)
    lines += _reasoned("of another script, or alike but for the code", found.look_alikes)
    for kind, counts in found.families.items():
        lines += _counted(f"several {kind}", counts)
    lines += _counted("control or format character in the raw texts", found.invisible)
    changed = [(character, count, f"becomes {new!r}") for character, count, new in found.changed]
    lines += _reasoned("changed by the normalisation of texts", changed)
    if found.changed_texts:
        lines.append(f"texts that normalisation changes: {found.changed_texts}")
    return lines


def _counted(what: str, counts: Mapping[str, int]) -> list[str]:
    return _listed(what, [f"{named(symbol)}: {count}" for symbol, count in counts.items()])


def _reasoned(what: str, cases: Iterable[tuple[str, int, str]]) -> list[str]:
    return _listed(what, [f"{named(symbol)}: {count} ({why})" for symbol, count, why in cases])


def _listed(what: str, cases: list[str]) -> list[str]:
    if not cases:
        return []
    more = [f"           and {len(cases) - LISTED} more (--json has all)"] * (len(cases) > LISTED)
    return [f"{what} ({len(cases)}):", *(f"           {case}" for case in cases[:LISTED]), *more]


def _plain(symbol: str) -> str:
    return symbol if symbol.isprintable() and not symbol.isspace() else ascii(symbol)


def _escaped(data: Any) -> Any:
    """Return plain data whose strings can be written as UTF-8."""
    if isinstance(data, str):
        return data.encode(errors="backslashreplace").decode()
    if isinstance(data, dict):
        return {_escaped(key): _escaped(value) for key, value in data.items()}
    return [_escaped(one) for one in data] if isinstance(data, list | tuple) else data
