"""The table of phone recognizers: three trainings a depth, read and not trained anew when they are done."""

from pathlib import Path

import phone_table
import pytest

from recognizer.training.history import read_history

RECIPE = """
data: {batch_seconds: 4}
features: {bands: 16}
network: {hidden: 8, auxiliary_head: 0, front: {type: frames, patch: [2, 1]}}
trainer: {accelerator: cpu, devices: 1, precision: 32-true}
"""


@pytest.mark.slow
def test_noise_and_time_alone_begin_with_the_plain_weights(
    sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, runs = tmp_path / "recipe.yaml", tmp_path / "runs"
    recipe.write_text(RECIPE)
    words = ["phone_table", str(sounds), "--config", str(recipe), "--split", "valid", "--runs", str(runs)]
    monkeypatch.setattr("sys.argv", [*words, "--layers", "1", "--epochs", "2", "--noise", "0.2"])
    phone_table.main()
    shown = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| 1 |")]
    assert [line.split(" | ")[1] for line in shown] == ["plain", "plain, longer", "with noise 0.2"]
    assert all(line.split(" | ")[2] == "2" for line in shown)
    made = {name: runs / f"{sounds.name}-1-{name}" for name in ("plain", "longer", "noise")}
    for name, noise in (("plain", 0.0), ("longer", 0.0), ("noise", 0.2)):
        settings = (made[name] / "config.yaml").read_text()
        assert f"weight_noise: {noise}" in settings
        assert (f"init: {made['plain']}" in settings) == (name != "plain")
    losses = {name: read_history(run)[0].loss for name, run in made.items()}
    assert losses["noise"] != losses["longer"], "the same weights and batches, so noise alone tells them apart"
    before = {name: run.joinpath("last.ckpt").stat().st_mtime_ns for name, run in made.items()}
    phone_table.main()
    again = capsys.readouterr()
    assert [line for line in again.out.splitlines() if line.startswith("| 1 |")] == shown
    assert again.err.count("finished before, read as it is") == 3
    assert {name: run.joinpath("last.ckpt").stat().st_mtime_ns for name, run in made.items()} == before
