"""Makers of tiny corpora, configurations and runs: a script of four strokes, a speech of four tones."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from PIL import Image, ImageDraw

from recognizer.corpus.prepare import PrepareSettings, prepare
from recognizer.corpus.store import Store
from recognizer.inputs.lines.augment import LineAugmentSettings
from recognizer.inputs.speech.log_mel import LogMelSettings
from recognizer.inputs.strokes.augment import StrokeAugmentSettings
from recognizer.inputs.strokes.strokes import write_inkml
from recognizer.model.model import Model
from recognizer.model.model_file import ModelFile, save_model_file
from recognizer.network.front import FrontSettings
from recognizer.network.network import NetworkSettings
from recognizer.training.checkpointing import BestScore
from recognizer.training.config import AugmentSettings, Config, DataSettings, LearningSettings
from recognizer.training.data import Batch, Corpora
from recognizer.training.learner import Learner
from recognizer.training.setup import make_setup
from recognizer.training.train import train

HEIGHT = 16  # pixels of a line
RATE = 16000  # samples per second
GLYPHS = "lox-"
TONES = {"a": 400.0, "b": 700.0, "c": 1200.0, "d": 2000.0}  # Hz
LINE_FRONT = FrontSettings(channels=[4, 8], pool_time=[1, 1], pool_features=[2, 2])
SOUND_FRONT = FrontSettings(patch=[1, 2], channels=[4, 8], pool_time=[2, 1], pool_features=[2, 2])
STROKE_FRONT = FrontSettings(patch=[2, 6], channels=[16, 16], pool_time=[2, 2], pool_features=[1, 1])
STROKES: dict[str, list[list[tuple[float, float]]]] = {  # of the same script, in a box of 8 x 10, y downwards
    "l": [[(4, 0), (4, 10)]],
    "o": [[(4 + 4 * math.sin(a), 5 - 5 * math.cos(a)) for a in np.linspace(0, 2 * math.pi, 17)]],
    "x": [[(0, 0), (8, 10)], [(8, 0), (0, 10)]],
    "-": [[(0, 5), (8, 5)]],
}
STILL = LineAugmentSettings(share=0.0)
TRAINER: dict[str, Any] = {
    "accelerator": "cpu",
    "devices": 1,
    "precision": "32-true",
    "max_epochs": 2,
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "enable_checkpointing": False,
    "num_sanity_val_steps": 0,
    "use_distributed_sampler": False,
}


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, its configuration, its best validation."""

    folder: Path
    config: Config
    kept: BestScore


def draw_line(text: str, random: np.random.Generator) -> Image.Image:
    """Draw `text` in the script of four strokes, each glyph a little elsewhere."""
    image = Image.new("L", (12 * len(text) + 4, HEIGHT), 255)
    pen = ImageDraw.Draw(image)
    for i, glyph in enumerate(text):
        x, y = 12 * i + 2 + int(random.integers(0, 3)), 3 + int(random.integers(0, 2))
        if glyph == "l":
            pen.line((x + 4, y, x + 4, y + 9), fill=0, width=2)
        elif glyph == "o":
            pen.ellipse((x, y, x + 8, y + 9), outline=0, width=2)
        elif glyph == "x":
            pen.line((x, y, x + 8, y + 9), fill=0, width=2)
            pen.line((x + 8, y, x, y + 9), fill=0, width=2)
        elif glyph == "-":
            pen.line((x, y + 5, x + 8, y + 5), fill=0, width=2)
    return image


def play(text: str, random: np.random.Generator) -> np.ndarray:
    """Return `text` as tones of a tenth of a second with short rests, float32 at 16 kHz."""
    parts = []
    for letter in text:
        at = np.arange(RATE // 10 + int(random.integers(0, 300))) / RATE
        tone = np.sin(2 * math.pi * TONES.get(letter, 0.0) * at) * np.sin(math.pi * at / at[-1])
        parts += [0.4 * tone, np.zeros(RATE // 50)]
    return np.concatenate(parts).astype(np.float32)


def made_texts(letters: str, number: int, random: np.random.Generator) -> list[str]:
    """Return `number` texts of two words of one to three letters, no letter twice in a row."""
    texts = []
    for _ in range(number):
        words = []
        for _ in range(2):
            word = ""
            while len(word) < random.integers(1, 4):
                word += str(random.choice([letter for letter in letters if letter != word[-1:]]))
            words.append(word)
        texts.append(" ".join(words))
    return texts


def write_lines(folder: Path, texts: list[str], splits: list[str]) -> Path:
    """Write a manifest of line images of two writers and return its path."""
    random = np.random.default_rng(1)

    def write(text: str, path: Path) -> None:
        draw_line(text, random).save(path)

    return _write_manifest(folder, texts, splits, ".png", write, ["writer 0", "writer 1"])


def write_sounds(folder: Path, texts: list[str], splits: list[str]) -> Path:
    """Write a manifest of recordings and return its path."""
    random = np.random.default_rng(1)

    def write(text: str, path: Path) -> None:
        soundfile.write(path, play(text, random), RATE, subtype="PCM_16")

    return _write_manifest(folder, texts, splits, ".wav", write)


def flat_strokes(text: str, random: np.random.Generator) -> list[list[float]]:
    """Return pen strokes x0, y0, x1, y1, ... of `text` in the script of four strokes, each glyph a little elsewhere."""
    strokes = []
    for i, glyph in enumerate(text):
        move = np.array([12.0 * i, 0.0]) + random.uniform(-1, 1, 2)
        strokes += [(np.array(stroke) + move).ravel().tolist() for stroke in STROKES.get(glyph, [])]
    return strokes


def write_strokes(folder: Path, texts: list[str], splits: list[str]) -> Path:
    """Write a manifest of InkML files and return its path."""
    random = np.random.default_rng(1)

    def write(text: str, path: Path) -> None:
        path.write_bytes(write_inkml(flat_strokes(text, random)))

    return _write_manifest(folder, texts, splits, ".inkml", write)


def _write_manifest(
    folder: Path,
    texts: list[str],
    splits: list[str],
    suffix: str,
    write: Callable[[str, Path], None],
    groups: Sequence[str] = (),
) -> Path:
    """Write a file a text and the manifest that names them, `groups` taken in turn; return the manifest's path."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [["file", "text", "split", "group"] if groups else ["file", "text", "split"]]
    for i, (text, split) in enumerate(zip(texts, splits, strict=True)):
        file = folder / f"{i:03}{suffix}"
        write(text, file)
        group = [groups[i % len(groups)]] if groups else []
        rows.append([file.name, text, split, *group])
    (folder / "manifest.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
    return folder / "manifest.tsv"


def pack(manifest: Path, out: Path, height: int | None = None) -> Path:
    """Pack a manifest and return the folder of the store."""
    signal = {} if height is None else {"height": height}
    prepare(str(manifest), None, out, PrepareSettings(signal), lambda line: None)
    return out


def line_corpus(folder: Path, train: int = 24, valid: int = 6) -> Path:
    """Make a packed corpus of lines below `folder`, its files in `folder`/files."""
    texts = made_texts(GLYPHS, train + valid, np.random.default_rng(7))
    splits = ["train"] * train + ["valid"] * valid
    return pack(write_lines(folder / "files", texts, splits), folder / "packed", HEIGHT)


def sound_corpus(folder: Path, train: int = 12, valid: int = 4) -> Path:
    """Make a packed corpus of tones below `folder`, its files in `folder`/files."""
    texts = made_texts("".join(TONES), train + valid, np.random.default_rng(8))
    splits = ["train"] * train + ["valid"] * valid
    return pack(write_sounds(folder / "files", texts, splits), folder / "packed")


def stroke_corpus(folder: Path, train: int = 12, valid: int = 4) -> Path:
    """Make a packed corpus of pen strokes below `folder`, its files in `folder`/files."""
    texts = made_texts(GLYPHS, train + valid, np.random.default_rng(7))
    splits = ["train"] * train + ["valid"] * valid
    return pack(write_strokes(folder / "files", texts, splits), folder / "packed")


def line_config(corpus: Path) -> Config:
    """Return a run over lines with a network of 8 units, no dropout, no augmentation."""
    return Config(
        data=DataSettings(corpus=str(corpus), batch_columns=400),
        augment=AugmentSettings(lines=STILL),
        network=NetworkSettings(hidden=8, layers=1, dropout=0.0, front=LINE_FRONT),
        learning=LearningSettings(rate=1e-2, ema_decay=0.9),
    )


def sound_config(corpus: Path) -> Config:
    """Return a run over tones with a network of 8 units, no dropout, no augmentation."""
    config = line_config(corpus)
    return replace(
        config,
        data=replace(config.data, batch_seconds=4.0),
        features=LogMelSettings(bands=16),
        network=replace(config.network, front=SOUND_FRONT),
    )


def stroke_config(corpus: Path) -> Config:
    """Return a run over pen strokes with a network of 8 units, no dropout, no augmentation."""
    config = line_config(corpus)
    return replace(
        config,
        data=replace(config.data, batch_points=3000),
        augment=AugmentSettings(strokes=StrokeAugmentSettings(share=0.0)),
        network=replace(config.network, front=STROKE_FRONT),
    )


def restless(config: Config, path: Path) -> Config:
    """Write a model whose random weights read something everywhere; return the run that hardly changes it."""
    task = make_setup(config)
    torch.manual_seed(1)
    model = Model(task.settings, task.alphabet.classes)
    with torch.no_grad():
        for parameter in model.network.layers.parameters():
            parameter.mul_(2.0)
        model.network.head.weight.normal_(std=10.0)
    save_model_file(ModelFile(task.settings, task.alphabet, model), path)
    return replace(config, init=str(path), learning=replace(config.learning, rate=1e-5))


def fit(config: Config, run: Path, resume: bool = False, said: list[str] | None = None, **trainer: Any) -> BestScore:
    """Train in this process; `trainer` goes over the tiny trainer's settings, `said` takes what the run says."""
    lines = [] if said is None else said
    run.mkdir(parents=True, exist_ok=True)
    return train(config, {**TRAINER, **trainer}, run, resume, "recognizer train", lines.append)


def made_learner(corpus: Path, config: Config | None = None) -> Learner:
    """Return a learner outside a run, of lines unless `config` says otherwise."""
    config = config or line_config(corpus)
    task = make_setup(config)
    torch.manual_seed(1)
    return Learner(config, Model(task.settings, task.alphabet.classes), task.alphabet, task.corpora)


def made_batch(corpus: Path, learner: Learner) -> Batch:
    """Return the first four training samples as a batch."""
    corpora = Corpora([Store(corpus)])
    return corpora.batch(corpora.items("train")[:4], 0, learner.alphabet)


def words(corpus: Path, run: Path, **settings: object) -> list[str]:
    """Return a command line that trains a tiny network with all chance switched on."""
    chosen: dict[str, object] = {
        "data.corpus": corpus,
        "run": run,
        "data.batch_columns": 400,
        "augment.lines.share": 1.0,
        "network.hidden": 8,
        "network.layers": 1,
        "network.dropout": 0.3,
        "network.recurrent_dropout": 0.1,
        "network.front.channels": [4, 8],
        "network.front.pool_time": [1, 1],
        "network.front.pool_features": [2, 2],
        "network.front.dropout": 0.1,
        "learning.weight_noise": 0.01,
        "trainer.accelerator": "cpu",
        "trainer.devices": 1,
        "trainer.precision": "32-true",
        "trainer.max_epochs": 4,
        "trainer.enable_progress_bar": "false",
    }
    chosen |= {name.replace("__", "."): value for name, value in settings.items()}
    return [part for name, value in chosen.items() for part in (f"--{name}", str(value))]


def rows(run: Path) -> list[list[str]]:
    """Return a run's history without its times."""
    return [line.split("\t")[:-2] for line in (run / "history.tsv").read_text().splitlines()]
