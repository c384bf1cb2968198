"""Prefix beam search over a batch, whole or chunk by chunk."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recognizer.corpus.alphabet import BLANK, Alphabet
from recognizer.decoding.alignment import align_batch
from recognizer.decoding.batched_beam_search import BatchedBeamSearch, Beams, Scorer, Trace, first_beams
from recognizer.decoding.beam_settings import BeamSettings
from recognizer.decoding.blank_skipping import RunTexts
from recognizer.decoding.frame_pruning import Certain, beam_steps
from recognizer.decoding.hypothesis import Hypothesis
from recognizer.decoding.hypothesis_building import build_hypothesis, check_batch
from recognizer.decoding.single_beam_search import SingleBeamSearch


@dataclass(frozen=True)
class Candidate:
    """One prefix that the beam ends with.

    Args:
        labels: classes, no blanks.
        score: log-probability of all its paths, with what the scorer said.
    """

    labels: tuple[int, ...]
    score: float


@dataclass
class BeamState:
    """A beam between two chunks.

    Args:
        beams: prefixes after all frames that were gone through.
        before: (N,) the class of the last frame where it is certain, else -1.
        traces: the way there, a chunk each.
    """

    beams: Beams
    before: NDArray[np.int64]
    traces: tuple[Trace, ...] = ()


def beam_search(
    log_probs: Tensor, counts: Tensor, alphabet: Alphabet, settings: BeamSettings, scorer: Scorer | None = None
) -> list[list[Hypothesis]]:
    """Return the best hypotheses of every sample, best first; one of no text and score -inf where no text is allowed.

    Prefix beam search (Graves and Jaitly 2014, algorithm 1; Hannun et al. 2014) of all samples in step. Places and
    confidences are those of the forced alignment of the chosen text. Decodes float64 on the device of `log_probs`.

    Args:
        log_probs: (N, T, C) natural logarithm, normalised.
        counts: (N,) valid frames.
        alphabet: what the classes stand for.
        settings: how wide to look.
        scorer: adds to the score of a prefix, character by character.

    Raises:
        RecognizerError: the classes are not the alphabet's, a count is too large, a value is not a number.
    """
    check_batch(log_probs, counts, alphabet)
    log_probs, counts = log_probs.detach(), counts.cpu()
    found = search_candidates(log_probs, counts, settings, scorer)
    return place_candidates(log_probs, counts, alphabet, found)


def search_candidates(
    log_probs: Tensor, counts: Tensor, settings: BeamSettings, scorer: Scorer | None = None
) -> list[list[Candidate]]:
    """Return the best labels of every sample without their places."""
    state = start_beam(len(log_probs), settings, scorer, log_probs.device)
    return finish_beam(advance_beam(state, log_probs, counts, settings, scorer), settings, scorer)


def start_beam(
    samples: int, settings: BeamSettings, scorer: Scorer | None = None, device: torch.device | None = None
) -> BeamState:
    """Return the beam before the first frame."""
    beams = first_beams(samples, settings.width, device or torch.device("cpu"), scorer)
    return BeamState(beams, np.full(samples, -1))


def advance_beam(
    state: BeamState, log_probs: Tensor, counts: Tensor, settings: BeamSettings, scorer: Scorer | None = None
) -> BeamState:
    """Return the beam after one more chunk (N, T, C) of every sample; a count may be 0."""
    if len(log_probs) == 0:
        return state
    certain = Certain.ALL if scorer is None else scorer.certain
    threshold, least = settings.blank_skip_threshold, settings.token_min_logp
    steps, before = beam_steps(log_probs, counts.cpu(), certain, threshold, least, state.before)
    with torch.inference_mode():
        if len(log_probs) == 1 and log_probs.device.type == "cpu":
            search = SingleBeamSearch(steps, settings.beam_threshold, scorer, settings.recombines)
            beams, trace = search.run(state.beams)
        else:
            order = torch.from_numpy(steps.around.order).to(log_probs.device)
            many = BatchedBeamSearch(steps, settings.beam_threshold, scorer, settings.recombines)
            beams, trace = many.run(state.beams.take(order))
            beams = beams.take(torch.argsort(order))
    return BeamState(beams, before, (*state.traces, trace))


def finish_beam(state: BeamState, settings: BeamSettings, scorer: Scorer | None = None) -> list[list[Candidate]]:
    """Return the best labels of every sample, best first."""
    beams = state.beams
    scores = ((beams.blank + beams.nonblank).log() + beams.shift[:, None]).cpu().numpy()
    scores = np.where(scores >= scores.max(1, keepdims=True) - settings.beam_threshold, scores, -np.inf)
    if scorer is not None:
        ends = scorer.finish(beams.states.flatten(0, 1).cpu().numpy()).reshape(scores.shape)
        scores = np.where(scores > -np.inf, scores + ends, scores)
    best = np.argsort(-scores, axis=1, kind="stable")[:, : settings.n_best]
    ranked = np.take_along_axis(scores, best, 1)
    texts = _spelled(state.traces, best)
    return [
        [Candidate(text, float(s)) for text, s in zip(row, line, strict=True) if s > -np.inf]
        or [Candidate((), -math.inf)]
        for row, line in zip(texts, ranked, strict=True)
    ]


def place_candidates(
    log_probs: Tensor, counts: Tensor, alphabet: Alphabet, found: Sequence[Sequence[Candidate]]
) -> list[list[Hypothesis]]:
    """Return the hypotheses of `found` with the places and confidences of their forced alignment."""
    every = [(i, one) for i, row in enumerate(found) for one in row if one.labels]
    rows = torch.tensor([i for i, _ in every], dtype=torch.long)
    chosen = log_probs[rows.to(log_probs.device)]
    aligned = iter(align_batch(chosen, counts.cpu()[rows], [one.labels for _, one in every]))
    return [
        [
            build_hypothesis(next(aligned).placed, alphabet, one.score, 0.0)
            if one.labels
            else _nothing(log_probs[i, : int(counts[i])], one.score)
            for one in row
        ]
        for i, row in enumerate(found)
    ]


def _nothing(log_probs: Tensor, score: float) -> Hypothesis:
    """Return the empty text, as sure as the blank is in its least likely frame (T, C)."""
    sure = float(log_probs[:, BLANK].min().exp()) if len(log_probs) and score > -math.inf else 0.0
    return Hypothesis("", min(sure, 1.0), score=score)


def _spelled(traces: Sequence[Trace], places: NDArray[np.int64]) -> list[list[tuple[int, ...]]]:
    """Follow the prefixes at `places` (N, B) back through all chunks; return their labels."""
    texts: list[list[tuple[int, ...]]] = [[() for _ in row] for row in places]
    for trace in reversed(traces):
        back = np.argsort(trace.order)
        rows = back[:, None]
        added = np.zeros((len(trace.labels), *places.shape), dtype=np.int64)
        for step in reversed(range(len(trace.labels))):
            added[step] = trace.labels[step][rows, places]
            places = trace.source[step][rows, places]
        for i, line in enumerate(texts):
            texts[i] = [_between(trace.texts, back[i], added[:, i, j]) + text for j, text in enumerate(line)]
    return texts


def _between(texts: RunTexts, row: int, added: NDArray[np.int64]) -> tuple[int, ...]:
    """Return what the steps of one sample added, with the stretches' texts between them."""
    length, begin = texts.length[row], int(texts.begin[row, 0])
    spoken = texts.labels[begin : begin + int(length.sum())]
    steps = np.flatnonzero(added)
    before = np.repeat(np.arange(len(length)), length)
    order = np.argsort(np.concatenate((2 * before, 2 * steps + 1)), kind="stable")
    return tuple(np.concatenate((spoken, added[steps]))[order].tolist())
