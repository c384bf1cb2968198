"""What the network hears of a recording, as sound."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from recognizer.inputs.speech.audio import SpeechSettings, write_speech
from recognizer.inputs.speech.log_mel import FULL_SCALE, LogMel


def write_heard(stem: Path, features: LogMel, values: np.ndarray, settings: SpeechSettings) -> list[Path]:
    """Write STEM.wav, the signal (S,) int16, and STEM-features.wav, what its features have kept of it."""
    frames, _ = features(torch.from_numpy(values)[None], torch.tensor([len(values)]))
    heard = _heard(features, frames).clamp(-1, 1 - 1 / FULL_SCALE) * FULL_SCALE
    paths = [stem.with_name(stem.name + ".wav"), stem.with_name(stem.name + "-features.wav")]
    write_speech(paths[0], values, settings)
    write_speech(paths[1], heard.round().short().numpy(), settings)
    return paths


def _heard(features: LogMel, frames: Tensor) -> Tensor:
    """Return the sound (S,) of frames (1, T, F), however few."""
    # Phases are found over half a spectrum's width of reflected sound: the last frame stands for what is not there.
    least = features.bins // (2 * features.hop) + 2
    more = frames[:, -1:].expand(-1, max(0, least - frames.shape[1]), -1)
    return features.inverse(torch.cat((frames, more), dim=1))[0][: frames.shape[1] * features.hop]
