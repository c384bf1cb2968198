"""A neural character model asked by a beam: numbers stand for what it has read, and equal texts are read once."""

from collections.abc import Sequence

import numpy as np
import torch

from recognizer.language.lstm import END_ID, UNKNOWN_ID, LanguageModel, LanguageStates
from recognizer.language.trie import Floats, Ints

FIRST = 1024  # texts that there is room for at the start


class NeuralCharacters:
    """The questions of an n-gram model put to a neural one; a state is the number of a text of this search.

    A text is read only when something is asked behind it, so what the beam drops at once costs nothing.
    """

    def __init__(self, model: LanguageModel) -> None:
        """Ask `model`, which stays where it is."""
        self.model = model.eval()
        self.forget()

    @torch.inference_mode()
    def forget(self) -> None:
        """Drop all texts but the empty one; states from before mean nothing after."""
        begun = self.model.start(1)
        self.hidden = begun.hidden.new_zeros(FIRST, begun.hidden.shape[1])
        self.log_probs = begun.log_probs.new_zeros(FIRST, begun.log_probs.shape[1])
        self.hidden[:1], self.log_probs[:1] = begun.hidden, begun.log_probs
        self.used = 1
        self.rows = [0]  # of each text in the tables, -1 where it is not read yet
        self.came: list[tuple[int, int]] = [(0, END_ID)]  # row of the text without its last symbol, that symbol
        self.numbers: dict[int, int] = {}

    @property
    def start(self) -> int:
        """The empty text."""
        return 0

    @property
    def unknown(self) -> int:
        """The number of the symbol for what the model lacks."""
        return UNKNOWN_ID

    def ids(self, tokens: Sequence[str]) -> Ints:
        """Return the numbers of `tokens`, a character each."""
        return np.array([self.model.numbers.get(token, UNKNOWN_ID) for token in tokens], np.int64)

    def scores(self, states: Ints, tokens: Ints) -> tuple[Floats, Ints]:
        """Return log-probabilities (M,) of `tokens` (M,) after `states` (M,), and the next states (M,)."""
        rows = self._read(states)
        picked = self.log_probs[torch.from_numpy(rows), torch.from_numpy(tokens)].cpu().numpy()
        return picked, self._after(rows, tokens)

    def scalar(self) -> None:
        """Say that texts are read quicker together."""

    def finish(self, states: Ints) -> Floats:
        """Return the log-probabilities (M,) that the texts end."""
        rows = torch.from_numpy(self._read(states))  # first: reading may lay out larger tables
        return np.asarray(self.log_probs[rows, END_ID].cpu().numpy())

    def _after(self, rows: Ints, tokens: Ints) -> Ints:
        """Number the texts that are one symbol longer, each text once."""
        keys: list[int] = (rows * self.model.settings.size + tokens).tolist()
        for key in keys:
            if self.numbers.setdefault(key, len(self.rows)) == len(self.rows):
                self.rows.append(-1)
                self.came.append(divmod(key, self.model.settings.size))
        return np.array([self.numbers[key] for key in keys], np.int64)

    def _read(self, states: Ints) -> Ints:
        """Return the rows (M,) of texts, reading those that were not read yet."""
        new = [state for state in dict.fromkeys(states.tolist()) if self.rows[state] < 0]
        if new:
            before, symbols = zip(*(self.came[state] for state in new), strict=True)
            known = LanguageStates(self.hidden, self.log_probs).select(torch.tensor(before))
            self._keep(self.model.advance(known, torch.tensor(symbols, device=self.hidden.device)))
            for row, state in enumerate(new, self.used - len(new)):
                self.rows[state] = row
        return np.array([self.rows[state] for state in states.tolist()], np.int64)

    @torch.inference_mode()
    def _keep(self, states: LanguageStates) -> None:
        end = self.used + len(states.hidden)
        while end > len(self.hidden):
            self.hidden = torch.cat((self.hidden, torch.zeros_like(self.hidden)))
            self.log_probs = torch.cat((self.log_probs, torch.zeros_like(self.log_probs)))
        self.hidden[self.used : end], self.log_probs[self.used : end] = states.hidden, states.log_probs
        self.used = end
