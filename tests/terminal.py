"""The command line as a test calls it."""

import io
from contextlib import redirect_stdout

import pytest

from recognizer.cli import main


def said(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Return the exit code of a call, what it printed, what it complained of."""
    with pytest.raises(SystemExit) as stopped:
        main([str(word) for word in words])
    out, err = capsys.readouterr()
    return int(str(stopped.value.code)), out, err


def code_of(*words: object) -> int:
    """Return the exit code of a call whose output does not count, and may hold names that are no UTF-8."""
    with redirect_stdout(io.StringIO()), pytest.raises(SystemExit) as stopped:
        main([str(word) for word in words])
    return int(str(stopped.value.code))
