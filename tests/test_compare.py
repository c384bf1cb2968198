"""Tests of the comparison of cells: rows of like size, trained by the recipe, kept once each, printed as tables."""

import json
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lightning import LightningModule, Trainer

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

import compare_cells  # noqa: E402
from cell_table import Row, cer_after, keep, read, tables  # noqa: E402
from compare_cells import NAMES, SCAN, Shape, main, matching_hidden, part_of, scan, settings_of  # noqa: E402

from recognizer.common.interruption import Interrupted  # noqa: E402
from recognizer.corpus.shards import shard_name  # noqa: E402
from recognizer.corpus.store import Packed, Store, write_store  # noqa: E402
from recognizer.errors import RecognizerError  # noqa: E402
from recognizer.model.model_file import read_header  # noqa: E402
from recognizer.network.network import NetworkSettings  # noqa: E402
from recognizer.training.checkpointing import LAST  # noqa: E402
from recognizer.training.history import read_history  # noqa: E402
from recognizer.training.report_callback import ReportCallback  # noqa: E402

ROW = Row("cells", "toy", 100, 2, "lstm", 1, 8, 1000, 50.0, "3.0:0.50000 6.0:0.20000")
SHAPE = Shape(features=48, parts=1, classes=80)


@pytest.mark.parametrize("name", NAMES["cells"])
def test_every_cell_has_the_weights_of_the_lstm(name: str) -> None:
    base = NetworkSettings(layers=2, hidden=64)
    found = settings_of("cells", name, base, SHAPE)
    assert abs(SHAPE.weights(found) / SHAPE.weights(base) - 1.0) <= 0.05
    assert found.cell == ("lstm" if name == SCAN else name)
    assert (found.front.type == SCAN) == (name == SCAN)
    assert found.front.stride == base.front.stride
    sizes = {"lstm": 64, "rnn": 156, "gru": 78}
    assert found.hidden == sizes.get(name, found.hidden)


def test_a_depth_has_the_layers_of_its_name_and_the_units_of_the_recipe() -> None:
    found = settings_of("depth", "5-forward", NetworkSettings(hidden=64), SHAPE)
    assert (found.layers, found.bidirectional, found.hidden) == (5, False, 64)


def test_the_nearest_size_is_found_or_refused() -> None:
    assert matching_hidden(lambda hidden: hidden * hidden, 1, 10_100) == 100
    assert matching_hidden(lambda hidden: hidden * hidden, 3, 10_000) == 99
    assert matching_hidden(lambda hidden: hidden * hidden, 1, 1) == 1
    with pytest.raises(RecognizerError, match=r"hidden 8 has -36% of 100 weights, expected within 5%"):
        matching_hidden(lambda hidden: hidden * hidden, 8, 100)


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
def test_a_scan_has_the_stride_of_the_front_whose_place_it_takes(stride: int) -> None:
    made = scan(48, stride)
    assert made.stride == stride and made.rows(48) == 4


def test_a_row_trained_again_takes_the_place_of_its_first(tmp_path: Path) -> None:
    path = tmp_path / "rows.tsv"
    keep(ROW, path)
    keep(replace(ROW, name="gru"), path)
    keep(replace(ROW, speed=70.0), path)
    assert read(path) == [replace(ROW, name="gru"), replace(ROW, speed=70.0)]
    assert read(tmp_path / "absent.tsv") == []


def test_equal_time_is_that_of_the_quickest_row() -> None:
    slow = replace(ROW, name="rnn", course="4.0:0.30000 8.0:0.10000")
    slowest = replace(ROW, name="gru", course="7.0:0.30000 14.0:0.15000")
    assert (cer_after(ROW, 6.0), cer_after(slow, 6.0), cer_after(slowest, 6.0)) == (0.2, 0.3, None)
    lines = [line for line in tables([ROW, slow, slowest]) if line.startswith("| ")]
    assert lines[0] == "| cells | hidden | weights | samples/s | CER after 2 epochs | CER after 6 s |"
    assert lines[2] == "| rnn | 8 | 1,000 | 50 | 10.00% | 30.00% |"
    assert lines[3] == "| gru | 8 | 1,000 | 50 | 15.00% | no epoch done |"
    assert lines[4] == "| lstm | 8 | 1,000 | 50 | 20.00% | 20.00% |"


def test_seeds_are_averaged_and_other_work_has_a_table_of_its_own() -> None:
    rows = [ROW, replace(ROW, seed=2, course="3.0:0.40000 6.0:0.10000"), replace(ROW, epochs=1, course="3.0:0.50000")]
    lines = list(tables(rows))
    assert "| lstm | 8 | 1,000 | 50 | 15.00% (10.00% to 20.00%) | 15.00% (10.00% to 20.00%) |" in lines
    assert [line for line in lines if line.startswith("\n")] == [
        "\ntoy, 100 samples, 2 epochs, seeds [1, 2]\n",
        "\ntoy, 100 samples, 1 epochs, seeds [1]\n",
    ]


def test_a_part_of_a_corpus_keeps_every_other_split(lines: Path, tmp_path: Path) -> None:
    whole, part = Store(lines), Store(part_of(lines, "train", 5, tmp_path))
    assert (len(part.indices("train")), len(part.indices("valid"))) == (5, 6)
    assert part.sample(part.indices("train")[1]) == whole.sample(whole.indices("train")[4])
    assert part.header.left_out["left out to learn from fewer"] == 19
    with pytest.raises(RecognizerError, match="24 samples in 'train', expected --lines below that"):
        part_of(lines, "train", 24, tmp_path)


def test_a_part_of_shards_is_that_of_the_same_corpus_in_one_file(lines: Path, tmp_path: Path) -> None:
    whole = Store(lines)
    samples = [
        Packed(whole.sample(i), whole.signal(i), float(whole.extents[i]), bytes.fromhex(whole.digest(i)))
        for i in range(len(whole))
    ]
    for number, some in enumerate((samples[:7], samples[7:]), 1):
        write_store(tmp_path / "shards", whole.header, some, shard_name(number, 2))
    parts = [
        Store(part_of(corpus, "train", 5, tmp_path / f"of {corpus.name}")) for corpus in (lines, tmp_path / "shards")
    ]
    assert parts[0].fingerprint() == parts[1].fingerprint()


@pytest.fixture
def words(lines: Path, tmp_path: Path) -> list[str]:
    """Return a command of the script that trains a small gru for two epochs."""
    network = {"hidden": 8, "layers": 1, "front": {"channels": [4, 8], "pool_time": [1, 1], "pool_features": [2, 2]}}
    recipe = {"data": {"corpus": str(lines)}, "network": network, "trainer": {"max_epochs": 2}}
    (tmp_path / "toy.yaml").write_text(json.dumps(recipe))
    made = ["cells", "toy", "--names", "gru", "--lines", "6", "--config", str(tmp_path / "toy.yaml")]
    return [*made, "--rate", "1e-3", "--rows", str(tmp_path / "rows.tsv"), "--runs", str(tmp_path / "runs")]


def test_one_command_trains_a_row_by_the_recipe(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(words)
    (row,) = read(tmp_path / "rows.tsv")
    assert (row.work, row.name, row.seed) == (("cells", "toy", 6, 2), "gru", 1)
    header = read_header(tmp_path / "runs" / "cells-toy-6-2-gru-1" / "model.safetensors")
    assert header["settings"]["network"]["cell"] == "gru"
    assert header["settings"]["network"]["hidden"] == row.hidden > 8
    assert header["training"]["command"].startswith("scripts/compare_cells.py cells toy --names gru")
    assert header["training"]["config"]["learning"]["rate"] == 1e-3
    assert len(row.points) == 2 and row.speed > 0
    assert min(rate for _, rate in row.points) == pytest.approx(
        header["results"]["valid (chose the weights)"]["cer"], abs=1e-5
    )
    assert f"| gru | {row.hidden} | {row.weights:,} |" in capsys.readouterr().out


def test_a_stopped_row_goes_on_and_a_finished_one_is_read(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "runs" / "cells-toy-6-2-gru-1"
    main(words)
    whole = read_history(run)

    def stop(callback: ReportCallback, trainer: Trainer, learner: LightningModule) -> None:
        raise Interrupted(signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(ReportCallback, "on_train_epoch_end", stop)
        with pytest.raises(Interrupted) as stopped:
            main(words)
        assert stopped.value.note.startswith("stopped after epoch 1; continue with --resume")
    assert len(read_history(run)) == 1
    main([*words, "--resume"])
    (row,) = read(tmp_path / "rows.tsv")
    resumed = read_history(run)
    assert [(one.steps, one.loss, one.cer) for one in resumed] == [(one.steps, one.loss, one.cer) for one in whole]
    assert resumed[0].processor < resumed[1].processor
    before = (run / LAST).stat().st_mtime_ns
    main([*words, "--resume"])
    assert (run / LAST).stat().st_mtime_ns == before
    assert read(tmp_path / "rows.tsv") == [row]
    with pytest.raises(RecognizerError, match=r"gru-1: began with other settings of learning, expected the same"):
        main([*words, "--resume", "--rate", "2e-3"])


def test_a_row_that_began_before_a_setting_existed_goes_on(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def older(path: Path) -> dict[str, Any]:
        header = read_header(path)
        del header["training"]["config"]["network"]["front"]["multidimensional"]["collapse"]
        return header

    main(words)
    monkeypatch.setattr(compare_cells, "read_header", older)
    main([*words, "--resume"])


def test_a_row_may_be_validated_less_often_but_at_its_end(words: list[str], tmp_path: Path) -> None:
    main([*words, "--validate-every", "2"])
    run = tmp_path / "runs" / "cells-toy-6-2-gru-1"
    before = (run / LAST).stat().st_mtime_ns
    main([*words, "--validate-every", "2", "--resume"])
    assert (run / LAST).stat().st_mtime_ns == before
    (row,) = read(tmp_path / "rows.tsv")
    assert len(row.points) == 1
    for every in ("0", "3"):
        with pytest.raises(RecognizerError, match=rf"--validate-every {every}, expected a divisor of the 2 epochs"):
            main([*words, "--validate-every", every])
