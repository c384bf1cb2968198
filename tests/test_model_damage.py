"""Model files that are damaged or ask for what they do not hold are refused in one line, shipped ones never written."""

import json
import os
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from makers import model_file, save_model
from safetensors.torch import save
from terminal import said

from recognizer import pretrained
from recognizer.corpus.alphabet import Alphabet, TextSettings
from recognizer.errors import RecognizerError
from recognizer.model.model_file import (
    KEY,
    SEAL,
    load_model_file,
    read_header,
    save_model_file,
    with_header,
    write_header,
)

Change = Callable[[dict[str, Any]], object]


def changed(good: Path, path: Path, change: Change, sealed: bool = True) -> Path:
    """Write a model file with a changed header and a checksum that fits it, or without one."""
    header = json.loads(json.dumps(read_header(good)))
    change(header)
    data = with_header(good.read_bytes(), header)
    if not sealed:
        data = without_seal(data)
    path.write_bytes(data)
    return path


def without_seal(data: bytes) -> bytes:
    """Return a model file as earlier versions wrote it: without a checksum."""
    length = struct.unpack("<Q", data[:8])[0]
    table = json.loads(data[8 : 8 + length])
    header = json.loads(table["__metadata__"][KEY])
    del header[SEAL]
    table["__metadata__"][KEY] = json.dumps(header, sort_keys=True)
    text = json.dumps(table).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def test_a_model_without_a_checksum_is_read_as_before(tmp_path: Path) -> None:
    good = save_model("speech", tmp_path / "good")
    old = changed(good, tmp_path / "old", lambda header: None, sealed=False)
    assert SEAL not in read_header(old)
    one, other = load_model_file(good).model.state_dict(), load_model_file(old).model.state_dict()
    assert all(value.equal(other[name]) for name, value in one.items())


def test_any_flipped_bit_is_noticed(tmp_path: Path) -> None:
    good = save_model("handwriting", tmp_path / "good").read_bytes()
    for place in np.random.default_rng(1).integers(8, len(good), 60).tolist():
        data = bytearray(good)
        data[place] ^= 1
        (tmp_path / "bad").write_bytes(data)
        with pytest.raises(RecognizerError, match="bad: "):
            load_model_file(tmp_path / "bad")


CHANGES: dict[str, tuple[Change, str]] = {
    "a text for a truth": (
        lambda h: h["settings"]["network"].update(bidirectional="no"),
        r"settings\.network\.bidirectional is 'no', expected true or false",
    ),
    "a truth for a number": (
        lambda h: h["settings"]["network"].update(hidden=True),
        r"network\.hidden is True, expected a whole number",
    ),
    "no number": (
        lambda h: h["settings"]["network"].update(dropout=float("nan")),
        r"dropout is nan, expected a number",
    ),
    "nothing for a list": (
        lambda h: h["settings"]["network"]["front"].update(channels=None),
        r"channels is None, expected a list",
    ),
    "a text in a list": (
        lambda h: h["settings"]["network"]["front"].update(channels=["4"]),
        r"channels\[0\] is '4', expected a whole number",
    ),
    "a list for settings": (lambda h: h["settings"].update(network=[]), r"network is \[\], expected names with values"),
    "symbols of several characters": (lambda h: h["alphabet"]["symbols"].append("ch"), "symbol 'ch', expected one"),
    "half a character": (lambda h: h["alphabet"]["symbols"].append("\ud800"), "is half a character"),
    "more symbols than classes": (
        lambda h: h["alphabet"]["symbols"].append("X"),
        r"head\.bias 28, expected 29",
    ),
    "a size of 3.3 TB": (lambda h: h["settings"]["network"].update(hidden=2**31), "weights do not fit the header"),
    "endless layers": (lambda h: h["settings"]["network"].update(layers=2**40), "the header has more layers"),
    "a window of hours": (lambda h: h["settings"]["features"].update(window_ms=1e9), "features: 16 bands of windows"),
    "no step": (lambda h: h["settings"]["features"].update(hop_ms=1e-6), "0 from one to the next"),
    "another kind": (lambda h: h["settings"].update(kind="smell"), "kind is 'smell'"),
    "a signal out of range": (lambda h: h["settings"]["signal"].update(sample_rate=1), "sample_rate is 1"),
    "a card of numbers": (lambda h: h.update(card=[1]), "card is no str"),
    "results of numbers": (lambda h: h.update(results=7), "results is no dict"),
}


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("name", list(CHANGES))
def test_a_header_of_wrong_types_or_sizes_is_refused_before_anything_is_allocated(
    name: str, sealed: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, fault = CHANGES[name]
    good = save_model("speech", tmp_path / "good")
    path = changed(good, tmp_path / "bad.safetensors", change, sealed)
    with pytest.raises(RecognizerError, match=f"bad\\.safetensors: .*{fault}"):
        load_model_file(path)
    code, out, err = said(capsys, "info", path)
    assert (code, out, err.count("\n")) == (2, "", 1)


def test_an_integer_number_may_stand_for_a_real_one(tmp_path: Path) -> None:
    good = save_model("speech", tmp_path / "good")
    path = changed(good, tmp_path / "m", lambda h: h["settings"]["features"].update(hop_ms=10), sealed=False)
    assert load_model_file(path).settings.features.hop_ms == 10.0


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(value: float, tmp_path: Path) -> None:
    saved = model_file("handwriting")
    with torch.no_grad():
        saved.model.network.head.bias[3] = value
    save_model_file(saved, tmp_path / "m")
    with pytest.raises(RecognizerError, match=r"network\.head\.bias has values that are no finite numbers"):
        load_model_file(tmp_path / "m")


def test_weights_of_another_type_are_refused(tmp_path: Path) -> None:
    saved = model_file("handwriting")
    tensors = {name: value.contiguous() for name, value in saved.model.state_dict().items()}
    tensors["network.head.bias"] = tensors["network.head.bias"].to(torch.int64)
    (tmp_path / "m").write_bytes(with_header(save(tensors), saved.header()))
    with pytest.raises(RecognizerError, match=r"network\.head\.bias is torch\.int64, expected torch\.float32"):
        load_model_file(tmp_path / "m")


def test_replacements_keep_their_order_through_a_model_file(tmp_path: Path) -> None:
    saved = model_file("handwriting")
    text = TextSettings(replace={"ss": "z", "s": "x", "a": "b"})
    assert list(text.replace) != sorted(text.replace)
    saved.alphabet = Alphabet(saved.alphabet.symbols, text)
    save_model_file(saved, tmp_path / "m")
    write_header(tmp_path / "m", tmp_path / "n", {"card": "changed"})
    for name in ("m", "n"):
        found = load_model_file(tmp_path / name).alphabet.text
        assert list(found.replace) == ["ss", "s", "a"]
        assert found.normalize("sas ss") == text.normalize("sas ss") == "xbx z"


def test_the_order_of_replacements_is_sealed_too(tmp_path: Path) -> None:
    saved = model_file("handwriting")
    saved.alphabet = Alphabet(saved.alphabet.symbols, TextSettings(replace={"ss": "z", "s": "x"}))
    save_model_file(saved, tmp_path / "m")
    data = (tmp_path / "m").read_bytes()
    pairs = [b'{\\"ss\\": \\"z\\", \\"s\\": \\"x\\"}', b'{\\"s\\": \\"x\\", \\"ss\\": \\"z\\"}']
    assert data.count(pairs[0]) == 1
    (tmp_path / "m").write_bytes(data.replace(pairs[0], pairs[1]))
    with pytest.raises(RecognizerError, match="checksum is another one"):
        load_model_file(tmp_path / "m")


def test_a_model_is_no_pipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    code, _, err = said(capsys, "info", tmp_path / "pipe")
    assert code == 2 and "pipe: not a plain file" in err


def test_a_shipped_model_is_never_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path / "shipped")
    (tmp_path / "shipped").mkdir()
    path = save_model("handwriting", tmp_path / "shipped" / "hand.safetensors")
    (tmp_path / "link").symlink_to(path)
    before = path.read_bytes()
    tune = ["--lm", tmp_path / "absent.arpa"]
    calls: list[tuple[str, list[object]]] = [
        ("calibrate", ["calibrate", "hand", "corpus"]),
        ("calibrate", ["calibrate", tmp_path / "link", "corpus"]),
        ("calibrate", ["calibrate", "hand", "corpus", "--out", path]),
        ("lm tune", ["lm", "tune", "hand", "corpus", *tune]),
        ("lm tune", ["lm", "tune", "hand", "corpus", *tune, "--out", tmp_path / "link"]),
    ]
    for verb, words in calls:
        code, _, err = said(capsys, *words)
        assert code == 2 and f"{verb}: hand is a shipped model, which stays as it is: expected --out" in err, (
            words,
            err,
        )
    assert path.read_bytes() == before


def test_settings_may_differ_in_what_no_weight_depends_on(tmp_path: Path) -> None:
    saved = model_file("handwriting")
    saved.settings = replace(saved.settings, network=replace(saved.settings.network, dropout=0.1))
    save_model_file(saved, tmp_path / "m")
    assert load_model_file(tmp_path / "m").settings.network.dropout == 0.1
