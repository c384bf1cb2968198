"""Training a character language model by truncated backpropagation through one long text."""

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from recognizer.common.atomic_write import write_atomically
from recognizer.errors import RecognizerError
from recognizer.language.lstm import END_ID, LanguageModel, LanguageModelSettings, settings_of

FORMAT = "recognizer language training 1"


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


@dataclass
class Training:
    """A training under way: all that has to survive a kill.

    Args:
        model: the network, on its device.
        optimizer: AdamW over its parameters.
        settings: how it learns.
        step: updates done.
        hidden: (batch, S) where the streams stand, None at the start of an epoch.
    """

    model: LanguageModel
    optimizer: torch.optim.AdamW
    settings: TrainingSettings
    step: int = 0
    hidden: Tensor | None = None


@dataclass(frozen=True)
class Progress:
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


def begin(model: LanguageModelSettings, settings: TrainingSettings, device: str) -> Training:
    """Return a training of which nothing is done; the seed decides the weights."""
    torch.manual_seed(settings.seed)
    return _training(LanguageModel(model).to(device), settings)


def _training(model: LanguageModel, settings: TrainingSettings) -> Training:
    optimizer = torch.optim.AdamW(model.parameters(), settings.rate, weight_decay=settings.weight_decay)
    return Training(model, optimizer, settings)


def rate_of(step: int, settings: TrainingSettings) -> float:
    """Return the learning rate of the update after `step` of them."""
    warm = settings.warm * settings.steps
    if step < warm:
        return settings.rate * (step + 1) / (warm + 1)
    return settings.rate * 0.5 * (1 + math.cos(math.pi * (step - warm) / (settings.steps - warm)))


def train(training: Training, lines: Sequence[str], until: int, report: Callable[[Progress], None]) -> None:
    """Go on from `training.step` to step `until` with normalised `lines`, in an order of their own each epoch.

    Raises:
        RecognizerError: the text is too short for one span in each stream, or the loss is no number.
    """
    settings = training.settings
    encoded = [torch.tensor([*training.model.ids(line), END_ID]) for line in lines]
    spans = (sum(map(len, encoded)) // settings.batch - 1) // settings.span if encoded else 0
    if spans < 1:
        raise RecognizerError(
            f"language training: the text has {sum(map(len, encoded))} characters, "
            f"expected at least {settings.batch * (settings.span + 1)} (batch x (span + 1))"
        )
    epoch, streams = -1, torch.empty(0)
    training.model.train()
    while training.step < min(until, settings.steps):
        if training.step // spans != epoch:
            epoch = training.step // spans
            streams = _streams(encoded, settings, epoch)
        at = training.step % spans
        if at == 0:
            training.hidden = None
        bits = _update(training, streams[:, at * settings.span : (at + 1) * settings.span + 1])
        report(Progress(training.step, epoch, bits, rate_of(training.step - 1, settings)))
    training.model.eval()


def _streams(encoded: Sequence[Tensor], settings: TrainingSettings, epoch: int) -> Tensor:
    """Return the shuffled text cut into (batch, T) equal streams; what is left over at its end changes each epoch."""
    order = torch.randperm(len(encoded), generator=torch.Generator().manual_seed(settings.seed * 1_000_003 + epoch))
    text = torch.cat([encoded[i] for i in order.tolist()])
    return text[: len(text) // settings.batch * settings.batch].view(settings.batch, -1)


def _update(training: Training, tokens: Tensor) -> float:
    model, settings = training.model, training.settings
    device = model.output.weight.device
    tokens = tokens.to(device)
    for group in training.optimizer.param_groups:
        group["lr"] = rate_of(training.step, settings)
    with torch.autocast(device.type, torch.bfloat16, enabled=settings.bfloat16):
        logits, hidden = model(tokens[:, :-1], training.hidden)
    loss = nn.functional.cross_entropy(logits.float().flatten(0, 1), tokens[:, 1:].flatten())
    training.optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
    value = float(loss.detach()) / math.log(2)
    if not math.isfinite(value):
        raise RecognizerError(f"language training: the loss is {value} at step {training.step}, expected a lower rate")
    training.optimizer.step()
    training.step += 1
    training.hidden = hidden.detach()
    return value


def save_training(training: Training, path: Path) -> None:
    """Write all that a killed training needs to go on bit by bit as if it had not been."""
    from safetensors.torch import save

    tensors = {f"model.{name}": value for name, value in training.model.state_dict().items()}
    for i, state in training.optimizer.state_dict()["state"].items():
        tensors |= {f"adam.{i}.{name}": value for name, value in state.items()}
    tensors["random"] = torch.get_rng_state()
    if training.hidden is not None:
        tensors["hidden"] = training.hidden
    header = {"format": FORMAT, "step": str(training.step)}
    header |= {"model": json.dumps(asdict(training.model.settings)), "training": json.dumps(asdict(training.settings))}
    write_atomically(path, save({name: value.contiguous() for name, value in tensors.items()}, header))


def load_training(path: Path, device: str) -> Training:
    """Return a training as it was saved; the random numbers go on from there too.

    Raises:
        RecognizerError: the file is not a whole training of this format.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        if header.get("format") != FORMAT:
            raise RecognizerError(f"{path}: format {header.get('format')!r}, expected {FORMAT!r}")
        return _restored(header, tensors, device)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise RecognizerError(f"{path}: not a whole language training ({error})") from error


def _restored(header: dict[str, str], tensors: dict[str, Tensor], device: str) -> Training:
    model = LanguageModel(settings_of(json.loads(header["model"]))).to(device)
    model.load_state_dict({name[6:]: value for name, value in tensors.items() if name.startswith("model.")})
    training = _training(model, TrainingSettings(**json.loads(header["training"])))
    adam: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("adam."):
            _, i, key = name.split(".")
            adam.setdefault(int(i), {})[key] = value
    training.optimizer.load_state_dict({**training.optimizer.state_dict(), "state": adam})
    training.step = int(header["step"])
    training.hidden = tensors["hidden"].to(device) if "hidden" in tensors else None
    torch.set_rng_state(tensors["random"])
    return training
