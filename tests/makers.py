"""Makers of small pictures, sounds and models of random weights."""

import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from recognizer.corpus.alphabet import Alphabet
from recognizer.decoding.beam_settings import BeamSettings
from recognizer.inputs.registry import default_signal
from recognizer.inputs.speech.log_mel import LogMelSettings
from recognizer.model.model import Model, ModelSettings
from recognizer.model.model_file import ModelFile, save_model_file
from recognizer.network.front import FrontSettings
from recognizer.network.network import NetworkSettings

# A beam that loses nothing but what its width cuts.
EXACT = BeamSettings(token_min_logp=-math.inf, beam_threshold=math.inf, blank_skip_threshold=2.0)
SYMBOLS = tuple(" abcdefghijklmnopqrstuvwxyz")


def model_settings(kind: str) -> ModelSettings:
    """Return the settings of a network of 4 units with a front of 4 channels."""
    front = FrontSettings(channels=[4], pool_time=[2], pool_features=[2])
    network = NetworkSettings(hidden=4, layers=1, front=front)
    return ModelSettings(kind, default_signal(kind), LogMelSettings(bands=16), network)


def model_file(kind: str) -> ModelFile:
    """Return a model of random weights, whose output is loud enough to read something everywhere."""
    torch.manual_seed(1)
    alphabet = Alphabet(SYMBOLS)
    settings = model_settings(kind)
    model = Model(settings, alphabet.classes)
    with torch.no_grad():
        model.network.head.weight.normal_(std=10.0)
    return ModelFile(settings, alphabet, model.eval())


def save_model(kind: str, path: Path) -> Path:
    """Write such a model and return its path."""
    save_model_file(model_file(kind), path)
    return path


def line_image(text: str = "a line of writing", size: int = 32) -> Image.Image:
    """Return black writing on white paper."""
    font = ImageFont.load_default(size)
    image = Image.new("L", (round(font.getlength(text)) + 20, size + 20), 255)
    ImageDraw.Draw(image).text((10, 5), text, font=font, fill=0)
    return image


def lines_with_a_bad_one(folder: Path, number: int) -> Path:
    """Write so many images of lines with their texts into a new folder, the eighth of them no image; return it."""
    folder.mkdir()
    for i in range(number):
        line_image(f"line {i}", 16).save(folder / f"{i:02}.png")
        (folder / f"{i:02}.gt.txt").write_text(f"line {i}")
    (folder / "07.png").write_bytes(b"no image")
    return folder


def page_image(lines: int) -> Image.Image:
    """Return a sheet of upright format with so many lines."""
    image = Image.new("L", (900, 1200), 255)
    step = 1100 // lines
    font = ImageFont.load_default(step // 2)
    for i in range(lines):
        ImageDraw.Draw(image).text((40, 50 + i * step), "the quick brown fox jumps"[: 8 + lines], font=font, fill=0)
    return image


def tone(seconds: float, rate: int = 16000) -> np.ndarray:
    """Return a tone as float32 samples."""
    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)).astype(np.float32)
