"""A model of speech learns a language whose alphabet it does not know."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import tiny
import torch

from recognizer.reading.reader import Reader

LETTERS = str.maketrans("abcd", "äößł")


def language(folder: Path, other: bool) -> Path:
    """Pack tones that spell a to d, or the same under letters of another alphabet."""
    texts = tiny.made_texts("abcd", 32, np.random.default_rng(8))
    manifest = tiny.write_sounds(folder / "files", texts, ["train"] * 24 + ["valid"] * 8)
    if other:
        head, *rows = manifest.read_text().splitlines()
        cells = [row.split("\t") for row in rows]
        manifest.write_text("\n".join([head, *("\t".join([f, t.translate(LETTERS), s]) for f, t, s in cells)]))
    return tiny.pack(manifest, folder / "packed")


def test_another_language_begins_with_the_network_of_the_first_and_its_own_letters(tmp_path: Path) -> None:
    first, second = language(tmp_path / "one", other=False), language(tmp_path / "two", other=True)
    tiny.fit(tiny.sound_config(first), tmp_path / "first", max_epochs=1)
    config = tiny.sound_config(second)
    still = replace(config.learning, rate=1e-9, ema_decay=0.0)
    begun = replace(config, init=str(tmp_path / "first" / "model.safetensors"), learning=still)
    tiny.fit(begun, tmp_path / "begun", max_epochs=1)
    before, after = (Reader.load(tmp_path / name / "model.safetensors") for name in ("first", "begun"))
    assert set("äößł ") <= set(after.alphabet.symbols) and not set("äößł") & set(before.alphabet.symbols)
    old, new = before.model.network.state_dict(), after.model.network.state_dict()
    for name, weights in old.items():
        if name.startswith(("layers.", "front.")) and "running" not in name and weights.is_floating_point():
            assert torch.allclose(weights, new[name], atol=1e-6), name
    assert new["head.weight"].shape[0] == after.alphabet.classes > old["head.weight"].shape[0]
