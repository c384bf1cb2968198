"""The model file: one safetensors file of weights under a JSON header that says all the rest."""

import json
import struct
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from recognizer.atomic_write import write_atomically
from recognizer.corpus.alphabet import Alphabet, TextSettings
from recognizer.errors import RecognizerError
from recognizer.model import Model, ModelSettings, from_plain
from recognizer.model_file_upgrade import upgrade_header, upgrade_weight

FORMAT = 2  # 1 named some settings otherwise, see model_file_upgrade.py
KEY = "recognizer"  # of the header in safetensors' metadata
MAX_HEADER = 100_000_000  # bytes, the limit of safetensors itself
RESTART = "wanted a model.safetensors that `recognizer train` wrote"


@dataclass
class ModelFile:
    """Everything a model file holds.

    Args:
        settings: what the model is made of.
        alphabet: its symbols with the normalisation of their text.
        model: the network with its weights.
        decoder: defaults of the decoder as plain data.
        calibration: confidences to probabilities, as plain data.
        training: what it was trained on: corpora with hashes and counts, seed, versions, command.
        results: error rates that were measured, by name of corpus and split.
        card: a few lines for people.
    """

    settings: ModelSettings
    alphabet: Alphabet
    model: Model
    decoder: dict[str, Any] = field(default_factory=dict)
    calibration: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    card: str = ""

    def header(self) -> dict[str, Any]:
        """Return the JSON header."""
        return {
            "format": FORMAT,
            "settings": self.settings.as_data(),
            "alphabet": {"symbols": list(self.alphabet.symbols), "text": asdict(self.alphabet.text)},
            "decoder": self.decoder,
            "calibration": self.calibration,
            "training": self.training,
            "results": self.results,
            "card": self.card,
        }


def save_model_file(model_file: ModelFile, path: Path, half: bool = False) -> None:
    """Write a model file whole or not at all; `half` stores the weights as float16."""
    from safetensors.torch import save

    tensors = {}
    for name, tensor in model_file.model.state_dict().items():
        small = half and tensor.is_floating_point()
        tensors[name] = tensor.detach().to("cpu", torch.float16 if small else tensor.dtype).contiguous()
    header = json.dumps(model_file.header(), ensure_ascii=False, sort_keys=True)
    write_atomically(path, save(tensors, metadata={KEY: header}))


def read_header(path: Path) -> dict[str, Any]:
    """Return the JSON header of a model file without reading its weights.

    Raises:
        RecognizerError: missing, foreign, truncated, a pickle, of a newer format.
    """
    if not path.is_file():
        raise RecognizerError(f"{path}: no such model file")
    try:
        file = open(path, "rb")
    except OSError as error:
        raise RecognizerError(f"{path}: cannot be read ({error.strerror or error}), {RESTART}") from None
    with file:
        head = file.read(8)
        if head[:2] in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
            raise RecognizerError(f"{path}: a pickled file, which could run code when read; {RESTART}")
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
        if not 2 <= length <= MAX_HEADER:
            raise RecognizerError(f"{path}: not a model file, {RESTART}")
        text = file.read(length)
    try:
        if len(text) < length:
            raise RecognizerError(f"{path}: cut short within its header, {RESTART}")
        header = json.loads(json.loads(text)["__metadata__"][KEY])
    except (ValueError, KeyError, TypeError):
        raise RecognizerError(f"{path}: not a model file of recognizer, {RESTART}") from None
    if not isinstance(header, dict):
        raise RecognizerError(f"{path}: not a model file of recognizer, {RESTART}")
    if not isinstance(header.get("format"), int) or header["format"] > FORMAT:
        raise RecognizerError(
            f"{path}: model format {header.get('format')}, this version reads up to {FORMAT}: upgrade recognizer"
        )
    return upgrade_header(header)


def load_model_file(path: Path) -> ModelFile:
    """Read a model file; nothing in it is ever executed.

    Raises:
        RecognizerError: what `read_header` refuses, or weights that do not fit the header.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    header = read_header(path)
    try:
        alphabet = _alphabet(header["alphabet"])
        settings = ModelSettings.from_data(header["settings"])
        rest = {name: header[name] for name in ("decoder", "calibration", "training", "results", "card")}
    except KeyError as error:
        raise RecognizerError(f"{path}: the header lacks {error}, {RESTART}") from None
    except (TypeError, AttributeError, RecognizerError) as error:
        raise RecognizerError(f"{path}: its header is at fault ({error}), {RESTART}") from None
    try:
        weights = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise RecognizerError(f"{path}: the weights cannot be read ({error}), {RESTART}") from None
    model = Model(settings, alphabet.classes)
    try:
        model.load_state_dict(
            {upgrade_weight(k): w.float() if w.dtype == torch.float16 else w for k, w in weights.items()}, assign=False
        )
    except RuntimeError as error:
        raise RecognizerError(f"{path}: the weights do not fit the header ({error}), {RESTART}") from None
    return ModelFile(settings, alphabet, model.eval(), **rest)


def _alphabet(data: dict[str, Any]) -> Alphabet:
    return Alphabet(tuple(data["symbols"]), from_plain(TextSettings, data["text"], "alphabet.text"))
