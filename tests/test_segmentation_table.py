"""The table of how well lines are found: against the XML, and with what a model takes for no writing left out."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from made_pages import write_page

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from segmentation_table import main  # noqa: E402

from recognizer.decoding.hypothesis import Hypothesis  # noqa: E402
from recognizer.errors import RecognizerError  # noqa: E402
from recognizer.inputs.signal import Signal  # noqa: E402
from recognizer.reading.reader import Reader  # noqa: E402


def printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object) -> list[str]:
    monkeypatch.setattr(sys, "argv", ["segmentation_table", *map(str, words)])
    main()
    return capsys.readouterr().out.splitlines()


def test_what_a_model_takes_for_no_writing_does_not_count_as_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pages").mkdir()
    write_page(tmp_path / "pages" / "a", 1, lines=6)
    plain = printed(monkeypatch, capsys, tmp_path / "pages", "--pages", 1)
    assert plain[2] == "| pages | 1 | 6 | 6 | 100.0% | 100.0% | 100.0% |" and plain[3].startswith("| all | 1 | 6 | 6 |")
    assert printed(monkeypatch, capsys, tmp_path / "pages", "--pages", 1, "--model", "handwriting") == plain
    whole = Reader.read

    def doubting(self: Reader, signals: Sequence[Signal]) -> list[Hypothesis]:
        return [Hypothesis("", 0.0), *whole(self, signals)[1:]]

    monkeypatch.setattr(Reader, "read", doubting)
    doubted = printed(monkeypatch, capsys, tmp_path / "pages", "--pages", 1, "--model", "handwriting")
    assert doubted[2] == "| pages | 1 | 6 | 5 | 83.3% | 100.0% | 90.9% |"


def test_a_language_model_without_a_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["segmentation_table", str(tmp_path), "--lm", "fr"])
    with pytest.raises(RecognizerError, match="--lm has no effect without --model"):
        main()
