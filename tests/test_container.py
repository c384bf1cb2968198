"""The Dockerfile held against what it copies, installs and starts; building it takes a daemon."""

import json
import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import pytest

from recognizer.commands.console import terminal
from recognizer.commands.serve import add_serve

ROOT = Path(__file__).resolve().parents[1]
STEPS = (ROOT / "Dockerfile").read_text()


@pytest.fixture
def project() -> dict[str, Any]:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has none")
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return found


def copied() -> set[str]:
    """Return what the Dockerfile copies out of the checkout."""
    return {source for line in re.findall(r"^COPY (.+)$", STEPS, re.MULTILINE) for source in line.split()[:-1]}


def test_all_that_the_wheel_is_built_from_is_copied(project: dict[str, Any]) -> None:
    about, wheel = project["project"], project["tool"]["hatch"]["build"]["targets"]["wheel"]
    parts = {"pyproject.toml", about["readme"], *about["license-files"], *wheel["packages"], *wheel["force-include"]}
    assert parts == copied() and all((ROOT / part).exists() for part in parts)


def test_all_that_is_copied_is_let_in() -> None:
    first, *rest = (ROOT / ".dockerignore").read_text().splitlines()
    assert first == "*" and {line[1:] for line in rest if line.startswith("!")} == copied()


def test_the_extras_that_it_installs_exist(project: dict[str, Any]) -> None:
    (extras,) = re.findall(r"pip install .*\"\.\[(.+)\]\"", STEPS)
    assert set(extras.split(",")) <= set(project["project"]["optional-dependencies"])


def test_it_starts_a_server_at_the_port_that_it_exposes() -> None:
    (words,) = re.findall(r"^CMD (.+)$", STEPS, re.MULTILINE)
    (port,) = re.findall(r"^EXPOSE (\d+)$", STEPS, re.MULTILINE)
    parser = ArgumentParser()
    add_serve(parser.add_subparsers(), terminal())
    chosen = parser.parse_args(json.loads(words))
    assert (chosen.host, chosen.port) == ("0.0.0.0", int(port))
    assert STEPS.index("\nUSER reader\n") < STEPS.index("\nENTRYPOINT ")
