"""Search the weights of a language model and of label priors, temperature, word bonus and width of the beam."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from recognizer.decoding.decoder import Decoder
from recognizer.decoding.decoder_factory import make_decoder
from recognizer.decoding.label_priors import measure_priors
from recognizer.decoding.options import DecoderOptions
from recognizer.decoding.settings import DecoderSettings
from recognizer.errors import RecognizerError
from recognizer.evaluation.metrics import distance, scored_text
from recognizer.evaluation.open_corpus import open_corpus, refuse_test
from recognizer.evaluation.read_samples import Progress, no_progress
from recognizer.model.model_file import write_header
from recognizer.reading.reader import Reader

WEIGHTS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5)
BONUSES = (-1.0, 0.0, 1.0, 2.0)  # natural logarithm
ROUNDS = 3  # of refinement; each halves the steps
STEPS = (0.125, 0.5)  # of weight and bonus in the first round
PRIOR_WEIGHTS = (0.0, 0.3, 0.5, 0.7)
TEMPERATURES = (1.0, 1.3, 1.6)
WIDTHS = (10, 25, 50, 100)
BATCH = 32  # lines decoded at once
ENOUGH_GROUPS = 3  # speakers, writers or documents below which a setting is said to rest on few


@dataclass(frozen=True)
class Point:
    """One setting.

    Args:
        weight: of the language model.
        bonus: for every word.
        width: of the beam.
        prior_weight: of the label priors.
        temperature: of the network's log-probabilities.
    """

    weight: float
    bonus: float
    width: int
    prior_weight: float = 0.0
    temperature: float = 1.0


@dataclass(frozen=True)
class Rates:
    """What a setting reads.

    Args:
        cer: edits per symbol of the references.
        wer: edits per word.
    """

    cer: float
    wer: float


@dataclass(frozen=True)
class TuneSettings:
    """How the search goes.

    Args:
        split: validation samples.
        by: "cer" or "wer", what is made small, as the mean of all corpora; the other one decides between equals.
        samples: at most so many of each corpus, evenly spread over the split; 0 for all.
    """

    split: str = "valid"
    by: str = "cer"
    samples: int = 0

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        refuse_test(self.split, "lm tune")
        if self.by not in ("cer", "wer"):
            raise RecognizerError(f"--by is {self.by!r}, expected cer or wer")
        if self.samples < 0:
            raise RecognizerError(f"--samples is {self.samples}, expected 0 (all) or more")


@dataclass(frozen=True)
class CorpusRates:
    """What the best setting reads of one corpus.

    Args:
        name: of the corpus.
        samples: how many were read.
        groups: speakers, writers or documents that they come from, 0 where the corpus names none.
        greedy: rates of the best path.
        rates: of the best setting.
    """

    name: str
    samples: int
    groups: int
    greedy: Rates
    rates: Rates


@dataclass(frozen=True)
class Tuned:
    """What a search found.

    Args:
        best: the setting that was written.
        rates: of it, on the samples that chose it: the means of the corpora.
        corpora: of it, by corpus.
        surface: all settings that were tried.
        settings: the decoder as the model file now states it.
    """

    best: Point
    rates: Rates
    corpora: tuple[CorpusRates, ...]
    surface: dict[Point, Rates]
    settings: DecoderSettings


@dataclass(frozen=True)
class CachedLogProbs:
    """Samples of a corpus as the network hears them.

    Args:
        log_probs: (T, C) of each.
        references: raw transcripts.
        name: of the corpus.
        groups: speakers, writers or documents of the samples, without those that are not named.
    """

    log_probs: Sequence[Tensor]
    references: Sequence[str]
    name: str = ""
    groups: frozenset[str] = frozenset()


def tune(
    reader: Reader,
    out: Path,
    path: Path,
    corpora: Sequence[Path],
    options: DecoderOptions,
    settings: TuneSettings,
    say: Callable[[str], None],
    progress: Progress = no_progress,
) -> Tuned:
    """Compute the log-probabilities of a split once, try settings on them, write the best one into the model file.

    Every corpus counts alike, however many samples it has: what is best for one voice, or one room, is not for others.

    Args:
        reader: the model.
        out: where to write the model file with its new decoder, perhaps `path`.
        path: the model file.
        corpora: prepared corpora, manifests or folders.
        options: what does not change: the language model, perhaps hot words or a lexicon.
        settings: how the search goes.
        say: takes a line for each setting.
        progress: takes how many samples are read, and how many there are.

    Raises:
        RecognizerError: a test split, no language model, no such split.
    """
    if options.lm is None:
        raise RecognizerError("lm tune: no language model, expected --lm FILE")
    classes = reader.alphabet.classes
    # Of the decoder its files and options count alone: where the model file states no priors they are measured below.
    fixed = make_decoder(replace(options, engine="beam"), {}, reader.alphabet, [1 / classes] * classes)
    for note in fixed.notes:
        say(note)
    heard = [cache_log_probs(reader, corpus, settings.split, settings.samples, say, progress) for corpus in corpora]
    if note := few_voices(heard):
        say(note)
    search = _Search(heard, fixed, settings.by, say, reader.model_file.priors or mean_priors(heard))
    with reader.network.threads(reader.division.threads):  # a neural language model computes with torch too
        best = search.best()
        # The greedy rates come from the same samples, so that the table compares like with like.
        greedy = Decoder(DecoderSettings(), reader.alphabet)
        decoder = search.decoder(best)
        found = tuple(
            CorpusRates(one.name, len(one.references), len(one.groups), rates_of(one, greedy), rates_of(one, decoder))
            for one in heard
        )
    write_header(path, out, {"decoder": decoder.settings.data(), "priors": list(decoder.priors)})
    return Tuned(best, search.tried[best], found, search.tried, decoder.settings)


def mean_priors(heard: Sequence[CachedLogProbs]) -> list[float]:
    """Return label priors of samples, every corpus counting alike."""
    each = [measure_priors(one.log_probs) for one in heard]
    return [sum(values) / len(each) for values in zip(*each, strict=True)]


def few_voices(heard: Sequence[CachedLogProbs]) -> str:
    """Return what a user should know where the samples come from too few speakers or writers, "" where they do not."""
    groups = {(one.name, group) for one in heard for group in one.groups}
    if len(groups) >= ENOUGH_GROUPS:
        return ""
    if not groups:
        return (
            "the corpora name no speakers, writers or documents: whether the setting suits others than these is unknown"
        )
    count = "one voice, hand or document" if len(groups) == 1 else f"{len(groups)} voices, hands or documents"
    return f"the setting rests on {count} and may suit no other: name corpora of at least {ENOUGH_GROUPS}"


def cache_log_probs(
    reader: Reader, corpus: Path, split: str, samples: int, say: Callable[[str], None], progress: Progress = no_progress
) -> CachedLogProbs:
    """Return the log-probabilities of a split with the references; of `samples` evenly spread ones, 0 for all."""
    with open_corpus(reader, corpus, say) as store:
        indices = store.indices(split)
        if 0 < samples < len(indices):
            indices = [indices[i * len(indices) // samples] for i in range(samples)]
        indices = sorted(indices, key=lambda index: int(store.counts[index]))
        log_probs: list[Tensor] = []
        for _, found, counts in reader.outputs([store.signal(i) for i in indices]):
            log_probs += [row[:count].clone() for row, count in zip(found, counts.tolist(), strict=True)]
            progress(len(log_probs), len(indices))
        texts = [store.text(index) for index in indices]
        groups = frozenset(group for index in indices if (group := store.group(index)))
    return CachedLogProbs(log_probs, texts, str(corpus), groups)


def rates_of(heard: CachedLogProbs, decoder: Decoder) -> Rates:
    """Return the error rates of a decoder, from sums over all samples."""
    alphabet, sums = decoder.written, [0, 0, 0, 0]
    for start in range(0, len(heard.log_probs), BATCH):
        part = heard.log_probs[start : start + BATCH]
        counts = torch.tensor([len(row) for row in part])
        padded = torch.nn.utils.rnn.pad_sequence(list(part), batch_first=True)
        references = heard.references[start : start + BATCH]
        for reference, text in zip(references, decoder.texts(padded, counts), strict=True):
            said, read = (scored_text(one, alphabet.text) for one in (alphabet.text.normalize(reference), text))
            sums[0] += distance(alphabet.split(said), alphabet.split(read))
            sums[1] += len(alphabet.split(said))
            sums[2] += distance(said.split(), read.split())
            sums[3] += len(said.split())
    return Rates(sums[0] / max(sums[1], 1), sums[2] / max(sums[3], 1))


class _Search:
    """A grid of weight and bonus, one of priors and temperature, ever smaller steps around its best, then the width."""

    def __init__(
        self,
        heard: Sequence[CachedLogProbs],
        fixed: Decoder,
        by: str,
        say: Callable[[str], None],
        priors: Sequence[float],
    ) -> None:
        self.heard, self.fixed, self.by, self.say, self.priors = heard, fixed, by, say, priors
        self.tried: dict[Point, Rates] = {}
        self.bonuses = (0.0,) if fixed.written.text.unit == "token" else BONUSES

    def best(self) -> Point:
        """Return the best setting; of widths that read alike the narrowest."""
        width = self.fixed.settings.beam.width
        best = self._best([Point(weight, bonus, width) for weight in WEIGHTS for bonus in self.bonuses])
        grid = [(power, temperature) for power in PRIOR_WEIGHTS for temperature in TEMPERATURES]
        best = self._best([replace(best, prior_weight=power, temperature=t) for power, t in grid])
        step = list(STEPS)
        for _ in range(ROUNDS):
            best = self._best([best, *self._around(best, step[0], step[1])])
            step = [one / 2 for one in step]
        return self._best([replace(best, width=width) for width in sorted({*WIDTHS, best.width})])

    def decoder(self, point: Point) -> Decoder:
        """Return the decoder of a setting."""
        own = self.fixed.settings
        beam = replace(own.beam, width=point.width)
        settings = replace(
            own,
            beam=beam,
            lm_weight=point.weight,
            word_bonus=point.bonus,
            prior_weight=point.prior_weight,
            temperature=point.temperature,
        )
        return Decoder(settings, self.fixed.alphabet, self.fixed.outside, priors=self.priors)

    def _around(self, point: Point, weight: float, bonus: float) -> list[Point]:
        moved = [replace(point, weight=round(point.weight + sign * weight, 6)) for sign in (-1, 1)]
        if len(self.bonuses) > 1:
            moved += [replace(point, bonus=round(point.bonus + sign * bonus, 6)) for sign in (-1, 1)]
        return [one for one in moved if one.weight > 0]

    def _best(self, points: list[Point]) -> Point:
        for point in points:
            if point not in self.tried:
                decoder = self.decoder(point)
                self.tried[point] = rates = _mean([rates_of(one, decoder) for one in self.heard])
                self.say(point_line(point, rates))
        return min(points, key=self._worth)

    def _worth(self, point: Point) -> tuple[float, float, int]:
        rates = self.tried[point]
        first, second = (rates.cer, rates.wer) if self.by == "cer" else (rates.wer, rates.cer)
        return first, second, point.width


def _mean(rates: Sequence[Rates]) -> Rates:
    """Return the means of the rates of several corpora."""
    return Rates(sum(one.cer for one in rates) / len(rates), sum(one.wer for one in rates) / len(rates))


def point_line(point: Point, rates: Rates) -> str:
    """Return one setting with its rates for people."""
    return (
        f"weight {point.weight:6.4g}  bonus {point.bonus:6.4g}  beam {point.width:4d}  "
        f"priors {point.prior_weight:4.2g}  temperature {point.temperature:4.2g}  "
        f"CER {rates.cer:7.2%}  WER {rates.wer:7.2%}"
    )


def surface_lines(tuned: Tuned, by: str) -> list[str]:
    """Return the surface as a table: the lowest rate of each weight (rows) and bonus (columns) over all widths."""
    weights = sorted({point.weight for point in tuned.surface})
    bonuses = sorted({point.bonus for point in tuned.surface})
    lines = [f"{by.upper()} by weight (rows) and word bonus (columns), - where not tried"]
    lines.append("        " + "".join(f"{bonus:9.4g}" for bonus in bonuses))
    for weight in weights:
        row = [
            min(
                (getattr(r, by) for p, r in tuned.surface.items() if (p.weight, p.bonus) == (weight, bonus)),
                default=None,
            )
            for bonus in bonuses
        ]
        lines.append(f"{weight:8.4g}" + "".join(f"{'-' if one is None else f'{one:.2%}':>9}" for one in row))
    return lines


def corpus_lines(tuned: Tuned) -> list[str]:
    """Return what the best setting reads of each corpus, beside the best path."""
    lines = []
    for one in tuned.corpora:
        groups = f"of {one.groups} voices, hands or documents" if one.groups else "nobody named"
        lines.append(
            f"{one.name}: {one.samples} samples {groups}: "
            f"greedy CER {one.greedy.cer:.2%}  WER {one.greedy.wer:.2%}; "
            f"best setting CER {one.rates.cer:.2%}  WER {one.rates.wer:.2%}"
        )
    return lines
