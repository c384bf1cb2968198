"""What was read, in the forms that other programs take."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile
import tiny
from makers import line_image, save_model
from terminal import said

import recognizer
from recognizer.commands.options import DOCUMENTS
from recognizer.decoding.hypothesis import Hypothesis, Span
from recognizer.errors import RecognizerError
from recognizer.formats.formats import FORMATS, TimedFormat, format_reading
from recognizer.formats.layout import layout_of_image
from recognizer.formats.page_documents import ALTO, PAGE, XHTML, alto, hocr, page_xml
from recognizer.formats.result import Result, make_result
from recognizer.formats.sound_documents import ctm, subrip, subtitles, textgrid, webvtt, words_in_parts
from recognizer.formats.streamed import streamed
from recognizer.inputs.lines.image import HandwritingSettings, line_from_array


def spans(*parts: tuple[str, float, float, float]) -> tuple[Span, ...]:
    return tuple(Span(*part) for part in parts)


WORDS = spans(("he", 0.5, 0.75, 0.9), ("said", 0.8, 1.25, 0.6), ('"so"&<', 3661.0, 3662.5, 1.0))
LETTERS = spans(("h", 0.5, 0.6, 0.9), ("e", 0.6, 0.75, 0.9), (" ", 0.75, 0.8, 1.0), ("s", 0.8, 1.25, 0.6))
SOUND = Result("talks/a talk.flac", Hypothesis('he said "so"&<', 0.7, LETTERS, WORDS), "s", 3700.0)
SILENCE = Result("silent.wav", Hypothesis("", 1.0), "s", 2.5)
PLACED = spans(("Été", 3.4, 40.0, 0.931), ("&<é>", 52.0, 99.6, 0.5))
LINE = Result("scans/line 1.png", Hypothesis("Été &<é>", 0.8, (), PLACED), "px", 120.0, 48.0)


def test_subtitles_end_at_pauses_and_say_all_words_once() -> None:
    text = subrip(SOUND)
    assert text.startswith("1\n00:00:00,500 --> 00:00:01,250\nhe said\n\n2\n01:01:01,000 --> 01:01:02,500\n")
    vtt = webvtt(SOUND)
    assert vtt.startswith("WEBVTT\n\n00:00:00.500 --> 00:00:01.250\nhe said\n") and '"so"&amp;&lt;' in vtt
    assert subrip(SILENCE) == "" and webvtt(SILENCE) == "WEBVTT\n"


def test_a_subtitle_has_two_lines_and_six_seconds_at_most() -> None:
    random = np.random.default_rng(2)
    words, at = [], 0.0
    for _ in range(400):
        length = float(random.uniform(0.1, 0.9))
        words.append(Span("w" * int(random.integers(1, 13)), at, at + length, 1.0))
        at += length + float(random.choice([0.0, 0.1, 0.9]))
    runs = list(subtitles(words))
    assert [word for run in runs for word in run] == words
    for run in runs:
        assert run[-1].end - run[0].start <= 6.0
        assert all(b.start - a.end <= 0.8 for a, b in zip(run, run[1:], strict=False))
    for block in subrip(Result("x", Hypothesis("", 1.0, (), tuple(words)), "s", at)).strip().split("\n\n"):
        lines = block.splitlines()[2:]
        assert 1 <= len(lines) <= 2 and max(map(len, lines)) <= 42


def test_a_word_longer_than_a_line_is_kept_whole() -> None:
    long = Result("x", Hypothesis("", 1.0, (), spans(("w" * 100, 0.0, 1.0, 1.0), ("v", 1.0, 2.0, 1.0))), "s", 2.0)
    assert "\n" + "w" * 100 + "\n" in subrip(long) and subrip(long).count("v") == 1


def test_a_word_too_long_for_a_subtitle_is_divided_by_its_characters() -> None:
    long, at = "天地玄黄宇宙洪荒日月盈昃辰宿列张寒กี来暑往" + "abc" * 20, 0.0
    letters = []
    for letter in long:
        at += 1.0 if letter == "玄" else 0.0  # a pause
        length = 0.05 if letter in "abc" else 0.31
        letters.append(Span(letter, at, at + length, 0.9))
        at += length
    words = (Span(long, 0.0, at, 0.5), Span("off", at, at + 0.3, 1.0))
    after = spans((" ", at, at, 1.0), *((letter, at, at + 0.3, 1.0) for letter in "off"))
    found = Hypothesis(f"{long} off", 1.0, (*letters, *after), words)
    runs = list(subtitles(words_in_parts(found)))
    assert [span.text for span in runs[0]] == ["天地"] and runs[-1][-1] == words[1]
    assert runs[1][0].text == "玄黄宇宙洪荒日月盈昃辰宿列张寒กี来暑"  # six seconds are 19 characters
    assert "".join(span.text for run in runs for span in run) == f"{long}off"
    assert all(run[-1].end - run[0].start <= 6.0 for run in runs)
    record = Result("x", found, "s", at + 1)
    rows = [block.splitlines()[2:] for block in subrip(record).strip().split("\n\n")]
    assert rows == [[" ".join(span.text for span in run)] for run in runs] and max(len(row[0]) for row in rows) <= 42
    assert "".join(streamed([record], "srt", str, lambda: at + 1)) == subrip(record)


def test_a_mark_stays_with_its_letter_where_a_word_is_divided() -> None:
    letters = [Span("กี"[i % 2], i * 0.3, (i + 1) * 0.3, 1.0) for i in range(60)]
    letters.insert(19, Span("า", 5.7, 5.7, 1.0))  # now a mark is where six seconds end
    found = Hypothesis("", 1.0, tuple(letters), (Span("".join(one.text for one in letters), 0.0, 18.0, 1.0),))
    parts = [span.text for span in words_in_parts(found)]
    assert len(parts) > 1 and "".join(parts) == found.words[0].text and not any(one.startswith("ี") for one in parts)


def test_subtitles_break_no_word_at_its_hyphen() -> None:
    text = "the so-called up-to-date well-known far-reaching old-fashioned mother-in-law said so"
    words = [Span(word, i / 4, i / 4 + 0.2, 1.0) for i, word in enumerate(text.split())]
    rows = subrip(Result("x", Hypothesis(text, 1.0, (), tuple(words)), "s", 9.0)).splitlines()
    assert " ".join(row for row in rows if row and not row.isdecimal() and "-->" not in row) == text


def test_ctm_has_a_line_a_word() -> None:
    rows = [line.split() for line in ctm(SOUND).splitlines()]
    assert rows[0] == ["a_talk", "1", "0.500", "0.250", "he", "0.900"]
    assert [row[4] for row in rows] == ["he", "said", '"so"&<'] and {len(row) for row in rows} == {6}
    assert ctm(SILENCE) == ""


@pytest.mark.parametrize("read", [SOUND, SILENCE])
def test_a_textgrid_has_intervals_without_gaps(read: Result) -> None:
    text = textgrid(read)
    assert text.startswith('File type = "ooTextFile"\nObject class = "TextGrid"\n')
    for name, wanted in (("words", read.hypothesis.words), ("characters", read.hypothesis.characters)):
        tier = text.partition(f'name = "{name}"')[2].partition("item [")[0]
        times = [(float(a), float(b)) for a, b in re.findall(r"xmin = (\S+)\s+xmax = (\S+)\s+text", tier)]
        texts = [found.replace('""', '"') for found in re.findall(r'text = "(.*)"', tier)]
        assert f"intervals: size = {len(times)}" in tier and len(times) == len(texts)
        assert times[0][0] == 0.0 and times[-1][1] == read.extent
        assert all(a[1] == b[0] for a, b in zip(times, times[1:], strict=False)) and all(a < b for a, b in times)
        said = [(start, end, one) for (start, end), one in zip(times, texts, strict=True) if one]
        assert said == [(one.start, one.end, one.text) for one in wanted if one.text.strip()]


def test_letters_of_no_length_and_letters_that_overlap_stay_in_a_textgrid() -> None:
    letters = spans(("a", 0.0, 0.2, 1.0), ("b", 0.2, 0.2, 1.0), ("c", 0.1, 0.4, 1.0))
    text = textgrid(Result("x", Hypothesis("abc", 1.0, letters, ()), "s", 1.0))
    assert re.findall(r'text = "(.+)"', text) == ["ab", "c"]


def test_hocr_has_a_box_and_a_confidence_a_word() -> None:
    root = ElementTree.fromstring(hocr(layout_of_image(LINE)))
    by_class = {c: [e for e in root.iter() if e.get("class") == c] for c in ("ocr_page", "ocr_line", "ocrx_word")}
    assert root.tag == f"{{{XHTML}}}html"
    assert by_class["ocr_page"][0].get("title") == 'image "line 1.png"; bbox 0 0 120 48'
    titles = [word.get("title") for word in by_class["ocrx_word"]]
    assert titles == ["bbox 3 0 40 48; x_wconf 93", "bbox 52 0 100 48; x_wconf 50"]
    assert "".join(by_class["ocr_line"][0].itertext()).split() == ["Été", "&<é>"]


def test_page_xml_has_region_line_words_and_texts() -> None:
    root, name = ElementTree.fromstring(page_xml(layout_of_image(LINE))), {"p": PAGE}
    page = root.find("p:Page", name)
    assert page is not None
    assert page.attrib == {"imageFilename": "line 1.png", "imageWidth": "120", "imageHeight": "48"}
    line = page.find("p:TextRegion/p:TextLine", name)
    assert line is not None
    words = line.findall("p:Word", name)
    assert [word.find("p:Coords", name).get("points") for word in words] == [  # type: ignore[union-attr]
        "3,0 40,0 40,48 3,48",
        "52,0 100,0 100,48 52,48",
    ]
    assert [word.findtext("p:TextEquiv/p:Unicode", "", name) for word in words] == ["Été", "&<é>"]
    assert line.findtext("p:TextEquiv/p:Unicode", "", name) == "Été &<é>"
    assert [one.tag.partition("}")[2] for one in line] == ["Coords", "Word", "Word", "TextEquiv"]


def test_alto_has_strings_with_spaces_between() -> None:
    root, name = ElementTree.fromstring(alto(layout_of_image(LINE))), {"a": ALTO}
    line = root.find("a:Layout/a:Page/a:PrintSpace/a:TextBlock/a:TextLine", name)
    assert line is not None and line.get("WIDTH") == "120"
    assert [one.tag.partition("}")[2] for one in line] == ["String", "SP", "String"]
    assert line[0].attrib | {"ID": ""} == {
        "ID": "", "CONTENT": "Été", "WC": "0.931", "HPOS": "3", "VPOS": "0", "WIDTH": "37", "HEIGHT": "48",
    }  # fmt: skip
    assert root.findtext("a:Description/a:sourceImageInformation/a:fileName", "", name) == "line 1.png"


@pytest.mark.parametrize("character", ["\x01", "\x1b", "\uffff"])
def test_what_xml_cannot_hold_is_refused(character: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"c{character}.png", "d\ttab\u0085\u202e.png"]
    for name in names:
        line_image().save(tmp_path / name)
    words = ("transcribe", tmp_path, "--model", save_model("handwriting", tmp_path / "model"))
    for form in ("page", "alto", "hocr"):
        code, _, err = said(capsys, *words, "--format", form, "--out", tmp_path / form)
        assert code == 1 and err.count("\n") == 1
        assert f"U+{ord(character):04X} stands in its name, which XML cannot hold, expected it without, or JSON" in err
        (made,) = (tmp_path / form).iterdir()
        assert made.name.startswith(Path(names[1]).stem)
        ElementTree.parse(made)


def test_words_of_a_line_that_runs_down_stand_below_one_another() -> None:
    tall = np.asarray(line_image("down")).T
    signal = line_from_array(tall, HandwritingSettings(direction="ttb"))
    read = make_result("x.png", Hypothesis("a", 1.0, (), spans(("a", 10.0, 30.0, 1.0))), signal)
    assert read.size == (tall.shape[1], tall.shape[0])
    assert read.box(read.hypothesis.words[0]) == (0, 10, tall.shape[1], 30)


def test_a_form_refuses_files_without_its_places() -> None:
    assert tuple(FORMATS) == DOCUMENTS
    for name, form in FORMATS.items():
        other = LINE if isinstance(form, TimedFormat) else SOUND
        with pytest.raises(RecognizerError, match=f"its places are in {other.unit}, expected .* for {name}"):
            format_reading(other, name)


def test_the_command_line_writes_every_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = {kind: save_model(kind, tmp_path / f"{kind}.safetensors") for kind in ("handwriting", "speech")}
    line_image("some words").save(tmp_path / "a.png")
    soundfile.write(tmp_path / "b.wav", tiny.play("abcd dcba", np.random.default_rng(1)), tiny.RATE)
    for name, form in FORMATS.items():
        kind, file = ("speech", "b.wav") if isinstance(form, TimedFormat) else ("handwriting", "a.png")
        words = ["transcribe", tmp_path / file, "--model", models[kind], "--format", name]
        code, out, err = said(capsys, *words)
        assert (code, err) == (0, "")
        model = recognizer.load(models[kind])
        signal = model.signal(tmp_path / file)
        wanted = format_reading(make_result(str(tmp_path / file), model.read([signal])[0], signal), name)
        stamp = re.compile(r"<(Created|LastChange)>.*?<")
        assert stamp.sub("", out) == stamp.sub("", wanted)
        assert said(capsys, *words, "--out", tmp_path / "out")[0] == 0
        made = tmp_path / "out" / (Path(file).stem + form.suffix)
        assert stamp.sub("", made.read_text(encoding="utf-8")) == stamp.sub("", wanted)
        code, out, err = said(
            capsys, "align", tmp_path / file, "--text", "ab", "--model", models[kind], "--format", name
        )
        assert code == 0 and "ab" in out


def test_many_files_become_files_of_their_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = save_model("handwriting", tmp_path / "model.safetensors")
    for name in ("a.png", "b.png", "again/a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        line_image(name).save(tmp_path / name)
    files = [tmp_path / "a.png", tmp_path / "b.png"]
    code, out, err = said(capsys, "transcribe", *files, "--model", model, "--out", tmp_path / "txt")
    texts = [hypothesis.text for hypothesis in recognizer.load(model).transcribe(list(files))]
    assert (code, out) == (0, "")
    assert [(tmp_path / "txt" / f"{name}.txt").read_text() for name in "ab"] == [f"{text}\n" for text in texts]
    code, out, err = said(capsys, "transcribe", *files, "--model", model, "--format", "json", "--out", tmp_path / "j")
    assert json.loads((tmp_path / "j" / "b.json").read_text())["text"] == texts[1]
    code, out, err = said(capsys, "transcribe", *files, "--model", model, "--format", "page")
    assert code == 2 and "expected --out" in err and err.count("\n") == 1
    code, out, err = said(capsys, "transcribe", *files, tmp_path / "again", "--model", model, "--out", tmp_path / "o")
    written = sorted(path.relative_to(tmp_path / "o").as_posix() for path in (tmp_path / "o").rglob("*.txt"))
    assert code == 0 and len(written) == 3 and "b.txt" in written, written  # both that are called a.png
    code, out, err = said(capsys, "transcribe", *files, "--model", model, "--format", "srt", "--out", tmp_path / "s")
    assert code == 1 and err.count("expected a recording for srt") == 2
    code, out, err = said(
        capsys, "transcribe", files[0], "--model", model, "--format", "alto", "--min-confidence", "0.5"
    )
    assert code == 2 and "--min-confidence marks words in txt and json" in err
