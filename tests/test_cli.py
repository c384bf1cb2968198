"""The command line: what it prints, how it ends, what it imports."""

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
from makers import line_image, save_model
from tiny import Run

import recognizer
from recognizer import cli
from recognizer.cli import main
from recognizer.commands.console import terminal
from recognizer.commands.train import add_train, read_config
from recognizer.errors import RecognizerError
from recognizer.inputs.registry import kinds

CONFIGS = sorted((Path(__file__).parents[1] / "configs").rglob("*.yaml"))
HEAVY = ("torch", "numpy", "PIL", "lightning", "jsonargparse", "soundfile", "torchaudio", "safetensors", "yaml")
VERBS = ("prepare", "train", "check", "evaluate", "transcribe", "info", "demo")


def run(words: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        main(words)
    return int(ended.value.code or 0)


def imported(code: str) -> set[str]:
    """Return the modules that a fresh interpreter holds after `code`."""
    end = "import sys; print('\\n' + ' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{end}"], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("add", [add for add in cli.VERBS if add is not add_train], ids=lambda add: add.__name__)
def test_no_two_options_of_a_verb_are_kept_under_one_name(add: Callable[..., None]) -> None:
    verbs = argparse.ArgumentParser().add_subparsers()
    add(verbs, terminal())
    for verb in verbs.choices.values():
        kept = Counter(action.dest for action in verb._actions)
        assert not [name for name, number in kept.items() if number > 1]


@pytest.mark.parametrize("words", [["--help"], *([verb, "--help"] for verb in VERBS if verb != "train"), ["--version"]])
def test_help_is_given(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 0
    said = capsys.readouterr()
    assert said.err == "" and "recognizer" in said.out


def test_every_verb_is_named_by_help(capsys: pytest.CaptureFixture[str]) -> None:
    run(["--help"])
    said = capsys.readouterr().out
    assert all(f"\n    {verb}" in said for verb in VERBS)


def test_importing_and_helping_import_nothing_heavy() -> None:
    help_of = "from recognizer.cli import main\ntry:\n    main(['evaluate', '--help'])\nexcept SystemExit:\n    pass"
    for code in ("import recognizer", help_of):
        assert not imported(code) & set(HEAVY)


@pytest.mark.parametrize(
    "words, name",
    [
        (["transcribe", ""], "files"),
        (["transcribe", "a.png", "", "--quiet"], "files"),
        (["transcribe", "a.png", "--out="], "--out"),
        (["prepare", "", "--out", "x"], "corpus"),
        (["evaluate", "handwriting", ""], "corpus"),
        (["suggest", "handwriting", ""], "pages"),
        (["lm", "perplexity", "", "x.txt"], "lm"),
        (["info", ""], "model"),
    ],
)
def test_an_empty_word_is_not_the_current_folder(
    words: list[str], name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(words) == 2
    said = capsys.readouterr()
    assert said.out == "" and f"argument {name}: an empty name, expected one" in said.err and said.err.count("\n") == 1
    assert not [*tmp_path.iterdir()]


def test_an_empty_text_is_a_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["align", "a.png", "--text", "", "--model", "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.slow
def test_transcribing_imports_neither_lightning_nor_torchaudio(tmp_path: Path) -> None:
    line_image().save(tmp_path / "line.png")
    model = save_model("handwriting", tmp_path / "model.safetensors")
    words = ["transcribe", str(tmp_path / "line.png"), "--model", str(model)]
    found = imported(f"from recognizer.cli import main\ntry:\n    main({words!r})\nexcept SystemExit:\n    pass")
    assert "torch" in found
    assert not found & {"lightning", "torchaudio", "jsonargparse", "soundfile", "scipy", "yaml", "rapidfuzz"}


def test_the_command_line_prints_what_python_returns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path, text in zip(paths, ("some words", "others, and more of them"), strict=True):
        line_image(text).save(path)
    model = save_model("handwriting", tmp_path / "model.safetensors")
    texts = [hypothesis.text for hypothesis in recognizer.load(model).transcribe(paths)]
    assert all(texts)
    assert run(["transcribe", str(paths[0]), "--model", str(model)]) == 0
    assert capsys.readouterr().out == f"{texts[0]}\n"
    assert run(["transcribe", str(tmp_path), "--model", str(model)]) == 0
    assert capsys.readouterr().out == "".join(f"{p}\t{t}\n" for p, t in zip(paths, texts, strict=True))
    assert run(["transcribe", *map(str, paths), "--json", "--model", str(model)]) == 0
    data = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["text"] for one in data] == texts
    assert [one["file"] for one in data] == [str(path) for path in paths]
    assert {one["unit"] for one in data} == {"px"}


def test_a_model_says_what_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = save_model("speech", tmp_path / "model.safetensors")
    assert run(["info", str(model)]) == 0
    said = capsys.readouterr().out
    assert "reads speech" in said and "alphabet (27):  abcdefghijklmnopqrstuvwxyz" in said
    assert run(["info", str(model), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["kind"] == "speech"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: "-".join(path.with_suffix("").parts[-2:]))
def test_a_shipped_configuration_is_valid_and_says_how_it_is_run(path: Path) -> None:
    config = read_config(["--config", str(path)])
    general = path.stem in ("demo", "finetuning", *(Path(kind.config).stem for kind in kinds().values()))
    assert (config.data.folders == [""]) == general
    name = path.relative_to(CONFIGS[0].parent).as_posix()
    assert path.read_text().startswith(f"# recognizer train --config configs/{name}") or general


def test_without_a_configuration_the_kind_of_the_corpus_chooses_one(lines: Path, sounds: Path) -> None:
    of_lines, of_sound = (read_config(["--data.corpus", str(corpus)]) for corpus in (lines, sounds))
    assert (of_lines.network.front.convolutions, of_lines.learning.ema_decay) == (2, 0.999)
    assert (of_sound.network.front.patch, of_sound.data.sortagrad) == ([1, 2], True)
    assert read_config(["--network.layers=5", f"--data.corpus=[{sounds}, {sounds}]"]).network.layers == 5
    assert read_config([f"--data.corpus={sounds}"]).network == of_sound.network


def test_a_run_that_starts_from_a_model_is_made_like_it(lines: Path, line_run: Run) -> None:
    words = ["--data.corpus", str(lines), "--init", str(line_run.folder)]
    made = read_config(words)
    assert made.network == line_run.config.network and made.features == line_run.config.features
    finetuning = ["--config", str(CONFIGS[0].parent / "finetuning.yaml"), *words[:2]]
    assert made.learning == read_config(finetuning).learning
    wider = read_config([*words, "--network.dropout", "0.7", "--network.front.pool_time", "[1, 3]"]).network
    assert (wider.hidden, wider.dropout, wider.front.pool_time) == (line_run.config.network.hidden, 0.7, [1, 3])
    with pytest.raises(RecognizerError, match="nothing: no such model file; shipped models: "):
        read_config([*words[:3], "nothing"])


def test_a_flag_after_a_configuration_wins(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("seed: 3\nnetwork:\n  layers: 4\n  front:\n    norm: none\n")
    config = read_config(["--seed", "5", "--config", str(path), "--network.layers", "1"])
    assert (config.seed, config.network.layers, config.network.front.norm) == (3, 1, "none")
    assert read_config([f"--config={path}", "--seed=5"]).seed == 5


def test_one_corpus_or_several_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("data:\n  corpus: [a, b]\n")
    assert read_config(["--data.corpus", "data/a"]).data.folders == ["data/a"]
    assert read_config(["--data.corpus", "[data/a, data/b]"]).data.folders == ["data/a", "data/b"]
    assert read_config(["--config", str(path)]).data.folders == ["a", "b"]


def test_the_fixed_names_of_the_train_command_are_there() -> None:
    words = "--data.corpus d --network.cell gru --network.layers 3 --network.hidden 64 --network.forget_bias 1.0"
    trainer = "--trainer.max_epochs 7 --trainer.devices 2 --run runs/x --data.allow_infeasible true --text.case lower"
    config = read_config([*words.split(), *trainer.split()])
    assert (config.network.cell, config.network.layers, config.network.hidden) == ("gru", 3, 64)
    assert config.data.allow_infeasible and config.run == "runs/x"
    assert config.text is not None and config.text.case == "lower"


def test_the_resolved_configuration_is_printed_as_yaml(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "--network.layers", "7", "--trainer.max_epochs", "3", "--print_config"]) == 0
    printed = yaml.safe_load(capsys.readouterr().out)
    assert printed["network"]["layers"] == 7 and printed["trainer"]["max_epochs"] == 3
    assert {"data", "features", "augment", "learning", "text", "seed", "init", "run"} <= printed.keys()


def test_help_of_train_lists_settings_with_their_meaning_and_type(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "--help-all"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "--network.layers LAYERS recurrent layers, one on the other. (type: int, default: 2)" in said
    assert "--trainer.max_epochs" in said and "--data.allow_infeasible" in said


FAULTS = {
    "a group misspelt": (["--netwrk.layers", "3"], "no setting is called netwrk.layers (did you mean network.layers?)"),
    "a setting misspelt": (["--learning.rat", "1"], "(did you mean learning.rate?)"),
    "a setting of the trainer cut": (["--trainer.max_epoch", "1"], "(did you mean trainer.max_epochs?)"),
    "a word for a number": (["--network.layers", "many"], "network.layers is 'many', expected a whole number"),
    "a fraction for a number": (["--seed", "1.5"], "seed is 1.5, expected a whole number"),
    "a number for a choice": (["--data.allow_infeasible", "7"], "data.allow_infeasible is 7, expected true or false"),
    "an unknown cell": (["--network.cell", "ltsm"], "cell 'ltsm': expected one of lstm"),
    "a value out of range": (["--network.dropout", "1.5"], "network.dropout is 1.5, expected a share in [0, 1)"),
    "fewer layers than none": (["--network.layers", "-1"], "network.layers is -1, expected at least 0"),
    "no units": (["--network.hidden", "0"], "network.hidden 0: expected a size of at least 1"),
    "a front's norm": (["--network.front.norm", "layer"], "network.front.norm is 'layer', expected batch or none"),
    "a front's sizes": (["--network.front.patch", "[0, 2]"], "network.front.patch is [0, 2], expected sizes of at"),
    "channels of no convolution": (
        ["--network.front.type", "frames", "--network.front.channels", "[1, 2, 3, 4]"],
        "network.front.channels is [1, 2, 3, 4]: no effect beside network.front.type frames",
    ),
    "features folded into frames": (
        ["--network.front.type", "frames", "--network.front.patch", "[2, 3]"],
        "network.front.patch is [2, 3]: 3 features are not folded beside network.front.type frames, expected 1 there",
    ),
    "speech of a mean that is not taken": (
        ["--features.utterance_mean", "false", "--features.speech_range_db", "40"],
        "features.speech_range_db is 40.0: no effect beside features.utterance_mean false, expected 0.0 there",
    ),
    "symbols of no model": (["--keep_symbols", "false"], "keep_symbols is False: no effect without init, expected"),
    "units of no layer": (
        ["--network.layers", "0", "--network.hidden", "64"],
        "network.hidden is 64: no effect beside",
    ),
    "the other way of no layer": (
        ["--network.layers", "0", "--network.bidirectional", "false"],
        "network.bidirectional is False: no effect beside network.layers 0",
    ),
    "noise on no layer": (
        ["--network.layers", "0", "--learning.weight_noise", "0.1"],
        "learning.weight_noise is 0.1: no effect beside network.layers 0",
    ),
    "no rate": (["--learning.rate", "0"], "learning.rate is 0.0, expected more than 0"),
    "a clip below none": (["--learning.gradient_clip", "-1"], "learning.gradient_clip is -1.0, expected at least 0"),
    "no columns": (["--data.batch_columns", "0"], "data.batch_columns is 0, expected more than 0"),
    "noise without bound": (
        ["--learning.weight_noise", "1e300"],
        "learning.weight_noise is 1e+300, expected at most 100",
    ),
    "no value": (["--config", "no-such.yaml"], "no-such.yaml: cannot be read (No such file"),
    "a stray word": (["copiste"], "copiste: expected --SETTING VALUE"),
    "no run to resume": (["--resume", "no-such-run"], "no-such-run: no config.yaml there"),
    "an option of text": (["--text", "{frm: NFC}"], "text has no setting 'frm', there are form, "),
    "a name below text": (["--text.frm", "NFC"], "no setting is called text.frm (did you mean text.form?)"),
    "a name below a number": (["--seed.x", "1"], "no setting is called seed.x"),
    "a name in a group": (
        ["--network", "{hiden: 3}"],
        "no setting is called network.hiden (did you mean network.hidden?)",
    ),
    "a number for a group": (["--network", "5"], "network is 5, expected names with values: it is a group of settings"),
    "a word in a list": (["--data.weights", "[1, x]"], "data.weights[1] is 'x', expected a number"),
    "a word more for a list": (["--data.weights+", "x"], "data.weights[0] is 'x', expected a number"),
    "a word for what may be nothing": (["--trainer.max_epochs", "x"], "is 'x', expected a whole number or nothing"),
    "a precision": (["--trainer.precision", "8"], "trainer.precision is 8, expected 32-true, 32, bf16-mixed, bf16, "),
    "a flag without a value": (["--run", "--seed", "1"], "--run: expected a value"),
    "an option of a strategy": (["--trainer.strategy.foo", "x"], "trainer.strategy"),
}


@pytest.mark.parametrize(("words", "wanted"), FAULTS.values(), ids=FAULTS)
def test_a_setting_at_fault_is_named_in_one_line(
    words: list[str], wanted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", *words]) == 2
    said = capsys.readouterr()
    assert wanted in said.err and said.err.count("\n") == 1


FILES = {
    "an unknown key": ("seed: 1\nnetwork:\n  layrs: 3\n", "run.yaml:3: no setting is called network.layrs (did you"),
    "an unknown group": ("netwrk:\n  layers: 3\n", "run.yaml:1: no setting is called netwrk (did you mean network?)"),
    "a wrong type": (
        "seed: 1\nnetwork:\n  layers: many\n",
        "run.yaml:3: network.layers is 'many', expected a whole number",
    ),
    "a wrong type in a list": (
        "network:\n  front:\n    pool_time: [1, a]\n",
        "run.yaml:3: network.front.pool_time[1] is 'a'",
    ),
    "a date that is none": ("seed: 2024-13-45\n", "run.yaml:1: seed is '2024-13-45', expected a whole number"),
    "broken YAML": ("seed: 1\nnetwork: [1\nlayers: 3\n", "run.yaml:3: "),
    "a tab": ("seed: 1\nnetwork:\n\tlayers: 3\n", "run.yaml:3: "),
    "a key twice": ("seed: 1\nseed: 2\n", "run.yaml:2: seed stands at"),
    "a list": ("- seed\n", "run.yaml:1: no key there"),
    "bytes": ("seed: \udcff\n", "not UTF-8"),
}


@pytest.mark.parametrize(("text", "wanted"), FILES.values(), ids=FILES)
def test_a_configuration_at_fault_is_named_with_its_line(text: str, wanted: str, tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(RecognizerError) as raised:
        read_config(["--config", str(path)])
    assert wanted in str(raised.value)


def test_help_of_train_fits_on_a_screen_and_names_what_is_changed_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "--help"]) == 0
    said = capsys.readouterr().out
    assert len(said.splitlines()) < 70
    for name in (
        "--run",
        "--resume RUN",
        "--init",
        "--config",
        "--help-all",
        "--learning.rate",
        "--trainer.max_epochs",
    ):
        assert name in said


def test_help_of_train_says_what_a_plain_run_of_each_kind_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "epochs (default 50, handwriting 44, speech 30, strokes 40)" in said
    assert "highest learning rate of AdamW (default 0.002, handwriting 0.0015)" in said
    assert "included (default 12000, handwriting 8000)" in said


def test_an_empty_address_is_not_every_address(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("fastapi", reason="the extra [web] is not installed")
    assert run(["serve", str(tmp_path), "--host", ""]) == 2
    assert "--host is empty, expected an address such as 127.0.0.1" in capsys.readouterr().err
