"""The models that come with the package."""

import os
from pathlib import Path

from recognizer.errors import RecognizerError

FOLDER = Path(__file__).parent
SUFFIX = ".safetensors"
LANGUAGE_SUFFIX = ".lm"
LEXICON_SUFFIX = ".lexicon.xz"
UNITS = {"speech": "words"}  # what language models of a kind of input count; of all other kinds "characters"
DEFAULT_LANGUAGES = {"speech": "en"}  # shipped models that are read with a language model where nobody says otherwise


def pretrained_models() -> list[str]:
    """Return the names of the shipped models."""
    return sorted(path.name.removesuffix(SUFFIX) for path in FOLDER.glob(f"*{SUFFIX}"))


def find_model(path_or_name: str | os.PathLike[str]) -> Path:
    """Return the file of a model: a path, a run's folder, or the name of a shipped model.

    Raises:
        RecognizerError: there is none of that name.
    """
    try:
        path = Path(os.fsdecode(path_or_name))
    except TypeError:
        raise RecognizerError(f"a model is {type(path_or_name).__name__}, expected its file or its name") from None
    if path.is_dir():
        path = path / "model.safetensors"
    if path.exists():
        return path
    named = FOLDER / f"{path_or_name}{SUFFIX}"
    if named.is_file():
        return named
    known = ", ".join(pretrained_models()) or "none"
    raise RecognizerError(f"{path_or_name}: no such model file; shipped models: {known}")


def language_models(kind: str) -> list[str]:
    """Return the names (languages) of the shipped language models for a kind of input."""
    end = f"-{UNITS.get(kind, 'characters')}{LANGUAGE_SUFFIX}"
    return sorted(path.name.removesuffix(end) for path in FOLDER.glob(f"*{end}"))


def find_language_model(path_or_name: str | Path, kind: str) -> Path:
    """Return the file of a language model: a path, or the name of a shipped one ("en") for a kind of input.

    Raises:
        RecognizerError: it is neither.
    """
    path = Path(path_or_name)
    if path.exists():
        return path
    if str(path_or_name) in language_models(kind):
        return FOLDER / f"{path_or_name}-{UNITS.get(kind, 'characters')}{LANGUAGE_SUFFIX}"
    if path.suffix or len(path.parts) > 1:
        return path  # whose opening says what is wrong with it
    known = ", ".join(language_models(kind)) or "none"
    raise RecognizerError(f"{path_or_name}: no such file, nor a language model for {kind} that is shipped ({known})")


def lexicons() -> list[str]:
    """Return the names (languages) of the shipped lexicons of pronunciations."""
    return sorted(path.name.removesuffix(LEXICON_SUFFIX) for path in FOLDER.glob(f"*{LEXICON_SUFFIX}"))


def find_lexicon(path_or_name: str | Path) -> Path:
    """Return the file of a lexicon: a path, or the name of a shipped one ("en"); another name stays as it is."""
    path = Path(path_or_name)
    if not path.exists() and str(path_or_name) in lexicons():
        return FOLDER / f"{path_or_name}{LEXICON_SUFFIX}"
    return path


def shipped_lexicon(file_name: str) -> Path | None:
    """Return the shipped lexicon of a file's name, None where there is none."""
    return _shipped(file_name, LEXICON_SUFFIX)


def shipped_language_model(file_name: str) -> Path | None:
    """Return the shipped language model of a file's name, None where there is none."""
    return _shipped(file_name, LANGUAGE_SUFFIX)


def _shipped(file_name: str, suffix: str) -> Path | None:
    """Return the file of that name in the package's folder, where its name ends so and it is there."""
    path = FOLDER / Path(file_name).name
    return path if path.name.endswith(suffix) and path.is_file() else None


def default_language(model: Path, kind: str) -> str | None:
    """Return the language model that a model is read with where nobody says otherwise, None for a user's own model."""
    shipped = model.resolve().parent == FOLDER.resolve()
    language = DEFAULT_LANGUAGES.get(model.name.removesuffix(SUFFIX)) if shipped else None
    return language if language in language_models(kind) else None


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
