"""Corpora as other programs lay them out are read as they mean them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny
from PIL import Image

from recognizer.corpus.layouts import read_layout
from recognizer.corpus.prepare import PrepareSettings, prepare
from recognizer.corpus.store import Store
from recognizer.errors import RecognizerError


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


def refusal(source: Path) -> str:
    with pytest.raises(RecognizerError) as caught:
        read_layout(source)
    return str(caught.value)


NEMO = '{"audio_filepath": "a.wav", "text": "un"}\n'
FOLDER = '{"file_name": "a.wav", "text": "un"}\n'
VOICE = "client_id\tpath\tsentence\ns1\ta.wav\tun\n"
HEADER = "wav_filename,wav_filesize,transcript\n"


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("m.json", NEMO + '{"audio_filepath": "b.wav"\n' + NEMO, "m.json:2: not JSON"),
        ("m.json", "{oops\n" + NEMO, "m.json:1: not JSON"),
        ("m.json", NEMO + "[1, 2]\n", "m.json:2: JSON of type list, expected an object"),
        ("m.json", NEMO + '{"audio_filepath": "b.wav", "text": null}\n', "m.json:2: text is null, expected a string"),
        ("m.json", NEMO + '{"audio_filepath": "", "text": "un"}\n', "m.json:2: the file name is empty"),
        ("m.json", NEMO[:-2] + ', "speaker": [1]}\n', "m.json:1: speaker is [1], expected a string"),
        ("m.json", NEMO + NEMO.replace("un", "deux"), "m.json:2: a.wav stands at m.json:1 too"),
        ("train.csv", HEADER + "a.wav,1,un, deux\n", "train.csv:2: 4 fields, expected 3: wav_filename"),
        ("train.csv", HEADER + "a.wav,1\n", "train.csv:2: 2 fields, expected 3"),
        ("train.csv", HEADER + 'a.wav,1,"un\nb.wav,1,deux\n', "train.csv:2: unexpected end of data"),
        ("train.csv", HEADER + ",1,un\n", "train.csv:2: the file name is empty"),
        ("train.tsv", VOICE + "s1\tb.wav\n", "train.tsv:3: 2 fields, expected 3"),
        ("train.tsv", VOICE + "s1\t\tdeux\n", "train.tsv:3: the file name is empty, expected a path"),
        ("train.tsv", VOICE + "s1\t./a.wav\tdeux\n", "train.tsv:3: a.wav stands at train.tsv:2 too"),
        ("metadata.jsonl", FOLDER + '{"file_name": "b.wav", "text": "deux",}\n', "metadata.jsonl:2: not JSON"),
        ("metadata.jsonl", FOLDER + '{"file_name": "b.wav", "text": null}\n', "metadata.jsonl:2: text is null"),
        ("metadata.jsonl", FOLDER + '{"file_name": "b.wav"}\n', "metadata.jsonl:2: no string 'text'"),
        ("metadata.jsonl", '{"text": "deux"}\n' + FOLDER, "metadata.jsonl:1: no string 'file_name'; found 'text'"),
        ("metadata.csv", "file_name,text\na.wav,un, deux\n", "metadata.csv:2: 3 fields, expected 2: file_name, text"),
        ("metadata.csv", 'file_name,text\na.wav,"un\nb.wav,deux\n', "metadata.csv:2: unexpected end of data"),
        ("metadata.csv", "file_name,text\na.wav\n", "metadata.csv:2: 1 fields, expected 2"),
        ("metadata.csv", "file_name,text\na.wav,un\na.wav,deux\n", "metadata.csv:3: a.wav stands at metadata.csv:2"),
        ("1-2.trans.txt", "1-2-0 UN\n\n1-2-1 DEUX\n", "1-2.trans.txt:2: key '' is empty"),
    ],
)
def test_each_fault_of_a_row_is_named_with_its_line(tmp_path: Path, name: str, text: str, wanted: str) -> None:
    path = write(tmp_path / name, text)
    said = refusal(path if path.suffix == ".json" else tmp_path)
    assert wanted in said
    assert said.startswith(str(tmp_path))


def test_a_line_separator_inside_a_string_of_json_does_not_end_the_row(tmp_path: Path) -> None:
    path = write(tmp_path / "m.jsonl", NEMO.replace("un", "un\u2028deux"))
    assert [sample.text for sample in read_layout(path)] == ["un\u2028deux"]


@pytest.mark.parametrize(
    ("fields", "name", "group"),
    [
        ('"offset": 0.25, "duration": 0.5', "a.wav[0.25-0.75]", ""),
        ('"offset": 0.25', "a.wav[0.25-]", ""),
        ('"duration": 0.5, "speaker": 7', "a.wav", "7"),
        ('"speaker": null', "a.wav", ""),
    ],
)
def test_a_row_of_nemo_is_cut_where_it_says_and_grouped_where_it_says(
    tmp_path: Path, fields: str, name: str, group: str
) -> None:
    path = write(tmp_path / "m.json", f'{{"audio_filepath": "a.wav", "text": "un", {fields}}}\n')
    assert [(sample.path.name, sample.group) for sample in read_layout(path)] == [(name, group)]


def test_fields_of_common_voice_that_a_spreadsheet_quoted_lose_its_quotes(tmp_path: Path) -> None:
    write(tmp_path / "train.tsv", VOICE + 's1\tb.wav\t"He said ""go"""\n')
    assert [sample.text for sample in read_layout(tmp_path)] == ["un", 'He said "go"']


def test_a_table_of_common_voice_of_no_known_split_is_refused_by_name(tmp_path: Path) -> None:
    for name in ("train.tsv", "validated.tsv", "other.tsv"):
        write(tmp_path / name, VOICE)
    assert len(read_layout(tmp_path)) == 1
    write(tmp_path / "more.tsv", VOICE)
    assert "more.tsv: a table of no known split, expected train, dev" in refusal(tmp_path)
    assert len(read_layout(tmp_path / "more.tsv")) == 1


def test_a_row_of_ljspeech_without_normalised_text_has_the_other_one(tmp_path: Path) -> None:
    (tmp_path / "wavs").mkdir()
    write(tmp_path / "metadata.csv", "a|1|un\nb|deux|\nc|trois\n")
    assert [sample.text for sample in read_layout(tmp_path)] == ["un", "deux", "trois"]


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ("b,deux", "1 fields, expected 2 or 3: ID|text|normalised text"),
        ("b|x|y|z", "4 fields"),
        ("|2|deux", "empty"),
    ],
)
def test_a_row_of_ljspeech_of_other_fields_is_refused(tmp_path: Path, row: str, wanted: str) -> None:
    (tmp_path / "wavs").mkdir()
    write(tmp_path / "metadata.csv", f"a|1|un\n{row}\n")
    assert f"{tmp_path / 'metadata.csv'}:2: " in refusal(tmp_path)
    assert wanted in refusal(tmp_path)


def test_recordings_of_an_audiofolder_may_lie_in_wavs(tmp_path: Path) -> None:
    (tmp_path / "wavs").mkdir()
    write(tmp_path / "metadata.csv", "file_name,text\nwavs/a.wav,un|deux\n")
    assert [(sample.path, sample.text) for sample in read_layout(tmp_path)] == [(tmp_path / "wavs/a.wav", "un|deux")]


def test_folders_of_hugging_face_are_splits_by_its_own_names(tmp_path: Path) -> None:
    for name in ("train", "val", "eval"):
        write(tmp_path / name / "metadata.csv", "file_name,text\na.wav,un\n")
    found = [(sample.split, sample.origin) for sample in read_layout(tmp_path)]
    assert sorted(found) == [
        ("test", "eval/metadata.csv:2"),
        ("train", "train/metadata.csv:2"),
        ("valid", "val/metadata.csv:2"),
    ]


@pytest.mark.parametrize("name", ["extra", "train/more"])
def test_a_folder_of_hugging_face_of_no_known_split_is_refused_by_name(tmp_path: Path, name: str) -> None:
    write(tmp_path / "train" / "metadata.csv", "file_name,text\na.wav,un\n")
    write(tmp_path / name / "metadata.csv", "file_name,text\nb.wav,deux\n")
    assert f"{name}/metadata.csv: in a folder of no known split" in refusal(tmp_path)


def test_a_table_of_one_split_without_texts_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "train" / "metadata.csv", "file_name,text\na.wav,un\n")
    write(tmp_path / "test" / "metadata.csv", "file_name,label\nb.wav,3\n")
    assert "test/metadata.csv:1: no column file_name with one of text, transcription" in refusal(tmp_path)


def test_two_tables_of_one_folder_are_refused_and_one_may_be_named(tmp_path: Path) -> None:
    write(tmp_path / "metadata.csv", "file_name,text\na.wav,un\n")
    write(tmp_path / "metadata.jsonl", FOLDER)
    assert "holds metadata.csv and metadata.jsonl, expected one" in refusal(tmp_path)
    assert len(read_layout(tmp_path / "metadata.jsonl")) == 1


@pytest.mark.parametrize("other", ["b.gt.txt", "more/b.gt.txt", "train.csv"])
def test_transcripts_told_in_two_ways_are_refused_and_a_table_may_be_named(tmp_path: Path, other: str) -> None:
    path = write(tmp_path / "metadata.csv", "file_name,text\na.wav,un\n")
    write(tmp_path / other, HEADER + "b.wav,1,deux\n")
    said = refusal(tmp_path)
    assert "metadata.csv" in said and other in said and "expected one of them" in said
    assert len(read_layout(path)) == 1


def test_a_table_beside_pairs_that_is_no_layout_is_not_read_beyond_its_header(tmp_path: Path) -> None:
    write(tmp_path / "a.gt.txt", "un")
    for name in ("notes.csv", "notes.tsv", "metadata.csv", "metadata.jsonl"):
        (tmp_path / name).write_bytes("Größe;Datum\nübel;1900\n".encode("latin-1"))
    assert read_layout(tmp_path) == []


@pytest.mark.parametrize("name", ["text", "wav.scp", "segments", "utt2spk"])
def test_a_line_of_kaldi_that_stands_twice_is_refused(tmp_path: Path, name: str) -> None:
    kaldi(tmp_path)
    lines = (tmp_path / name).read_text(encoding="utf-8")
    write(tmp_path / name, lines + lines.splitlines()[0] + "\n")
    assert f"{tmp_path / name}:{lines.count(chr(10)) + 1}: key" in refusal(tmp_path)


def test_what_kaldi_has_no_text_of_is_named_and_counted(tmp_path: Path) -> None:
    sounds(tmp_path, "sound/a.wav")
    write(tmp_path / "wav.scp", "rec sound/a.wav\nc sound/c.wav\nb sound/b.wav\n")
    write(tmp_path / "segments", "u1 rec 0.0 0.2\nu2 rec 0.2 0.4\n")
    write(tmp_path / "text", "u1 un\n")
    done = prepare(str(tmp_path), None, tmp_path / "out", PrepareSettings({}), lambda line: None)
    lack = [
        f"{where} has no line in text, expected one" for where in ("segments:2: u2", "wav.scp:2: c", "wav.scp:3: b")
    ]
    assert done.bad == lack
    assert done.left_out == {"recording without text": 3}


@pytest.mark.parametrize(
    ("segment", "wanted"),
    [
        ("u1", "no recording ''"),
        *((f"u1 rec {fields}", "two numbers") for fields in ("0", "0 1 A", "0 1 -1", "-1 1", "0 -2", "0 1 2 3", "x 1")),
    ],
)
def test_a_segment_of_other_fields_costs_itself(tmp_path: Path, segment: str, wanted: str) -> None:
    kaldi(tmp_path)
    write(tmp_path / "segments", f"{segment}\nu2 rec 0.2 0.4\n")
    first, second = read_layout(tmp_path)[:2]
    assert first.origin == "text:1" and wanted in first.fault
    assert first.reason == ("bad segment" if wanted == "two numbers" else "")
    assert not second.fault


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ("0.1 -1", "[0.1-]"),
        ("0.1 -1.00", "[0.1-]"),
        ("0.1 0.3 0", "[0.1-0.3,1]"),
        ("0 -1 1", "[0-,2]"),
        ("0 1e-1", "[0-0.1]"),
    ],
)
def test_a_segment_may_go_on_to_the_end_and_name_a_channel(tmp_path: Path, fields: str, part: str) -> None:
    kaldi(tmp_path)
    two = np.stack([tiny.play("abcd", np.random.default_rng(1))] * 2, axis=1)
    soundfile.write(tmp_path / "sound" / "a.wav", two, tiny.RATE, subtype="PCM_16")
    write(tmp_path / "segments", f"u1 rec {fields}\nu2 rec 0.2 0.4\n")
    done = prepare(str(tmp_path), None, tmp_path / "out", PrepareSettings({}), lambda line: None)
    assert Store(tmp_path / "out").sample(0).path.name == f"a.wav{part}" and len(done.bad) == 1


@pytest.mark.parametrize("layout", [common_voice, librispeech])
def test_recordings_that_no_row_names_are_counted(layout: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = layout(tmp_path / "corpus")
    settings = PrepareSettings({})
    assert not any("no row" in reason for reason in prepare(str(folder), None, tmp_path / "all", settings, print).noted)
    known = next(path for path in folder.rglob("*") if path.suffix in (".wav", ".flac")).resolve()
    sounds(folder, "x/other.wav", "x/another.wav")
    write(folder / "x" / "notes.txt", "of no form that is in the rows")
    (folder / "x" / "known.wav").symlink_to(known)
    noted = prepare(str(folder), None, tmp_path / "some", settings, print).noted
    assert {reason: count for reason, count in noted.items() if "no row" in reason} == {
        "file that no row names, left out, such as x/another.wav": 2
    }


def test_a_table_of_which_no_file_is_there_is_refused_with_the_reason(tmp_path: Path) -> None:
    source = nemo(tmp_path)
    (tmp_path / "a.wav").unlink()
    with pytest.raises(RecognizerError, match=r"first train_manifest\.json:1: .*a\.wav\[0-0\.2\] is not there$"):
        prepare(str(source), None, tmp_path / "out", PrepareSettings({}), print)
