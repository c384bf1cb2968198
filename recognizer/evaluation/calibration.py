"""Confidences held against what was right, and the maps that make one of the other."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recognizer.corpus.alphabet import Alphabet
from recognizer.decoding.hypothesis import Hypothesis, Span
from recognizer.errors import RecognizerError
from recognizer.evaluation.confidence_maps import (
    Calibration,
    calibrated,
    calibration_of,
    expected_calibration_error,
    fit_isotonic,
    fit_temperature,
)
from recognizer.evaluation.metrics import matched, scored_text

KINDS = ("character", "word", "line")
FITS = {"temperature": fit_temperature, "isotonic": fit_isotonic}
WITH_LANGUAGE_MODEL = "with_language_model"  # in a model file: the maps of readings with a language model
FOLDS = 5  # of the samples; each is judged by the maps of the others

Pairs = tuple[tuple[float, bool], ...]


@dataclass(frozen=True)
class ScoredConfidences:
    """The confidences of one sample's reading, each with whether it was right; a line is right as a whole.

    Args:
        character: of every character read.
        word: of every word read.
        line: of the whole, one pair.
    """

    character: Pairs
    word: Pairs
    line: Pairs


@dataclass(frozen=True)
class Calibrations:
    """The maps of a model file.

    Args:
        character: of a character's confidence.
        word: of a word's.
        line: of the whole's.
        corpus: what they were fitted on, with its split.
        decoder: what read it.
    """

    character: Calibration
    word: Calibration
    line: Calibration
    corpus: str
    decoder: str

    def apply(self, hypothesis: Hypothesis) -> Hypothesis:
        """Return the hypothesis with calibrated confidences."""
        return calibrated(hypothesis, self.character, self.word, self.line)

    def data(self) -> dict[str, Any]:
        """Return plain data for a model file."""
        return {**{kind: getattr(self, kind).data() for kind in KINDS}, "corpus": self.corpus, "decoder": self.decoder}


def calibrations_of(data: dict[str, Any], language_model: bool = False) -> Calibrations | None:
    """Return the maps of a model file's calibration, None where it has none.

    A language model makes right what the network was unsure of: confidences mean something else then. Maps that were
    fitted on readings with one are for such readings alone, which without them take those of the others.

    Args:
        data: what `added` returned.
        language_model: whether the readings were made with a language model.

    Raises:
        RecognizerError: the data is not of this form.
    """
    if language_model and WITH_LANGUAGE_MODEL in data:
        return calibrations_of(data[WITH_LANGUAGE_MODEL])
    if not data or set(data) == {WITH_LANGUAGE_MODEL}:
        return None
    try:
        maps = [calibration_of(data[kind]) for kind in KINDS]
        return Calibrations(maps[0], maps[1], maps[2], str(data["corpus"]), str(data["decoder"]))
    except KeyError as error:
        raise RecognizerError(f"calibration: the model file's lacks {error}, fit it again") from None


def added(data: dict[str, Any], maps: Calibrations, language_model: bool) -> dict[str, Any]:
    """Return a model file's calibration with `maps` for readings with a language model, or for those without."""
    if language_model:
        return {**data, WITH_LANGUAGE_MODEL: maps.data()}
    kept = {WITH_LANGUAGE_MODEL: data[WITH_LANGUAGE_MODEL]} if WITH_LANGUAGE_MODEL in data else {}
    return {**maps.data(), **kept}


def score_confidences(reference: str, hypothesis: Hypothesis, alphabet: Alphabet) -> ScoredConfidences:
    """Return which characters and words of a reading are right by a shortest alignment with a normalised reference.

    Where scoring folds symbols, the folded ones are compared, and those that it deletes are left out.
    """
    settings = alphabet.text
    said = scored_text(reference, settings)
    characters = _folded(hypothesis.characters, alphabet)
    words = characters if settings.unit == "token" else [(span.text, span.confidence) for span in hypothesis.words]
    right = said == scored_text(hypothesis.text, settings)
    return ScoredConfidences(
        _pairs(alphabet.split(said), characters), _pairs(said.split(), words), ((hypothesis.confidence, right),)
    )


def pooled(judged: Sequence[ScoredConfidences], kind: str) -> tuple[list[float], list[bool]]:
    """Return all confidences of a kind of KINDS, and whether each was right."""
    pairs = [pair for one in judged for pair in getattr(one, kind)]
    return [confidence for confidence, _ in pairs], [right for _, right in pairs]


def calibration_errors(judged: Sequence[ScoredConfidences]) -> dict[str, float | None]:
    """Return the expected calibration error of each kind; None where nothing of it was read."""
    found = {kind: pooled(judged, kind) for kind in KINDS}
    return {kind: expected_calibration_error(*pairs) if pairs[0] else None for kind, pairs in found.items()}


def fit_calibrations(
    judged: Sequence[ScoredConfidences], method: str | Mapping[str, str], corpus: str, decoder: str
) -> Calibrations:
    """Fit the maps of all kinds; a kind of which nothing was read keeps its confidences.

    Args:
        judged: the samples' confidences beside what was right.
        method: one of FITS, or one for each of KINDS.
        corpus: what they are of.
        decoder: what read it.

    Raises:
        RecognizerError: the method is unknown.
    """
    methods = dict.fromkeys(KINDS, method) if isinstance(method, str) else method
    if unknown := [one for one in methods.values() if one not in FITS]:
        raise RecognizerError(f"calibration: method {unknown[0]!r}, expected one of {', '.join(FITS)}")
    found = {kind: pooled(judged, kind) for kind in KINDS}
    maps = [FITS[methods[kind]](*pairs) if pairs[0] else Calibration() for kind, pairs in found.items()]
    return Calibrations(maps[0], maps[1], maps[2], corpus, decoder)


def cross_validate(judged: Sequence[ScoredConfidences], method: str) -> list[ScoredConfidences]:
    """Return the samples with confidences from maps fitted on the others only: what to expect of new ones."""
    folds = min(FOLDS, len(judged))
    if folds < 2:
        raise RecognizerError(f"calibration: {len(judged)} samples, expected at least 2")
    mapped = list(judged)
    for fold in range(folds):
        maps = fit_calibrations([one for i, one in enumerate(judged) if i % folds != fold], method, "", "")
        for i in range(fold, len(judged), folds):
            mapped[i] = ScoredConfidences(*(_mapped(getattr(judged[i], kind), getattr(maps, kind)) for kind in KINDS))
    return mapped


def best_methods(
    judged: Sequence[ScoredConfidences], methods: Iterable[str]
) -> tuple[dict[str, str], dict[str, float | None]]:
    """Return for each kind that of `methods` whose maps err least on samples held out, and how much they err."""
    tried = {one: calibration_errors(cross_validate(judged, one)) for one in methods}
    chosen = {kind: min(tried, key=lambda one: tried[one][kind] or 0.0) for kind in KINDS}
    return chosen, {kind: tried[one][kind] for kind, one in chosen.items()}


def _folded(spans: Sequence[Span], alphabet: Alphabet) -> list[tuple[str, float]]:
    if not alphabet.text.scoring:
        return [(span.text, span.confidence) for span in spans]
    folded = ((scored_text(span.text, alphabet.text), span.confidence) for span in spans)
    return [(text, confidence) for text, confidence in folded if text]


def _pairs(reference: list[str], read: list[tuple[str, float]]) -> Pairs:
    right = matched(reference, [text for text, _ in read])
    return tuple((confidence, hit) for (_, confidence), hit in zip(read, right, strict=True))


def _mapped(pairs: Pairs, to: Calibration) -> Pairs:
    values = to.apply([confidence for confidence, _ in pairs]).tolist()
    return tuple((value, right) for value, (_, right) in zip(values, pairs, strict=True))
