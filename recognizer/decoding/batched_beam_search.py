"""Prefixes of a batch, one step of the frame axis at a time."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recognizer.corpus.alphabet import BLANK
from recognizer.decoding.blank_skipping import BASE, RunTexts, hashes
from recognizer.decoding.frame_pruning import BeamSteps, Certain, candidates

# Names that no prefix has: of the places that start empty (times their number), of the parent of the empty prefix.
NOBODY, ORPHAN = 0x4D3C2B1A55AA77, 0x1F2E3D4C5B6A79
FACTOR = int(BASE.view(np.int64))
RESCALE = 8  # steps between two divisions by the best mass; float64 holds far more

State = tuple[int, ...]  # of a scorer, of one prefix
AskOne = Callable[[State, int], tuple[float, State]]


class Scorer(Protocol):
    """What a beam asks for the worth of characters, many at a time; logarithms, weights included.

    States are (M, S) int64, S columns of the scorer's own; classes are (M,) int64, never the blank.
    """

    def initial(self, n: int) -> NDArray[np.int64]:
        """Return (n, S) states before the first character."""

    def score(
        self, states: NDArray[np.int64], classes: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return (M,) what each class adds after its state, and the (M, S) states after it."""

    def scalar(self) -> AskOne | None:
        """Return what answers as `score` does for one state and class without arrays; None where that is no quicker."""

    @property
    def scalar_limit(self) -> float:
        """Return up to how many pairs `scalar` answers sooner than `score`."""

    @property
    def certain(self) -> Certain:
        """Tell of which classes a frame may be taken as certain."""

    def finish(self, states: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return (M,) what the end of the text adds."""


@dataclass
class Beams:
    """The prefixes of every sample with their probability masses, scorer included, over exp(shift).

    A place without mass may hold any prefix, but no prefix has two places.

    Args:
        blank: (N, K) float64 mass of the paths of the prefix that end in a blank.
        nonblank: (N, K) that of the paths that end in the last character.
        last: (N, K) last class, 0 for the empty prefix.
        key: (N, K) name of the prefix.
        parent: (N, K) name of the prefix without its last class.
        shift: (N,) logarithm.
        states: (N, K, S) of the scorer.
    """

    blank: Tensor
    nonblank: Tensor
    last: Tensor
    key: Tensor
    parent: Tensor
    shift: Tensor
    states: Tensor

    def take(self, rows: Tensor | slice) -> "Beams":
        """Return the beams of some samples."""
        return Beams(*(value[rows] for value in vars(self).values()))


@dataclass(frozen=True)
class Trace:
    """Where the prefixes of one chunk come from; its samples in the order of its steps.

    Args:
        source: (S, N, K) place in the beam before the step.
        labels: (S, N, K) class added by the step, 0 for none.
        texts: what stands between the steps.
        order: (N,) the sample of each row.
    """

    source: NDArray[np.int64]
    labels: NDArray[np.int64]
    texts: RunTexts
    order: NDArray[np.int64]


def first_beams(samples: int, width: int, device: torch.device, scorer: Scorer | None) -> Beams:
    """Return the empty prefix for each sample and `width` - 1 places without mass."""
    blank = torch.zeros(samples, width, dtype=torch.float64, device=device)
    blank[:, 0] = 1
    last = torch.zeros(samples, width, dtype=torch.long, device=device)
    key = last + torch.arange(width, device=device) * NOBODY
    states = scorer.initial(samples * width) if scorer else np.zeros((samples * width, 0), dtype=np.int64)
    columns = torch.from_numpy(states).to(device).view(samples, width, states.shape[1])
    return Beams(blank, torch.zeros_like(blank), last, key, key + ORPHAN, blank.new_zeros(samples), columns)


class BatchedBeamSearch:
    """The steps of one chunk, run through.

    Args:
        steps: the chunk.
        beam_threshold: prefixes whose mass is further than this below the best (natural logarithm) are dropped.
        scorer: judges characters, or none.
        recombine: give the places of prefixes that another one dominates to others, where the beam is full.
    """

    def __init__(self, steps: BeamSteps, beam_threshold: float, scorer: Scorer | None, recombine: bool = False) -> None:
        """Lay out what all steps look up."""
        self.steps, self.around, self.scorer = steps, steps.around, scorer
        self.recombine = recombine and scorer is not None
        self.device = steps.probs.device
        self.ratio = math.exp(-beam_threshold)
        self.hashes = [torch.from_numpy(table).to(self.device) for table in hashes(self.around.texts)]
        self.ends, self.needs = (torch.from_numpy(t).to(self.device) for t in (self.around.ends, self.around.needs))
        self.has_stretch = np.any(self.around.ends >= 0, axis=0).tolist()
        self.has_text = np.any(self.around.texts.length > 0, axis=0).tolist()
        likely = candidates(steps)
        self.widths = likely.widths
        shared = (likely.classes, likely.chances.unsqueeze(2), likely.absent.unsqueeze(2), likely.columns)
        self.tables = [table.unbind(1) for table in (steps.probs, *shared)]
        self.layouts: dict[int, tuple[Tensor, Tensor]] = {}

    def run(self, beams: Beams) -> tuple[Beams, Trace]:
        """Return the beams (rows in the order of the steps) after the chunk, and the way there."""
        idle = np.zeros(beams.blank.shape, dtype=np.int64)
        beams = replace(beams, shift=beams.shift + self.steps.shift)
        source, labels, done = [], [], []
        falling = -self.around.counts
        for step in range(len(self.widths)):
            active = int(np.searchsorted(falling, -step))
            if active < len(beams.blank):
                rows = slice(active, len(beams.blank))
                done.append(self._between(beams.take(rows), rows, step))
                beams = beams.take(slice(active))
            beams, places, added = self._step(self._between(beams, slice(active), step), step)
            source.append(places)
            labels.append(added)
        done.append(self._between(beams, slice(len(beams.blank)), len(self.widths)))
        pieces = zip(*(vars(piece).values() for piece in reversed(done)), strict=True)
        stays = idle + np.arange(idle.shape[1])
        trace = Trace(_stack(source, stays), _stack(labels, idle), self.around.texts, self.around.order)
        return Beams(*(torch.cat(piece) for piece in pieces)), trace

    def _between(self, beams: Beams, rows: slice, step: int) -> Beams:
        """Put the stretch before `step` behind every prefix of the samples `rows`."""
        if not self.has_stretch[step]:
            return beams
        need, end = self.needs[rows, step, None], self.ends[rows, step, None]
        total = beams.blank + beams.nonblank
        # In a stretch that goes on from a character all mass is in the prefixes that end in it, but for a trace.
        fit = ((need < 0) | (beams.last == need)) & (total > 0)
        total = torch.where(fit | ~fit.any(1, keepdim=True), total, 0.0)
        some, closed = end >= 0, end == BLANK
        beams.blank = torch.where(some, total * closed, beams.blank)
        beams.nonblank = torch.where(some, total * ~closed, beams.nonblank)
        if self.has_text[step]:
            self._append(beams, rows, step)
        return beams

    def _append(self, beams: Beams, rows: slice, step: int) -> None:
        texts = self.around.texts
        begin, length = texts.begin[rows, step], texts.length[rows, step]
        a, b, c, d = (table[rows, step, None] for table in self.hashes)
        some = torch.from_numpy(length > 0).to(self.device)[:, None]
        end = torch.from_numpy(texts.labels[np.maximum(begin + length, 1) - 1]).to(self.device)[:, None]
        beams.parent = torch.where(some, c * beams.key + d, beams.parent)
        beams.key = a * beams.key + b
        beams.last = torch.where(some, end, beams.last)
        if self.scorer is not None:
            for i in range(int(length.max())):
                self._judge_text(beams, np.flatnonzero(length > i), texts.labels[begin[length > i] + i])

    def _judge_text(self, beams: Beams, rows: NDArray[np.int64], labels: NDArray[np.int64]) -> None:
        """Charge every prefix of `rows` (R,) for one more label (R,)."""
        assert self.scorer is not None
        index = torch.from_numpy(rows).to(self.device)
        states = beams.states[index]
        asked, kept = states.flatten(0, 1).cpu().numpy(), states.shape
        gain, after = self.scorer.score(asked, labels.repeat(kept[1]))
        factor = torch.from_numpy(np.exp(gain)).to(self.device).view(kept[:2])
        for name in ("blank", "nonblank"):
            mass = getattr(beams, name)
            setattr(beams, name, mass.index_copy(0, index, mass[index] * factor))
        beams.states = beams.states.index_copy(0, index, torch.from_numpy(after).to(self.device).view(kept))

    def _step(self, beams: Beams, step: int) -> tuple[Beams, Tensor, Tensor]:
        """Go through one frame; return the beams, and (N, K) where each comes from and which class it added."""
        # N samples, K places of the beam, C classes, M candidates and one column more for what is none.
        most = self.widths[step]  # M
        probs, candidates, chances, absent, columns = self._tables(step, len(beams.blank), most)
        # The recursion of Hannun and others (2014): a prefix stays itself by a blank, or by its last character again.
        total = beams.blank + beams.nonblank  # (N, K)
        nonblank = beams.nonblank * probs.gather(1, beams.last)
        blank = total * probs[:, :1]
        if most == 0:
            beams = replace(beams, blank=blank, nonblank=nonblank)
            places = torch.arange(total.shape[1], device=self.device).expand_as(total)
            return self._scaled(beams, step), places, torch.zeros_like(places)
        # After a repeat only the paths that end in a blank go on; what is no candidate gets -1, less than any rival.
        same = candidates.unsqueeze(1) == beams.last.unsqueeze(2)  # (N, K, M + 1)
        mass = torch.addcmul(absent, torch.where(same, beams.blank.unsqueeze(2), total.unsqueeze(2)), chances)
        states = beams.states
        if self.scorer is not None:
            mass, states = self._judge(beams, candidates, mass, (blank + nonblank).amax(1))
        # An extension that spells a prefix of the beam belongs to that prefix.
        mass = mass.flatten(1)  # (N, K (M + 1)): place by place
        found, parent = (beams.parent.unsqueeze(2) == beams.key.unsqueeze(1)).max(2)  # (N, K, K) to (N, K)
        column = columns.gather(1, beams.last).clamp_(max=most)
        child = torch.where(found, torch.add(column, parent, alpha=most + 1), most)
        nonblank += mass.gather(1, child).clamp_(min=0)
        mass.scatter_(1, child, -1.0)  # counted where it belongs, it is a rival no longer
        value, index = torch.cat((blank + nonblank, mass), 1).topk(total.shape[1], 1)  # of K + K (M + 1), (N, K)
        source, column = self._layout(total.shape[1], most)
        places, added = source[index], candidates.gather(1, column[index])
        if self.scorer is not None:
            states = states.gather(1, index.unsqueeze(2).expand(-1, -1, states.shape[2]))
        grown = added > 0  # (N, K): by a character; the others are prefixes that stayed
        key = beams.key.gather(1, places)
        within = value >= value[:, :1] * self.ratio
        beams = Beams(
            blank.gather(1, places).masked_fill_(grown | ~within, 0.0),
            torch.where(grown, value, nonblank.gather(1, places)) * within,
            torch.where(grown, added, beams.last.gather(1, places)),
            torch.where(grown, torch.add(added, key, alpha=FACTOR), key),
            torch.where(grown, key, beams.parent.gather(1, places)),
            beams.shift,
            states,
        )
        if self.recombine:
            self._drop_dominated(beams)
        return self._scaled(beams, step), places, added

    def _drop_dominated(self, beams: Beams) -> None:
        """Take the mass of prefixes (places in falling order of mass) that cannot get ahead of one before them.

        That is one with the same last character and the same state of the scorer, so that all that may follow is worth
        the same behind both, and with no less mass of either kind: the search of words calls it recombination.
        """
        full = (beams.blank + beams.nonblank)[:, -1] > 0
        if not bool(full.any()):
            return
        alike = (beams.last.unsqueeze(2) == beams.last.unsqueeze(1)).tril_(-1) & full[:, None, None]  # (N, K, K)
        for column in beams.states.unbind(2):
            alike &= column.unsqueeze(2) == column.unsqueeze(1)
        for mass in (beams.blank, beams.nonblank):
            alike &= mass.unsqueeze(1) >= mass.unsqueeze(2)
        dominated = alike.any(2)
        beams.blank.masked_fill_(dominated, 0.0)
        beams.nonblank.masked_fill_(dominated, 0.0)

    def _tables(self, step: int, rows: int, most: int) -> tuple[Tensor, ...]:
        """Return one step of (rows, C) posteriors, candidates, their posteriors, absences, columns."""
        probs, candidates, chances, absent, columns = (table[step] for table in self.tables)
        if rows < len(probs):
            probs, candidates, chances, absent, columns = (
                table[:rows] for table in (probs, candidates, chances, absent, columns)
            )
        return probs, candidates[:, : most + 1], chances[:, :, : most + 1], absent[:, :, : most + 1], columns

    def _judge(self, beams: Beams, candidates: Tensor, mass: Tensor, best: Tensor) -> tuple[Tensor, Tensor]:
        """Ask the scorer about all extensions worth asking; return their masses and (N, K + K M, S) states."""
        assert self.scorer is not None
        best = torch.maximum(best, mass.flatten(1).amax(1))
        row, place, column = (mass > self.ratio * best[:, None, None]).nonzero(as_tuple=True)
        judged = torch.full_like(mass, -1.0)
        after = beams.states.new_zeros(*mass.shape, beams.states.shape[2])
        if len(row):
            asked = beams.states[row, place].cpu().numpy(), candidates[row, column].cpu().numpy()
            gain, new = self.scorer.score(*asked)
            judged[row, place, column] = mass[row, place, column] * torch.from_numpy(np.exp(gain)).to(self.device)
            after[row, place, column] = torch.from_numpy(new).to(self.device)
        return judged, torch.cat((beams.states, after.flatten(1, 2)), 1)

    def _layout(self, width: int, most: int) -> tuple[Tensor, Tensor]:
        """Return for each of the K + K (M + 1) rivals the place it comes from and the column of its class."""
        if most not in self.layouts:
            places = torch.arange(width, device=self.device)
            columns = torch.arange(most + 1, device=self.device).repeat(width)
            source = torch.cat((places, places.repeat_interleave(most + 1)))
            self.layouts[most] = source, torch.cat((torch.full_like(places, most), columns))
        return self.layouts[most]

    def _scaled(self, beams: Beams, step: int) -> Beams:
        """Now and then, divide by the best mass, so that nothing underflows."""
        if step % RESCALE == 0:
            total = beams.blank + beams.nonblank
            best = total.amax(1, keepdim=True)
            scale = torch.where(best > 0, 1 / best, 0.0)
            beams.blank, beams.nonblank = beams.blank * scale, beams.nonblank * scale
            beams.shift = beams.shift + torch.where(best > 0, best, 1.0)[:, 0].log()
        return beams


def _stack(tables: list[Tensor], idle: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (S, N, K) of tables (N', K) with N' <= N; the rows that are done get `idle` (N, K)."""
    stacked = np.repeat(idle[None], len(tables), 0)
    for step, table in enumerate(tables):
        stacked[step, : len(table)] = table.cpu().numpy()
    return stacked
