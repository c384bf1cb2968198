"""The formats that are fuzzed, each with good files of its own making and the way it is read."""

import hashlib
import json
import random
import struct
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fuzz import Format
from fuzz_inputs import INPUT_FORMATS

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

VALUES: tuple[Any, ...] = (
    None,
    True,
    "",
    -1,
    0,
    2**31,
    2**63,
    2**70,
    1e308,
    float("nan"),
    float("inf"),
    [],
    {},
    "x",
    [1],
    {"a": 1},
    0.5,
)
SENTENCES = "the cat sat on the mat\na dog lay by the door\nthe door was shut and the cat was out\n" * 4


def model_files(folder: Path) -> list[bytes]:
    """Return a small model of each kind of input."""
    from makers import save_model

    return [save_model(kind, folder / kind).read_bytes() for kind in ("handwriting", "speech", "strokes")]


def read_model(path: Path) -> object:
    """Return what a model says of itself and what it reads of a fixed input."""
    from recognizer.commands.info import describe_model
    from recognizer.model.model_file import load_model_file, read_header
    from recognizer.reading.reader import Reader

    describe_model(path, read_header(path))
    reader = Reader(load_model_file(path), torch.device("cpu"))
    chance = np.random.default_rng(1)
    if reader.kind == "handwriting":
        found = reader.transcribe(chance.integers(0, 255, (32, 90), np.uint8))
    elif reader.kind == "speech":
        found = reader.transcribe(chance.normal(0, 0.1, 4000).astype(np.float32), 16000)
    else:
        found = reader.transcribe(np.cumsum(chance.normal(0, 1, (40, 3)), 0))
    return found.text.encode(), found.confidence


def other_header(data: bytes, chance: random.Random) -> bytes:
    """Change a value of a model file's header, so that its checksum fits or with no checksum at all."""
    from recognizer.model.model_file import KEY, SEAL, with_header

    try:
        length = struct.unpack("<Q", data[:8])[0]
        table = json.loads(data[8 : 8 + length])
        header = json.loads(table["__metadata__"][KEY])
    except (struct.error, ValueError, KeyError, TypeError):
        return data
    _change(header, chance)
    try:
        if chance.random() < 0.5:
            return with_header(data, header)
        header.pop(SEAL, None)
        table["__metadata__"][KEY] = json.dumps(header)
        text = json.dumps(table).encode()
    except (TypeError, AttributeError, UnicodeError):
        return data
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def packed_corpora(folder: Path) -> list[bytes]:
    """Return a small packed corpus of lines and one of sound."""
    from recognizer.corpus.sample import Sample
    from recognizer.corpus.store import Header, Packed, Unusable, write_store

    chance, found = np.random.default_rng(1), []
    for kind, shape, dtype in (("handwriting", (8,), "u1"), ("speech", (), "<i2")):
        samples: list[Packed | Unusable] = [Unusable("x.png", "cut short", "x.png: cut short")]
        for i in range(6):
            values = chance.integers(0, 255, (20 + i, *shape)).astype(dtype)
            samples.append(Packed(Sample(Path(f"{i}"), f"té {i}", "train", f"w{i % 2}"), values, 1.0, chance.bytes(32)))
        header = Header("c", kind, {}, {}, {})
        found.append(write_store(folder / kind, header, samples).read_bytes())
    return found


def read_corpus(path: Path) -> object:
    """Return all that a packed corpus holds."""
    from recognizer.corpus.store import Store

    store = Store(path)
    rows: list[object] = [store.header, store.unusable(), store.fingerprint(), store.splits()]
    for i in range(len(store)):
        rows += [store.sample(i), store.notes(i), store.signal(i).tobytes(), float(store.extents[i])]
    return rows


def other_head(data: bytes, chance: random.Random) -> bytes:
    """Change a value of a packed corpus's head, and take its checksums away."""
    try:
        length = int.from_bytes(data[8:16], "little")
        meta = json.loads(data[16 : 16 + length])
        for name in ("seal", "checksums"):
            meta.pop(name, None)
        _change(meta, chance)
        text = json.dumps(meta).encode()
    except (ValueError, TypeError, AttributeError):
        return data
    return data[:8] + len(text).to_bytes(8, "little") + text + data[16 + len(text) :]


def checkpoints(folder: Path) -> list[bytes]:
    """Return the last checkpoint of a run of one epoch."""
    import tiny

    corpus = tiny.line_corpus(folder / "lines", train=6, valid=2)
    tiny.fit(tiny.line_config(corpus), folder / "run", max_epochs=1)
    return [(folder / "run" / "last.ckpt").read_bytes()]


def read_checkpoint(path: Path) -> object:
    """Return a checksum of a checkpoint's tensors and numbers."""
    from recognizer.training.resume import read_checkpoint as read

    run = path.with_name("run-of-it")
    run.mkdir(exist_ok=True)
    (run / "last.ckpt").write_bytes(path.read_bytes())
    return hashlib.sha256(_plain(read(run)).encode()).hexdigest()


def configurations(folder: Path) -> list[bytes]:
    """Return the configurations that come with the program, and one of a run."""
    paths = sorted((Path(__file__).resolve().parents[1] / "configs").rglob("*.yaml"))
    return [path.read_bytes() for path in paths[:6]]


def read_configuration(path: Path) -> object:
    """Return what a configuration states."""
    from recognizer.commands.train import read_config

    return read_config(["--config", str(path)])


def language_models(folder: Path, name: str, unit: str = "word") -> list[bytes]:
    """Return n-gram models of some sentences, packed or as ARPA by their name."""
    from recognizer.language.build import BuildSettings, build

    (folder / "text").write_text(SENTENCES)
    build([folder / "text"], BuildSettings(3, unit), folder / name, lambda line: None)
    return [(folder / name).read_bytes()]


def read_language_model(path: Path) -> object:
    """Return how well a language model foretells some sentences."""
    from recognizer.decoding.decoder_files import open_language_model
    from recognizer.language import lstm, perplexity

    model = open_language_model(path)
    lines = SENTENCES.splitlines()[:3]
    if isinstance(model, lstm.LanguageModel):
        return lstm.perplexity(model, lines)
    return perplexity.perplexity(model, lines)


def reports(folder: Path) -> list[bytes]:
    """Return a report as evaluate writes it."""
    from recognizer.corpus.alphabet import Alphabet
    from recognizer.evaluation.report import Report, score

    alphabet = Alphabet(tuple("abcd "))
    scored = [score(f"{i}.png", f"w{i % 3}", "ab cd", "ab dd"[: i % 6], 0.5, alphabet) for i in range(8)]
    return [json.dumps(Report("m", "c", "test", scored, {}, "NFC").as_data()).encode()]


def read_report(path: Path) -> object:
    """Return a report compared with itself."""
    from recognizer.evaluation.compare import compare, comparison_lines
    from recognizer.evaluation.compare import read_report as read

    return comparison_lines(compare(read(path), read(path)))


def _change(tree: Any, chance: random.Random) -> None:
    """Change, add or take away one value of plain data."""
    places = list(_places(tree))
    if not places:
        return
    holder, key = chance.choice(places)
    action = chance.random()
    if action < 0.15 and isinstance(holder, dict):
        del holder[key]
    elif action < 0.3 and isinstance(holder, dict):
        holder["strange"] = chance.choice(VALUES)
    else:
        holder[key] = chance.choice(VALUES)


def _places(tree: Any) -> Any:
    """Yield every holder of plain data with a key in it."""
    keys = list(tree) if isinstance(tree, dict) else range(min(len(tree), 3)) if isinstance(tree, list) else []
    for key in keys:
        yield tree, key
        yield from _places(tree[key])


def _plain(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return f"{value.dtype} {tuple(value.shape)} {value.contiguous().view(-1).tolist()}"
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{_plain(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_plain, value)) + "]"
    return repr(value)


TABLE = (
    Format("model files", ".safetensors", model_files, read_model, sealed=True),
    Format("headers of model files", ".safetensors", model_files, read_model, special=(other_header,) * 9),
    Format("packed corpora", ".pack", packed_corpora, read_corpus, sealed=True),
    Format("heads of packed corpora", ".pack", packed_corpora, read_corpus, special=(other_head,) * 9),
    Format("checkpoints", ".ckpt", checkpoints, read_checkpoint, sealed=True),
    Format("configurations", ".yaml", configurations, read_configuration, text=True),
    Format("ARPA", ".arpa", partial(language_models, name="m.arpa"), read_language_model, text=True),
    Format("ARPA in gzip", ".arpa.gz", partial(language_models, name="m.arpa.gz"), read_language_model),
    Format("packed language models", ".lm", partial(language_models, name="m.lm"), read_language_model, sealed=True),
    Format("reports", ".json", reports, read_report, text=True),
    *INPUT_FORMATS,
)
FORMATS = {one.name: one for one in TABLE}
