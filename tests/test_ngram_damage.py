"""Damaged language models of every form: read, or refused in one line, and never anything else."""

import gzip
import random
from pathlib import Path

import numpy as np
import pytest
from test_ngram_small import babble, old_file

from recognizer.errors import RecognizerError
from recognizer.language.build import BuildSettings, build
from recognizer.language.ngram_file import open_ngram
from recognizer.language.perplexity import perplexity

MUTATIONS = 300


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the bytes of one small model in every form."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "text.txt").write_text("\n".join(babble(20, 12)))
    for name, bits in (("m.arpa", 0), ("mapped.lm", 0), ("small.lm", 8)):
        build([folder / "text.txt"], BuildSettings(3, "word", quantize=bits), folder / name, lambda line: None)
    old_file(folder / "old.lm", open_ngram(folder / "mapped.lm"))
    found = {path.name: path.read_bytes() for path in folder.glob("*.*") if path.name != "text.txt"}
    return {**found, "m.arpa.gz": gzip.compress(found["m.arpa"])}


def mutated(data: bytes, dice: random.Random) -> bytes:
    """Return `data` with a bit flipped, a byte set, a stretch cut out or doubled, or its end gone."""
    at = dice.randrange(len(data))
    end = min(len(data), at + dice.randrange(1, 40))
    return (
        data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :],
        data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :],
        data[:at] + data[end:],
        data[:end] + data[at:],
        data[:at],
    )[dice.randrange(5)]


@pytest.mark.parametrize("name", ["m.arpa", "m.arpa.gz", "old.lm", "mapped.lm", "small.lm"])
def test_a_damaged_file_is_read_or_refused(files: dict[str, bytes], tmp_path: Path, name: str) -> None:
    dice, refused = random.Random(21), 0
    for _ in range(MUTATIONS):
        path = tmp_path / name
        data = mutated(files[name], dice)
        path.write_bytes(data)
        try:
            found = perplexity(open_ngram(path), babble(22, 3))
            assert np.isfinite(found.log_prob + found.unknown_log_prob)
            # A file with a checksum is only read where nothing was changed.
            assert name not in ("mapped.lm", "small.lm") or data == files[name]
        except RecognizerError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > MUTATIONS / 10
