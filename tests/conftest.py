"""Fixtures that several test files use."""

import os
import signal
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # Of a shell's background job, whose programs would not hear Ctrl-C: some tests stop programs with it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ.setdefault("OMP_NUM_THREADS", "1")  # tiny networks gain nothing from threads

if TYPE_CHECKING:
    from tiny import Run


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Give every test the environment of the first: a training leaves its ranks, its port and its run's folder."""
    before = dict(os.environ)
    try:
        return (yield)
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real data beside the checkout; skip where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "corpora").is_dir():
        pytest.skip("real data (../shared) is not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny packed corpus of lines, its files in the folder files beside it."""
    import tiny

    return tiny.line_corpus(tmp_path_factory.mktemp("lines"))


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny packed corpus of tones, its files in the folder files beside it."""
    import tiny

    return tiny.sound_corpus(tmp_path_factory.mktemp("sounds"))


@pytest.fixture(scope="session")
def strokes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny packed corpus of pen strokes, its files in the folder files beside it."""
    import tiny

    return tiny.stroke_corpus(tmp_path_factory.mktemp("strokes"))


@pytest.fixture(scope="session")
def line_run(lines: Path, tmp_path_factory: pytest.TempPathFactory) -> "Run":
    """Return a short run over the tiny lines, whose model reads something, much of it wrong."""
    import tiny

    folder = tmp_path_factory.mktemp("line-run")
    config = tiny.restless(tiny.line_config(lines), folder / "first.safetensors")
    return tiny.Run(folder / "run", config, tiny.fit(config, folder / "run"))


@pytest.fixture(scope="session")
def sound_run(sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> "Run":
    """Return a short run over the tiny tones, whose model reads something, much of it wrong."""
    import tiny

    folder = tmp_path_factory.mktemp("sound-run")
    config = tiny.restless(tiny.sound_config(sounds), folder / "first.safetensors")
    return tiny.Run(folder / "run", config, tiny.fit(config, folder / "run"))
