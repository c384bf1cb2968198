"""The shared cases of what was read wrongly give their right results; skipped, saying so, where they are not there."""

import os
import shutil
from pathlib import Path

import pytest

from recognizer.cli import main
from recognizer.corpus.store import Store

NAMED = "RECOGNIZER_CASES"  # a folder that holds the cases, where they are not in ../shared/cases


@pytest.fixture(scope="module")
def cases() -> Path:
    folder = Path(os.environ.get(NAMED, Path(__file__).resolve().parents[2] / "shared" / "cases"))
    if not (folder / "images").is_dir():
        pytest.skip(f"the shared cases are neither in ../shared/cases nor where {NAMED} says")
    return folder


def run(capfd: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    said = capfd.readouterr()
    assert "Traceback" not in said.err
    code = ended.value.code
    assert isinstance(code, int)
    return code, said.out, said.err


LINES = ["les clubs de la ville", "un petit jardin vert", "la maison du village"]
READ = {
    "02_black_mask/line.png": ["les clubs de la ville et le pont du bois"],
    "03_tiff_orientation/o6.tif": LINES[:1],
    "04_exif6_raw/p.xml": LINES,
    "07_custom_order/p.xml": LINES,
    "07b_alto_order/p.xml": LINES,
    "21_stated_size_is_double/p.xml": LINES,
    "22_image_named_by_pdf_import/page1.xml": LINES,
    "23_alto_without_file_name/p.xml": LINES,
}


@pytest.mark.parametrize("name", READ)
def test_an_image_or_page_is_read_as_it_should_be(name: str, cases: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capfd, "transcribe", cases / "images" / name)
    assert (code, out.splitlines()) == (0, READ[name])


def test_all_files_of_a_folder_and_all_pages_of_a_file_are_read(cases: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capfd, "transcribe", cases / "images" / "05_twelve_bits")
    assert code == 0 and len({line.partition("\t")[2] for line in out.splitlines()}) == 1
    code, out, _ = run(capfd, "transcribe", cases / "images" / "06_multipage_tiff" / "m.tif")
    assert code == 0 and [line.casefold() for line in out.splitlines()] == LINES
    code, out, _ = run(capfd, "transcribe", cases / "images" / "09c_suffixes")
    assert code == 0 and len(out.splitlines()) == 3
    code, out, err = run(capfd, "transcribe", cases / "images" / "09d_empty_xml")
    assert (code, out) == (1, "") and "p.xml: the file is empty" in err


PREPARED = {
    "01b_percent_name": (0, 3, ""),
    "08_nfd_pair": (0, 1, ""),
    "10_one_bad_transcript": (1, 2, "2.gt.txt"),
    "11_nrm_png": (0, 1, ""),
    "15_quoted_tsv": (0, 1, ""),
    "16_alto_no_sp": (0, 1, ""),
    "20_one_bad_point": (1, 2, "line l1"),
    "24_id_stands_twice": (0, 3, ""),
    "25_point_overflow": (1, 2, "line l1"),
    "26_images_beside_page_folder": (0, 3, ""),
}
TEXTS = {"15_quoted_tsv": 'les clubs, "de" la ville', "16_alto_no_sp": "les clubs,"}


@pytest.mark.parametrize("name", PREPARED)
def test_a_folder_is_prepared_as_it_should_be(
    name: str, cases: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shares = ("--valid-share", 0, "--test-share", 0)
    code, out, err = run(capfd, "prepare", cases / "images" / name, "--out", tmp_path, *shares)
    expected, samples, said = PREPARED[name]
    store = Store(tmp_path)
    assert (code, len(store)) == (expected, samples) and said in err
    if name in TEXTS:
        assert store.text(0) == TEXTS[name]


def test_what_cannot_be_chosen_or_found_is_said(cases: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    images = cases / "images"
    code, out, err = run(capfd, "prepare", images / "01_missing_image", "--out", tmp_path / "a")
    assert "'autre.png' is not there" in out + err
    code, _, err = run(capfd, "prepare", images / "18_chocomufin_pair", "--out", tmp_path / "b")
    assert code == 2 and "--pages" in err
    chosen = ("--pages", "*.chocomufin.xml", "--valid-share", 0, "--test-share", 0)
    code, _, _ = run(capfd, "prepare", images / "18_chocomufin_pair", "--out", tmp_path / "b", *chosen)
    assert code == 0 and len(Store(tmp_path / "b")) == 3
    _, out, _ = run(capfd, "prepare", images / "17_hebrew_ltr", "--out", tmp_path / "c")
    assert "--direction rtl" in out
    _, out, _ = run(capfd, "check", tmp_path / "c")
    assert "--direction rtl" in out


def test_out_keeps_what_was_there_and_mirrors_folders(
    cases: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    images, copy = cases / "images", tmp_path / "copy"
    shutil.copytree(images / "13_out_over_notes", copy)
    before = (copy / "0.txt").read_bytes()
    code, _, err = run(capfd, "transcribe", copy, "--out", copy)
    assert code == 1 and "0.txt is there already" in err and (copy / "0.txt").read_bytes() == before
    code, _, _ = run(capfd, "transcribe", images / "13b_same_stem", "--out", tmp_path / "out")
    made = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.txt"))
    assert (code, made) == (0, ["vol1/0001.txt", "vol2/0001.txt"])


def test_tags_with_offsets_do_not_outlive_their_text(cases: Path, capfd: pytest.CaptureFixture[str]) -> None:
    page = cases / "images" / "14_tags_with_offsets" / "p.xml"
    code, out, err = run(capfd, "transcribe", page, "--format", "page")
    assert code == 0 and "offset:" not in out and "tags with offsets" in err


def test_lines_are_taken_or_left_by_their_tags(cases: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = cases / "images" / "27_lines_of_print_and_hand"
    code, out, _ = run(capfd, "evaluate", "handwriting", folder, "--split", "all", "--without-tag", "print")
    assert code == 0 and "samples 2" in out


WHOLE = ("gsm.wav", "flac_unknown_length.flac", "short_half.wav", "size0.wav", "over44.wav", "stereo_inverted.wav")


@pytest.mark.slow
@pytest.mark.parametrize("name", WHOLE)
def test_a_recording_is_read_whole(name: str, cases: Path, capfd: pytest.CaptureFixture[str]) -> None:
    _, base, _ = run(capfd, "transcribe", cases / "sound" / "base.wav")
    code, out, _ = run(capfd, "transcribe", cases / "sound" / name)
    assert code == 0 and out
    if name != "gsm.wav":
        assert out == base


@pytest.mark.slow
def test_both_streams_of_a_chained_ogg_file_are_read(cases: Path, capfd: pytest.CaptureFixture[str]) -> None:
    _, once, _ = run(capfd, "transcribe", cases / "sound" / "base.wav")
    code, out, _ = run(capfd, "transcribe", cases / "sound" / "chained.ogg")
    assert code == 0 and len(out) > 1.5 * len(once)


def test_stretches_are_cut_and_readings_of_one_name_are_told_apart(
    cases: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, _, _ = run(capfd, "prepare", cases / "sound" / "offsets.jsonl", "--out", tmp_path)
    assert code == 0 and {len(Store(tmp_path).signal(i)) for i in range(2)} == {8000}
    files = [cases / "sound" / "ctm" / folder / "rec.wav" for folder in ("s1", "s2")]
    code, out, _ = run(capfd, "transcribe", *files, "--format", "ctm", "--model", "digits")
    assert code == 0 and len({line.split()[0] for line in out.splitlines()}) == 2


DAMAGED = {
    "eps_called.png": "not an image that can be read",
    "half.sph": "broken off, 15744 of 32000 samples",
    "ogg_one_flip_half_gone.ogg": "damaged, Ogg page 3",
    "mp3_stderr_lines.mp3": "broken off",
    "deep_word.xml": "256 deep",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_gets_one_line(name: str, cases: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model = () if name.endswith((".png", ".xml")) else ("--model", "digits")  # speech would load its language model
    code, out, err = run(capfd, "transcribe", cases / "other" / name, *model)
    said = err.splitlines()
    assert (code, out, len(said)) == (2, "", 1) and said[0].startswith("recognizer: ") and DAMAGED[name] in said[0]


def test_coordinates_of_400_digits_get_one_line(cases: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from makers import save_model

    model = save_model("strokes", tmp_path / "model.safetensors")
    code, _, err = run(capfd, "transcribe", cases / "other" / "strokes_400_digits.json", "--model", model)
    assert code == 2 and err.count("\n") == 1
