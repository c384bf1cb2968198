"""What is done with a batch while training, as a LightningModule."""

import copy
import functools
import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import lightning
import torch
from torch import Tensor, nn

from recognizer.corpus.alphabet import BLANK, Alphabet
from recognizer.decoding.greedy import greedy
from recognizer.errors import RecognizerError
from recognizer.evaluation.metrics import Edits, distance, scored_text
from recognizer.inputs.registry import kind_named
from recognizer.model.model import Model
from recognizer.network.cells.weight_noise import weight_noise
from recognizer.network.masks import valid_mask
from recognizer.network.network import Output
from recognizer.network.private_operators import lerp_all
from recognizer.training.config import Config
from recognizer.training.data import Batch, Corpora, SampleRef
from recognizer.training.layer_rates import parameter_groups, pull_back
from recognizer.training.losses import cr_ctc_loss, ctc_loss, frames_wanted
from recognizer.training.schedule import rate_share, time_share
from recognizer.training.timer import Timer

MAX_SETBACKS = 3  # returns to the last good state before a run gives up
NAMED = 5  # samples of a loss that is no number


@dataclass(frozen=True)
class ValidationReading:
    """A validation sample with what was read."""

    item: SampleRef
    reference: str
    text: str


class Learner(lightning.LightningModule):
    """Augment, predict, CTC loss, AdamW; an average of the weights is validated where one is kept."""

    def __init__(self, config: Config, model: Model, alphabet: Alphabet, corpora: Corpora) -> None:
        """Learn `model` from batches of `corpora`."""
        super().__init__()
        self.config, self.alphabet, self.corpora = config, alphabet, corpora
        self.model = model
        self.ema = copy.deepcopy(model).requires_grad_(False) if config.learning.ema_decay > 0 else None
        self.start = copy.deepcopy(model).requires_grad_(False) if config.learning.anchor > 0 else None
        self.augment = kind_named(corpora.kind).augmentation(config.augment, model.features)
        self.rate_scale, self.setbacks, self.step = 1.0, 0, 0
        self.readings: list[ValidationReading] = []
        self.cer = self.wer = math.inf
        self.priors: list[float] = []
        self._seen = torch.zeros(alphabet.classes, dtype=torch.float64)
        self._good: dict[str, Any] | None = None
        self._suspects: list[str] = []
        self.clock = Timer()
        self._noise = ExitStack()

    @property
    def best_model(self) -> Model:
        """The model that is validated and kept: the average, or the model itself."""
        return self.model if self.ema is None else self.ema

    def configure_optimizers(self) -> Any:
        """Return AdamW, decaying matrices alone, with the schedule stepped once a batch and a rate for each level."""
        learning = self.config.learning
        groups = parameter_groups(self.model.network, self.model, learning)
        # Squares of gradients over some 50 steps (0.98) in place of torch's 1,000 (0.999), as Vaswani and others (2017)
        # train: a run has a few thousand steps, in which the rate rises and falls.
        optimizer = torch.optim.AdamW(groups, lr=learning.rate, betas=(0.9, 0.98), fused=True)
        steps = int(self.trainer.estimated_stepping_batches)
        # Asked once for each group of weights: one answer a step, as the clock, and other processes, are asked for it.
        share = functools.lru_cache(maxsize=1)(lambda step: self._share_of_rate(step, steps))
        # A plain function around it, which the scheduler leaves out of its checkpoint.
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: share(step))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _share_of_rate(self, step: int, steps: int) -> float:
        gone = max(step, round(time_share(self.trainer) * steps))
        return self.rate_scale * rate_share(self.config.learning, gone, steps)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Draw this step's random numbers from seed, epoch, batch and process alone, so that a resumed run repeats."""
        key = (self.config.seed, self.current_epoch, batch.number, self.global_rank)
        torch.manual_seed(hash(key) & 0x7FFF_FFFF_FFFF_FFFF)
        self.clock.begin()

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the mean CTC loss per label of a batch, both heads, and how far two views of it are apart."""
        # Drawn where the batch is: a GPU would wait for millions of numbers of noise from one core.
        generator = torch.Generator(self.device).manual_seed(int(torch.randint(2**62, ())))
        # Sound would lose its quiet parts in half precision, and evaluation hears it in full.
        with torch.autocast(self.device.type, enabled=False):
            features, counts = self._features(batch, generator)
        self.clock.mark("augment")
        if self.config.learning.weight_noise > 0:
            self._noise.enter_context(
                weight_noise(self.model.network.layers, self.config.learning.weight_noise, generator)
            )
        output = self.model.network(features, counts)
        self.clock.mark("forward")
        losses = ctc_loss(output.log_probs, output.counts, batch)
        if output.auxiliary_log_probs is not None:
            side = ctc_loss(output.auxiliary_log_probs, output.counts, batch)
            losses = losses + self.config.network.auxiliary_head * side
        if self.config.learning.cr_ctc > 0:
            apart = cr_ctc_loss(output.log_probs, output.counts)
            losses = losses + self.config.learning.cr_ctc * apart
        loss = losses.sum() / batch.label_counts.sum()
        bad = (~losses.isfinite()).nonzero()[:, 0].tolist()
        self._suspects = [self.corpora.name(batch.items[i]) for i in bad]
        if bad:
            # Gradients that are no numbers reach every process when they are averaged, so that all go back together.
            loss = loss * math.nan
        self.clock.mark("loss")
        self._log_step(batch, output, loss)
        return loss

    def on_after_backward(self) -> None:
        """Take the noise off the weights, which forward and backward saw alike."""
        self._noise.close()

    def _features(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return augmented features (N, T, F) and their counts; (2 N, T, F) where two views are to agree.

        Both views of a sample have the same frames: what moves ink or sound along the time is done once for both.
        """
        views = 2 if self.config.learning.cr_ctc > 0 else 1
        least = frames_wanted(batch) * self.model.network.settings.front.stride
        augmented: tuple[Tensor, Tensor] = self.augment(
            self.model.features, batch.x, batch.counts, least, generator, views
        )
        return augmented

    def _log_step(self, batch: Batch, output: Output, loss: Tensor) -> None:
        """Log what can be seen of one step."""
        best = output.log_probs.detach().argmax(-1)
        valid = valid_mask(output.counts, best.shape[1])
        padding = 1.0 - batch.counts.sum() / (len(batch.counts) * batch.counts.max())
        values = {
            "blanks": ((best == BLANK) & valid).sum() / valid.sum(),
            "padding": padding,
            "rate": torch.tensor(self.optimizers().param_groups[0]["lr"]),  # type: ignore[union-attr]
        }
        for name, value in values.items():
            self.log(f"train/{name}", value.float(), batch_size=len(batch.items))
        self.log("loss", loss.detach(), prog_bar=True, batch_size=len(batch.items))

    def configure_gradient_clipping(self, optimizer: Any, *unused: Any, **also_unused: Any) -> None:
        """Clip the norm of the gradient; where it is no number go back to the last good state at half the rate."""
        clip = self.config.learning.gradient_clip or math.inf
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), clip)
        self.clock.mark("backward")
        if bool(norm.isfinite()):
            self.log("train/gradient_norm", norm)
            return
        self._set_back(optimizer)

    def _set_back(self, optimizer: Any) -> None:
        """Return to the last good state, its step skipped, half the rate from now on."""
        self.setbacks += 1
        names = ", ".join(_of_all_processes(self._suspects)[:NAMED]) or "the gradient alone"
        if self.setbacks > MAX_SETBACKS or self._good is None:
            raise RecognizerError(
                f"the loss is not a number at step {self.global_step} ({names}), after {self.setbacks - 1} tries at "
                f"half the rate each: expected a smaller learning.rate or other data"
            )
        self.rate_scale /= 2.0
        self.load_state_dict(self._good["learner"])
        optimizer.load_state_dict(copy.deepcopy(self._good["optimizer"]))
        for parameter in self.model.parameters():
            parameter.grad = None
        self.print(
            f"\nthe loss is not a number at step {self.global_step} ({names}): back to the last good state, "
            f"rate x {self.rate_scale:g}"
        )

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Pull the weights to where they began, move the average towards them."""
        self.step += 1
        if self.start is not None:
            groups = self.optimizers().param_groups  # type: ignore[union-attr]
            pull_back(self.model, self.start, groups, self.config.learning.anchor)
        if self.ema is not None:
            # A young average forgets faster, lest the random first weights stay in it.
            decay = min(self.config.learning.ema_decay, (1.0 + self.step) / (10.0 + self.step))
            move_average(self.ema, self.model, decay)
        self.clock.mark("optimiser")
        speed = self.clock.end(len(batch.items) * self.trainer.world_size)
        self.log(f"{kind_named(self.corpora.kind).speed}/s", speed, prog_bar=True)
        self.log("train/waiting", self.clock.waiting_share())
        self._see_the_end()

    def _see_the_end(self) -> None:
        """Have the run's last weights validated, whether the epoch is due or not: none would be trained for nothing."""
        trainer = self.trainer
        last_epoch = trainer.current_epoch + 1 == trainer.max_epochs
        # -1 where no number of steps ends it
        if 0 <= trainer.max_steps <= trainer.global_step or (last_epoch and trainer.is_last_batch):
            trainer.should_stop = True
            # Lightning ends here whatever is the least, but would leave the validation out.
            trainer.fit_loop.min_epochs = trainer.fit_loop.epoch_loop.min_steps = 0
        if (trainer.should_stop or last_epoch) and trainer.check_val_every_n_epoch is not None:
            trainer.check_val_every_n_epoch = 1

    def on_train_epoch_start(self) -> None:
        """Note the state that a setback returns to."""
        optimizer = self.optimizers().optimizer.state_dict()  # type: ignore[union-attr]
        self._good = {"learner": copy.deepcopy(self.state_dict()), "optimizer": copy.deepcopy(optimizer)}
        self.clock.restart()

    def on_validation_epoch_start(self) -> None:
        """Forget the last validation; let every process read with the same weights to the last bit."""
        self.readings = []
        self._seen = torch.zeros_like(self._seen)
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            for value in self.best_model.state_dict().values():
                torch.distributed.broadcast(value, 0)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Read a batch exactly as `evaluate` does: float32, best path."""
        with torch.autocast(self.device.type, enabled=False):
            output = self.best_model.eval()(batch.x, batch.counts)
        valid = valid_mask(output.counts, output.log_probs.shape[1])
        self._seen += output.log_probs[valid].double().exp().sum(0).cpu()
        texts = [hypothesis.text for hypothesis in greedy(output.log_probs, output.counts, self.alphabet)]
        for item, text in zip(batch.items, texts, strict=True):
            self.readings.append(ValidationReading(item, self.alphabet.text.normalize(self.corpora.text(item)), text))

    def on_validation_epoch_end(self) -> None:
        """Sum the edits over all processes and log CER and WER; keep how often each class was seen."""
        sums = torch.tensor(_sums(self.readings, self.alphabet), dtype=torch.float64, device=self.device)
        sums = self.trainer.strategy.reduce(sums, reduce_op="sum")
        edits, units, word_edits, words = map(int, sums.tolist())
        self.cer, self.wer = Edits(edits, units=units).rate, Edits(word_edits, units=words).rate
        seen = self.trainer.strategy.reduce(self._seen.to(self.device), reduce_op="sum")
        self.priors = (seen / seen.sum()).tolist()
        self.log("cer", self.cer, prog_bar=True)
        self.log("wer", self.wer)

    def on_validation_end(self) -> None:
        """Count no validation as waiting for training data."""
        self.clock.restart()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep what is no parameter."""
        checkpoint["learner"] = {"rate_scale": self.rate_scale, "setbacks": self.setbacks, "step": self.step}
        checkpoint["clock"] = self.clock.state()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take back what is no parameter."""
        for name, value in checkpoint["learner"].items():
            setattr(self, name, value)
        self.clock.load(checkpoint["clock"])


@torch.no_grad()
def move_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move every weight of `average` by 1 - decay towards `model`; take whole numbers as they are."""
    old, new = average.state_dict(), model.state_dict()
    floats = [name for name, value in old.items() if value.is_floating_point()]
    lerp_all([old[name] for name in floats], [new[name] for name in floats], 1.0 - decay)
    for name in old.keys() - set(floats):
        old[name].copy_(new[name])


def _of_all_processes(names: list[str]) -> list[str]:
    """Return the names that each process brings, one after the other."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return names
    gathered: list[list[str]] = [[] for _ in range(torch.distributed.get_world_size())]
    torch.distributed.all_gather_object(gathered, names)
    return [name for part in gathered for name in part]


def _sums(readings: Sequence[ValidationReading], alphabet: Alphabet) -> list[int]:
    """Return character edits, characters, word edits, words."""
    sums = [0, 0, 0, 0]
    for reading in readings:
        reference, text = (scored_text(text, alphabet.text) for text in (reading.reference, reading.text))
        said, read = alphabet.split(reference), alphabet.split(text)
        words = reference.split()
        pair = (distance(said, read), len(said), distance(words, text.split()), len(words))
        sums = [a + b for a, b in zip(sums, pair, strict=True)]
    return sums
