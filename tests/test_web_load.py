"""Two hundred requests at once before a server of its own: all are answered, and its memory stays what it was."""

import io
import json
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from makers import line_image, save_model

pytest.importorskip("fastapi", reason="the extra [web] is not installed")
from browser import serve  # noqa: E402

AT_ONCE = 200
BAD = 17  # the request whose file is none
GROWTH = 150  # MB that three more rounds may add: a server that kept what it read would add more each time
BOUNDARY = "b0undary"


@pytest.mark.slow
def test_two_hundred_requests_at_once_are_answered_and_memory_stays_bounded(tmp_path: Path) -> None:
    model = save_model("handwriting", tmp_path / "model.safetensors")
    lines = [png(f"line {number}") for number in range(8)]
    (tmp_path / "files").mkdir()
    with serve(tmp_path / "files", "--model-lines", model) as server:
        assert server.process
        status = Path(f"/proc/{server.process.pid}/status")
        if not status.is_file():
            pytest.skip("no /proc here to ask for a process's memory")
        ask_all(server.address, lines)
        before = resident(status)
        for _ in range(3):
            answers = ask_all(server.address, lines)
            assert Counter(code for code, _ in answers) == {200: AT_ONCE - 1, 415: 1}
            assert answers[BAD][0] == 415 and "\n" not in error_of(answers[BAD][1])
            for number, (_, answer) in enumerate(answers):
                if number != BAD:
                    (record,) = json.loads(answer)["records"]
                    assert record["file"] == f"{number}.png"
        assert resident(status) - before < GROWTH


def ask_all(address: str, lines: list[bytes]) -> list[tuple[int, str]]:
    """Return status and text of the answers to AT_ONCE requests sent at once, in their order."""
    files = [b"no image" if number == BAD else lines[number % len(lines)] for number in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda one: ask(address, f"{one[0]}.png", one[1]), enumerate(files)))


def ask(address: str, name: str, data: bytes) -> tuple[int, str]:
    """Return status and text of the answer to a file."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
    body = head.encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    request = urllib.request.Request(f"{address.rstrip('/')}/transcribe", body, kind)
    try:
        with urllib.request.urlopen(request, timeout=300) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def error_of(answer: str) -> str:
    return str(json.loads(answer).get("error") or json.loads(answer)["errors"][0])


def resident(status: Path) -> float:
    """Return the memory in MB that a process holds."""
    (size,) = [row.split()[1] for row in status.read_text().splitlines() if row.startswith("VmRSS")]
    return int(size) / 1024


def png(text: str) -> bytes:
    file = io.BytesIO()
    line_image(text).save(file, "PNG")
    return file.getvalue()
