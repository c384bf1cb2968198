"""A character language model as a LightningModule, learned by truncated backpropagation through one long text."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torch.utils.data import IterableDataset

from recognizer.errors import RecognizerError
from recognizer.language.lstm import END_ID, UNKNOWN_ID, LanguageModel, LanguageModelSettings
from recognizer.training.config import LearningSettings
from recognizer.training.schedule import rate_share


@dataclass(frozen=True)
class TrainingSettings:
    """How the model learns.

    Args:
        steps: updates in all; the learning rate ends at zero with the last.
        batch: streams side by side.
        span: characters between two cuts of the gradient.
        rate: highest learning rate, reached after `warm` of the steps, then falling as a cosine.
        warm: share of the steps in which the rate rises.
        weight_decay: of AdamW.
        clip: largest norm of the gradient.
        seed: of weights, dropout and the order of the sentences.
        bfloat16: compute in bfloat16 where autocast does so.
    """

    steps: int = 2000
    batch: int = 32
    span: int = 128
    rate: float = 4e-3
    warm: float = 0.05
    weight_decay: float = 0.01
    clip: float = 1.0
    seed: int = 0
    bfloat16: bool = False

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        for name in ("steps", "batch", "span", "rate", "clip"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise RecognizerError(f"language training: {name} is {value}, expected more than 0")
        if not 0 <= self.warm < 1:
            raise RecognizerError(f"language training: warm is {self.warm}, expected a share in [0, 1)")

    @property
    def learning(self) -> LearningSettings:
        """The same as settings of the schedule."""
        return LearningSettings(rate=self.rate, schedule="cosine", warm_up=self.warm)


@dataclass(frozen=True)
class LanguageProgress:
    """How a step went.

    Args:
        step: updates done.
        epoch: times the text was read before.
        bits: per character of this step's text, before its update.
        rate: learning rate.
    """

    step: int
    epoch: int
    bits: float
    rate: float


def symbols_of(lines: Sequence[str], least: int) -> tuple[tuple[str, ...], dict[str, int]]:
    """Return the characters of normalised `lines` that occur at least `least` times, and the rarer with their counts.

    The rarer ones are learned as "unknown", which gives that symbol its probability.
    """
    seen = Counter(character for line in lines for character in line)
    return tuple(sorted(c for c in seen if seen[c] >= least)), {c: n for c, n in sorted(seen.items()) if n < least}


class LanguageLearner(lightning.LightningModule):
    """Learns to say how probable every next character is.

    Args:
        model: what it is made of; the seed decides its first weights.
        settings: how it learns.
        spans: steps in which the text is read once.
        report: takes how each step went.

    `done` counts the updates, `hidden` (batch, S) is where the streams stand, None at the start of an epoch.
    """

    def __init__(
        self,
        model: LanguageModelSettings,
        settings: TrainingSettings,
        spans: int,
        report: Callable[[LanguageProgress], None],
    ) -> None:
        """Make the model."""
        super().__init__()
        torch.manual_seed(settings.seed)
        self.model = LanguageModel(model)
        self.settings, self.spans, self.report = settings, spans, report
        self.done, self.bits = 0, 0.0
        self.hidden: Tensor | None = None

    def configure_optimizers(self) -> Any:
        """Return AdamW with the schedule stepped once a batch."""
        settings = self.settings
        optimizer = torch.optim.AdamW(self.parameters(), settings.rate, weight_decay=settings.weight_decay)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self._share_of_rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _share_of_rate(self, step: int) -> float:
        return rate_share(self.settings.learning, step, self.settings.steps)

    def training_step(self, batch: tuple[int, Tensor], batch_idx: int) -> Tensor:
        """Return the mean cross-entropy of the characters of a span (batch, span + 1); the state goes on to the next.

        Raises:
            RecognizerError: it is no number.
        """
        number, tokens = batch
        # Of dropout: from seed and step alone, so that a resumed run repeats.
        torch.manual_seed(hash((self.settings.seed, number)) & 0x7FFF_FFFF_FFFF_FFFF)
        logits, hidden = self.model(tokens[:, :-1], self.hidden if number % self.spans else None)
        loss = nn.functional.cross_entropy(logits.float().flatten(0, 1), tokens[:, 1:].flatten())
        self.bits, self.hidden = float(loss.detach()) / math.log(2), hidden.detach()
        if not math.isfinite(self.bits):
            raise RecognizerError(f"language training: the loss is {self.bits} at step {number}, expected a lower rate")
        return loss

    def on_train_batch_end(self, outputs: Any, batch: tuple[int, Tensor], batch_idx: int) -> None:
        """Count the update and report it."""
        number, _ = batch
        self.done = number + 1
        rate = self.settings.rate * self._share_of_rate(number)
        self.report(LanguageProgress(self.done, number // self.spans, self.bits, rate))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep where the streams stand."""
        checkpoint["language"] = {"done": self.done, "hidden": self.hidden}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take it back."""
        self.done = checkpoint["language"]["done"]
        hidden = checkpoint["language"]["hidden"]
        self.hidden = None if hidden is None else hidden.to(self.device)


class TextSpans(IterableDataset[tuple[int, Tensor]]):
    """The text without end, shuffled anew each time that it is read, from the first step that a learner has not done.

    Each item is the number of its step and (batch, span + 1) characters.
    """

    def __init__(self, model: LanguageModelSettings, settings: TrainingSettings, lines: Sequence[str]) -> None:
        """Encode normalised `lines`.

        Raises:
            RecognizerError: the text is too short for one span in each stream.
        """
        number = {symbol: i for i, symbol in enumerate(model.symbols, 2)}
        self.encoded = [torch.tensor([*(number.get(c, UNKNOWN_ID) for c in line), END_ID]) for line in lines]
        self.settings = settings
        self.learner: LanguageLearner | None = None
        size = sum(map(len, self.encoded))
        self.spans = (size // settings.batch - 1) // settings.span if lines else 0
        if self.spans < 1:
            raise RecognizerError(
                f"language training: the text has {size} characters, "
                f"expected at least {settings.batch * (settings.span + 1)} (batch x (span + 1))"
            )

    def __iter__(self) -> Iterator[tuple[int, Tensor]]:
        """Yield steps."""
        step = self.learner.done if self.learner else 0
        epoch, streams = -1, torch.empty(0)
        while True:
            if step // self.spans != epoch:
                epoch = step // self.spans
                streams = self._streams(epoch)
            at = step % self.spans * self.settings.span
            yield step, streams[:, at : at + self.settings.span + 1]
            step += 1

    def _streams(self, epoch: int) -> Tensor:
        """Return the shuffled text as (batch, T) equal streams; what is left over at its end changes each epoch."""
        settings = self.settings
        generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + epoch)
        text = torch.cat([self.encoded[i] for i in torch.randperm(len(self.encoded), generator=generator).tolist()])
        return text[: len(text) // settings.batch * settings.batch].view(settings.batch, -1)
