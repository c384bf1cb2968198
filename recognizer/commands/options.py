"""The options that several verbs share."""

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from recognizer.errors import RecognizerError

if TYPE_CHECKING:
    from recognizer.decoding.decoder_factory import DecoderOptions
    from recognizer.processors import Division

NAMES = {"decoder": "engine"}  # options whose setting has another name
# Names of recognizer.formats.formats, spelled here because help is not to wait for what writes them.
DOCUMENTS = ("srt", "vtt", "ctm", "textgrid", "hocr", "page", "alto")
OPTIONS = (
    "decoder",
    "tta",
    "beam",
    "lm",
    "lm_weight",
    "word_bonus",
    "hot_words",
    "hot_bonus",
    "lexicon",
    "oov_penalty",
    "rescore",
    "rescore_weight",
)


def add_model(parser: argparse.ArgumentParser) -> None:
    """Give a verb the model that it works on."""
    parser.add_argument("model", help="model file, folder of a run, or name of a shipped model")


def add_device(parser: argparse.ArgumentParser) -> None:
    """Give a verb the device that it reads on."""
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")


def add_division(parser: argparse.ArgumentParser) -> None:
    """Give a verb the options that say how many processors it uses."""
    group = parser.add_argument_group("processors (default: one worker of one thread for each that may be used)")
    group.add_argument("--workers", type=whole("workers"), metavar="N", help="batches that are read at once on a CPU")
    group.add_argument("--threads", type=whole("threads"), metavar="N", help="threads of each worker (default 1)")


def division(chosen: argparse.Namespace) -> "Division":
    """Return how a command line divides the processors."""
    from recognizer.processors import divide

    return divide(chosen.workers, chosen.threads)


def add_decoder_options(parser: argparse.ArgumentParser) -> None:
    """Give a verb the options of its decoder; what is not given is left to the model file."""
    group = parser.add_argument_group("decoder (what is not given is left to the model file, else to the best path)")
    group.add_argument("--decoder", choices=["greedy", "beam", "flashlight"], help="how log-probabilities are read")
    group.add_argument("--tta", type=whole("tta"), metavar="N", help="of a line, read larger, slanted, smaller: 1 to 5")
    group.add_argument("--beam", type=whole("beam"), metavar="N", help="prefixes kept (default 25)")
    group.add_argument(
        "--lm",
        type=Path,
        metavar="NAME",
        help="language model: en or fr (shipped), none, or a file: .arpa, .arpa.gz, packed, or neural",
    )
    group.add_argument("--lm-weight", type=number("lm-weight"), metavar="X", help="of its log-probabilities")
    group.add_argument("--word-bonus", type=number("word-bonus"), metavar="X", help="added for every word")
    group.add_argument("--hot-words", type=Path, metavar="FILE", help="words to prefer, one a line")
    group.add_argument("--hot-bonus", type=number("hot-bonus"), metavar="X", help="added for each of them")
    group.add_argument("--lexicon", type=Path, metavar="FILE", help="the words that may be read, one a line")
    group.add_argument("--oov-penalty", type=number("oov-penalty"), metavar="X", help="price of any other word")
    group.add_argument("--rescore", type=Path, metavar="FILE", help="language model that ranks the beam's texts anew")
    group.add_argument("--rescore-weight", type=number("rescore-weight"), metavar="X", help="of its log-probabilities")


def decoder_options(chosen: argparse.Namespace) -> "DecoderOptions":
    """Return what a command line asks of the decoder."""
    from recognizer.decoding.decoder_factory import DecoderOptions

    return DecoderOptions(**{NAMES.get(name, name): getattr(chosen, name) for name in OPTIONS})


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
