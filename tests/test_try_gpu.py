"""The trial of a GPU: one failing part does not cost the others their turn."""

import time

import try_gpu

from recognizer.errors import RecognizerError


def test_a_failing_part_is_a_row_and_nothing_begins_after_the_end() -> None:
    def fails() -> list[try_gpu.Row]:
        raise RecognizerError("no | room")

    now = time.monotonic()
    assert try_gpu.step_rows("it", fails, now + 60) == [("it", "failed: RecognizerError: no / room", "")]
    assert try_gpu.step_rows("it", fails, now - 60) == [("it", "left out, no time", "left out, no time")]
