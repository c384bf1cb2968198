"""Checking: each thing that is wrong with a corpus is found and named, and a sound one is left in peace."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recognizer.corpus import checks
from recognizer.corpus.alphabet import Alphabet, TextSettings
from recognizer.corpus.check_report import CheckReport, CheckSettings, check
from recognizer.corpus.checks import NOTE, Finding, corpus_columns, repairs_counted
from recognizer.corpus.ctc_feasibility import infeasible, needed
from recognizer.corpus.sample import Sample
from recognizer.corpus.store import Header, Packed, Store, Unusable, write_store
from recognizer.errors import RecognizerError
from recognizer.inputs.registry import default_signal
from recognizer.inputs.speech.log_mel import LogMelSettings
from recognizer.model.model import Model, ModelSettings
from recognizer.model.model_file import ModelFile, save_model_file
from recognizer.network.front import FrontSettings
from recognizer.network.network import NetworkSettings

SMALL = NetworkSettings(layers=1, hidden=4, front=FrontSettings(channels=[2], pool_time=[2], pool_features=[2]))
SETTINGS = CheckSettings(network=SMALL)  # one frame per 4 columns
PLAIN = Alphabet(())
serial = iter(range(10**6))


def written(text: str, columns: int = 100, split: str = "train", group: str = "", blank: bool = False) -> Packed:
    """Return a line of strokes with a file, and so a digest, of its own."""
    values = np.full((columns, 64), 255, np.uint8)
    if not blank:
        values[::4, 12:36] = 0
    number = next(serial)
    sample = Sample(Path(f"{number}.png"), text, split, group, f"m:{number}")
    return Packed(sample, values, float(columns), number.to_bytes(32, "big"))


def spoken(values: np.ndarray, text: str = "one") -> Packed:
    number = next(serial)
    sample = Sample(Path(f"{number}.wav"), text, "train", "", f"m:{number}")
    return Packed(sample, values.astype(np.int16), len(values) / 16000, number.to_bytes(32, "big"))


def corpus(folder: Path, *rows: Packed | Unusable, kind: str = "handwriting", left_out: int = 0) -> Path:
    reasons = {"file without a transcript": left_out} if left_out else {}
    write_store(folder, Header("toy", kind, default_signal(kind), {"form": "NFC"}, reasons), rows)
    return folder


def found(report: CheckReport, what: str) -> Finding:
    return next(one for one in report.findings if one.what == what)


def findings(report: CheckReport) -> list[str]:
    return [one.what for one in report.findings]


def test_a_sound_corpus_has_no_finding(tmp_path: Path) -> None:
    rows = [written("eins", split="train"), written("zwei", split="valid"), written("drei", split="test")]
    report = check(corpus(tmp_path, *rows), SETTINGS)
    assert report.findings == [] and report.lost == 0 and "nothing is lost" in report.as_table()


def test_a_split_that_train_needs_and_the_corpus_lacks_is_told(tmp_path: Path) -> None:
    report = check(corpus(tmp_path, written("eins", split="dev"), written("zwei", split="test")), SETTINGS)
    assert findings(report) == [f"no samples in split '{name}', which train needs" for name in ("train", "valid")]


def test_the_sizes_of_the_splits_are_told(tmp_path: Path) -> None:
    rows = [written("ab cd", 100, group="x"), written("abc", 40, group="y"), written("a", 60, group="x")]
    one = check(corpus(tmp_path, *rows, written("z", split="test")), SETTINGS).splits[0]
    assert (one.name, one.samples, one.groups, one.characters, one.words) == ("train", 3, 2, 9, 4)
    assert one.lengths == (40, 60, 100) and one.texts == (1, 3, 5)


def test_a_replacement_that_no_text_can_hold_is_told(tmp_path: Path) -> None:
    settings = replace(SETTINGS, text=TextSettings(case="lower", replace={"A": "b"}))
    report = check(corpus(tmp_path, written("a")), settings)
    one = found(report, "text.replace without effect beside NFC and case lower")
    assert (one.weight, one.cases) == ("fault", ["'A', expected 'a'"])


def test_the_ctc_rule_is_exact() -> None:
    assert [needed(text, PLAIN) for text in ("", "  ", "abc", "aab", "aaa", "a  a")] == [0, 0, 3, 4, 5, 3]
    assert infeasible(4, 4) is None
    assert infeasible(4, 3) == ("more characters than frames", "4 frames needed, 3 there")
    assert infeasible(needed(" \t", PLAIN), 9) == ("empty text", "")


def test_the_ctc_rule_counts_tokens_where_labels_are_tokens() -> None:
    assert needed("ah ah b", Alphabet((), TextSettings(unit="token"))) == 4


def test_lines_with_too_many_characters_are_lost_and_named(tmp_path: Path) -> None:
    fits, short = written("abcde", 20), written("abcdd", 20)
    report = check(corpus(tmp_path, fits, short), SETTINGS)
    case = found(report, "more characters than frames")
    assert case.cases == [f"{short.sample.path} (6 frames needed, 5 there)"] and case.samples == [1]
    assert report.lost == 1 and "1 lost" in report.as_table()


def test_the_network_decides_what_is_too_long(tmp_path: Path) -> None:
    folder = corpus(tmp_path, written("abcdd", 20))
    finer = replace(SMALL, front=replace(SMALL.front, pool_time=[1]))
    assert check(folder, SETTINGS).lost == 1 and check(folder, CheckSettings(network=finer)).lost == 0


def test_the_sound_features_decide_what_is_too_long(tmp_path: Path) -> None:
    folder = corpus(tmp_path, spoken(np.sin(np.arange(3200)) * 9000, "abcdefgh"), kind="speech")
    slower = CheckSettings(network=SMALL, features=LogMelSettings(hop_ms=20))
    assert check(folder, CheckSettings(network=SMALL)).lost == 1 and check(folder, slower).steps_per_frame == 1280
    front = replace(SMALL.front, patch=[1, 2])
    assert check(folder, CheckSettings(network=replace(SMALL, front=front))).lost == 0


def test_an_empty_text_is_lost(tmp_path: Path) -> None:
    report = check(corpus(tmp_path, written("a"), written(" ")), SETTINGS)
    assert found(report, "empty text").samples == [1] and report.lost == 1


def test_what_prepare_left_out_is_named_and_counted(tmp_path: Path) -> None:
    bad = Unusable("x.png", "empty file", "m:7: x.png: the file is empty")
    report = check(corpus(tmp_path, written("a"), bad, left_out=3), SETTINGS)
    assert found(report, "left out by prepare: empty file").cases == ["m:7: x.png: the file is empty"]
    assert found(report, "left out by prepare: file without a transcript").count == 3 and report.lost == 4


def test_a_blank_image_is_named(tmp_path: Path) -> None:
    blank = written("b", blank=True)
    report = check(corpus(tmp_path, written("a"), blank), SETTINGS)
    assert found(report, "blank image").cases == [str(blank.sample.path)] and report.lost == 0


def test_an_inverted_image_is_named(tmp_path: Path) -> None:
    noted = replace(written("b"), notes=("light on dark, inverted",))
    report = check(corpus(tmp_path, written("a"), noted), SETTINGS)
    assert found(report, "light on dark, inverted").samples == [1]


def test_a_run_counts_tagged_samples_in_one_line(tmp_path: Path) -> None:
    rows = (
        written("a"),
        replace(written("b"), notes=("tag: Col_1", "tag: Main")),
        replace(written("a"), notes=("tag: x",)),
    )
    store = Store(corpus(tmp_path, *rows))
    (counted,) = repairs_counted(store)
    assert counted.count == 2 and counted.weight == NOTE
    names = corpus_columns(store, str)
    some = checks.findings(store, names, [100] * 3, Alphabet(("a", "b")), "train", look=False)
    assert sum("tag" in one.what for one in some) == 1


def test_silent_clipped_and_short_recordings_are_named(tmp_path: Path) -> None:
    wave = np.sin(np.arange(16000) / 9)
    clipped = np.clip(wave * 60000, -32768, 32767)
    rows = [spoken(wave * 9000), spoken(np.zeros(16000)), spoken(clipped), spoken(wave[:1000] * 9000)]
    report = check(corpus(tmp_path, *rows, kind="speech"), SETTINGS)
    assert found(report, "silent").samples == [1]
    assert found(report, "clipped").samples == [2] and "of the samples" in found(report, "clipped").cases[0]
    assert found(report, "shorter than 0.1 s").samples == [3]


def test_a_file_in_two_splits_is_suspect_and_twice_in_one_is_a_note(tmp_path: Path) -> None:
    first = written("a")
    twin, leak = (replace(written("a", split=split), digest=first.digest) for split in ("train", "test"))
    report = check(corpus(tmp_path, first, twin, leak), SETTINGS)
    across, within = found(report, "the same file in two splits"), found(report, "the same file twice in a split")
    assert (across.weight, across.samples, within.weight, within.samples) == ("fault", [2], "note", [1])
    assert across.cases == [f"{leak.sample.path} (test, as {first.sample.path}, train)"]


def test_stretches_that_overlap_in_two_splits_are_suspect(tmp_path: Path) -> None:
    parts = [("[0-2]", "train"), ("[1-3]", "test"), ("[2.95-4]", "train"), ("[0-9,1]", "valid"), ("[0-9,2]", "test")]
    rows = []
    for part, split in parts:
        one = spoken(np.ones(1600), part)
        rows.append(replace(one, sample=replace(one.sample, path=Path(f"a.wav{part}"), split=split)))
    whole = corpus(tmp_path / "a", *rows[:3], kind="speech"), corpus(tmp_path / "b", *rows[3:], kind="speech")
    what = "stretches of one recording that overlap in two splits"
    overlap = found(check(whole[0], SETTINGS), what)
    assert (overlap.weight, overlap.samples, overlap.cases) == ("fault", [1], ["a.wav[1-3] (test, a.wav[0-2], train)"])
    assert what not in findings(check(whole[1], SETTINGS))


def test_a_text_that_is_learned_and_tested_is_noted(tmp_path: Path) -> None:
    rows = [written("caf\u00e9"), written("cafe\u0301", split="test"), written("tea", split="test")]
    report = check(corpus(tmp_path, *rows), SETTINGS)
    assert found(report, "text of test that is in train too").samples == [1]


def test_a_group_in_two_splits_is_noted(tmp_path: Path) -> None:
    rows = [written("a", group="w1"), written("b", group="w2"), written("c", split="test", group="w1")]
    assert found(check(corpus(tmp_path, *rows), SETTINGS), "group in several splits").cases == ["w1 (train 1, test 1)"]


def test_samples_without_a_group_share_none(tmp_path: Path) -> None:
    rows = [written("a"), written("b", split="test"), written("c", split="valid")]
    assert findings(check(corpus(tmp_path, *rows), SETTINGS)) == []


def test_the_table_lists_twenty_names_and_the_data_all(tmp_path: Path) -> None:
    rows = [written("a"), *(written("") for _ in range(25)), written("b", split="valid")]
    report = check(corpus(tmp_path, *rows), SETTINGS)
    assert sum(f"{row.sample.path}\n" in report.as_table() + "\n" for row in rows[1:-1]) == 20
    assert "and 5 more" in report.as_table()
    data = json.loads(json.dumps(report.as_data()))
    assert len(data["findings"][0]["cases"]) == 25 and data["lost"] == 25


def test_a_file_name_that_is_not_unicode_can_be_printed_and_saved(tmp_path: Path) -> None:
    odd = written("")
    odd = replace(odd, sample=replace(odd.sample, path=Path("caf\udce9.png")))
    report = check(corpus(tmp_path, odd), SETTINGS)
    report.as_table().encode()
    json.dumps(report.as_data(), ensure_ascii=False).encode()
    assert "caf\\udce9.png" in report.as_table()


def model_file(path: Path, kind: str, network: NetworkSettings, height: int = 64) -> Path:
    signal = {**default_signal(kind), **({"height": height} if kind == "handwriting" else {})}
    settings = ModelSettings(kind, signal, LogMelSettings(), network)
    alphabet = Alphabet(("a", "b"))
    save_model_file(ModelFile(settings, alphabet, Model(settings, alphabet.classes)), path)
    return path


def test_a_model_file_gives_its_frames_and_its_alphabet(tmp_path: Path) -> None:
    folder = corpus(tmp_path / "c", written("aabb", 20), written("abc", 40, "test"))
    finer = replace(SMALL, front=replace(SMALL.front, pool_time=[1]))
    report = check(folder, CheckSettings(model=model_file(tmp_path / "m.safetensors", "handwriting", finer)))
    assert report.lost == 0 and report.steps_per_frame == 2
    assert report.alphabet.elsewhere == {"test": {"c": 1}}
    assert check(folder, SETTINGS).lost == 1


def test_a_model_of_another_kind_or_form_is_refused(tmp_path: Path) -> None:
    folder = corpus(tmp_path / "c", written("a"))
    speech, small = model_file(tmp_path / "s", "speech", SMALL), model_file(tmp_path / "h", "handwriting", SMALL, 32)
    for model, complaint in ((speech, "handwriting, but the model reads speech"), (small, "again with --height 32")):
        with pytest.raises(RecognizerError, match=complaint):
            check(folder, CheckSettings(model=model))


def test_an_export_is_refused_with_what_check_takes(tmp_path: Path) -> None:
    exported = tmp_path / "hw.onnx"
    exported.write_bytes(b"")
    with pytest.raises(RecognizerError, match="hw.onnx: an export, check takes the model file that it was exported"):
        check(corpus(tmp_path / "c", written("a")), CheckSettings(model=exported))


def test_showing_lines_writes_what_the_network_sees(tmp_path: Path) -> None:
    row = written("a", 100)
    report = check(corpus(tmp_path / "c", row), SETTINGS, tmp_path / "show")
    image, table = report.shown
    assert np.array_equal(np.asarray(Image.open(image)), row.values.T)
    assert table.read_text().splitlines()[1] == f"{image.name}\ttrain\ta\t{row.sample.path}"


def test_showing_prefers_suspect_samples_and_stays_few(tmp_path: Path) -> None:
    rows = [written("a") for _ in range(99)] + [written("b", blank=True)]
    report = check(corpus(tmp_path / "c", *rows), SETTINGS, tmp_path / "show")
    assert 15 <= len(report.shown) - 1 <= 20
    assert any(path.name.startswith("000099-") for path in report.shown)


def test_showing_recordings_writes_the_signal_and_what_its_features_hold(tmp_path: Path) -> None:
    import soundfile

    tone = np.sin(2 * np.pi * 500 * np.arange(8000) / 16000) * 9000
    noise = np.random.default_rng(1).normal(0, 500, 8000)
    report = check(corpus(tmp_path / "c", spoken(tone + noise), kind="speech"), SETTINGS, tmp_path / "show")
    own, heard, _ = report.shown
    assert np.array_equal(soundfile.read(own, dtype="int16")[0], (tone + noise).astype(np.int16))
    spectrum = np.abs(np.fft.rfft(soundfile.read(heard)[0]))
    peak = spectrum.argmax() * 16000 / (2 * (len(spectrum) - 1))
    assert 450 < peak < 550


def test_a_recording_of_a_single_frame_can_be_shown(tmp_path: Path) -> None:
    folder = corpus(tmp_path / "c", spoken(np.sin(np.arange(330)) * 9000, "a"), kind="speech")
    assert check(folder, SETTINGS, tmp_path / "show").shown


def test_nothing_is_written_unless_asked(tmp_path: Path) -> None:
    check(corpus(tmp_path / "c", written("a")), SETTINGS)
    assert [path.name for path in tmp_path.iterdir()] == ["c"]
