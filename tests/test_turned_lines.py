"""An image of a line that cannot be read as it lies is named beside its text."""

from pathlib import Path

import pytest
from made_pages import demo_lines

from recognizer.cli import main


def test_a_line_turned_by_a_right_angle_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, image = demo_lines("test")[0]
    image.save(tmp_path / "level.png")
    image.rotate(90, expand=True).save(tmp_path / "turned.png")
    with pytest.raises(SystemExit) as left:
        main(["transcribe", str(tmp_path / "level.png"), str(tmp_path / "turned.png")])
    assert left.value.code == 0
    said = capsys.readouterr().err
    assert "turned.png: much higher than wide" in said and "level.png: much" not in said
