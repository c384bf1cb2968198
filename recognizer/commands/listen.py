"""The verb listen on the command line: speech is read while it is spoken."""

import argparse
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any

from recognizer.commands.console import Console
from recognizer.commands.exit_codes import DONE
from recognizer.commands.options import add_decoder_options, decoder_options, number, whole
from recognizer.errors import RecognizerError

if TYPE_CHECKING:
    from recognizer.reading.recordings import PieceReading


class Stop:
    """Whether somebody has asked for the end: Ctrl-C once; a second one breaks off."""

    def __init__(self) -> None:
        """Go on."""
        self.asked = False

    def __call__(self) -> bool:
        """Return whether to end."""
        return self.asked

    @contextmanager
    def at_interrupt(self) -> Iterator[None]:
        """Let Ctrl-C ask for the end while the block runs."""

        def ask(number: int, frame: FrameType | None) -> None:
            if self.asked:
                raise KeyboardInterrupt
            self.asked = True

        before = signal.signal(signal.SIGINT, ask)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


def add_listen(verbs: Any, console: Console) -> None:
    """Add listen to the command line `verbs`, what argparse's add_subparsers returned."""
    listen = verbs.add_parser(
        "listen", help="read speech from a microphone, or raw sound on standard input, as it comes"
    )
    listen.add_argument(
        "source", nargs="?", choices=["-"], help="- for 16-bit little-endian mono samples; default the microphone"
    )
    listen.add_argument("--rate", type=whole("rate"), metavar="HZ", help="samples per second on standard input")
    listen.add_argument("--microphone", metavar="NAME", help="number or part of the name, see python -m sounddevice")
    listen.add_argument(
        "--pause", type=number("pause"), default=0.6, metavar="S", help="that ends a piece (default 0.6)"
    )
    listen.add_argument("--model", default="speech", help="model file or name (default speech)")
    listen.add_argument("--format", choices=["txt", "json"], default="txt", help="a line each piece; default txt")
    listen.add_argument("--device", default="auto", help="auto, cpu or cuda")
    add_decoder_options(listen)
    listen.set_defaults(act=partial(_listen, console))


def _listen(console: Console, chosen: argparse.Namespace) -> int:
    from recognizer.inputs.speech.audio import check_rate
    from recognizer.inputs.speech.live import microphone, pcm
    from recognizer.inputs.speech.segmentation import LIVE
    from recognizer.reading.reader import Reader
    from recognizer.reading.recordings import PieceReader

    if (chosen.source == "-") != (chosen.rate is not None):
        raise RecognizerError("listen: expected --rate HZ with -, and neither for the microphone")
    if chosen.source == "-" and chosen.microphone is not None:
        raise RecognizerError("--microphone has no effect where - is read, expected one of them")
    if chosen.rate is not None:
        check_rate(chosen.rate, "--rate")
    settings = replace(LIVE, pause=chosen.pause, long_pause=max(chosen.pause, LIVE.long_pause))
    reader = Reader.load(chosen.model, chosen.device, decoder_options(chosen))
    if reader.kind != "speech":
        raise RecognizerError(f"{chosen.model}: reads {reader.kind}, expected a model of speech")
    for note in reader.decoder.notes:
        console.complain(note)
    pieces, stop = PieceReader(reader, settings), Stop()
    raw = (
        nullcontext(pcm(sys.stdin.buffer, chosen.rate, stop)) if chosen.source else microphone(chosen.microphone, stop)
    )
    with stop.at_interrupt(), raw as live:
        console.complain(f"listening to {live.name} at {live.rate} Hz, Ctrl-C ends it")
        for block in live.signal(pieces.rate):
            for reading in pieces.push(block):
                _say(console, live.name, reading, chosen.format)
        for reading in pieces.finish():
            _say(console, live.name, reading, chosen.format)
    return DONE


def _say(console: Console, name: str, reading: "PieceReading", form: str) -> None:
    """Print a piece, where something was read in it."""
    from recognizer.formats.result import Result

    if not reading.hypothesis.text:
        return
    record = Result(name, reading.hypothesis, "s", reading.end, part=(reading.start, reading.end))
    console.say(json.dumps(record.as_data(), ensure_ascii=False) if form == "json" else reading.hypothesis.text)
