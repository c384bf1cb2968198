"""The shape of the source: imports point one way, each library has its home, nothing but the command line prints."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "recognizer"
FILES = sorted(PACKAGE.rglob("*.py"))
VERBS = ("training.train", "corpus.check_report", "evaluation.evaluate", "reading.transcription")
SPLIT = (
    "commands",
    "training",
    "evaluation",
    "corpus",
    "reading",
    "model",
    "common",
)  # packages whose files are parts of their own
PRINTING = (
    "commands/console.py",
    "common/interruption.py",
    "commands/exit_codes.py",
)  # what a user sees, and the exit code
TOP = ("cli", "__main__")  # imported by nothing
# What a part of the package may import of the package; a part that is not named here may import anything but TOP.
# "commands" stands for every file in it.
BELOW = {
    "errors": (),
    "common.batching": (),
    "common.atomic_write": ("errors",),
    "common.plain_data": ("errors",),
    "common.needed": ("errors",),
    "common.interruption": (),
    "commands.streams": (),
    "corpus.alphabet": ("errors", "corpus.picture_order"),
    "corpus.picture_order": ("errors",),
    "training.config_file": ("errors",),
    "pages": ("errors",),
    # of network its masks alone
    "inputs": ("errors", "common.atomic_write", "common.needed", "network", "pages", "common.plain_data"),
    "network": ("errors",),
    "model.model": ("errors", "inputs", "network", "common.plain_data"),
    "model.priors": ("errors",),
    "evaluation.metrics": ("errors", "corpus.alphabet", "corpus.phones"),
    "model.model_file": (
        "errors",
        "common.atomic_write",
        "corpus.alphabet",
        "model.model",
        "model.priors",
        "model.upgrade",
        "network",
        "common.plain_data",
    ),
    "pretrained": ("errors",),
    "language": (
        "errors",
        "common.atomic_write",
        "corpus.alphabet",
        "corpus.manifest",
        "corpus.shards",
        "corpus.store",
        "network",
        "inputs",
    ),
    "decoding": ("errors", "common.atomic_write", "corpus.alphabet", "language", "network", "common.plain_data"),
    "formats": ("__version__", "errors", "decoding", "pages", "inputs"),
    "training.config": ("errors", "corpus.alphabet", "network", "inputs"),
}
# Where each heavy library may be imported.
HOMES = {
    "PIL": (
        "inputs/lines/",
        "inputs/png.py",
        "inputs/strokes/kind.py",
        "pages/",
        "evaluation/html_report.py",
        "web/",
        "reports/",
    ),
    "soundfile": ("inputs/speech/",),
    "sounddevice": ("inputs/speech/live.py",),
    "av": ("inputs/speech/media.py",),
    "torchaudio": ("inputs/speech/", "decoding/"),
    "lightning": ("training/",),
    "jsonargparse": ("commands/train.py", "training/settings_parser.py", "training/given_settings.py"),
    "editdistance": ("evaluation/metrics.py",),
    "rapidfuzz": ("evaluation/metrics.py",),
    "lxml": ("pages/", "formats/"),
    "safetensors": ("model/model_file.py", "language/"),
    "onnx": ("export/",),
    "onnxruntime": ("export/",),
    "ray": ("reading/ray_engine.py",),
    "pyarrow": ("reading/parquet_rows.py",),
    "yaml": ("training/config_file.py", "training/given_settings.py", "corpus/yaml_file.py"),
    "tensorboard": (),
    "fastapi": ("web/", "commands/serve.py"),
    "jinja2": ("reports/html_page.py",),
    "bidi": ("corpus/picture_order.py",),
    "tqdm": ("commands/progress.py",),
    "uvicorn": ("commands/serve.py", "web/connections.py"),
    "pydantic": ("web/",),
    "scipy": (),
    "matplotlib": (),
    "pandas": (),
}
LATE = (
    "lxml",
    "torchaudio",
    "soundfile",
    "jsonargparse",
    "rapidfuzz",
    "safetensors",
    "onnx",
    "onnxruntime",
    "ray",
    "pyarrow",
)  # imported inside functions alone
LIGHT = (
    "__init__.py",
    "__main__.py",
    "cli.py",
    "errors.py",
    "corpus/alphabet.py",
    "common/atomic_write.py",
    "pretrained/__init__.py",
    "inputs/kind.py",
    "inputs/registry.py",
    "inputs/lines/kind.py",
    "inputs/speech/kind.py",
    "inputs/strokes/kind.py",
)
HEAVY = {"torch", "PIL", "lightning", *HOMES}


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree(path)))


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@functools.cache
def imports(path: Path, inside: bool) -> tuple[str, ...]:
    """Return the modules that a file imports when run, those inside its functions too where wanted."""
    return tuple(found_imports(path, inside))


def found_imports(path: Path, inside: bool) -> Iterator[str]:
    """Yield the modules that a file imports when run, those inside its functions too where wanted."""
    stack: list[ast.AST] = [tree(path)]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: expected absolute imports"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if not isinstance(node, ast.FunctionDef) or inside:
            stack.extend(ast.iter_child_nodes(node))


def part_of(module: str) -> str:
    """Return the part of the package that a module "recognizer.x.y" belongs to, "" for the package itself."""
    _, first, second = [*module.split("."), "", ""][:3]
    return f"{first}.{second}" if first in SPLIT and second else first


def parts(path: Path) -> set[str]:
    """Return the parts of the package that a file uses, its own aside."""
    used = {part_of(name) for name in imports(path, inside=True) if name.startswith("recognizer.")}
    return used - {part_of(module_of(path))}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_point_down(path: Path) -> None:
    part = part_of(module_of(path))
    used = parts(path)
    above = {"commands": (), "training": ("commands",), "evaluation": ("commands", "training")}.get(
        part.partition(".")[0], ("commands",)
    )
    if part in BELOW:
        assert used <= set(BELOW[part]), f"{part} imports {sorted(used - set(BELOW[part]))}"
    if part not in TOP:
        assert not used & set(TOP), f"{name_of(path)} imports the command line"
        assert not [one for one in used if one.startswith(above)], f"{name_of(path)} imports what stands above it"


def test_the_verbs_do_not_call_one_another() -> None:
    # The demo is all verbs one after the other.
    for verb in VERBS:
        assert not parts(PACKAGE / f"{verb.replace('.', '/')}.py") & set(VERBS), verb


def test_the_network_knows_tensors_alone() -> None:
    for path in (PACKAGE / "network").rglob("*.py"):
        used = {name.split(".")[0] for name in imports(path, inside=True)}
        assert used <= {"recognizer", "torch", "math", "collections", "contextlib", "dataclasses", "typing"}, path


@pytest.mark.parametrize("library", HOMES)
def test_a_library_has_its_home(library: str) -> None:
    homes = HOMES[library]
    for path in FILES:
        if any(name.split(".")[0] == library for name in imports(path, inside=True)):
            assert name_of(path).startswith(homes) if homes else False, f"{name_of(path)} imports {library}"


def test_costly_libraries_are_imported_where_they_are_used() -> None:
    for path in FILES:
        late = {name.split(".")[0] for name in imports(path, inside=False)} & set(LATE)
        assert not late, f"{name_of(path)} imports {sorted(late)} before it needs them"


def test_what_every_command_imports_is_light() -> None:
    for name in LIGHT:
        heavy = {module.split(".")[0] for module in imports(PACKAGE / name, inside=False)} & HEAVY
        assert not heavy, f"{name} imports {sorted(heavy)}"


def test_no_imports_run_in_a_circle() -> None:
    modules = {module_of(path): path for path in FILES}
    graph = {
        name: {found for one in imports(path, inside=True) if (found := home(one, modules))} - {name}
        for name, path in modules.items()
    }
    done: set[str] = set()
    for name in graph:
        circle = find_circle(name, graph, [], done)
        assert not circle, " -> ".join(circle)


def home(name: str, modules: dict[str, Path]) -> str:
    """Return the module that an imported name is, or stands in; "" where it is none of this package."""
    return name if name in modules else name.rpartition(".")[0] if name.rpartition(".")[0] in modules else ""


def find_circle(name: str, graph: dict[str, set[str]], way: list[str], done: set[str]) -> list[str]:
    if name in way:
        return [*way[way.index(name) :], name]
    if name in done or name == "recognizer":
        return []
    for other in sorted(graph[name]):
        if circle := find_circle(other, graph, [*way, name], done):
            return circle
    done.add(name)
    return []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_only_the_command_line_prints_and_exits(path: Path) -> None:
    if name_of(path) in PRINTING:
        return
    for node in nodes(path):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            at = f"{name_of(path)}:{node.lineno} calls {called}"
            assert called not in ("print", "exit", "quit", "sys.exit", "os._exit", "sys.stdout.write"), at


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_says_in_its_first_line_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    first = ast.get_docstring(ast.parse(text))
    assert first, "expected a first line that says what the file is"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_settings_travel_unnamed_and_no_state_is_global(path: Path) -> None:
    for node in nodes(path):
        assert not isinstance(node, ast.Global), f"{name_of(path)}:{node.lineno} uses a global"
        if isinstance(node, ast.FunctionDef) and node.args.kwarg:
            # Hooks of Lightning pass on, or leave unused, what Lightning hands them.
            assert name_of(path) == "training/progress.py" or "unused" in node.args.kwarg.arg, (
                f"{name_of(path)}:{node.lineno} takes **{node.args.kwarg.arg}"
            )


def test_models_are_never_unpickled() -> None:
    for path in FILES:
        for node in nodes(path):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called == "torch.load":  # of a run's own checkpoint, in the form that executes nothing
                    assert name_of(path) == "training/resume.py" and "weights_only=True" in ast.unparse(node)
                assert called not in ("pickle.load", "pickle.loads", "eval", "exec"), path
        assert not {"pickle", "joblib", "dill"} & {name.split(".")[0] for name in imports(path, inside=True)}
