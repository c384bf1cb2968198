"""The verb info: what a model file says of itself."""

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from recognizer.commands.console import Console
from recognizer.commands.exit_codes import DONE
from recognizer.commands.options import add_model
from recognizer.errors import RecognizerError


def add_info(verbs: Any, console: Console) -> None:
    """Add info to `verbs`, what argparse's add_subparsers returned."""
    info = verbs.add_parser("info", help="say what a model reads, how it was trained, how well it reads")
    add_model(info)
    info.add_argument("--json", action="store_true", help="the model file's whole header")
    info.set_defaults(act=partial(_run, console))


def _run(console: Console, chosen: argparse.Namespace) -> int:
    import json

    from recognizer.export.onnx_model import header_of
    from recognizer.pretrained import find_model

    path = find_model(chosen.model)
    header = header_of(path)
    console.say(json.dumps(header, indent=1, ensure_ascii=False) if chosen.json else describe_model(path, header))
    return DONE


def describe_model(path: Path, header: dict[str, Any]) -> str:
    """Return what a model reads, its alphabet, its training and its measured error rates, for people.

    Raises:
        RecognizerError: the header is at fault.
    """
    from recognizer.export.onnx_model import is_onnx

    if not is_onnx(path):  # whose weights are in the graph, which onnxruntime has looked at
        from recognizer.model.model_file import parse_header

        parse_header(path, header)
    try:
        return "\n".join(_lines(path, header))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise RecognizerError(
            f"{path}: its header is at fault ({error!r}), expected a model file of recognizer"
        ) from None


def _lines(path: Path, header: dict[str, Any]) -> Iterator[str]:
    from recognizer.inputs.registry import kind_named

    settings, alphabet = header["settings"], header["alphabet"]
    network, training = settings["network"], header["training"]
    symbols = alphabet["symbols"]
    yield f"{path.name}: reads {settings['kind']}, {path.stat().st_size / 1e6:.1f} MB, format {header['format']}"
    if header["card"]:
        yield header["card"].rstrip()
    yield "signal: " + _pairs(settings["signal"])
    values = kind_named(settings["kind"]).values
    yield f"values: {values}" if values else "features: " + _pairs(settings["features"])
    yield f"text: {_pairs({k: v for k, v in alphabet['text'].items() if k != 'replace'})}"
    if alphabet["text"]["replace"]:
        yield "  replaced: " + ", ".join(f"{a!r} by {b!r}" for a, b in alphabet["text"]["replace"].items())
    between = " " if alphabet["text"]["unit"] == "token" else ""
    yield f"alphabet ({len(symbols)}): {between.join(symbols)}"
    way = "bidirectional" if network["bidirectional"] else "forward"
    yield f"network: {network['layers']} x {way} {network['cell']} of {network['hidden']}, front {network['front']}"
    for corpus in training.get("corpora", []):
        yield (
            f"trained on {corpus['name']}: {corpus['train']} samples, {corpus['valid']} to choose by; "
            f"licence {corpus['licence'] or 'not stated'}; sha256 {corpus['sha256'][:16]}"
            + (f"; texts by the rules {corpus['rules']}" if corpus.get("rules") else "")
        )
    if training:
        left = training.get("left_out", [])
        yield f"left out of training: {len(left)}" + "".join(f"\n  {name}" for name in left)
        versions = _pairs(training["versions"])
        yield f"epochs {training['epochs']}, seed {training['seed']}, {training['date']}, {versions}"
        yield f"command: {training['command']}"
    decoder, calibration = header["decoder"], header["calibration"]
    if decoder:
        lm = decoder.get("lm") or {}
        yield f"decoder: {decoder.get('engine')}" + (
            f" {decoder['beam']['width']}, language model {lm['name']} (sha256 {lm['sha256'][:16]}) "
            f"x {decoder['lm_weight']:g}, word bonus {decoder['word_bonus']:g}, "
            f"priors x {decoder.get('prior_weight', 0.0):g}, temperature {decoder.get('temperature', 1.0):g}"
            if lm
            else ""
        )
    for maps in (calibration, calibration.get("with_language_model", {})):
        if "corpus" in maps:
            yield f"confidences: calibrated on {maps['corpus']}, read by {maps['decoder']}"
    for name, result in header["results"].items():
        rates = ", ".join(f"{rate.upper()} {result[rate]:.2%}{_interval(result, rate)}" for rate in ("cer", "wer"))
        yield f"measured on {name}: {rates}" + (f"; {result['samples']} samples" if "samples" in result else "")


def _interval(result: dict[str, Any], rate: str) -> str:
    """Return the bootstrap interval of a rate, where it was measured."""
    low, high = result.get(f"{rate}_95", (None, None))
    return "" if low is None else f" (95 % from {low:.2%} to {high:.2%})"


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
