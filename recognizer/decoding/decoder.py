"""A decoder at work: log-probabilities to hypotheses, one way for every verb."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from recognizer.corpus.alphabet import Alphabet, TextSettings, alphabet_of
from recognizer.decoding.decoder_files import DecoderFiles, flashlight_model
from recognizer.decoding.greedy import greedy
from recognizer.decoding.hypothesis import Hypothesis
from recognizer.decoding.hypothesis_building import check_batch
from recognizer.decoding.settings import DecoderSettings
from recognizer.errors import RecognizerError
from recognizer.language.text import SPACE

if TYPE_CHECKING:  # the best path needs none of them, nor torch
    from torch import Tensor

    from recognizer.decoding.batched_beam_search import Scorer
    from recognizer.decoding.beam_search import Candidate
    from recognizer.decoding.beam_settings import BeamSettings
    from recognizer.decoding.flashlight import Flashlight
    from recognizer.decoding.pronunciation_model import PronunciationModel
    from recognizer.decoding.pronunciations import Pronunciations
    from recognizer.language.neural import NeuralCharacters

SHOWN = 5  # words in a note
NEURAL_ROWS = 8  # samples that a neural language model follows at once: its memory holds every prefix of them


class Decoder:
    """Settings, alphabet and opened files, ready to read."""

    def __init__(
        self,
        settings: DecoderSettings,
        alphabet: Alphabet,
        outside: DecoderFiles | None = None,
        notes: Sequence[str] = (),
        priors: Sequence[float] = (),
    ) -> None:
        """Decode as `settings` say with the files that `outside` holds open.

        Args:
            settings: how.
            alphabet: of the model.
            outside: the files that the settings name, opened.
            notes: what a user should know.
            priors: of the model's classes, () where they are not known.

        Raises:
            RecognizerError: a file and the alphabet do not fit together, or priors are asked for that are not known.
        """
        self.settings, self.alphabet, self.outside = settings, alphabet, outside or DecoderFiles()
        self.notes, self.priors = tuple(notes), tuple(priors)
        if settings.prior_weight and not self.priors:
            raise RecognizerError(
                "prior-weight: the model file states no label priors, expected one that `recognizer train` or "
                "`recognizer lm tune` of this version wrote"
            )
        self.neural: NeuralCharacters | None = None
        self.words: PronunciationModel | None = None
        self.written = alphabet  # what texts are made of, where words are not spelled with the model's own symbols
        self.scorer = self._scorer() if settings.engine == "beam" else None
        self.flashlight = self._flashlight() if settings.engine == "flashlight" else None

    def decode(self, log_probs: "Tensor", counts: "Tensor") -> list[Hypothesis]:
        """Read every sample of log_probs (N, T, C) with `counts` (N,) frames; spans are in frames.

        Raises:
            RecognizerError: the classes are not the alphabet's, a count is too large, a value is not a number.
        """
        if self.settings.engine == "greedy":
            return greedy(log_probs, counts, self.alphabet)
        if self.flashlight is not None:
            return [row[0] for row in self.flashlight.search(self._evidence(log_probs), counts)]
        from recognizer.decoding.beam_search import place_candidates

        found = [row[:1] for row in self.candidates(log_probs, counts)]
        placed = place_candidates(log_probs.detach(), counts.cpu(), self.alphabet, found)
        if self.words is None:
            return [row[0] for row in placed]
        from recognizer.decoding.word_hypothesis import in_words

        return [in_words(row[0], best[0].labels, self.words) for row, best in zip(placed, found, strict=True)]

    def _evidence(self, log_probs: "Tensor") -> "Tensor":
        """Return log-probabilities (N, T, C) as a search weighs them; places and confidences go by the others."""
        settings = self.settings
        if not settings.prior_weight and settings.temperature == 1:
            return log_probs
        from recognizer.decoding.label_priors import without_priors

        return without_priors(log_probs, self.priors, settings.prior_weight, settings.temperature)

    def _beam(self) -> "BeamSettings":
        """Return how wide the beam looks: its bounds are of the network's own log-probabilities, flattened alike."""
        beam, temperature = self.settings.beam, self.settings.temperature
        if temperature == 1:
            return beam
        return replace(
            beam,
            token_min_logp=beam.token_min_logp / temperature,
            beam_threshold=beam.beam_threshold / temperature,
        )

    def texts(self, log_probs: "Tensor", counts: "Tensor") -> list[str]:
        """Return what `decode` would read, without places and confidences."""
        if self.settings.engine != "beam":
            return [one.text for one in self.decode(log_probs, counts)]
        return [self._text(row[0].labels) for row in self.candidates(log_probs, counts)]

    def _text(self, labels: Sequence[int]) -> str:
        if self.words is not None:
            return " ".join(one.word for one in self.words.written(labels))
        return self.alphabet.text_of(labels)

    def candidates(self, log_probs: "Tensor", counts: "Tensor") -> "list[list[Candidate]]":
        """Return what the beam of each sample ends with, best first, without places.

        Raises:
            RecognizerError: as `decode`.
        """
        from recognizer.decoding.beam_search import search_candidates

        assert self.settings.engine == "beam", "only the beam has candidates"
        check_batch(log_probs, counts, self.alphabet)
        beam, log_probs, counts = self._beam(), self._evidence(log_probs.detach()), counts.cpu()
        if self.outside.rescore is not None:
            beam = replace(beam, n_best=beam.width)
        # A lexicon of pronunciations answers one by one: several samples at once would only be slower.
        rows = NEURAL_ROWS if self.neural else 1 if self.words else max(1, len(log_probs))
        found: list[list[Candidate]] = []
        for start in range(0, len(log_probs), rows):
            if self.neural:
                self.neural.forget()
            found += search_candidates(log_probs[start : start + rows], counts[start : start + rows], beam, self.scorer)
        return [self._ranked(row) for row in found] if self.outside.rescore is not None else found

    def _ranked(self, row: "list[Candidate]") -> "list[Candidate]":
        """Return the candidates of one sample with the other language model's word on each, best first."""
        from recognizer.decoding.beam_search import Candidate
        from recognizer.language.lstm import LanguageModel

        model = self.outside.rescore
        assert model is not None
        settings = model.settings.text if isinstance(model, LanguageModel) else model.about.text
        texts = [self._text(one.labels) if self.words else self.alphabet.decode(one.labels) for one in row]
        said = model.rescore([settings.normalize(text) for text in texts])
        weight = self.settings.rescore_weight
        scored = [Candidate(one.labels, one.score + weight * float(s)) for one, s in zip(row, said, strict=True)]
        return sorted(scored, key=lambda one: -one.score)

    def _scorer(self) -> "Scorer | None":
        from recognizer.decoding.scorers import Sum
        from recognizer.decoding.word_model import WordModel
        from recognizer.decoding.word_scorers import HotWords, Lexicon, WordBonus

        settings, outside, alphabet = self.settings, self.outside, self.alphabet
        if outside.pronunciations is not None:
            self.words = self._pronounced(outside.pronunciations)
            return self.words
        scorers: list[Scorer] = []
        if outside.lm is not None:
            scorers.append(self._language())
        if settings.word_bonus:
            if alphabet.text.unit == "token":
                raise RecognizerError("word bonus: an alphabet of tokens has no words, expected one of characters")
            if not isinstance(scorers[0] if scorers else None, WordModel):  # which adds it itself
                scorers.append(WordBonus(alphabet, settings.word_bonus))
        if outside.hot_words:
            scorers.append(HotWords(outside.hot_words, alphabet, settings.hot_bonus))
        if outside.lexicon:
            scorers.append(Lexicon(outside.lexicon, alphabet, self._oov_penalty))
        return Sum(scorers) if len(scorers) > 1 else scorers[0] if scorers else None

    def _language(self) -> "Scorer":
        from recognizer.decoding.scorers import CharacterModel
        from recognizer.decoding.word_model import WordModel
        from recognizer.language.lstm import LanguageModel
        from recognizer.language.neural import NeuralCharacters
        from recognizer.language.spelling import spelling_of

        model, weight = self.outside.lm, self.settings.lm_weight
        assert model is not None
        if isinstance(model, LanguageModel):
            self.neural = NeuralCharacters(model)
            return CharacterModel(self.neural, self.alphabet, weight, model.settings.text)
        if model.about.unit == "character" or self.alphabet.text.unit == "token":
            return CharacterModel(model, self.alphabet, weight, model.about.text, SPACE)
        bonus, text = self.settings.word_bonus, model.about.text
        spelling = model.spelling or spelling_of(model.words, text)
        scorer = WordModel(model, model.words, self.alphabet, weight, text, bonus=bonus, spelling=spelling)
        if scorer.unwritten:
            shown = ", ".join(map(repr, scorer.unwritten[:SHOWN])) + (" ..." if len(scorer.unwritten) > SHOWN else "")
            self.notes += (
                f"{len(scorer.unwritten)} of {scorer.vocabulary} words of the language model cannot be written "
                f"with the model's characters: {shown}",
            )
        return scorer

    def _pronounced(self, said: "Pronunciations") -> "PronunciationModel":
        from recognizer.decoding.pronunciation_model import PronunciationModel
        from recognizer.language.lstm import LanguageModel

        model, settings = self.outside.lm, self.settings
        if isinstance(model, LanguageModel) or (model is not None and model.about.unit != "word"):
            raise RecognizerError("lexicon of pronunciations: the language model is one of characters, expected words")
        # Without stated rules of text a word is written as the lexicon has it.
        text = model.about.text if model is not None else TextSettings()
        self.written = alphabet_of((" ", *said.words), text)[0]
        if " " not in self.written.symbols:
            self.written = Alphabet((" ", *self.written.symbols), text)
        return PronunciationModel(model, said, self.alphabet, settings.lm_weight, settings.word_bonus)

    @property
    def _oov_penalty(self) -> float:
        return math.inf if self.settings.oov_penalty is None else self.settings.oov_penalty

    def _flashlight(self) -> "Flashlight":
        from recognizer.decoding.flashlight import Flashlight, FlashlightSettings

        settings, outside = self.settings, self.outside
        options = FlashlightSettings(
            model=flashlight_model(outside.lm_path, bool(outside.lexicon)) if outside.lm_path else None,
            words=outside.lexicon,
            weight=settings.lm_weight if outside.lm_path else 0.0,
            word_score=settings.word_bonus,
            unknown=-self._oov_penalty,
        )
        return Flashlight(self.alphabet, settings.beam, options)
