"""The trial of a GPU: one failing part does not cost the others their turn."""

import time
from pathlib import Path

import try_gpu

from recognizer.errors import RecognizerError


def test_a_failing_part_is_a_row_and_nothing_begins_after_the_end() -> None:
    def fails() -> list[try_gpu.Row]:
        raise RecognizerError("no | room")

    now = time.monotonic()
    assert try_gpu.step_rows("it", fails, now + 60) == [("it", "failed: RecognizerError: no / room", "")]
    assert try_gpu.step_rows("it", fails, now - 60) == [("it", "left out, no time", "left out, no time")]


def test_the_seconds_of_the_last_epoch_are_those_since_the_one_before(tmp_path: Path) -> None:
    history = tmp_path / "history.tsv"
    history.write_text("epoch\tsteps\tloss\tcer\twer\tseconds\tprocessor\n0\t9\t2.0\t0.5\t0.9\t8.5\t1\n")
    assert try_gpu.last_epoch(tmp_path) == 8.5
    history.write_text(history.read_text() + "1\t18\t1.0\t0.4\t0.8\t10.0\t2\n")
    assert try_gpu.last_epoch(tmp_path) == 1.5
