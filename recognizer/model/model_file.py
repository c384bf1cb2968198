"""The model file: one safetensors file of weights under a JSON header that says all the rest."""

import hashlib
import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from recognizer.common.atomic_write import write_atomically
from recognizer.common.plain_data import from_plain
from recognizer.corpus.alphabet import Alphabet, TextSettings
from recognizer.errors import RecognizerError
from recognizer.model.model import Model, ModelSettings
from recognizer.model.priors import checked_priors
from recognizer.model.upgrade import upgrade_header, upgrade_weight

FORMAT = 2  # 1 named some settings otherwise, see model_file_upgrade.py
KEY = "recognizer"  # of the header in safetensors' metadata
SEAL = "sha256"  # of the checksum in the header
MAX_HEADER = 100_000_000  # bytes, the limit of safetensors itself
EXPORTED = ".onnx"  # the suffix of what `recognizer export` wrote
RESTART = "expected a model.safetensors that `recognizer train` wrote"
PARTS = {  # of a header, with their types
    "settings": dict,
    "alphabet": dict,
    "priors": list,
    "decoder": dict,
    "calibration": dict,
    "training": dict,
    "results": dict,
    "card": str,
}


@dataclass
class ModelFile:
    """Everything a model file holds.

    Args:
        settings: what the model is made of.
        alphabet: its symbols with the normalisation of their text.
        model: the network with its weights.
        priors: mean probability of each class on validation samples, [] where it was not measured (`label_priors`).
        decoder: defaults of the decoder as plain data.
        calibration: confidences to probabilities, as plain data.
        training: what it was trained on: corpora with hashes and counts, seed, versions, command.
        results: error rates that were measured, by name of corpus and split.
        card: a few lines for people.
    """

    settings: ModelSettings
    alphabet: Alphabet
    model: Model
    priors: list[float] = field(default_factory=list)
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
            "priors": self.priors,
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
    write_atomically(path, with_header(save(tensors), model_file.header()))


def with_header(data: bytes, header: dict[str, Any]) -> bytes:
    """Return the bytes of a safetensors file with a header, sealed by a checksum; the weights are not touched.

    The names in the header keep their order, which replacements in texts go by.
    """
    length = struct.unpack("<Q", data[:8])[0]
    table, weights = json.loads(data[8 : 8 + length]), data[8 + length :]
    header = {name: part for name, part in header.items() if name != SEAL}
    sealed = {**header, SEAL: _seal(header, table, weights)}
    table = {"__metadata__": {KEY: _json(sealed)}, **_without_metadata(table)}
    text = json.dumps(table, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # the weights stay aligned
    return struct.pack("<Q", len(text)) + text + weights


def refuse_damage(path: Path) -> None:
    """Refuse a model file whose bytes are not those that were written; files without a checksum are older than it.

    Raises:
        RecognizerError: its checksum is another one.
    """
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    table = json.loads(data[8 : 8 + length])
    header = json.loads(table["__metadata__"][KEY])
    if SEAL in header and header.pop(SEAL) != _seal(header, table, memoryview(data)[8 + length :]):
        raise RecognizerError(f"{path}: damaged, or changed by another program: its checksum is another one, {RESTART}")


def _seal(header: dict[str, Any], table: dict[str, Any], weights: bytes | memoryview) -> str:
    """Return the SHA-256 over a header, the table of the weights, and the weights."""
    digest = hashlib.sha256(json.dumps([header, _without_metadata(table)], sort_keys=True).encode())
    digest.update(json.dumps(header.get("alphabet", {}).get("text")).encode())  # whose order counts
    digest.update(weights)
    return digest.hexdigest()


def _json(header: dict[str, Any]) -> str:
    """Return a header as text that UTF-8 can hold: names of files in it need not be Unicode."""
    text = json.dumps(header, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(header)
    return text


def _without_metadata(table: dict[str, Any]) -> dict[str, Any]:
    return {name: entry for name, entry in table.items() if name != "__metadata__"}


def read_header(path: Path) -> dict[str, Any]:
    """Return the JSON header of a model file without reading its weights.

    Raises:
        RecognizerError: missing, foreign, truncated, a pickle, of a newer format, parts of wrong types.
    """
    if not path.is_file():
        what = "not a plain file" if path.exists() and not path.is_dir() else "no such model file"
        raise RecognizerError(f"{path}: {what}, {RESTART}")
    if path.suffix.lower() == EXPORTED:
        raise RecognizerError(
            f"{path}: an export, which is read and not changed, expected the model file it is made of"
        )
    try:
        text = _header_bytes(path)
        header = json.loads(json.loads(text)["__metadata__"][KEY])
    except OSError as error:
        raise RecognizerError(f"{path}: cannot be read ({error.strerror or error}), {RESTART}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise RecognizerError(f"{path}: not a model file of recognizer, {RESTART}") from None
    if not isinstance(header, dict):
        raise RecognizerError(f"{path}: not a model file of recognizer, {RESTART}")
    number = header.get("format")
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= FORMAT:
        raise RecognizerError(
            f"{path}: model format {number!r:.40}, this version reads 1 to {FORMAT}: upgrade recognizer"
        )
    header.setdefault("priors", [])  # which older files do not have
    for name, kind in PARTS.items():
        if name not in header:
            raise RecognizerError(f"{path}: the header lacks {name!r}, {RESTART}")
        if not isinstance(header[name], kind):
            raise RecognizerError(f"{path}: its header is at fault ({name} is no {kind.__name__}), {RESTART}")
    try:
        return upgrade_header(header)
    except TypeError as error:
        raise RecognizerError(f"{path}: its header is at fault ({error}), {RESTART}") from None


def load_model_file(path: Path) -> ModelFile:
    """Read a model file; nothing in it is ever executed, and nothing is allocated before it is known to fit.

    Raises:
        RecognizerError: what `read_header` refuses, weights that do not fit the header or are no numbers.
    """
    header = read_header(path)
    settings, alphabet = parse_header(path, header)
    with _faults_of(path):
        model = _with_weights(_unlearned(settings, alphabet.classes), path)
    rest = {name: header[name] for name in ("priors", "decoder", "calibration", "training", "results", "card")}
    return ModelFile(settings, alphabet, model.eval(), **rest)


def parse_header(path: Path, header: dict[str, Any]) -> tuple[ModelSettings, Alphabet]:
    """Return the settings and the alphabet that a header states, every value checked, the weights' shapes too.

    Raises:
        RecognizerError: a key that lacks or is not known, a value of another type or out of its range, weights of
            other shapes.
    """
    try:
        stated = from_plain(_PlainAlphabet, header["alphabet"], "alphabet")
        settings, alphabet = ModelSettings.from_data(header["settings"]), Alphabet(tuple(stated.symbols), stated.text)
        checked_priors(header["priors"], alphabet.classes)
    except RecognizerError as error:
        raise RecognizerError(f"{path}: its header is at fault ({error}), {RESTART}") from None
    with _faults_of(path):
        _refuse_other_weights(settings, alphabet, _shapes(path))
        refuse_damage(path)
    return settings, alphabet


@dataclass(frozen=True)
class _PlainAlphabet:
    """An alphabet as a header holds it."""

    symbols: list[str]
    text: TextSettings


def _header_bytes(path: Path) -> bytes:
    """Return the JSON at the beginning of a safetensors file."""
    with open(path, "rb") as file:
        head = file.read(8)
        if head[:2] in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
            raise RecognizerError(f"{path}: a pickled file, which could run code when read; {RESTART}")
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
        if not 2 <= length <= MAX_HEADER:
            raise RecognizerError(f"{path}: not a model file, {RESTART}")
        text = file.read(length)
    if len(text) < length:
        raise RecognizerError(f"{path}: cut short within its header, {RESTART}")
    return text


@contextmanager
def _faults_of(path: Path) -> Iterator[None]:
    """Name the file in what its weights lead to."""
    from safetensors import SafetensorError

    try:
        yield
    except RecognizerError as error:
        named = str(error).startswith(str(path))
        raise RecognizerError(str(error) if named else f"{path}: {error}, {RESTART}") from None
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise RecognizerError(f"{path}: the weights cannot be read ({error}), {RESTART}") from None
    except (RuntimeError, OverflowError, ZeroDivisionError) as error:
        raise RecognizerError(f"{path}: the weights do not fit the header ({error}), {RESTART}") from None


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a file's tensors by name without reading them."""
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        return {upgrade_weight(name): tuple(file.get_slice(name).get_shape()) for name in file.keys()}


def _refuse_other_weights(settings: ModelSettings, alphabet: Alphabet, found: dict[str, tuple[int, ...]]) -> None:
    """Refuse weights of other names or shapes than the settings ask for; nothing of their size is allocated.

    Raises:
        RecognizerError: the header asks for more layers than there are weights, or for other ones.
    """
    network = settings.network
    if max(network.layers, network.front.convolutions) > len(found):
        raise RecognizerError(
            f"the weights do not fit the header ({len(found)} of them, and the header has more layers)"
        )
    with torch.device("meta"):
        model = Model(settings, alphabet.classes)
    expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            here, there = (_shape(shapes.get(name)) for shapes in (found, expected))
            raise RecognizerError(f"the weights do not fit the header ({name} {here}, expected {there})")


def _shape(shape: tuple[int, ...] | None) -> str:
    return "absent" if shape is None else " x ".join(map(str, shape)) or "one number"


def _unlearned(settings: ModelSettings, classes: int) -> Model:
    """Return a model whose weights are to be replaced: it takes nothing of the caller's random numbers and types."""
    with torch.random.fork_rng(devices=[]):
        return Model(settings, classes).float()


def _with_weights(model: Model, path: Path) -> Model:
    """Return a model with the weights of a file whose shapes are known to fit."""
    from safetensors.torch import load_file

    own = model.state_dict()
    weights = {upgrade_weight(name): weight for name, weight in load_file(path).items()}
    for name, weight in weights.items():
        if weight.is_floating_point() != own[name].is_floating_point() or weight.dtype == torch.bool:
            raise RecognizerError(f"the weights cannot be read ({name} is {weight.dtype}, expected {own[name].dtype})")
        if weight.is_floating_point() and not weight.isfinite().all():
            raise RecognizerError(f"the weights cannot be read ({name} has values that are no finite numbers)")
    model.load_state_dict({k: w.float() if w.is_floating_point() else w for k, w in weights.items()}, assign=False)
    return model


def write_header(path: Path, out: Path, changes: dict[str, Any]) -> None:
    """Write the model file `path` as `out` with some parts of its header changed, its weights to the last bit.

    Raises:
        RecognizerError: no such model file, a damaged one, or `out` cannot be written.
    """
    header = {**read_header(path), **changes}
    refuse_damage(path)
    write_atomically(out, with_header(path.read_bytes(), header))
