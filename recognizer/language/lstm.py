"""A language model over characters made of the recognizer's own recurrent layers."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from recognizer.common.atomic_write import write_atomically
from recognizer.corpus.alphabet import TextSettings
from recognizer.errors import RecognizerError
from recognizer.language.perplexity import Perplexity
from recognizer.network.cells import CellSettings, build_direction

FORMAT = "recognizer language model 1"
UNKNOWN_ID = 0
# One symbol both ends a sentence and stands before the first character of the next.
END_ID = 1
LINES = 256  # sentences that are scored at once


@dataclass(frozen=True)
class LanguageModelSettings:
    """What the network is made of.

    Args:
        symbols: the characters it knows, without the two numbers for unknown characters and the end of a sentence.
        text: normalisation of the text.
        embedding: size of a character's vector.
        layers: recurrent layers, one direction each.
        cell: the recurrent layer.
        dropout: probability in [0, 1) of dropping an input of a layer or of the output.
    """

    symbols: tuple[str, ...]
    text: TextSettings = field(default_factory=TextSettings)
    embedding: int = 64
    layers: int = 1
    cell: CellSettings = field(default_factory=CellSettings)
    dropout: float = 0.0

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        for name in ("embedding", "layers"):
            if getattr(self, name) < 1:
                raise RecognizerError(f"language model: {name} is {getattr(self, name)}, expected at least 1")
        if not 0 <= self.dropout < 1:
            raise RecognizerError(f"language model: dropout is {self.dropout}, expected a probability in [0, 1)")
        if len(set(self.symbols)) != len(self.symbols) or not self.symbols:
            raise RecognizerError("language model: expected distinct symbols, at least one")

    @property
    def size(self) -> int:
        """Number of symbols with the unknown one and the end."""
        return len(self.symbols) + 2


@dataclass(frozen=True)
class LanguageStates:
    """What the model has read, for M texts: enough to go on from, with what may follow.

    Args:
        hidden: (M, S) all recurrent states side by side.
        log_probs: (M, size) natural log-probability of every symbol next.
    """

    hidden: Tensor
    log_probs: Tensor

    def select(self, rows: Tensor) -> "LanguageStates":
        """Return the states of `rows`, in that order, repeated as asked."""
        return LanguageStates(self.hidden[rows], self.log_probs[rows])


class LanguageModel(nn.Module):
    """Say how probable every next character is."""

    def __init__(self, settings: LanguageModelSettings) -> None:
        """Make embedding, recurrent layers and output."""
        super().__init__()
        self.settings = settings
        self.numbers = {symbol: i for i, symbol in enumerate(settings.symbols, 2)}
        self.embedding = nn.Embedding(settings.size, settings.embedding)
        inner = settings.cell.output_size
        sizes = [settings.embedding] + [inner] * (settings.layers - 1)
        self.layers = nn.ModuleList(build_direction(size, settings.cell) for size in sizes)
        self.dropout = nn.Dropout(settings.dropout)
        self.output = nn.Linear(inner, settings.size)

    def ids(self, text: str) -> list[int]:
        """Return the numbers of the characters of an already normalised `text`."""
        return [self.numbers.get(character, UNKNOWN_ID) for character in text]

    def forward(self, tokens: Tensor, hidden: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Read tokens (N, T) after `hidden` (N, S); return logits (N, T, size) of what follows each and new hidden."""
        x = self.embedding(tokens)
        counts = torch.full((len(tokens),), tokens.shape[1])
        parts = None if hidden is None else list(torch.split(hidden, self.state_sizes, 1))
        after: list[Tensor] = []
        for layer in self.layers:
            wanted = len(layer.state_sizes)  # type: ignore[arg-type]
            before = None if parts is None else tuple(part.contiguous() for part in parts[:wanted])
            parts = None if parts is None else parts[wanted:]
            x, state = layer(self.dropout(x), counts, before)
            after += state
        return self.output(self.dropout(x)), torch.cat([part.float() for part in after], 1)

    @property
    def state_sizes(self) -> list[int]:
        """The sizes of the parts of `hidden`, layer by layer."""
        return [size for layer in self.layers for size in layer.state_sizes]  # type: ignore[union-attr]

    @torch.inference_mode()
    def start(self, count: int) -> LanguageStates:
        """Return the states of `count` texts of which nothing is read yet."""
        return self._after(torch.full((count, 1), END_ID, device=self.output.weight.device), None)

    @torch.inference_mode()
    def advance(self, states: LanguageStates, tokens: Tensor) -> LanguageStates:
        """Read one token (M,) more of every text."""
        return self._after(tokens[:, None], states.hidden)

    @torch.inference_mode()
    def score(self, states: LanguageStates, tokens: Tensor) -> tuple[Tensor, LanguageStates]:
        """Return the log-probabilities (M,) of `tokens` (M,) and the states after them."""
        return states.log_probs.gather(1, tokens[:, None])[:, 0], self.advance(states, tokens)

    def finish(self, states: LanguageStates) -> Tensor:
        """Return the log-probabilities (M,) that the texts end here."""
        return states.log_probs[:, END_ID]

    def rescore(self, texts: Sequence[str]) -> Tensor:
        """Return the log-probability (N,) of every normalised text with its end, by itself (float64)."""
        return torch.stack([row.sum() for row in self.token_log_probs(texts)]) if texts else torch.zeros(0)

    @torch.inference_mode()
    def token_log_probs(self, texts: Sequence[str]) -> list[Tensor]:
        """Return the log-probability (characters + 1,) of each character of every text and of its end, in float64."""
        device = self.output.weight.device
        rows = [torch.tensor([END_ID, *self.ids(text), END_ID], device=device) for text in texts]
        padded = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=END_ID)
        logits, _ = self(padded[:, :-1])
        picked = logits.float().log_softmax(2).gather(2, padded[:, 1:, None])[:, :, 0].double()
        return [picked[i, : len(row) - 1] for i, row in enumerate(rows)]

    def _after(self, tokens: Tensor, hidden: Tensor | None) -> LanguageStates:
        logits, hidden = self(tokens, hidden)
        return LanguageStates(hidden, logits[:, -1].float().log_softmax(1))


def perplexity(model: LanguageModel, lines: Iterable[str]) -> Perplexity:
    """Score raw lines, each by itself; the sums are those of the n-gram's, so that the two compare."""
    texts = (text for line in lines if (text := model.settings.text.normalize(line)))
    sums = [0, 0, 0]
    log_prob = unknown_log_prob = 0.0
    while block := sorted(islice(texts, LINES), key=len):
        for text, scores in zip(block, model.token_log_probs(block), strict=True):
            strange = torch.tensor([*(i == UNKNOWN_ID for i in model.ids(text)), False], device=scores.device)
            log_prob += float(scores[~strange].sum())
            unknown_log_prob += float(scores[strange].sum())
            unknown = int(strange.sum())
            sums = [sums[0] + 1, sums[1] + len(scores) - unknown, sums[2] + unknown]
    return Perplexity(sums[0], sums[1], sums[2], sums[1] + sums[2], log_prob, unknown_log_prob)


def save(model: LanguageModel, path: Path) -> None:
    """Write weights and settings as one safetensors file."""
    from safetensors.torch import save as to_bytes

    header = {"format": FORMAT, "settings": json.dumps(asdict(model.settings), ensure_ascii=False)}
    write_atomically(path, _in_order(to_bytes({k: v.contiguous() for k, v in model.state_dict().items()}, header)))


def _in_order(data: bytes) -> bytes:
    """Return a safetensors file with its table in order: the library shuffles metadata, so that equal models differ."""
    size = int.from_bytes(data[:8], "little")
    table = json.dumps(json.loads(data[8 : 8 + size]), sort_keys=True, separators=(",", ":")).encode()
    table += b" " * (-len(table) % 8)  # tensors begin at a multiple of eight bytes
    return len(table).to_bytes(8, "little") + table + data[8 + size :]


def load(path: Path) -> LanguageModel:
    """Return the model in a file, ready to be asked.

    Raises:
        RecognizerError: the file is not a whole language model of this format.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        if header.get("format") != FORMAT:
            raise RecognizerError(f"{path}: format {header.get('format')!r}, expected {FORMAT!r}")
        model = LanguageModel(settings_of(json.loads(header["settings"])))
        model.load_state_dict(tensors)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise RecognizerError(f"{path}: not a whole language model ({error})") from error
    return model.eval()


def settings_of(data: dict[str, Any]) -> LanguageModelSettings:
    """Return the settings that a header holds as JSON."""
    cell, text = CellSettings(**data["cell"]), TextSettings(**data["text"])
    return LanguageModelSettings(**{**data, "symbols": tuple(data["symbols"]), "cell": cell, "text": text})
