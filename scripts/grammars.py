"""Two artificial languages whose every legal continuation is known: a^n b^n and the embedded Reber grammar."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from recognizer.errors import RecognizerError
from recognizer.language.lstm import END_ID, LanguageModel

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


def counted(n: int) -> Word:
    """Return a^n b^n: once the b begin, all that follows is certain."""
    if n < 1:
        raise RecognizerError(f"a^n b^n: n is {n}, wanted at least 1")
    open_ = [frozenset("a")] + [frozenset("ab")] * n
    return Word("a" * n + "b" * n, (*open_, *[frozenset("b")] * (n - 1), frozenset((END,))))


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
    raise RecognizerError(f"embedded Reber: {len(found)} strings of {shortest} to {longest} symbols, wanted {count}")


def learn(model: LanguageModel, words: Sequence[Word], steps: int, batch: int, rate: float, seed: int) -> None:
    """Train `model` on whole strings, `batch` of them a step, with a rate that falls to zero."""
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    dice = random.Random(seed)
    model.train()
    for _ in range(steps):
        chosen = dice.sample(list(words), min(batch, len(words)))
        loss = _loss(model, [word.text for word in chosen])
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    model.eval()


def _loss(model: LanguageModel, texts: Sequence[str]) -> Tensor:
    rows = [torch.tensor([END_ID, *model.ids(text), END_ID]) for text in texts]
    wanted = nn.utils.rnn.pad_sequence([row[1:] for row in rows], batch_first=True, padding_value=-100)
    given = nn.utils.rnn.pad_sequence([row[:-1] for row in rows], batch_first=True, padding_value=END_ID)
    logits, _ = model(given)
    return nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=-100)


@torch.inference_mode()
def accepts(model: LanguageModel, word: Word) -> bool:
    """Say whether everywhere in the string each legal symbol is more probable than every illegal one."""
    logits = model(torch.tensor([[END_ID, *model.ids(word.text)]]))[0][0]
    for row, legal in zip(logits, word.legal, strict=True):
        allowed = [END_ID if symbol == END else model.numbers[symbol] for symbol in legal]
        rest = torch.ones(len(row), dtype=torch.bool)
        rest[allowed] = False
        if row[allowed].min() <= row[rest].max():
            return False
    return True


def accepted(model: LanguageModel, words: Sequence[Word]) -> int:
    """Count the strings that `model` accepts."""
    return sum(accepts(model, word) for word in words)
