"""Two readings of the same samples held against each other in pairs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from recognizer.common.plain_data import from_plain
from recognizer.errors import RecognizerError
from recognizer.evaluation.intervals import LEVEL, RESAMPLES, Difference, Units, difference, interval_words, units_of
from recognizer.evaluation.metrics import NO_REFERENCE, known, percent, rate_of
from recognizer.evaluation.report import RATES, Report


@dataclass(frozen=True)
class ScoredSample:
    """What a report keeps of one sample.

    Args:
        name: of the file.
        group: writer, speaker or page, "" where unknown.
        reference: as it was scored.
        read: what was read, as it was scored.
        edits: over symbols.
        characters: symbols of the reference.
        word_edits: over words.
        words: of the reference.
    """

    name: str
    group: str
    reference: str
    read: str
    edits: int
    characters: int
    word_edits: int
    words: int


@dataclass(frozen=True)
class Readings:
    """A model's readings of a split.

    Args:
        model: what read.
        corpus: the name of what was read.
        split: of the corpus.
        unit: what a symbol is.
        samples: in the report's order.
        decoder: how it read, in words.
    """

    model: str
    corpus: str
    split: str
    unit: str
    samples: Sequence[ScoredSample]
    decoder: str = ""

    def rate(self, errors: str, sizes: str) -> float:
        """Return the sum of one field over that of another, infinite where nothing is to be read and something was."""
        wrong, whole = (sum(getattr(sample, name) for sample in self.samples) for name in (errors, sizes))
        return rate_of(wrong, whole)


@dataclass(frozen=True)
class Comparison:
    """Two readings of the same samples.

    Args:
        first: one.
        second: the other, whose samples stand in the order of the first.
        characters: the second's error rate over symbols less the first's.
        words: the same over words.
        units: what the intervals draw.
    """

    first: Readings
    second: Readings
    characters: Difference
    words: Difference
    units: Units

    @property
    def fewer(self) -> int:
        """Samples that the second reads with fewer edits."""
        return sum(b.edits < a.edits for a, b in self._pairs())

    @property
    def more(self) -> int:
        """Samples that the second reads with more edits."""
        return sum(b.edits > a.edits for a, b in self._pairs())

    def as_data(self) -> dict[str, Any]:
        """Return plain data; rates and their differences are fractions."""
        first, second = self.first, self.second
        rate = RATES[first.unit].lower()
        return {
            "first": {"model": first.model, rate: known(_cer(first)), "wer": known(_wer(first))},
            "second": {"model": second.model, rate: known(_cer(second)), "wer": known(_wer(second))},
            "corpus": first.corpus,
            "split": first.split,
            "samples": len(first.samples),
            "second_has_fewer_edits": self.fewer,
            "second_has_more_edits": self.more,
            f"{rate}_difference": _plain(self.characters),
            "wer_difference": _plain(self.words),
            "intervals": f"{RESAMPLES} draws of {self.units.describe()}",
        }

    def names(self) -> tuple[str, str]:
        """Return what to call the two: their models, with the way of reading where one model read both."""
        both = self.first, self.second
        if self.first.model != self.second.model:
            return self.first.model, self.second.model
        first, second = (f"{one.model}, {one.decoder}" if one.decoder else one.model for one in both)
        return first, second

    def _pairs(self) -> list[tuple[ScoredSample, ScoredSample]]:
        return list(zip(self.first.samples, self.second.samples, strict=True))


def readings_of(report: Report) -> Readings:
    """Return the readings of an evaluation."""
    data = json.loads(json.dumps(report.as_data()["readings"]))
    samples = [from_plain(ScoredSample, one, "readings") for one in data]
    return Readings(report.model, report.corpus, report.split, report.unit, samples, report.trust.decoder)


def is_report(path: Path) -> bool:
    """Return whether a file looks like a report that `evaluate --json` wrote, and not like a model."""
    try:
        with open(path, "rb") as file:
            return file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
    except OSError:
        return False


def read_report(path: Path) -> Readings:
    """Return the readings of a report that `evaluate --json` wrote.

    Raises:
        RecognizerError: it cannot be read, or is none.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
        about = [str(data[name]) for name in ("model", "corpus", "split", "unit")]
        samples = [from_plain(ScoredSample, one, f"readings[{i}]") for i, one in enumerate(data["readings"])]
        assert about[3] in RATES and all(min(s.edits, s.characters, s.word_edits, s.words) >= 0 for s in samples)
    except OSError as error:
        raise RecognizerError(f"{path}: cannot be read ({error.strerror or error}), expected a report") from None
    except KeyError as error:
        raise RecognizerError(
            f"{path}: a report without {error}, expected one that `recognizer evaluate --json` of this version wrote"
        ) from None
    except RecognizerError as error:
        raise RecognizerError(f"{path}: {error}") from None
    except (ValueError, TypeError, AssertionError, RecursionError):
        raise RecognizerError(f"{path}: not a report, expected what `recognizer evaluate --json` wrote") from None
    return Readings(about[0], about[1], about[2], about[3], samples, str(data.get("decoder") or ""))


def compare(first: Readings, second: Readings) -> Comparison:
    """Hold two readings of the same samples against each other.

    Raises:
        RecognizerError: they are not of the same samples, or score them by other references.
    """
    second = _in_order_of(first, second)
    units = units_of([sample.group for sample in first.samples])
    found = [
        difference(
            [getattr(sample, errors) for sample in first.samples],
            [getattr(sample, errors) for sample in second.samples],
            [getattr(sample, sizes) for sample in first.samples],
            units,
        )
        for errors, sizes in (("edits", "characters"), ("word_edits", "words"))
    ]
    return Comparison(first, second, found[0], found[1], units)


def comparison_lines(found: Comparison) -> list[str]:
    """Return a comparison for people."""
    a, b = found.first, found.second
    rate = RATES[a.unit]
    same = len(a.samples) - found.fewer - found.more
    lines = [f"{a.corpus}, split {a.split}, {len(a.samples)} samples"]
    called = zip("AB", found.names(), (a, b), strict=True)
    lines += [f"{x} {name}: {rate} {percent(_cer(r))}, WER {percent(_wer(r))}" for x, name, r in called]
    lines.append(f"{rate} of B less that of A: {_difference(found.characters, found.units)}")
    if a.unit == "character":
        lines.append(f"WER of B less that of A: {_difference(found.words, found.units)}")
    lines.append(f"samples that B reads with fewer edits {found.fewer}, with more {found.more}, with as many {same}")
    lines.append(f"intervals: {RESAMPLES} draws of {found.units.describe()}, both readings in each")
    return lines


def _in_order_of(first: Readings, second: Readings) -> Readings:
    """Return the second readings with their samples in the order of the first."""
    if first.unit != second.unit:
        raise RecognizerError(f"{first.model} is scored by {first.unit}s, {second.model} by {second.unit}s")
    own, other = _by_name(first.samples), _by_name(second.samples)
    for here, there, model in ((own, other, second.model), (other, own, first.model)):
        if lacking := [key[0] for key in here if key not in there]:
            raise RecognizerError(
                f"{len(lacking)} samples were not read by {model}, first {lacking[0]}: expected readings of the same "
                f"samples"
            )
    if not own:
        raise RecognizerError("nothing was read, expected readings of the same samples")
    for key, sample in own.items():
        if sample.reference != other[key].reference:
            raise RecognizerError(
                f"{sample.name}: {first.model} is scored by {sample.reference!r}, {second.model} by "
                f"{other[key].reference!r}: expected models that normalise texts alike"
            )
    return replace(second, samples=[other[key] for key in own])


def _by_name(samples: Sequence[ScoredSample]) -> dict[tuple[str, int], ScoredSample]:
    """Return samples by their names and which of that name they are."""
    found: dict[tuple[str, int], ScoredSample] = {}
    seen: dict[str, int] = {}
    for sample in samples:
        number = seen[sample.name] = seen.get(sample.name, -1) + 1
        found[sample.name, number] = sample
    return found


def _cer(readings: Readings) -> float:
    return readings.rate("edits", "characters")


def _wer(readings: Readings) -> float:
    return readings.rate("word_edits", "words")


def _difference(found: Difference, units: Units) -> str:
    """Return a difference in words, with whether chance explains it."""
    if known(found.rate) is None:
        return NO_REFERENCE
    better = "B is better" if found.rate < 0 else "A is better"
    verdict = f"not chance, {better}" if found.certain else "cannot be told from chance"
    if units.too_few and not found.certain:
        verdict = f"so few {'groups' if units.names else 'samples'} ({units.number}) cannot tell it from chance"
    ends = interval_words((found.low, found.high), "+.2%")
    return f"{found.rate:+.2%}, {LEVEL:.0%} {ends}, p {found.p:.3f}: {verdict}"


def _plain(found: Difference) -> dict[str, Any]:
    return {name: known(value) for name, value in asdict(found).items()} | {"told_from_chance": found.certain}
