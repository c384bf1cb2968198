"""Preparing: what a user brings becomes a store, and each file that cannot is named."""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recognizer.corpus.prepare import Prepared, PrepareSettings, prepare
from recognizer.corpus.store import Store
from recognizer.errors import RecognizerError
from recognizer.pages.page import file_of

PLAIN = PrepareSettings({})


def draw(path: Path, columns: int = 96, rows: int = 24, dark: bool = False) -> Path:
    """Draw strokes on paper, or, `dark`, light strokes on a black page."""
    grey = np.full((rows, columns), 255, np.uint8)
    grey[rows // 4 : -rows // 4, columns // 8 :: 8] = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(255 - grey if dark else grey).save(path)
    return path


def record(path: Path, seconds: float = 0.5) -> Path:
    import soundfile

    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.3 * np.sin(np.arange(round(16000 * seconds)) / 5), 16000)
    return path


def manifest(
    folder: Path, rows: Sequence[tuple[str, ...]], columns: tuple[str, ...] = ("file", "text", "split")
) -> Path:
    path = folder / "manifest.tsv"
    path.write_text("".join("\t".join(row) + "\n" for row in (columns, *rows)), encoding="utf-8")
    return path


def made(source: Path, out: Path, settings: PrepareSettings = PLAIN) -> tuple[Prepared, Store, list[str]]:
    said: list[str] = []
    done = prepare(str(source), None, out, settings, said.append)
    return done, Store(done.path), said


def test_a_manifest_becomes_a_store_with_its_splits(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        draw(tmp_path / name)
    manifest(tmp_path, [("a.png", "eins", "train"), ("b.png", "zwei", "test"), ("c.png", "drei!", "train")])
    done, store, said = made(tmp_path, tmp_path / "out")
    assert done.splits == {"train": 2, "test": 1} and done.characters == {"train": 9, "test": 4}
    assert [store.text(i) for i in store.indices("train")] == ["eins", "drei!"]
    assert (done.bad, dict(done.left_out), said) == ([], {}, [])
    assert (store.header.kind, store.header.name, store.sample(1).origin) == (
        "handwriting",
        tmp_path.name,
        "manifest.tsv:3",
    )


def test_a_known_corpus_is_packed_by_its_recipe(tmp_path: Path) -> None:
    draw(tmp_path / "lines" / "x.png"), draw(tmp_path / "lines" / "stray.png")
    (tmp_path / "transcripts.tsv").write_text("x.png\ttrain\tletter 5\tune ligne\n", encoding="utf-8")
    done = prepare("copiste", tmp_path, tmp_path / "out", PLAIN, print)
    store = Store(done.path)
    assert (store.header.name, store.text(0), store.group(0)) == ("copiste", "une ligne", "letter 5")
    assert store.header.licence and store.header.left_out == done.left_out == {"file without a transcript": 1}


def test_a_known_corpus_wants_its_source(tmp_path: Path) -> None:
    with pytest.raises(RecognizerError, match="copiste: expected --source"):
        prepare("copiste", None, tmp_path, PLAIN, print)


def test_an_unknown_name_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(RecognizerError, match="did you mean copiste"):
        prepare("copist", None, tmp_path / "out", PLAIN, print)


@pytest.mark.parametrize("given", ["nosuch/manifest.tsv", "manifest.tsv", "nosuch/"])
def test_what_looks_like_a_path_is_no_name_of_a_corpus(tmp_path: Path, given: str) -> None:
    with pytest.raises(RecognizerError, match=f"^{given}: no such file or folder$"):
        prepare(given, None, tmp_path / "out", PLAIN, print)


def test_a_folder_of_pairs_becomes_a_store(tmp_path: Path) -> None:
    for name in ("train/a", "test/b"):
        draw(tmp_path / "pairs" / f"{name}.png")
        (tmp_path / "pairs" / f"{name}.gt.txt").write_text(f"text of {name[-1]}\n", encoding="utf-8")
    done, store, _ = made(tmp_path / "pairs", tmp_path / "out")
    assert done.splits == {"train": 1, "test": 1}
    assert sorted(map(store.text, range(2))) == ["text of a", "text of b"]


def test_recordings_become_a_store_of_sound(tmp_path: Path) -> None:
    record(tmp_path / "a.wav", 0.5)
    manifest(tmp_path, [("a.wav", "eins", "train")])
    _, store, _ = made(tmp_path, tmp_path / "out")
    assert store.header.kind == "speech" and store.counts.tolist() == [8000] and store.extents.tolist() == [0.5]


def test_without_splits_whole_groups_are_dealt_out_and_this_is_said(tmp_path: Path) -> None:
    rows = [(f"{i}.png", f"text {i}", f"writer {i % 10}") for i in range(30)]
    for name, _, _ in rows:
        draw(tmp_path / name)
    manifest(tmp_path, rows, ("file", "text", "writer"))
    done, store, said = made(tmp_path, tmp_path / "out", PrepareSettings({}, 0.2, 0.1))
    assert done.splits == {"train": 21, "valid": 6, "test": 3}
    assert said == ["the source names no split: 2 of 10 go to valid, 1 to test, by the hash of the group name"]
    where = {(store.group(i), store.sample(i).split) for i in range(30)}
    assert len(where) == 10
    again, store_again, _ = made(tmp_path, tmp_path / "again", PrepareSettings({}, 0.2, 0.1))
    assert store_again.fingerprint() == store.fingerprint() and again.splits == done.splits


def test_all_stretches_of_a_recording_go_to_one_split_and_of_a_single_one_it_is_said(tmp_path: Path) -> None:
    for recording in range(4):
        record(tmp_path / f"{recording}.wav", 3)
    rows = [(f"{i % 4}.wav", "text", str(i // 4 / 2), str(i // 4 / 2 + 0.5)) for i in range(20)]
    manifest(tmp_path, rows, ("file", "text", "start", "end"))
    done, store, said = made(tmp_path, tmp_path / "out")
    assert done.splits == {"train": 10, "valid": 5, "test": 5}
    assert len({(file_of(store.sample(i).path), store.sample(i).split) for i in range(20)}) == 4
    assert said == ["the source names no split: 1 of 4 go to valid, 1 to test, by the hash of the file name"]
    manifest(tmp_path, rows[::4], ("file", "text", "start", "end"))
    done, _, said = made(tmp_path, tmp_path / "one")
    assert done.splits == {"train": 3, "valid": 1, "test": 1}
    assert (
        said[0]
        == "all samples are of '0.wav': split sample by sample, so that one hand or voice may stand in every split"
    )


def pairs(folder: Path, names: Sequence[str]) -> Path:
    for name in names:
        draw(folder / f"{name}.png")
        (folder / f"{name}.gt.txt").write_text("text\n", encoding="utf-8")
    return folder


def test_stretches_of_one_recording_that_overlap_in_two_splits_are_said(tmp_path: Path) -> None:
    record(tmp_path / "a.wav", 3)
    rows = [
        ("a.wav", "x", "train", "0", "1.5", "1"),
        ("a.wav", "y", "test", "0.5", "1", ""),  # the mean of all channels
        ("a.wav", "z", "test", "1.45", "2.5", "1"),  # what lists round away is nothing
    ]
    manifest(tmp_path, rows, ("file", "text", "split", "start", "end", "channel"))
    _, _, said = made(tmp_path, tmp_path / "out")
    (line,) = said
    assert line.startswith(
        "1 stretches overlap with one of their recording in another split, first a.wav[0.5-1] (test) with "
        "a.wav[0-1.5,1] (train): "
    )


def test_speakers_whose_stretches_overlap_are_dealt_out_and_said(tmp_path: Path) -> None:
    record(tmp_path / "a.wav", 3)
    rows = [("a.wav", "x", "A", "0", "2"), ("a.wav", "y", "B", "1", "3")]
    manifest(tmp_path, rows, ("file", "text", "speaker", "start", "end"))
    done, _, said = made(tmp_path, tmp_path / "out")
    assert done.splits == {"train": 1, "valid": 1} and "1 stretches overlap" in said[1]


def test_files_of_one_name_in_several_folders_are_several_wherever_they_lie(tmp_path: Path) -> None:
    names = [f"s{i}/{name}" for i in range(12) for name in ("line", "other")]
    done, store, said = made(pairs(tmp_path / "here", names), tmp_path / "out")
    assert done.splits == {"train": 20, "valid": 2, "test": 2}
    assert said == ["the source names no split: 2 of 24 go to valid, 2 to test, by the hash of the file name"]
    _, moved, _ = made(pairs(tmp_path / "there" / "below", names), tmp_path / "again")
    assert store.column("split") == moved.column("split")


def test_files_of_one_folder_are_dealt_out_by_the_hash_of_their_names(tmp_path: Path) -> None:
    folder = pairs(tmp_path / "flat", [f"{i}" for i in range(12)])
    os.rename(folder / "3.png", os.fsencode(folder) + b"/3\xe9.png")
    os.rename(folder / "3.gt.txt", os.fsencode(folder) + b"/3\xe9.gt.txt")
    _, store, _ = made(folder, tmp_path / "out")
    split = {Path(one).name: split for one, split in zip(store.column("path"), store.column("split"), strict=True)}
    order = sorted(split, key=lambda name: hashlib.sha256(os.fsencode(name)).hexdigest())
    assert [split[name] for name in order[:3]] == ["test", "valid", "train"] and len(split) == 12


def test_samples_that_name_no_split_beside_others_that_do_are_kept_and_said(tmp_path: Path) -> None:
    draw(tmp_path / "a.png"), draw(tmp_path / "b.png")
    manifest(tmp_path, [("a.png", "x", "train"), ("b.png", "y", "")])
    done, _, said = made(tmp_path, tmp_path / "out")
    assert done.splits == {"train": 1, "": 1} and said == ['1 samples name no split, they are kept under ""']


def test_bad_files_are_named_and_counted_and_the_others_done(tmp_path: Path) -> None:
    good = draw(tmp_path / "good.png")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "words.png").write_text("no image")
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[:-40])
    rows = [(f"{name}.png", name, "train") for name in ("empty", "good", "words", "cut")]
    manifest(tmp_path, rows)
    done, store, _ = made(tmp_path, tmp_path / "out")
    assert done.splits == {"train": 1} and store.text(0) == "good"
    assert [line.partition(": ")[0] for line in done.bad] == [f"manifest.tsv:{row}" for row in (2, 4, 5)]
    assert [Path(one.name).name for one in store.unusable()] == ["empty.png", "words.png", "cut.png"]
    assert store.unusable() == done.unusable and store.unusable()[0].reason == "empty file"
    assert store.header.left_out == {"empty file": 1, "not an image": 1, "cut short or damaged": 1}
    assert store.header.left_out == done.left_out


def test_half_a_character_in_a_transcript_is_named(tmp_path: Path) -> None:
    draw(tmp_path / "a.png"), draw(tmp_path / "b.png")
    rows = [{"file": "a.png", "text": "x\ud83d"}, {"file": "b.png", "text": "y\U0001f600"}]
    (tmp_path / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done, store, _ = made(tmp_path, tmp_path / "out")
    assert done.bad == ["manifest.jsonl:1: half a character, U+D83D, expected Unicode text"]
    assert store.header.left_out == {"text is not Unicode": 1} and store.text(0) == "y\U0001f600"


def test_empty_texts_are_kept_and_noted_by_name(tmp_path: Path) -> None:
    rows = [(draw(tmp_path / f"{i}.png").name, text, "train") for i, text in enumerate(("x", "", " ", "", ""))]
    manifest(tmp_path, rows)
    done, store, _ = made(tmp_path, tmp_path / "out")
    names = "manifest.tsv:3, manifest.tsv:4, manifest.tsv:5 and 1 more"
    assert done.noted == {f"empty text, from which nothing can be learned: {names}": 4} and not done.left_out
    assert len(store) == 5


def test_control_characters_are_no_writing(tmp_path: Path) -> None:
    for name in "abc":
        draw(tmp_path / f"{name}.png")
    rows = [{"file": "a.png", "text": "x\x00"}, {"file": "b.png", "text": "y\tz"}, {"file": "c.png", "text": "\x7f"}]
    (tmp_path / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done, store, _ = made(tmp_path, tmp_path / "out")
    assert done.bad[0] == "manifest.jsonl:1: the control character U+0000 in its text, expected what is written"
    assert store.header.left_out == {"control character": 2} and store.text(0) == "y\tz"


def test_groups_that_the_sources_own_splits_share_are_said(tmp_path: Path) -> None:
    rows = [("a.png", "x", "train", "A"), ("b.png", "y", "test", "A"), ("c.png", "z", "test", "B")]
    for name, *_ in rows:
        draw(tmp_path / name)
    manifest(tmp_path, rows, ("file", "text", "split", "writer"))
    _, _, said = made(tmp_path, tmp_path / "out")
    assert said == [
        "1 of 2 groups stand in several of the source's own splits, first 'A' in test, train: a test of them is no "
        "test of strangers"
    ]


def test_nothing_but_bad_files_is_an_error_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no image")
    manifest(tmp_path, [("a.png", "x", "train")])
    with pytest.raises(RecognizerError, match="not one of 1 files can be used, first manifest.tsv:2"):
        made(tmp_path, tmp_path / "out")
    assert not list((tmp_path / "out").glob("*pack*"))


def test_images_beside_recordings_are_refused(tmp_path: Path) -> None:
    draw(tmp_path / "a.png"), record(tmp_path / "b.wav")
    manifest(tmp_path, [("a.png", "x", "train"), ("b.wav", "y", "train")])
    with pytest.raises(RecognizerError, match="1 images and 1 recordings, expected one kind"):
        made(tmp_path, tmp_path / "out")


def test_of_two_kinds_the_files_of_the_rarer_one_are_named(tmp_path: Path) -> None:
    rows = [(str(draw(tmp_path / f"{i}.png")), "x", "train") for i in range(3)]
    rows += [(str(record(tmp_path / f"{name}.wav")), "y", "train") for name in "ab"]
    manifest(tmp_path, rows)
    with pytest.raises(RecognizerError, match=f"the recordings are {tmp_path / 'a.wav'} and 1 more; give each kind a"):
        made(tmp_path, tmp_path / "out")


def test_height_and_direction_form_the_signals(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", columns=96, rows=24)
    manifest(tmp_path, [("a.png", "x", "train")])
    _, plain, _ = made(tmp_path, tmp_path / "plain", PrepareSettings({"height": 24}))
    _, mirrored, _ = made(tmp_path, tmp_path / "rtl", PrepareSettings({"height": 24, "direction": "rtl"}))
    _, down, _ = made(tmp_path, tmp_path / "ttb", PrepareSettings({"height": 96, "direction": "ttb"}))
    assert plain.signal(0).shape == (96, 24)
    assert np.array_equal(mirrored.signal(0), plain.signal(0)[::-1])
    assert down.signal(0).shape == (24, 96)
    assert mirrored.header.signal == {"height": 24, "direction": "rtl", "contrast": "stretch"}


def test_an_unknown_signal_setting_is_refused(tmp_path: Path) -> None:
    draw(tmp_path / "a.png")
    manifest(tmp_path, [("a.png", "x", "train")])
    with pytest.raises(RecognizerError, match="signal.hight: no setting of handwriting, there are height"):
        made(tmp_path, tmp_path / "out", PrepareSettings({"hight": 32}))


def test_a_senseless_signal_setting_is_the_callers_fault_and_not_the_files(tmp_path: Path) -> None:
    draw(tmp_path / "a.png")
    manifest(tmp_path, [("a.png", "x", "train")])
    with pytest.raises(RecognizerError, match="^signal.height is 3"):
        made(tmp_path, tmp_path / "out", PrepareSettings({"height": 3}))


def test_shares_that_leave_nothing_to_learn_are_refused() -> None:
    with pytest.raises(RecognizerError, match="below 1 together"):
        PrepareSettings({}, 0.5, 0.5)


def test_shares_that_round_to_all_groups_are_refused(tmp_path: Path) -> None:
    rows = [(f"{i}.png", f"text {i}", f"writer {i}") for i in range(3)]
    for name, _, _ in rows:
        draw(tmp_path / name)
    manifest(tmp_path, rows, ("file", "text", "writer"))
    with pytest.raises(RecognizerError, match="^of 3 groups 2 would go to valid and 1 to test, none is left to learn"):
        made(tmp_path, tmp_path / "out", PrepareSettings({}, 0.5, 0.49))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("split", "shares"), [("valid", (0.1, None)), ("test", (None, 0.3))])
def test_a_share_of_a_source_that_names_splits_is_refused(
    tmp_path: Path, split: str, shares: tuple[float | None, float | None]
) -> None:
    draw(tmp_path / "a.png"), draw(tmp_path / "b.png")
    manifest(tmp_path, [("a.png", "x", "train"), ("b.png", "y", "valid")])
    with pytest.raises(RecognizerError, match=f"^--{split}-share has no effect: .* itself .train, valid., expected no"):
        made(tmp_path, tmp_path / "out", PrepareSettings({}, *shares))
    assert not (tmp_path / "out").exists()


def test_the_digest_is_the_sha256_of_the_source_file(tmp_path: Path) -> None:
    image = draw(tmp_path / "a.png")
    manifest(tmp_path, [("a.png", "x", "train")])
    _, store, _ = made(tmp_path, tmp_path / "out")
    assert store.digest(0) == hashlib.sha256(image.read_bytes()).hexdigest()


def test_what_was_repaired_is_noted(tmp_path: Path) -> None:
    draw(tmp_path / "a.png"), draw(tmp_path / "b.png", dark=True)
    manifest(tmp_path, [("a.png", "x", "train"), ("b.png", "y", "train")])
    _, store, _ = made(tmp_path, tmp_path / "out")
    assert store.notes(0) == () and store.notes(1) == ("light on dark, inverted",)
    assert np.array_equal(store.signal(0), store.signal(1))
