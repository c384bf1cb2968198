"""Artificial languages whose every legal continuation is known: a^n b^n, a^n b^n c^n, the embedded Reber grammar."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from recognizer.errors import RecognizerError
from recognizer.network.cells import CellSettings, build_direction
from recognizer.network.cells.weight_noise import weight_noise

# State -> symbol -> next state (Reber 1967); -1 is the end of the inner string.
REBER: tuple[dict[str, int], ...] = (
    {"T": 1, "P": 2},
    {"S": 1, "X": 3},
    {"T": 2, "V": 4},
    {"X": 2, "S": -1},
    {"P": 3, "V": -1},
)
# The symbol of each state that leads away from the end.
ONWARD = ("", "S", "T", "X", "P")
END = "end"


@dataclass(frozen=True)
class Word:
    """A string of a language with what may stand at each of its places.

    Args:
        text: the string.
        legal: for every symbol of `text` and for its end, what may stand there instead; the end is "end".
    """

    text: str
    legal: tuple[frozenset[str], ...]


def counted(n: int, symbols: str = "ab") -> Word:
    """Return a^n b^n, or a^n b^n c^n for "abc": once the b begin, all that follows is certain.

    Raises:
        RecognizerError: n is below 1.
    """
    if n < 1:
        raise RecognizerError(f"a^n b^n: n is {n}, expected at least 1")
    first, second = symbols[0], symbols[1]
    legal = [frozenset(first), *[frozenset((first, second))] * n]
    for symbol, following in zip(symbols[1:], [*symbols[2:], END], strict=True):
        legal += [*[frozenset(symbol)] * (n - 1), frozenset((following,))]
    return Word("".join(symbol * n for symbol in symbols), tuple(legal))


def reber(dice: random.Random, onward: float) -> Word:
    """Draw a string of the embedded Reber grammar: its last symbol but one repeats its second.

    `onward` is the probability of the symbol that leads away from the end: 0.5 is the grammar's own, more is longer.
    """
    outer = dice.choice("TP")
    text, legal = "B" + outer + "B", [frozenset("B"), frozenset("TP"), frozenset("B")]
    state = 0
    while state >= 0:
        legal.append(frozenset(REBER[state]))
        symbol = _drawn(dice, state, onward)
        text, state = text + symbol, REBER[state][symbol]
    closing = [frozenset("E"), frozenset(outer), frozenset("E"), frozenset((END,))]
    return Word(text + "E" + outer + "E", (*legal, *closing))


def _drawn(dice: random.Random, state: int, onward: float) -> str:
    choices = [symbol for symbol in REBER[state] if symbol != ONWARD[state]]
    return ONWARD[state] if len(choices) == 1 and dice.random() < onward else dice.choice(choices)


def rebers(seed: int, count: int, shortest: int, longest: int, onward: float) -> list[Word]:
    """Draw different strings whose length lies in a range.

    Raises:
        RecognizerError: chance did not bring so many.
    """
    dice = random.Random(seed)
    found: dict[str, Word] = {}
    for _ in range(100_000):
        word = reber(dice, onward)
        if shortest <= len(word.text) <= longest:
            found.setdefault(word.text, word)
            if len(found) == count:
                return list(found.values())
    raise RecognizerError(f"embedded Reber: {len(found)} strings of {shortest} to {longest} symbols, expected {count}")


@dataclass(frozen=True)
class Encoded:
    """Strings as numbers, the end being 0, a language's symbols 1, 2, ...

    Args:
        given: (N, T) what is read: the end of the string before, then the symbols; zeros behind a string.
        target: (N, T) what follows each, -100 behind a string.
        legal: (N, T, symbols + 1) whether a symbol may follow; all true behind a string.
    """

    given: Tensor
    target: Tensor
    legal: Tensor


def encode(words: Sequence[Word], symbols: str) -> Encoded:
    """Return strings over `symbols` as numbers."""
    number = {END: 0, **{symbol: n for n, symbol in enumerate(symbols, 1)}}
    length = max(len(word.text) for word in words) + 1
    given = torch.zeros(len(words), length, dtype=torch.long)
    target = torch.full((len(words), length), -100)
    legal = torch.ones(len(words), length, len(number), dtype=torch.bool)
    for row, word in enumerate(words):
        ids = torch.tensor([number[symbol] for symbol in word.text])
        given[row, 1 : len(ids) + 1] = target[row, : len(ids)] = ids
        target[row, len(ids)] = 0
        allowed = [[symbol in places for symbol in number] for places in word.legal]
        legal[row, : len(allowed)] = torch.tensor(allowed)
    return Encoded(given, target, legal)


class Predictor(nn.Module):
    """Say which symbol follows: one recurrent layer in one direction on one-hot symbols, a linear layer on it."""

    def __init__(self, symbols: str, settings: CellSettings) -> None:
        """Make the layers for a language of `symbols`."""
        super().__init__()
        self.symbols = symbols
        self.cell = build_direction(len(symbols) + 1, settings)
        self.head = nn.Linear(settings.output_size, len(symbols) + 1)

    def forward(self, given: Tensor) -> Tensor:
        """Return scores (N, T, symbols + 1) of what follows each of `given` (N, T)."""
        x = functional.one_hot(given, len(self.symbols) + 1).to(self.head.weight.dtype)
        return self.head(self.cell.outputs(x, torch.full((len(x),), x.shape[1])))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Course:
    """How a predictor learns.

    Args:
        steps: updates.
        rate: of Adam at the start; falls to zero as a cosine.
        noise: standard deviation of the noise on the cell's weights in each update (Graves 2013), reached half-way
            through: what is right for all of these weights is right because gates are shut or open, not half-open.
        batch: strings an update.
        seed: of the choice of strings and of the noise.
    """

    steps: int
    rate: float = 0.02
    noise: float = 0.0
    batch: int = 32
    seed: int = 1


def learn(model: Predictor, words: Sequence[Word], course: Course) -> None:
    """Train `model` on whole strings."""
    optimizer = torch.optim.Adam(model.parameters(), course.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, course.steps)
    generator = torch.Generator().manual_seed(course.seed)
    data = encode(words, model.symbols)
    for step in range(1, course.steps + 1):
        rows = torch.randperm(len(words), generator=generator)[: course.batch]
        with weight_noise(model.cell, course.noise * min(1.0, 2 * step / course.steps), generator):
            scores = model(data.given[rows]).flatten(0, 1)
            loss = functional.cross_entropy(scores, data.target[rows].flatten(), ignore_index=-100)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()


@torch.inference_mode()
def accepts(model: Predictor, words: Sequence[Word]) -> list[bool]:
    """Say of each string whether everywhere each legal symbol is more probable than every illegal one."""
    data = encode(words, model.symbols)
    scores = model(data.given)
    least = scores.masked_fill(~data.legal, torch.inf).amin(2)
    most = scores.masked_fill(data.legal, -torch.inf).amax(2)
    return (least > most).all(1).tolist()  # type: ignore[no-any-return]


def counts_to(model: Predictor, most: int) -> int:
    """Return the largest N up to `most` for which a model accepts the counted strings of every n in 1 ... N."""
    reached = 0
    while reached < most:
        tried = range(reached + 1, min(most, reached + 10 + min(reached // 4, 90)) + 1)
        verdicts = accepts(model, [counted(n, model.symbols) for n in tried])
        if not all(verdicts):
            return reached + verdicts.index(False)
        reached = tried[-1]
    return reached
