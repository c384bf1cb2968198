"""The packed store: what goes in comes out, and nothing half-written is ever taken for whole."""

import multiprocessing
import os
import pickle
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from recognizer.corpus.sample import Sample
from recognizer.corpus.store import FILE, Header, Packed, Store, Unusable, write_store
from recognizer.errors import RecognizerError

HEADER = Header("toy", "handwriting", {"height": 3}, {"form": "NFC"}, {"file without a transcript": 2}, "CC0")
EVERYWHERE = "a\u00e9e\u0301 \u05d0\u0628\u4f60\U0001f600\u200d\u202e\ufeff\t\n\0\U0010ffff"


def line(columns: int, grey: int) -> np.ndarray:
    return np.full((columns, 3), grey, np.uint8)


def packed(name: str, text: str = "abc", split: str = "train", group: str = "w1", columns: int = 4) -> Packed:
    sample = Sample(Path("lines") / name, text, split, group, f"manifest.tsv:{name}")
    return Packed(sample, line(columns, columns % 251), 1.5 * columns, bytes([columns % 251]) * 32)


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    noted = Packed(Sample(Path("b"), "zwei", "test", "", "m:2"), line(7, 9), 10.0, b"h" * 32, ("inverted", "cropped"))
    store = Store(write_store(tmp_path, HEADER, [packed("a.png"), noted]))
    assert len(store) == 2
    assert store.sample(0) == Sample(Path("lines/a.png"), "abc", "train", "w1", "manifest.tsv:a.png")
    assert store.sample(1) == noted.sample
    assert np.array_equal(store.signal(0), line(4, 4)) and np.array_equal(store.signal(1), line(7, 9))
    assert store.counts.tolist() == [4, 7] and store.extents.tolist() == [6.0, 10.0]
    assert store.digest(1) == (b"h" * 32).hex()
    assert store.notes(0) == () and store.notes(1) == ("inverted", "cropped")
    assert store.header == HEADER


def test_a_column_has_one_string_a_sample(tmp_path: Path) -> None:
    store = Store(write_store(tmp_path, HEADER, [packed("a", "x"), packed("b", ""), packed("c", "\u00e9\U0001f600")]))
    assert store.column("text") == ["x", "", "\u00e9\U0001f600"]
    assert store.column("path") == [str(Path("lines") / name) for name in "abc"]
    assert store.column("notes") == ["", "", ""]


def test_files_that_could_not_be_used_are_kept_by_name_and_counted_by_reason(tmp_path: Path) -> None:
    bad = [Unusable("x.png", "cut short", "m:2: x.png: broken off"), Unusable("y.png", "cut short", "m:3: y.png: too")]
    store = Store(write_store(tmp_path, HEADER, [bad[0], packed("a"), bad[1]]))
    assert store.unusable() == bad and len(store) == 1
    assert store.header.left_out == {"file without a transcript": 2, "cut short": 2}


def test_texts_of_all_of_unicode_come_back_as_they_were(tmp_path: Path) -> None:
    store = Store(write_store(tmp_path, HEADER, [packed("a", EVERYWHERE, EVERYWHERE, EVERYWHERE), packed("b", "next")]))
    assert store.text(0) == store.group(0) == EVERYWHERE and store.text(1) == "next"
    assert store.splits() == [EVERYWHERE, "train"]


def test_a_file_name_that_is_not_unicode_comes_back_as_it_was(tmp_path: Path) -> None:
    store = Store(write_store(tmp_path, HEADER, [packed("caf\udce9.png")]))
    assert store.sample(0).path.name == "caf\udce9.png"


def test_an_empty_group_and_an_empty_text_stay_empty(tmp_path: Path) -> None:
    store = Store(write_store(tmp_path, HEADER, [packed("a", "", "train", ""), packed("b", "x", "", "")]))
    assert (store.group(0), store.text(0), store.sample(1).split) == ("", "", "")


def test_splits_keep_the_order_of_the_manifest(tmp_path: Path) -> None:
    rows = [packed("a", split="test"), packed("b"), packed("c", split="test")]
    store = Store(write_store(tmp_path, HEADER, rows))
    assert store.splits() == ["test", "train"] and store.indices("test") == [0, 2]
    with pytest.raises(RecognizerError, match="no sample in split 'valid', there are 'test', 'train'") as error:
        store.indices("valid")
    assert "--split" in str(error.value) and "--valid-share from one that names none" in str(error.value)


def test_an_index_beyond_the_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IndexError):
        Store(write_store(tmp_path, HEADER, [packed("a")])).text(1)


def test_equal_corpora_have_equal_fingerprints_and_others_do_not(tmp_path: Path) -> None:
    def fingerprint(folder: str, text: str, split: str = "train") -> str:
        return Store(write_store(tmp_path / folder, HEADER, [packed("a", text, split)])).fingerprint()

    assert fingerprint("one", "abc") == fingerprint("two", "abc")
    assert len({fingerprint("one", "abc"), fingerprint("two", "abd"), fingerprint("three", "abc", "test")}) == 3


def test_a_signal_cannot_be_written_to(tmp_path: Path) -> None:
    values = Store(write_store(tmp_path, HEADER, [packed("a")])).signal(0)
    with pytest.raises(ValueError, match="read-only"):
        values[0] = 1


def test_sound_keeps_its_number_type(tmp_path: Path) -> None:
    wave = np.array([-32768, 0, 32767], np.int16)
    sound = Packed(Sample(Path("a.wav"), "x"), wave, 0.1, bytes(32))
    back = Store(write_store(tmp_path, HEADER, [sound])).signal(0)
    assert back.dtype == np.int16 and back.tolist() == wave.tolist()


def test_opening_reads_no_signal(tmp_path: Path) -> None:
    path = write_store(tmp_path, HEADER, [packed(f"{i}", columns=200_000) for i in range(20)])
    assert path.stat().st_size > 12_000_000
    store, before = Store(path), resident(path)
    store.sample(19), store.indices("train")
    assert resident(path) < 1_000_000
    assert int(store.signal(3).sum()) and resident(path) > max(before, 500_000)


def resident(path: Path) -> int:
    """Return how many bytes of `path` this process has mapped in, from the kernel's own account."""
    if not Path("/proc/self/smaps").exists():
        pytest.skip("no account of mapped pages here")
    found, inside = 0, False
    for row in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in row.split(" ")[0]:
            inside = row.endswith(str(path))
        elif inside and row.startswith("Rss:"):
            found += int(row.split()[1]) * 1024
    return found


def test_a_store_travels_as_its_path(tmp_path: Path) -> None:
    store = Store(write_store(tmp_path, HEADER, [packed(f"{i}", columns=50_000) for i in range(4)]))
    data = pickle.dumps(store)
    assert len(data) < 1000
    assert np.array_equal(pickle.loads(data).signal(2), store.signal(2))


def total(store: Store, index: int) -> int:
    return int(store.signal(index).sum())


def test_several_processes_read_one_store(tmp_path: Path) -> None:
    store = Store(write_store(tmp_path, HEADER, [packed(f"{i}", columns=i + 1) for i in range(6)]))
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        found = pool.starmap(total, [(store, index) for index in range(6)])
    assert found == [total(store, index) for index in range(6)]


def test_a_store_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    path = write_store(tmp_path, HEADER, [packed("a")])
    whole = path.read_bytes()
    for size in (0, 5, 12, 100, 5000, 16384, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(RecognizerError, match="corpus.pack: "):
            Store(path)
    path.write_bytes(whole)
    assert len(Store(path)) == 1


@pytest.mark.parametrize(("version", "cure"), [(4, "upgrade recognizer"), (1, "prepare it again")])
def test_another_format_is_refused_with_its_cure(tmp_path: Path, version: int, cure: str) -> None:
    path = write_store(tmp_path, HEADER, [packed("a")])
    data = bytearray(path.read_bytes())
    data[7] = version
    path.write_bytes(data)
    with pytest.raises(RecognizerError, match=f"format {version}, expected 3: {cure}"):
        Store(tmp_path)


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(RecognizerError, match="not a prepared corpus"):
        Store(tmp_path)


def test_a_folder_without_a_store_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(RecognizerError, match="no prepared corpus there, expected a folder"):
            Store(path)


def test_a_failure_while_writing_leaves_the_old_store(tmp_path: Path) -> None:
    write_store(tmp_path, HEADER, [packed("old", "old")])

    def failing() -> Iterator[Packed]:
        yield packed("new", "new")
        raise RecognizerError("the source broke off")

    with pytest.raises(RecognizerError, match="broke off"):
        write_store(tmp_path, HEADER, failing())
    assert [path.name for path in tmp_path.iterdir()] == [FILE] and Store(tmp_path).text(0) == "old"


def write_for_ever(folder: Path) -> None:
    """Write a store that never ends."""

    def endless() -> Iterator[Packed]:
        while True:
            yield packed("x", columns=10_000)
            time.sleep(0.001)

    write_store(folder, HEADER, endless())


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is not there")
def test_a_kill_while_writing_leaves_the_old_store_whole(tmp_path: Path) -> None:
    write_store(tmp_path, HEADER, [packed("old", "old")])
    writer = multiprocessing.get_context("spawn").Process(target=write_for_ever, args=(tmp_path,))
    writer.start()
    while not any(path.stat().st_size for path in tmp_path.glob(f".{FILE}.*")):
        assert writer.is_alive()
        time.sleep(0.01)
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    assert Store(tmp_path).text(0) == "old"
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".pack", ".part"]
