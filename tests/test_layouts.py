"""Corpora as other programs lay them out are read as they mean them."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny
from PIL import Image

from recognizer.corpus.layouts import read_layout
from recognizer.corpus.prepare import PrepareSettings, prepare
from recognizer.corpus.store import Store


def sounds(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, tiny.play("abcd", np.random.default_rng(1)), tiny.RATE, subtype="PCM_16")


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def nemo(folder: Path) -> Path:
    sounds(folder, "a.wav")
    rows = [
        {"audio_filepath": "a.wav", "text": "un", "offset": 0.0, "duration": 0.2, "lang": "fr"},
        {"audio_filepath": "a.wav", "text": "deux", "offset": 0.2, "duration": 0.2, "lang": "fr"},
    ]
    return write(folder / "train_manifest.json", "".join(json.dumps(row) + "\n" for row in rows))


def coqui(folder: Path) -> Path:
    sounds(folder, "a.wav", "b.wav")
    write(folder / "dev.csv", "wav_filename,wav_filesize,transcript\nb.wav,99,deux\n")
    return write(folder / "train.csv", "wav_filename,wav_filesize,transcript\na.wav,99,un\n").parent


def common_voice(folder: Path) -> Path:
    sounds(folder, "clips/a.wav", "clips/b.wav")
    header = "client_id\tpath\tsentence\tup_votes\n"
    write(folder / "validated.tsv", header + "s1\ta.wav\tun\t2\ns2\tb.wav\tdeux\t2\n")
    write(folder / "dev.tsv", header + 's2\tb.wav\t"deux\t2\n')
    return write(folder / "train.tsv", header + "s1\ta.wav\tun\t2\n").parent


def ljspeech(folder: Path) -> Path:
    sounds(folder, "wavs/a.wav", "wavs/b.wav")
    return write(folder / "metadata.csv", "a|1|un\nb|2|deux\n").parent


def audiofolder(folder: Path) -> Path:
    sounds(folder, "train/a.wav", "validation/b.wav")
    write(folder / "train" / "metadata.csv", "file_name,transcription\na.wav,un\n")
    write(folder / "validation" / "metadata.jsonl", '{"file_name": "b.wav", "text": "deux"}\n')
    return folder


def imagefolder(folder: Path) -> Path:
    for name in ("a.png", "b.png"):
        tiny.draw_line("lox-", np.random.default_rng(1)).save(write(folder / name, ""))
    assert Image.open(folder / "a.png").size[0]
    return write(
        folder / "metadata.jsonl", '{"file_name": "a.png", "text": "un"}\n{"file_name": "b.png", "text": "deux"}\n'
    ).parent


def kaldi(folder: Path) -> Path:
    sounds(folder, "sound/a.wav")
    write(folder / "wav.scp", "rec sound/a.wav\nother sph2pipe -f wav x.sph |\n")
    write(folder / "segments", "u1 rec 0.0 0.2\nu2 rec 0.2 0.4\n")
    write(folder / "utt2spk", "u1 s1\nu2 s1\nother s2\n")
    return write(folder / "text", "u1 un\nu2 deux\nother trois\n").parent


def librispeech(folder: Path) -> Path:
    sounds(folder, "dev-clean/84/12/84-12-0000.flac", "train-clean/85/1/85-1-0000.flac")
    write(folder / "dev-clean/84/12/84-12.trans.txt", "84-12-0000 DEUX\n")
    write(folder / "train-clean/85/1/85-1.trans.txt", "85-1-0000 UN\n")
    return folder


LAYOUTS = {
    "NeMo": (nemo, [("", ""), ("", "")]),
    "Coqui": (coqui, [("train", ""), ("valid", "")]),
    "Common Voice": (common_voice, [("train", "s1"), ("valid", "s2")]),
    "LJSpeech": (ljspeech, [("", ""), ("", "")]),
    "audiofolder": (audiofolder, [("train", ""), ("valid", "")]),
    "imagefolder": (imagefolder, [("", ""), ("", "")]),
    "Kaldi": (kaldi, [("", "s1"), ("", "s1")]),
    "LibriSpeech": (librispeech, [("train", "85"), ("valid", "84")]),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_is_known_and_prepared(name: str, tmp_path: Path) -> None:
    make, expected = LAYOUTS[name]
    source = make(tmp_path / "in")
    samples = sorted((one for one in read_layout(source) if not one.fault), key=lambda one: one.text.casefold() != "un")
    assert [sample.text.casefold().strip('"') for sample in samples] == ["un", "deux"]
    assert [(sample.split, sample.group) for sample in samples] == expected
    done = prepare(str(source), None, tmp_path / "out", PrepareSettings({}), lambda line: None)
    assert len(Store(tmp_path / "out")) == 2
    assert len(done.bad) == (1 if name == "Kaldi" else 0)


def test_a_command_in_wav_scp_is_named_and_not_run(tmp_path: Path) -> None:
    (fault,) = [sample.fault for sample in read_layout(kaldi(tmp_path)) if sample.fault]
    assert "commands are not run" in fault


def test_a_folder_of_pairs_is_in_no_other_program_s_layout(tmp_path: Path) -> None:
    write(tmp_path / "a.gt.txt", "un")
    assert read_layout(tmp_path) == []
