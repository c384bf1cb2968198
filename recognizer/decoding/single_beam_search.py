"""The steps of one sample: few prefixes live there, and plain numbers cost less than arrays of so few."""

import math
from operator import add, itemgetter

import numpy as np
import torch
from numpy.typing import NDArray

from recognizer.corpus.alphabet import BLANK
from recognizer.decoding.batched_beam_search import FACTOR, NOBODY, ORPHAN, RESCALE, Beams, Scorer, State, Trace
from recognizer.decoding.frame_pruning import BeamSteps

MASK = (1 << 64) - 1  # names of prefixes are counted modulo 2^64
SIGN = 1 << 63

Known = dict[int, tuple[float, State]]  # factor of a class and the state after it
# A prefix: blank, nonblank, last, key, parent as in `Beams`, the scorer's state, what the scorer has said of it so far.
Prefix = tuple[float, float, int, int, int, State, Known]


class SingleBeamSearch:
    """What `Search` does, for a batch of one, with the same prefixes kept and dropped.

    Args:
        steps: the chunk.
        beam_threshold: prefixes whose mass is further than this below the best (natural logarithm) are dropped.
        scorer: judges characters, or none.
        recombine: give the places of prefixes that another one dominates to others, where the beam is full.
    """

    def __init__(self, steps: BeamSteps, beam_threshold: float, scorer: Scorer | None, recombine: bool = False) -> None:
        """Turn what all steps look up into lists."""
        self.steps, self.scorer, self.ratio = steps, scorer, math.exp(-beam_threshold)
        self.recombine = recombine and scorer is not None
        self.ask_one = scorer.scalar() if scorer else None
        self.probs: list[list[float]] = steps.probs[0].tolist()
        self.extensions: list[list[tuple[int, float]]] = [[] for _ in self.probs]
        for step, label in steps.likely[0].nonzero().tolist():
            self.extensions[step].append((label, self.probs[step][label]))
        around = steps.around
        self.ends, self.needs = around.ends[0].tolist(), around.needs[0].tolist()
        begins, lengths = around.texts.begin[0].tolist(), around.texts.length[0].tolist()
        labels = around.texts.labels.tolist()
        self.texts = [labels[begin : begin + length] for begin, length in zip(begins, lengths, strict=True)]

    def run(self, beams: Beams) -> tuple[Beams, Trace]:
        """Return the beam after the chunk, and the way there."""
        width = beams.blank.shape[1]
        shift = float(beams.shift[0]) + float(self.steps.shift[0])
        live = _prefixes(beams)
        stays = np.arange(width)
        source, labels = np.tile(stays, (len(self.probs), 1, 1)), np.zeros((len(self.probs), 1, width), np.int64)
        for step in range(len(self.probs)):
            live, places, added = self._step(self._between(live, step), step, width)
            source[step, 0, : len(live)], labels[step, 0, : len(live)] = places, added
            if step % RESCALE == 0 and live:
                best = max(prefix[0] + prefix[1] for prefix in live)
                shift += math.log(best)
                live = [(one[0] / best, one[1] / best, *one[2:]) for one in live]
        live = self._between(live, len(self.probs))
        return _beams(live, beams, shift), Trace(source, labels, self.steps.around.texts, self.steps.around.order)

    def _between(self, live: list[Prefix], step: int) -> list[Prefix]:
        """Put the stretch before `step` behind every prefix."""
        end, need = self.ends[step], self.needs[step]
        if end < 0:
            return live
        if need >= 0 and any(prefix[2] == need for prefix in live):
            live = [prefix if prefix[2] == need else (0.0, 0.0, *prefix[2:]) for prefix in live]
        if end == BLANK:
            moved = [(one[0] + one[1], 0.0, *one[2:]) for one in live]
        else:
            moved = [(0.0, one[0] + one[1], *one[2:]) for one in live]
        for label in self.texts[step]:
            moved = self._appended(moved, label)
        return moved

    def _appended(self, live: list[Prefix], label: int) -> list[Prefix]:
        """Put one more label behind every prefix."""
        self._ask([(prefix, label) for prefix in live])
        longer: list[Prefix] = []
        for blank, nonblank, _, key, _, state, known in live:
            factor, after = known[label] if self.scorer is not None else (1.0, state)
            longer.append((blank * factor, nonblank * factor, label, (label + FACTOR * key) & MASK, key, after, {}))
        return longer

    def _step(self, live: list[Prefix], step: int, width: int) -> tuple[list[Prefix], list[int], list[int]]:
        """Go through one frame; return the prefixes, the place where each comes from and the class it added."""
        probs = self.probs[step]
        silence = probs[BLANK]
        blank = [(prefix[0] + prefix[1]) * silence for prefix in live]
        nonblank = [prefix[1] * probs[prefix[2]] for prefix in live]
        stays = list(map(add, blank, nonblank))
        # An extension that spells a prefix of the beam belongs to that prefix.
        places = {prefix[3]: i for i, prefix in enumerate(live)}
        fresh = []
        for mass, i, label in self._grown(live, self.extensions[step], max(stays, default=0.0)):
            key = (label + FACTOR * live[i][3]) & MASK
            there = places.get(key)
            if there is None:
                fresh.append((mass, i, label, key))
            else:
                nonblank[there] += mass
                stays[there] = blank[there] + nonblank[there]
        rivals = [(mass, i, 0, 0) for i, mass in enumerate(stays) if mass > 0]
        rivals += fresh
        return self._chosen(live, rivals, blank, nonblank, width)

    def _grown(
        self, live: list[Prefix], extensions: list[tuple[int, float]], best: float
    ) -> list[tuple[float, int, int]]:
        """Return the extensions (mass, place, class) of more than no mass, `best` the highest mass of a prefix.

        Those far below the beam_threshold are left out before the scorer is asked about them.
        """
        least = self.ratio * best if self.scorer is not None else 0.0
        grown = [
            (mass, i, label)
            for i, prefix in enumerate(live)
            for label, chance in extensions
            # After a repeat only the paths that end in a blank go on.
            if (mass := (prefix[0] if label == prefix[2] else prefix[0] + prefix[1]) * chance) > least
        ]
        if self.scorer is None or not grown:
            return grown
        least = max(least, self.ratio * max(grown)[0])
        grown = [one for one in grown if one[0] > least]
        self._ask([(live[i], label) for _, i, label in grown])
        return [(judged, i, label) for mass, i, label in grown if (judged := mass * live[i][6][label][0]) > 0]

    def _chosen(
        self,
        live: list[Prefix],
        rivals: list[tuple[float, int, int, int]],
        blank: list[float],
        nonblank: list[float],
        width: int,
    ) -> tuple[list[Prefix], list[int], list[int]]:
        """Keep of the rivals (mass, place, class, key) those within the beam_threshold, at most `width`."""
        least = max(rivals)[0] * self.ratio if rivals else 0.0
        rivals = [rival for rival in rivals if rival[0] >= least]
        full = len(rivals) >= width
        if full:
            rivals = sorted(rivals, key=itemgetter(0), reverse=True)[:width]  # of equals the earlier
        chosen: list[Prefix] = []
        for mass, i, label, key in rivals:
            _, _, last, old, parent, state, known = live[i]
            if label:
                after = known[label][1] if self.scorer is not None else state
                chosen.append((0.0, mass, label, key, old, after, {}))
            else:
                chosen.append((blank[i], nonblank[i], last, old, parent, state, known))
        if full and self.recombine:
            chosen = _undominated(chosen)
        return chosen, [rival[1] for rival in rivals], [rival[2] for rival in rivals]

    def _ask(self, pairs: list[tuple[Prefix, int]]) -> None:
        """Let the prefixes know what the scorer says of classes that are new to them."""
        if self.scorer is None:
            return
        if self.ask_one is not None and len(pairs) <= self.scorer.scalar_limit:
            ask, exp = self.ask_one, math.exp
            for prefix, label in pairs:
                known = prefix[6]
                if label not in known:
                    gain, after = ask(prefix[5], label)
                    known[label] = exp(gain), after
            return
        new = [(prefix, label) for prefix, label in pairs if label not in prefix[6]]
        if not new:
            return
        states = np.array([prefix[5] for prefix, _ in new], np.int64).reshape(len(new), -1)
        gains, next_states = self.scorer.score(states, np.array([label for _, label in new], np.int64))
        factors: list[float] = np.exp(gains).tolist()
        for (prefix, label), factor, state in zip(new, factors, next_states.tolist(), strict=True):
            prefix[6][label] = factor, tuple(state)


def _undominated(live: list[Prefix]) -> list[Prefix]:
    """Return prefixes, in falling order of mass, without the mass of those that cannot get ahead of one before them."""
    before: dict[tuple[int, State], list[tuple[float, float]]] = {}
    left: list[Prefix] = []
    for one in live:
        rivals = before.setdefault((one[2], one[5]), [])
        if any(blank >= one[0] and nonblank >= one[1] for blank, nonblank in rivals):
            left.append((0.0, 0.0, *one[2:]))
        else:
            rivals.append((one[0], one[1]))
            left.append(one)
    return left


def _prefixes(beams: Beams) -> list[Prefix]:
    """Return the prefixes of a batch of one as plain numbers, in their places up to the last that has mass."""
    columns = (beams.blank[0], beams.nonblank[0], beams.last[0], beams.key[0], beams.parent[0], beams.states[0])
    blank, nonblank, last, key, parent, states = (column.tolist() for column in columns)
    last_place = max((i for i, (a, b) in enumerate(zip(blank, nonblank, strict=True)) if a + b > 0), default=-1)
    return [
        (blank[i], nonblank[i], last[i], key[i] & MASK, parent[i] & MASK, tuple(states[i]), {})
        for i in range(last_place + 1)
    ]


def _beams(live: list[Prefix], before: Beams, shift: float) -> Beams:
    """Return the prefixes as the batch that `before` was, places without mass behind them."""
    width, columns = before.blank.shape[1], before.states.shape[2]
    names: NDArray[np.int64] = np.arange(width) * NOBODY
    masses, marks = np.zeros((2, width)), np.stack((names * 0, names, names + ORPHAN))
    states = np.zeros((width, columns), np.int64)
    for i, (blank, nonblank, last, key, parent, state, _) in enumerate(live):
        masses[:, i] = blank, nonblank
        marks[:, i] = last, _signed(key), _signed(parent)
        states[i] = state
    blank_mass, nonblank_mass = torch.from_numpy(masses)[:, None]
    last_class, keys, parents = torch.from_numpy(marks)[:, None]
    return Beams(
        blank_mass, nonblank_mass, last_class, keys, parents,
        torch.tensor([shift], dtype=torch.float64), torch.from_numpy(states)[None],
    )  # fmt: skip


def _signed(name: int) -> int:
    return name - 2 * SIGN if name >= SIGN else name
