"""The beam of flashlight (C++, through torchaudio) behind the same call as our own."""

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from recognizer.corpus.alphabet import BLANK, Alphabet
from recognizer.decoding.beam_search import Candidate, place_candidates
from recognizer.decoding.beam_settings import BeamSettings
from recognizer.decoding.hypothesis import Hypothesis
from recognizer.decoding.hypothesis_building import check_batch, refuse_nan
from recognizer.errors import RecognizerError
from recognizer.network.masks import valid_mask

BLANK_NAME, UNKNOWN_NAME = "<blank>", "<unk>"


@dataclass(frozen=True)
class FlashlightSettings:
    """What flashlight's beam is told beside its width.

    Args:
        model: ARPA or binary KenLM file; of characters without `words`, of words with them.
        words: the lexicon; empty for none.
        weight: of the language model.
        word_score: added for every word of the lexicon, or for every space without one.
        unknown: price of a word outside the lexicon, as a negative number.
        space: what a model of characters calls the space.
    """

    model: Path | None = None
    words: Sequence[str] = ()
    weight: float = 0.0
    word_score: float = 0.0
    unknown: float = -math.inf
    space: str = "▁"


class Flashlight:
    """Flashlight's decoder for one alphabet.

    Raises:
        RecognizerError: flashlight-text is not installed, or it cannot use the model or the words.
    """

    def __init__(self, alphabet: Alphabet, settings: BeamSettings, options: FlashlightSettings) -> None:
        """Build the decoder; flashlight has no `token_min_logp` and no `blank_skip_threshold`."""
        self.alphabet, self.settings = alphabet, settings
        names = [BLANK_NAME, *(options.space if s.isspace() else s for s in alphabet.symbols)]
        self.quiet = names.index(options.space) if options.space in names else BLANK
        self.closing = _space_frame(len(names), self.quiet) if options.words and self.quiet != BLANK else None
        with tempfile.TemporaryDirectory() as folder:
            self.decoder = _decoder(names, self.quiet, settings, options, Path(folder))

    def search(self, log_probs: Tensor, counts: Tensor) -> list[list[Hypothesis]]:
        """Return the best hypotheses of every sample, best first, as `beam_search` does.

        Args:
            log_probs: (N, T, C) natural logarithm, normalised.
            counts: (N,) valid frames.

        Raises:
            RecognizerError: the classes are not the alphabet's, a count is too large, a value is not a number.
        """
        check_batch(log_probs, counts, self.alphabet)
        valid = valid_mask(counts.cpu(), log_probs.shape[1])
        refuse_nan(log_probs.isnan().any(2).cpu() & valid)
        emissions = log_probs.detach().float().cpu().contiguous()
        found = [
            self._decoded(emission[None, :count].contiguous()) if count else [Candidate((), 0.0)]
            for emission, count in zip(emissions, counts.tolist(), strict=True)
        ]
        return place_candidates(log_probs, counts, self.alphabet, found)

    def _decoded(self, emission: Tensor) -> list[Candidate]:
        """Return the texts of (1, T, C); flashlight puts a space before and behind each."""
        if self.closing is not None:
            emission = torch.cat((emission, self.closing), 1)
        hypotheses = self.decoder(emission)[0][: self.settings.n_best]
        found = [Candidate(self._inner(one.tokens.tolist()), float(one.score)) for one in hypotheses]
        return found or [Candidate((), -math.inf)]

    def _inner(self, labels: list[int]) -> tuple[int, ...]:
        begin, end = 0, len(labels)
        while begin < end and labels[begin] == self.quiet:
            begin += 1
        while begin < end and labels[end - 1] == self.quiet:
            end -= 1
        return tuple(labels[begin:end])


def _space_frame(classes: int, space: int) -> Tensor:
    """Return (1, 1, C) a frame that says space: a word of the lexicon ends with one, the last of a text too."""
    frame = torch.full((1, 1, classes), -1e4)
    frame[0, 0, space] = 0.0
    return frame


def _decoder(
    names: list[str], quiet: int, settings: BeamSettings, options: FlashlightSettings, folder: Path
) -> Any:  # torchaudio has no types
    try:
        from torchaudio.models.decoder import ctc_decoder
    except (ImportError, RuntimeError):
        raise RecognizerError(
            "decoder flashlight: not installed, expected `pip install recognizer[flashlight]`"
        ) from None
    lexicon = folder / "lexicon.txt"
    end = f" {names[quiet]}" if quiet != BLANK else ""
    lines = (f"{word} {' '.join(word)}{end}\n" for word in dict.fromkeys(options.words))
    lexicon.write_text("".join(lines), encoding="utf-8")
    spelled = folder / "names.txt"
    spelled.write_text("\n".join(names) + "\n", encoding="utf-8")
    try:
        return ctc_decoder(
            lexicon=str(lexicon) if options.words else None,
            tokens=names,
            lm=str(options.model) if options.model else None,
            lm_dict=str(spelled) if options.model and not options.words else None,
            nbest=settings.n_best,
            beam_size=settings.width,
            beam_threshold=min(settings.beam_threshold, 1e6),
            lm_weight=options.weight,
            word_score=options.word_score,
            sil_score=0.0 if options.words else options.word_score,
            unk_score=options.unknown,
            log_add=True,
            blank_token=BLANK_NAME,
            sil_token=names[quiet],
            unk_word=UNKNOWN_NAME,
        )
    except (RuntimeError, ImportError, ValueError, KeyError) as error:
        raise RecognizerError(f"decoder flashlight: {error}") from error
