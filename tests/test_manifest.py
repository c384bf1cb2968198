"""Tests of reading manifests and folders."""

from pathlib import Path

import pytest

from recognizer.corpus.manifest import read_corpus, read_table
from recognizer.errors import RecognizerError


def files(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def refusal(path: Path) -> str:
    with pytest.raises(RecognizerError) as caught:
        read_corpus(path)
    return str(caught.value)


def test_a_tsv_is_read_with_split_group_and_origin(tmp_path: Path) -> None:
    files(tmp_path, "a.png", "b.png")
    path = write(tmp_path, "m.tsv", "file\ttext\tsplit\tgroup\na.png\tun\ttrain\tw1\nb.png\tdeux\ttest\tw2\n")
    first, second = read_corpus(path)
    assert (first.path, first.text, first.split, first.group) == (tmp_path / "a.png", "un", "train", "w1")
    assert (second.text, second.split, second.group, second.origin) == ("deux", "test", "w2", "m.tsv:3")


def test_a_quote_in_a_tsv_is_a_quote(tmp_path: Path) -> None:
    files(tmp_path, "a.png", "b.png")
    path = write(tmp_path, "m.tsv", 'file\ttext\na.png\t"Oui\nb.png\tnon"\n')
    assert [sample.text for sample in read_corpus(path)] == ['"Oui', 'non"']


def test_a_csv_field_may_be_quoted_and_hold_commas_and_line_ends(tmp_path: Path) -> None:
    files(tmp_path, "a.png", "b.png", "c.png")
    path = write(tmp_path, "m.csv", 'file,text\na.png,"un, ""deux"""\nb.png,"x\ny"\nc.png,z\n')
    samples = read_corpus(path)
    assert [sample.text for sample in samples] == ['un, "deux"', "x\ny", "z"]
    assert [sample.origin for sample in samples] == ["m.csv:2", "m.csv:3", "m.csv:5"]


def test_a_jsonl_line_is_a_row_and_a_number_may_be_a_group(tmp_path: Path) -> None:
    files(tmp_path, "a.wav")
    path = write(tmp_path, "m.jsonl", '{"file": "a.wav", "text": "un\\u00e9", "speaker": 1272, "_x": [1]}\n')
    (sample,) = read_corpus(path)
    assert (sample.text, sample.group, sample.split) == ("uné", "1272", "")


def test_byte_order_mark_carriage_returns_and_last_empty_lines_do_no_harm(tmp_path: Path) -> None:
    files(tmp_path, "a.png")
    for name, text in (("m.tsv", "file\ttext\r\na.png\tun\r\n\r\n"), ("m.csv", "file,text\r\na.png,un\r\n\r\n")):
        path = write(tmp_path, name, "\ufeff" + text)
        assert [sample.text for sample in read_corpus(path)] == ["un"]


def test_a_line_separator_inside_a_transcript_does_not_end_the_row(tmp_path: Path) -> None:
    files(tmp_path, "a.png")
    path = write(tmp_path, "m.tsv", "file\ttext\na.png\tun\u2028deux\x85\n")
    assert [sample.text for sample in read_corpus(path)] == ["un\u2028deux\x85"]


@pytest.mark.parametrize("column", ["writer", "speaker", "page", "letter", "document"])
def test_a_writer_speaker_page_letter_or_document_is_the_group(tmp_path: Path, column: str) -> None:
    files(tmp_path, "a.png")
    path = write(tmp_path, "m.tsv", f"_age\t{column}\tfile\ttext\n7\tg1\ta.png\tun\n")
    assert [sample.group for sample in read_corpus(path)] == ["g1"]


def test_a_column_called_group_comes_before_a_writer(tmp_path: Path) -> None:
    files(tmp_path, "a.png")
    path = write(tmp_path, "m.tsv", "writer\tgroup\tfile\ttext\nw\tg\ta.png\tun\n")
    assert [sample.group for sample in read_corpus(path)] == ["g"]


def test_a_table_without_header_is_read_by_given_columns_and_keeps_its_line_numbers(tmp_path: Path) -> None:
    files(tmp_path, "lines/a.webp")
    path = write(tmp_path, "transcripts.tsv", "a.webp\ttrain\tw1\tun\n")
    (sample,) = read_table(path, "lines", ("file", "split", "group", "text"))
    assert (sample.path, sample.origin) == (tmp_path / "lines" / "a.webp", "transcripts.tsv:1")
    write(tmp_path, "transcripts.tsv", "a.webp\ttrain\tw1\tun\nb.webp\ttrain\n")
    with pytest.raises(RecognizerError, match="transcripts.tsv:2: 2 fields, expected 4: file, split, group, text"):
        read_table(path, "lines", ("file", "split", "group", "text"))


@pytest.mark.parametrize("name", ["manifest.tsv", "transcripts.tsv"])
def test_a_folder_with_one_manifest_is_that_manifest(tmp_path: Path, name: str) -> None:
    files(tmp_path, "a.png", "stray.png")
    write(tmp_path, name, "file\ttext\na.png\tun\n")
    assert [sample.origin for sample in read_corpus(tmp_path)] == [f"{name}:2"]


def test_a_folder_with_two_manifests_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "manifest.tsv", "")
    write(tmp_path, "manifest.csv", "")
    assert "manifest.tsv and manifest.csv" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("m.tsv", "path\ttext\na.png\tun\n", "m.tsv:1: no column file; found 'path', 'text'; expected file, text"),
        ("m.tsv", "a.png\ttrain\tw\tun\n", "no column file or text; found 'a.png', 'train'"),
        ("m.csv", "file;text\na.png;un\n", "found 'file;text'"),
        ("m.tsv", "file\ttext\ttext\na.png\tun\tun\n", "stands twice"),
        ("m.tsv", "file\ttext\na.png\n", "m.tsv:2: 1 fields, expected 2: file, text"),
        ("m.tsv", "file\ttext\na.png\tun\tdeux\n", "m.tsv:2: 3 fields, expected 2"),
        ("m.tsv", "file\ttext\na.png\tun\n\nb.png\tdeux\n", "m.tsv:3: 1 fields"),
        ("m.csv", 'file,text\na.png,un\nb.png,"deux\n', "m.csv:3: "),
        ("m.csv", "file,text\na.png,un,deux\n", "m.csv:2: 3 fields"),
        ("m.jsonl", '{"file": "a.png", "text": "un"}\n{"file": \n', "m.jsonl:2: not JSON"),
        ("m.jsonl", "[1]\n", "m.jsonl:1: JSON of type list"),
        ("m.jsonl", '{"file": "a.png"}\n', "m.jsonl:1: no string 'text'; found 'file'"),
        ("m.jsonl", '{"file": "a.png", "text": null}\n', "m.jsonl:1: text is null, expected a string"),
        ("m.jsonl", '{"file": "a.png", "text": "un", "split": [1]}\n', "m.jsonl:1: split is [1]"),
        ("m.tsv", "file\ttext\n", "holds no row"),
        ("m.jsonl", "", "holds no row"),
        ("m.tsv", "", "no column file or text"),
        ("m.tsv", "file\ttext\n\tun\n", "m.tsv:2: the file name is empty"),
        ("m.tsv", "file\ttext\tstart\n/\tun\t1\n", "m.tsv:2: the file name is '/', expected a path"),
        ("m.tsv", "file\ttext\na.png\tun\n./a.png\tdeux\n", "m.tsv:3: a.png stands at m.tsv:2 too"),
        ("m.tsv", "file\ttext\nq.png\tx\nr.png\ty\n", "m.tsv:2: "),
        ("m.txt", "file\ttext\n", "expected the suffix .tsv, .csv or .jsonl"),
    ],
)
def test_each_fault_of_a_table_is_named(tmp_path: Path, name: str, text: str, wanted: str) -> None:
    files(tmp_path, "a.png", "b.png")
    message = refusal(write(tmp_path, name, text))
    assert wanted in message and "\n" not in message


def test_a_file_that_is_not_there_is_left_out_by_name_and_a_table_without_any_is_refused(tmp_path: Path) -> None:
    files(tmp_path, "a.png")
    table = write(tmp_path, "m.tsv", "file\ttext\na.png\tun\nq.png\tx\nr.png\ty\n")
    there, *others = read_corpus(table)
    assert not there.fault and [one.reason for one in others] == ["no such file"] * 2
    assert others[0].fault == f"m.tsv:3: {tmp_path / 'q.png'} is not there"
    (tmp_path / "a.png").unlink()
    assert "a.png is not there (3 of 3 files are not)" in refusal(table)


def test_a_line_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.tsv").write_bytes(b"file\ttext\na.png\tun\nb.png\t\xe9t\xe9\n")
    assert "m.tsv:3: byte 0xe9 is not UTF-8" in refusal(tmp_path / "m.tsv")


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "nowhere: not there" in refusal(tmp_path / "nowhere")


def test_a_folder_of_pairs_is_read_at_any_depth_in_order(tmp_path: Path) -> None:
    files(tmp_path, "train/b.png", "train/deep/a.flac", "c.d.JPG", "README.md", ".hidden.png")
    for name, text in (("train/b", "un\n"), ("train/deep/a", "\ufeffdeux"), ("c.d", "trois\r\n")):
        write(tmp_path, f"{name}.gt.txt", text)
    samples = {sample.path.name: sample for sample in read_corpus(tmp_path)}
    assert {name: sample.text for name, sample in samples.items()} == {
        "c.d.JPG": "trois",
        "b.png": "un",
        "a.flac": "deux",
    }
    assert [samples[name].split for name in ("b.png", "a.flac", "c.d.JPG")] == ["train", "train", ""]


def faults(folder: Path) -> dict[str, str]:
    """Return what is wrong with the samples of a folder, by their names; the good one is there too."""
    return {sample.path.name: sample.fault for sample in read_corpus(folder)}


def test_an_image_without_transcript_costs_itself(tmp_path: Path) -> None:
    files(tmp_path, "a.png", "a.gt.txt", "b.png", "c.png")
    found = faults(tmp_path)
    assert (
        found["a.png"] == ""
        and "b.png: no transcript beside it, expected b.gt.txt" in found["b.png"]
        and found["c.png"]
    )


def test_a_transcript_without_image_costs_itself(tmp_path: Path) -> None:
    files(tmp_path, "a.png", "a.gt.txt", "b.gt.txt")
    found = faults(tmp_path)
    assert found["a.png"] == "" and "b.gt.txt: a transcript without" in found["b.gt.txt"]


def test_two_images_of_one_transcript_are_named_and_the_others_kept(tmp_path: Path) -> None:
    files(tmp_path, "a.png", "a.jpg", "a.gt.txt", "b.png", "b.gt.txt")
    found = faults(tmp_path)
    assert found.pop("b.png") == "" and "shares one transcript" in " ".join(found.values())


def test_a_transcript_of_two_lines_or_of_another_encoding_costs_itself(tmp_path: Path) -> None:
    files(tmp_path, "a.png", "b.png", "c.png", "c.gt.txt")
    write(tmp_path, "a.gt.txt", "un\ndeux\n")
    (tmp_path / "b.gt.txt").write_bytes(b"\xe9t\xe9")
    found = faults(tmp_path)
    assert "a.gt.txt:2: 2 lines" in found["a.png"] and "is not UTF-8" in found["b.png"] and found["c.png"] == ""


def test_names_composed_of_other_code_points_and_normalised_images_are_pairs(tmp_path: Path) -> None:
    files(tmp_path, "e\u0301te\u0301.png", "010001.nrm.png", "010002.bin.png", "010002.png")
    for name in ("\u00e9t\u00e9", "010001", "010002"):
        write(tmp_path, f"{name}.gt.txt", "un")
    found = faults(tmp_path)
    assert set(found) == {"e\u0301te\u0301.png", "010001.nrm.png", "010002.png"} and not any(found.values())


def test_a_row_may_compose_the_name_of_its_file_otherwise(tmp_path: Path) -> None:
    files(tmp_path, "e\u0301/te\u0301.wav", "\u00e0.wav")
    rows = "\u00e9/t\u00e9.wav\tun\t0\t1\na\u0300.wav\tdeux\t0\t1\n"
    found = read_corpus(write(tmp_path, "m.tsv", f"file\ttext\tstart\tend\n{rows}"))
    assert [sample.path for sample in found] == [tmp_path / "e\u0301/te\u0301.wav[0-1]", tmp_path / "\u00e0.wav[0-1]"]
    assert not any(sample.fault for sample in found)
    both = "file\ttext\n\u00e0.wav\tun\na\u0300.wav\tdeux\n"
    assert "m.tsv:3: \u00e0.wav stands at m.tsv:2 too" in refusal(write(tmp_path, "m.tsv", both))


@pytest.mark.parametrize("name", ["s.eaf", "s.TextGrid", "s.srt"])
def test_an_annotation_is_refused_with_the_table_to_make_of_it(tmp_path: Path, name: str) -> None:
    message = refusal(write(tmp_path, name, "x"))
    assert "expected a table of it" in message and "file, text, start, end (in seconds)" in message


def test_two_spellings_of_the_name_of_a_transcript_are_named(tmp_path: Path) -> None:
    files(tmp_path, "\u00e9t\u00e9.png", "b.png", "b.gt.txt")
    for name in ("e\u0301te\u0301", "\u00e9t\u00e9"):
        write(tmp_path, f"{name}.gt.txt", "un")
    found = faults(tmp_path)
    assert found["b.png"] == "" and found["\u00e9t\u00e9.png"].endswith(
        r"'e\u0301te\u0301.gt.txt' and '\xe9t\xe9.gt.txt', expected one"
    )


def test_a_folder_that_is_a_link_is_looked_into_and_a_broken_link_is_named(tmp_path: Path) -> None:
    files(tmp_path, "there/a.png", "there/a.gt.txt")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "there")
    (tmp_path / "in" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "there" / "round").symlink_to(tmp_path / "there")
    found = faults(tmp_path / "in")
    assert found["a.png"] == "" and "which is not there" in found["gone.png"]
    assert "a link to a folder that it stands in" in found["round"]


def test_an_unknown_column_is_refused_by_name_with_the_one_that_was_meant(tmp_path: Path) -> None:
    files(tmp_path, "a.png")
    assert "m.tsv:1: unknown column 'spilt' (split?)" in refusal(
        write(tmp_path, "m.tsv", "file\ttext\tspilt\na.png\tx\ty\n")
    )
    row = '{"file": "a.png", "text": "x", "ofset": 1}\n'
    assert "m.jsonl:1: unknown column 'ofset' (offset?)" in refusal(write(tmp_path, "m.jsonl", row))


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ('"offset": 0.5, "duration": 1.25', "a.wav[0.5-1.75]"),
        ('"start": 1, "end": 2.5, "channel": 2', "a.wav[1-2.5,2]"),
        ('"start": 1', "a.wav[1-]"),
        ('"channel": 2', "a.wav[0-,2]"),
        ('"offset": 0.30000000000000004, "duration": 1e-05', "a.wav[0.3-0.30001]"),
        ('"duration": 3.5', "a.wav"),
    ],
)
def test_a_row_that_names_a_stretch_is_that_stretch(tmp_path: Path, fields: str, name: str) -> None:
    files(tmp_path, "a.wav")
    path = write(tmp_path, "m.jsonl", f'{{"file": "a.wav", "text": "un", {fields}}}\n')
    assert [sample.path.name for sample in read_corpus(path)] == [name]


def test_a_stretch_that_is_said_twice_or_is_no_number_is_refused(tmp_path: Path) -> None:
    files(tmp_path, "a.wav")
    for fields in ('"start": 1, "offset": 2', '"end": 1, "duration": 2'):
        assert "say the same twice" in refusal(
            write(tmp_path, "m.jsonl", f'{{"file": "a.wav", "text": "", {fields}}}\n')
        )
    assert "offset is 'later'" in refusal(write(tmp_path, "m.tsv", "file\ttext\toffset\na.wav\tx\tlater\n"))


@pytest.mark.parametrize("channel", ["0", "1.5"])
def test_a_channel_is_a_whole_number_from_1_on(tmp_path: Path, channel: str) -> None:
    files(tmp_path, "a.wav")
    path = write(tmp_path, "m.tsv", f"file\ttext\tchannel\na.wav\tx\t{channel}\n")
    assert f"m.tsv:2: channel is {channel}, expected a whole number from 1 on" in refusal(path)


def test_fields_that_a_spreadsheet_quoted_lose_its_quotes_and_others_keep_theirs(tmp_path: Path) -> None:
    files(tmp_path, "a.png", "b.png")
    quoted = 'file\ttext\na.png\t"les clubs, ""de"" la ville"\nb.png\tplain\n'
    assert [sample.text for sample in read_corpus(write(tmp_path, "m.tsv", quoted))] == [
        'les clubs, "de" la ville',
        "plain",
    ]
    said = 'file\ttext\na.png\t"Oui"\nb.png\t"non\n'
    assert [sample.text for sample in read_corpus(write(tmp_path, "n.tsv", said))] == ['"Oui"', '"non']


@pytest.mark.parametrize("rest", ['b.png\t"Viens\nc.png\tici"\nd.png\tfin\n', 'b.png\t"Viens\tici"\n'])
def test_a_quotation_mark_that_swallows_the_next_field_or_row_is_refused(tmp_path: Path, rest: str) -> None:
    for name in "abcd":
        (tmp_path / f"{name}.png").touch()
    table = tmp_path / "m.tsv"
    table.write_text(f'file\ttext\na.png\t"il dit ""oui"""\n{rest}', encoding="utf-8")
    with pytest.raises(RecognizerError, match=r"m\.tsv:3: a quotation mark is not closed where the field ends, 'Viens"):
        read_corpus(table)


@pytest.mark.parametrize("names", [(), ("a.png", "b.png")])
def test_a_folder_that_is_no_corpus_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    files(tmp_path, *names)
    assert "no corpus, expected manifest.tsv" in refusal(tmp_path)
