"""The options that several verbs share."""

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from recognizer.decoding.options import ENGINES, DecoderOptions, asked, flag_of
from recognizer.errors import RecognizerError

if TYPE_CHECKING:
    from recognizer.common.processors import Division

# Names of recognizer.formats.formats, spelled here because help is not to wait for what writes them.
DOCUMENTS = ("srt", "vtt", "ctm", "textgrid", "hocr", "page", "alto")


def add_model(parser: argparse.ArgumentParser) -> None:
    """Give a verb the model that it works on."""
    parser.add_argument("model", help="model file, folder of a run, or name of a shipped model")


def add_device(parser: argparse.ArgumentParser) -> None:
    """Give a verb the device that it reads on."""
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")


def add_precision(parser: argparse.ArgumentParser) -> None:
    """Give a verb the type of numbers that it reads in."""
    parser.add_argument(
        "--precision",
        choices=["float32", "bf16", "auto"],
        default="float32",
        help="of the network: float32 (default), bf16, which may read a few lines otherwise, auto: what is faster here",
    )


def add_division(parser: argparse.ArgumentParser) -> None:
    """Give a verb the options that say how many processors it uses."""
    group = parser.add_argument_group("processors (default: one worker of one thread for each that may be used)")
    group.add_argument("--workers", type=whole("workers"), metavar="N", help="batches that are read at once on a CPU")
    group.add_argument("--threads", type=whole("threads"), metavar="N", help="threads of each worker (default 1)")


def division(chosen: argparse.Namespace) -> "Division":
    """Return how a command line divides the processors."""
    from recognizer.common.processors import divide

    return divide(chosen.workers, chosen.threads)


def add_decoder_options(parser: argparse.ArgumentParser) -> None:
    """Give a verb the options of its decoder; what is not given is left to the model file."""
    group = parser.add_argument_group("decoder (what is not given is left to the model file, else to the best path)")
    for one in asked():
        flag, metavar = flag_of(one.name).removeprefix("--"), one.metadata["metavar"]
        kinds = {"N": whole(flag), "X": number(flag)}
        given = {"choices": ENGINES} if one.name == "engine" else {"metavar": metavar, "type": kinds.get(metavar, Path)}
        group.add_argument(f"--{flag}", dest=one.name, help=one.metadata["meaning"], **given)


def decoder_options(chosen: argparse.Namespace) -> DecoderOptions:
    """Return what a command line asks of the decoder."""
    return DecoderOptions(**{one.name: getattr(chosen, one.name) for one in asked()})


def number(name: str) -> Callable[[str], float]:
    """Return what reads the value of the option `--name` as a number, or refuses it in one line."""

    def read(word: str) -> float:
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise RecognizerError(f"--{name} is {word!r}, expected a number")
        return value

    return read


def whole(name: str) -> Callable[[str], int]:
    """Return what reads the value of the option `--name` as a whole number, or refuses it in one line."""

    def read(word: str) -> int:
        value = number(name)(word)
        if value != int(value):
            raise RecognizerError(f"--{name} is {word!r}, expected a whole number")
        return int(value)

    return read
