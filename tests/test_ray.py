"""Reading by several processes of Ray."""

import json
import os
import signal
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from made_pages import write_page
from makers import line_image, save_model
from terminal import said

from recognizer.commands.console import terminal
from recognizer.errors import RecognizerError
from recognizer.reading import ray_engine
from recognizer.reading.ray_engine import Cluster, Work, on_ray

COUNT = 24


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    folder = tmp_path / "lines"
    folder.mkdir()
    for i in range(COUNT):
        line_image(f"line {i} of many"[: 6 + i]).save(folder / f"{i:02}.png")
    (folder / "bad.png").write_bytes(b"no image")
    save_model("handwriting", tmp_path / "model.safetensors")
    return folder


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_nothing_and_doubles_nothing(
    lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("ray", reason="recognizer[ray] is not installed")
    from recognizer.commands.transcribe import _worker, add_transcribe

    model, alone, shared = tmp_path / "model.safetensors", tmp_path / "alone", tmp_path / "shared"
    assert said(capsys, "transcribe", lines, "--model", model, "--out", alone)[0] == 1
    parser = ArgumentParser()
    add_transcribe(parser.add_subparsers(), terminal())
    chosen = parser.parse_args(["transcribe", str(lines), "--model", str(model), "--out", str(shared)])
    told = {name: value for name, value in vars(chosen).items() if name != "act"}
    names, found, killed = [str(path) for path in sorted(lines.iterdir())], Counter[str](), 0
    for made, process in on_ray(partial(_worker, told), names, 2, Cluster(workers=3), print):
        found.update({"done": made["done"], "failed": made["failed"]})
        if not killed:
            os.kill(process, signal.SIGKILL)
            killed = process
    assert killed and found == {"done": COUNT, "failed": 1}
    assert texts(shared) == texts(alone) and len(texts(alone)) == COUNT


@pytest.mark.slow
def test_shards_that_workers_made_are_the_corpus_of_one_process(
    lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("ray", reason="recognizer[ray] is not installed")
    for path in lines.glob("*.png"):
        path.with_suffix(".gt.txt").write_text(path.stem)
    words = ["prepare", lines, "--shards", "4", "--out"]
    alone = said(capsys, *words, tmp_path / "alone")
    shared = said(capsys, *words, tmp_path / "shared", "--engine", "ray", "--workers", "2")
    assert alone[0] == shared[0] == 1 and "bad.png" in alone[2] and shared[2] == alone[2]
    assert shared[1].splitlines()[:-1] == alone[1].splitlines()[:-1]  # all but the place
    made = [{path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("alone", "shared")]
    assert made[0] == made[1] and len(made[0]) == 4


@pytest.mark.slow
def test_rows_of_a_run_that_was_cut_off_are_whole_and_single(
    lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("ray", reason="recognizer[ray] is not installed")
    model, alone, rows = tmp_path / "model.safetensors", tmp_path / "alone", tmp_path / "rows"
    write_page(lines / "page", 1, lines=2)
    assert said(capsys, "transcribe", lines, "--model", model, "--json", "--out", alone)[0] == 1
    words = ["transcribe", lines, "--model", model, "--engine", "ray", "--workers", "2", "--format", "parquet"]
    code, _, errors = said(capsys, *words, "--out", rows)
    assert code == 1 and "bad.png" in errors
    whole = table(rows)
    expected = [json.loads(line) for path in alone.glob("*.json") for line in path.read_text().splitlines()]
    assert {row["name"]: row["text"] for row in whole if not row["error"]} == {
        str(Path(one["file"]).absolute()): one["text"] for one in expected
    }
    assert len(whole) == len(expected) + 1 and len({row["name"] for row in whole}) == len(whole)
    assert all(json.loads(row["record"])["text"] == row["text"] for row in whole if not row["error"])

    code, _, errors = said(capsys, *words, "--out", rows)
    assert code == 2 and "holds rows already" in errors
    code, _, errors = said(capsys, *words, "--lexicon", tmp_path / "none.txt", "--out", tmp_path / "other")
    assert code == 2 and errors.count("\n") == 1 and "none.txt" in errors
    next(rows.glob("*.parquet")).unlink()
    code, _, errors = said(capsys, *words, "--out", rows, "--resume")
    assert code == 1 and errors.count("bad.png") == 1
    assert list(map(seen, table(rows))) == list(map(seen, whole))
    assert said(capsys, *words, "--out", rows, "--overwrite")[0] == 1
    assert list(map(seen, table(rows))) == list(map(seen, whole))


def table(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of all Parquet files of a folder, by name."""
    from pyarrow import parquet

    found = [row for path in folder.glob("*.parquet") for row in parquet.read_table(path).to_pylist()]
    return sorted(found, key=lambda row: str(row["name"]))


def seen(row: dict[str, Any]) -> list[Any]:
    """Return what does not depend on the batch to the last digit, as confidences do."""
    return [row[name] for name in ("file", "name", "text", "error")]


def test_names_that_workers_are_told_hold_in_any_folder(
    lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, Any]] = []

    def keep(make: Any, *_: object) -> Iterator[Any]:
        told.append(make.args[0])
        yield from ()

    monkeypatch.setattr("recognizer.reading.ray_engine.on_ray", keep)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.txt").write_text("line")
    words = ["transcribe", lines, "--engine", "ray", "--out", "out", "--decoder", "beam"]
    assert said(capsys, *words, "--lm", "en", "--lexicon", "words.txt")[0] == 0
    assert said(capsys, *words, "--lm", "words.txt", "--lexicon", "en")[0] == 0
    assert [one["lm"] for one in told] == [Path("en"), tmp_path / "words.txt"]
    assert [one["lexicon"] for one in told] == [tmp_path / "words.txt", Path("en")]
    assert told[0]["out"] == tmp_path / "out"


def test_rules_of_one_s_own_are_found_by_workers_in_any_folder(
    lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recognizer.commands import prepare

    class Told(Exception): ...

    def keep(make: Any, *_: object) -> Iterator[Any]:
        raise Told(make.args[3].rules)

    monkeypatch.setattr("recognizer.reading.ray_engine.on_ray", keep)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.yaml").write_text("")
    parser = ArgumentParser()
    prepare.add_prepare(parser.add_subparsers(), terminal())
    for rules, expected in (("own.yaml", str(tmp_path / "own.yaml")), ("archives", "archives")):
        words = ["prepare", str(lines), "--out", "out", "--shards", "2", "--engine", "ray", "--rules", rules]
        chosen = parser.parse_args(words)
        with pytest.raises(Told) as told:
            chosen.act(chosen)
        assert told.value.args == (expected,)


def test_what_is_there_is_left_out_when_a_run_goes_on(
    lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["transcribe", lines, "--model", tmp_path / "model.safetensors", "--out", tmp_path / "out"]
    assert said(capsys, *words)[0] == 1
    whole = texts(tmp_path / "out")
    (tmp_path / "out" / "03.txt").write_text("read before\n")
    (tmp_path / "out" / "05.txt").unlink()
    code, _, errors = said(capsys, *words, "--resume")
    assert code == 1 and errors.count("\n") == 1 and "bad.png" in errors
    assert texts(tmp_path / "out") == whole | {"03.txt": "read before\n"}
    (lines / "bad.png").unlink()
    assert said(capsys, *words, "--resume") == (0, "", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--engine", "ray"], "expected --out with a folder"),
        (["--resume"], "expected --out with a folder"),
        (["--format", "parquet"], "--format parquet goes with --engine ray"),
        (["--overwrite"], "--overwrite has no effect without --out"),
        (["--address", "auto"], "--address has no effect without --engine ray"),
        (["-", "--engine", "ray", "--format", "parquet", "--out", "out"], "standard input cannot be read with"),
    ],
    ids=["ray", "resume", "parquet", "overwrite", "address", "standard input"],
)
def test_options_that_would_have_no_effect_are_refused(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, errors = said(capsys, "transcribe", tmp_path, *words)
    assert code == 2 and message in errors


@dataclass
class Rows:
    """Rows of a stand-in for Ray, which sends each through one worker, in this process; `pools` is told the workers."""

    rows: list[Any]
    pools: list[int]

    def flat_map(self, worker: type, compute: int, **_: object) -> "Rows":
        self.pools.append(compute)
        work = worker()
        return Rows([made for row in self.rows for made in work(row)], self.pools)

    def iter_rows(self) -> Iterator[Any]:
        return iter(self.rows)


def ray_with(has: dict[str, float], free: dict[str, float], pools: list[int]) -> SimpleNamespace:
    """Return a stand-in for Ray on a cluster that has these resources, of which so many are free."""
    data = SimpleNamespace(
        DataContext=SimpleNamespace(get_current=SimpleNamespace),
        from_items=lambda rows, override_num_blocks: Rows(rows, pools),
        ActorPoolStrategy=lambda size: size,
    )
    return SimpleNamespace(
        data=data, cluster_resources=lambda: has, available_resources=lambda: free, shutdown=lambda: None
    )


def doubling() -> Work:
    return lambda names: [{"name": 2 * name} for name in names]


EIGHT: dict[str, float] = {"CPU": 8.0, "memory": 1e9}


@pytest.mark.parametrize(
    ("cluster", "has", "free", "workers", "said"),
    [
        (Cluster("auto", 2), EIGHT, EIGHT, 2, []),
        (Cluster("auto"), EIGHT, EIGHT, 8, []),
        (Cluster("auto", 9), EIGHT, EIGHT, 8, ["the Ray cluster has 8 CPUs: 8 in place of 9 workers"]),
        (Cluster("auto", 9), EIGHT | {"GPU": 1.0}, EIGHT, 8, ["the Ray cluster has 8 CPUs: 8 in place of 9 workers"]),
        (
            Cluster("auto", 3, gpu=True),
            EIGHT | {"GPU": 1.0},
            EIGHT | {"GPU": 1.0},
            1,
            ["the Ray cluster has 1 GPU: 1 in place of 3 workers"],
        ),
        (Cluster("auto"), EIGHT, {}, 8, ["no CPU of the Ray cluster's 8 is free: work begins when one is"]),
    ],
    ids=["fewer", "all", "too many", "too many beside a GPU", "too many for the GPUs", "all in use"],
)
def test_no_more_workers_are_asked_for_than_the_cluster_has_places(
    cluster: Cluster,
    has: dict[str, float],
    free: dict[str, float],
    workers: int,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pools, told = list[int](), list[str]()
    monkeypatch.setattr(ray_engine, "_started", lambda _: ray_with(has, free, pools))
    names = [f"{i} " for i in range(20)]
    assert [row["name"] for row, _ in on_ray(doubling, names, 4, cluster, told.append)] == [2 * one for one in names]
    assert pools == [workers] and told == said


@pytest.mark.parametrize(
    ("cluster", "has", "message"),
    [
        (Cluster("auto", 1, gpu=True), EIGHT, "has no GPU, which each worker takes one of: expected --device cpu"),
        (Cluster("auto"), {"memory": 1e9}, "has no CPU, which each worker takes one of: expected a machine with one"),
    ],
    ids=["GPU", "CPU"],
)
def test_a_cluster_without_a_place_for_a_worker_is_refused(
    cluster: Cluster, has: dict[str, float], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools: list[int] = []
    monkeypatch.setattr(ray_engine, "_started", lambda _: ray_with(has, has, pools))
    with pytest.raises(RecognizerError, match=message):
        list(on_ray(doubling, ["a"], 1, cluster, print))
    assert not pools
