"""A server of its own and a real Chromium before it, as tests use them."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra [web] is not installed")
pytest.importorskip("playwright", reason="playwright, which drives the browser, is not installed")
from playwright.sync_api import Page, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
PICTURES = os.environ.get("RECOGNIZER_SCREENSHOTS")  # folder of the guide's pictures, where they are to be made anew
PATIENCE = 60_000  # milliseconds: other work may go on beside the tests
expect.set_options(timeout=PATIENCE)


def chromium() -> str:
    """Return the path of Chromium; skip where there is none."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    pytest.skip(f"no Chromium here (looked for {', '.join(NAMES)})")


@dataclass
class Server:
    """`recognizer serve` in a process of its own.

    Args:
        words: of its command line.
        address: where it answers, once it does.
    """

    words: list[str]
    address: str = ""
    process: "subprocess.Popen[str] | None" = None

    def start(self) -> None:
        """Begin, and wait for its address."""
        command = [sys.executable, "-m", "recognizer", "serve", *self.words, "--port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.address = self.process.stdout.readline().split()[0]

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """End it as Ctrl-C does; return its exit code."""
        assert self.process
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)


@contextlib.contextmanager
def serve(*words: object) -> Iterator[Server]:
    """Yield a server that runs."""
    server = Server([str(word) for word in words])
    server.start()
    try:
        yield server
    finally:
        if server.process and server.process.poll() is None:
            server.stop()


@dataclass
class Watched:
    """A page with what it asked for and complained of."""

    page: Page
    asked: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@contextlib.contextmanager
def browse(address: str, width: int = 1280, height: int = 800, **more: Any) -> Iterator[Page]:
    """Yield a page of the server in Chromium; afterwards nothing may have gone wrong or to another host."""
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB", **more)
            watched = Watched(context.new_page())
            page = watched.page
            page.set_default_timeout(PATIENCE)
            page.on("request", lambda request: watched.asked.append(request.url))
            page.on("pageerror", lambda error: watched.faults.append(str(error)))
            page.goto(address)
            page.locator("#language").wait_for()
            yield page
            strange = [url for url in watched.asked if not url.startswith((address, "data:", "blob:"))]
            assert not strange, f"asked another host: {strange}"
            assert not watched.faults, watched.faults
        finally:
            browser.close()


def drop(page: Page, *paths: Path) -> None:
    """Drop files on the window."""
    files = [{"name": path.name, "data": list(path.read_bytes())} for path in paths]
    page.evaluate(
        """(files) => {
            const transfer = new DataTransfer();
            for (const {name, data} of files) transfer.items.add(new File([new Uint8Array(data)], name));
            for (const kind of ["dragenter", "dragover", "drop"])
                window.dispatchEvent(new DragEvent(kind, {dataTransfer: transfer, bubbles: true, cancelable: true}));
        }""",
        files,
    )


def picture(page: Page, name: str) -> None:
    """Keep what the page shows as a picture of the guide, where pictures are to be made anew."""
    if not PICTURES:
        return
    import io

    from PIL import Image

    Path(PICTURES).mkdir(parents=True, exist_ok=True)
    Image.open(io.BytesIO(page.screenshot())).save(Path(PICTURES) / f"{name}.webp", quality=72, method=6)
