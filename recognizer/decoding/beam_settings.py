"""How wide a beam looks."""

import math
from dataclasses import dataclass

from recognizer.errors import RecognizerError


@dataclass(frozen=True)
class BeamSettings:
    """How wide the beam looks; the defaults lose next to nothing but what the width cuts.

    Args:
        width: prefixes kept after every frame.
        token_min_logp: a class extends prefixes only in frames where the natural logarithm of its posterior is at least
            this.
        beam_threshold: prefixes further than this (natural logarithm) below the best are dropped.
        blank_skip_threshold: in runs of frames where one class has at least this posterior the others are not looked
            at (blank skipping, and the same for characters); above 1 for never.
        n_best: hypotheses returned for each sample, fewer where fewer are left.
        recombine: of prefixes that end alike, and that the scorer can no longer tell apart, keep the best, where the
            beam is full; only with one hypothesis, as it is the others that go.
    """

    width: int = 25
    token_min_logp: float = -9.0
    beam_threshold: float = 15.0
    blank_skip_threshold: float = 0.999
    n_best: int = 1
    recombine: bool = True

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        if self.width < 1:
            raise RecognizerError(f"beam: width {self.width}, expected at least 1 (no beam at all is the best path)")
        if not 1 <= self.n_best <= self.width:
            raise RecognizerError(f"beam: n_best {self.n_best}, expected 1 to its width {self.width}")
        if (
            math.isnan(self.token_min_logp)
            or self.token_min_logp > 0
            or not self.beam_threshold > 0
            or not self.blank_skip_threshold > 0.5
        ):
            raise RecognizerError(
                f"beam: token_min_logp {self.token_min_logp}, beam_threshold {self.beam_threshold}, "
                f"blank_skip_threshold {self.blank_skip_threshold}, "
                "expected token_min_logp <= 0, beam_threshold > 0, blank_skip_threshold > 0.5"
            )

    @property
    def recombines(self) -> bool:
        """Whether prefixes that another one dominates give their places to others."""
        return self.recombine and self.n_best == 1
