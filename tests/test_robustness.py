"""Models tried on what they were not made for: worse cameras and rooms, hands on a tablet."""

import gzip
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from makers import line_image, save_model

from recognizer.corpus.manifest import read_corpus
from recognizer.corpus.prepare import PrepareSettings, prepare
from recognizer.corpus.recipes import load_recipe
from recognizer.errors import RecognizerError
from recognizer.inputs.lines.image import HandwritingSettings, read_line

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

import robustness  # noqa: E402


def run(script: str, *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / script), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("name", robustness.FAULTS["handwriting"])
def test_a_fault_of_a_camera_is_the_same_twice_and_leaves_a_line(name: str) -> None:
    grey, fault = np.asarray(line_image()), robustness.FAULTS["handwriting"][name]
    one, two = (fault(grey, np.random.default_rng(3)) for _ in range(2))
    assert one.dtype == np.uint8 and one.ndim == 2 and (one == two).all()
    assert one.shape != grey.shape or (one != grey).any()
    assert one.std() > 5.0


@pytest.mark.parametrize("name", robustness.FAULTS["speech"])
def test_a_fault_of_a_room_is_the_same_twice_and_leaves_sound(name: str) -> None:
    sound, fault = 0.3 * np.sin(np.arange(16000) * 0.4), robustness.FAULTS["speech"][name]
    one, two = (fault(sound, np.random.default_rng(3)) for _ in range(2))
    assert len(one) == (19200 if name == "a fifth slower" else 16000) and (one == two).all()
    assert len(one) != len(sound) or np.abs(one - sound).max() > 0.01
    assert 1e-3 < np.abs(one).max() < 3.0


def test_noise_is_as_loud_as_it_says() -> None:
    sound = 0.3 * np.sin(np.arange(16000) * 0.4)
    added = robustness.noise(10.0)(sound, np.random.default_rng(3)) - sound
    assert 10 * np.log10(np.mean(sound**2) / np.mean(added**2)) == pytest.approx(10.0, abs=0.01)


def test_a_telephone_carries_no_high_tone() -> None:
    low, high = (0.3 * np.sin(2 * np.pi * hertz * np.arange(16000) / 16000) for hertz in (1000.0, 6000.0))
    heard = np.abs(np.fft.rfft(robustness.telephone(low + high, np.random.default_rng(3))))
    assert heard[6000] < heard[1000] / 100


@pytest.mark.slow
def test_each_fault_has_its_row(tmp_path: Path) -> None:
    (tmp_path / "lines").mkdir()
    for name in ("a", "b"):
        line_image(f"{name} line").save(tmp_path / "lines" / f"{name}.png")
        (tmp_path / "lines" / f"{name}.gt.txt").write_text(f"{name} line")
    prepare(str(tmp_path / "lines"), None, tmp_path / "data", PrepareSettings({}, 0.0, 0.5), lambda line: None)
    model = save_model("handwriting", tmp_path / "model.safetensors")
    done = run("robustness.py", model, tmp_path / "data", "--split", "test")
    rows = done.stdout.splitlines()
    assert done.returncode == 0 and len(rows) == 3 + len(robustness.FAULTS["handwriting"]), done.stderr
    # Light on dark is turned round before anything else is done.
    assert rows[2].split("|")[2:] == rows[-1].split("|")[2:]
    speech = save_model("speech", tmp_path / "speech.safetensors")
    done = run("robustness.py", speech, tmp_path / "data", "--split", "test")
    assert done.returncode == 2 and "is handwriting, expected speech" in done.stderr and done.stderr.count("\n") == 1


def strokes(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def test_pen_strokes_become_lines_of_a_corpus(tmp_path: Path) -> None:
    cross = [[0, 0, 200, 200], [200, 0, 0, 200], [300, 100]]
    rows = [{"id": f"u{i}", "writer": "w", "split": s, "text": "x .", "strokes": cross} for i, s in enumerate("ab")]
    done = run(
        "unpack_strokes.py",
        "--form",
        "png",
        "--strokes",
        strokes(tmp_path / "s.gz", rows),
        "--split",
        "b",
        "--out",
        tmp_path,
    )
    assert done.stdout == f"1 lines in {tmp_path}\n", done.stderr
    (sample,) = read_corpus(tmp_path / "manifest.tsv")
    assert (sample.text, sample.split, sample.group, sample.path.name) == ("x .", "b", "w", "u1.png")
    ink = 255 - read_line(sample.path, HandwritingSettings(height=64)).values.T.astype(int)
    assert ink.shape[0] == 64 and ink.shape[1] == pytest.approx(64 * 310 / 210, abs=12)
    # The pen crosses in the middle of the cross, leaves its sides free, and sets a dot behind it.
    assert ink[28:36, 28:36].max() > 200 and ink[28:36, 2:20].max() < 60 and ink[28:36, -12:].max() > 200


def test_strokes_are_drawn_with_pens_and_papers_that_their_names_decide(tmp_path: Path) -> None:
    cross = [[0, 0, 200, 200], [200, 0, 0, 200]]
    rows = [{"id": f"u{i}", "writer": "w", "split": "a", "text": "x", "strokes": cross} for i in range(6)]
    source, out = strokes(tmp_path / "s.gz", rows), (tmp_path / "one", tmp_path / "two")
    for folder in out:
        assert run("unpack_strokes.py", "--form", "varied", "--strokes", source, "--out", folder).returncode == 0
    pictures = [[path.read_bytes() for path in sorted(folder.glob("lines/*.png"))] for folder in out]
    assert pictures[0] == pictures[1] and len(set(pictures[0])) == 6
    grey = read_line(out[0] / "lines" / "u0.png", HandwritingSettings(height=64)).values.astype(int)
    middle = len(grey) // 2
    # The pen crosses in the middle; left and right of the crossing is paper.
    assert grey[middle - 4 : middle + 4, 28:36].min() < 80 < grey[middle - 20 : middle - 14, 30:34].mean()


def test_a_recipe_reads_unpacked_strokes_with_seen_texts_apart(tmp_path: Path) -> None:
    splits = {"u0": ("train", "x"), "u1": ("test", "y"), "u2": ("test", "x"), "u3": ("valid", "x")}
    rows = [{"id": i, "writer": i, "split": s, "text": t, "strokes": [[0.5, 1, 9, 9]]} for i, (s, t) in splits.items()]
    out = tmp_path / "out"
    done = run("unpack_strokes.py", "--strokes", strokes(tmp_path / "s.gz", rows), "--seen", "again", "--out", out)
    assert done.returncode == 0, done.stderr
    found = load_recipe("unipen").read(out).samples
    assert [sample.split for sample in found] == ["train", "test", "again", "valid"]
    assert b"<trace>0.5 1, 9 9</trace>" in found[0].path.read_bytes()
    with pytest.raises(RecognizerError, match="layout not recognised"):
        load_recipe("unipen").read(out / "lines")


def test_chosen_hands_are_parted_by_text(tmp_path: Path) -> None:
    cross, hands = [[0, 0, 9, 9], [0, 9, 9, 0]], ("a", "b", "c")
    rows = [
        {"id": f"{hand}{i}", "writer": hand, "split": "train", "text": f"text {i}", "strokes": cross}
        for hand in hands
        for i in range(20)
    ]
    path, out = strokes(tmp_path / "s.gz", rows), tmp_path / "out"
    done = run("unpack_strokes.py", "--strokes", path, "--hands", "a", "c", "--out", out)
    assert done.returncode == 0, done.stderr
    table = [row.split("\t") for row in (out / "manifest.tsv").read_text().splitlines()[1:]]
    assert {row[3] for row in table} == {"a", "c"} and len(table) == 40
    of = {split: {row[1] for row in table if row[2] == split} for split in ("train", "valid", "test")}
    assert [len(texts) for texts in of.values()] == [16, 2, 2] and len(set.union(*of.values())) == 20
    done = run("unpack_strokes.py", "--strokes", path, "--hands", "a", "x", "--out", out)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1) and "no lines of x" in done.stderr


@pytest.mark.parametrize("fault", [{"strokes": []}, {"strokes": [[1, 2, 3]]}, {"writer": None, "strokes": [["a", 1]]}])
def test_a_faulty_stroke_is_named_by_its_line(tmp_path: Path, fault: dict[str, object]) -> None:
    good: dict[str, object] = {"id": "u", "writer": "w", "split": "a", "text": "x", "strokes": [[0, 0, 9, 9]]}
    path = strokes(tmp_path / "s.gz", [good, good | fault])
    done = run("unpack_strokes.py", "--strokes", path, "--out", tmp_path / "out")
    assert done.returncode == 2 and f"{path}:2: " in done.stderr and done.stderr.count("\n") == 1
    done = run("unpack_strokes.py", "--strokes", path, "--split", "b", "--out", tmp_path / "out")
    assert done.returncode == 2
