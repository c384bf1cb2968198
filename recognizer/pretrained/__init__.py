"""The models that come with the package."""

from pathlib import Path

from recognizer.errors import RecognizerError

FOLDER = Path(__file__).parent
SUFFIX = ".safetensors"


def pretrained_models() -> list[str]:
    """Return the names of the shipped models."""
    return sorted(path.name.removesuffix(SUFFIX) for path in FOLDER.glob(f"*{SUFFIX}"))


def find_model(path_or_name: str | Path) -> Path:
    """Return the file of a model: a path, a run's folder, or the name of a shipped model.

    Raises:
        RecognizerError: there is none of that name.
    """
    path = Path(path_or_name)
    if path.is_dir():
        path = path / "model.safetensors"
    if path.exists():
        return path
    named = FOLDER / f"{path_or_name}{SUFFIX}"
    if named.is_file():
        return named
    known = ", ".join(pretrained_models()) or "none"
    raise RecognizerError(f"{path_or_name}: no such model file; shipped models: {known}")


def output_path(model: Path, out: Path | None, verb: str) -> Path:
    """Return where a verb writes a model with something changed: `out`, or else the model's own file.

    Raises:
        RecognizerError: that is a shipped model, which is never written.
    """
    path = out or model
    if path.resolve().parent == FOLDER.resolve():
        name = path.resolve().name.removesuffix(SUFFIX)
        raise RecognizerError(
            f"{verb}: {name} is a shipped model, which stays as it is: expected --out with another file"
        )
    return path
