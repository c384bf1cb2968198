"""The recipes of known corpora."""

import difflib
import importlib.util
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from recognizer.corpus.alphabet import TextSettings
from recognizer.corpus.collection_recipes import RECIPE, read_collection_recipe
from recognizer.corpus.collections import CollectionSettings, Document, read_collection
from recognizer.corpus.download import Download
from recognizer.corpus.manifest import named, read_lines, read_table
from recognizer.corpus.sample import Sample
from recognizer.errors import RecognizerError
from recognizer.inputs.speech.kind import KIND as SPEECH

PACKAGE = Path(__file__).resolve().parents[1]
TABLE = "transcripts.tsv"
CUT_COLUMNS = ("file", "split", "group", "text")  # of the tables of cut lines, which have no header

# What is not said aloud goes; what is left of English transcripts is a to z, apostrophe, space.
SPEECH_TEXT = TextSettings(
    case="lower",
    replace={
        **dict.fromkeys(("-", "\u2010", "\u2011", "\u2013", "\u2014", "/"), " "),
        **dict.fromkeys(("\u2019", "\u2018"), "'"),
        **dict.fromkeys((".", ",", ";", ":", "!", "?", '"', "(", ")", "[", "]", "\u2026", "\u201c", "\u201d"), ""),
    },
)


@dataclass(frozen=True)
class Corpus:
    """What a recipe found.

    Args:
        samples: the samples, in a fixed order.
        left_out: reason -> how many samples or files were left out.
        noted: what was kept although it deserves a word -> how many.
        documents: of a collection of pages, what was taken of each.
        card: of a collection of pages, what it says of itself.
        rules: the transcription rules that its texts went through, "" where none.
    """

    samples: list[Sample]
    left_out: Counter[str] = field(default_factory=Counter)
    noted: Counter[str] = field(default_factory=Counter)
    documents: Sequence[Document] = ()
    card: dict[str, str] = field(default_factory=dict)
    rules: str = ""


@dataclass(frozen=True)
class Recipe:
    """How a known corpus becomes samples.

    Args:
        name: the folder under datasets/.
        samples: reads a source folder.
        kind: "handwriting", "speech" or "strokes".
        licence: the licence of the corpus in a few words.
        home: where it comes from.
        text: how its transcripts are normalised unless the user says otherwise.
        downloads: what may be fetched from there; empty where the recipe fetches nothing.
        card: the file that describes it.
    """

    name: str
    samples: Callable[[Path], Corpus]
    kind: str
    licence: str
    home: str
    text: TextSettings
    downloads: tuple[Download, ...]
    card: Path

    def read(self, source: Path) -> Corpus:
        """Read the corpus at `source`.

        Raises:
            RecognizerError: `source` is no folder, has another layout, or gives no sample.
        """
        if not source.is_dir():
            raise RecognizerError(f"{source}: no folder, expected where {self.name} was unpacked")
        corpus = self.samples(source)
        if not corpus.samples:
            raise RecognizerError(f"{source}: holds no sample of {self.name}, left out {dict(corpus.left_out)}")
        return corpus


def folder(name: str, package: Path = PACKAGE) -> Path:
    """Return the folder `name` ("datasets", "configs") of an installed package, else of the checkout around it.

    Raises:
        RecognizerError: it is at neither place.
    """
    places = (package / f"_{name}", package.parent / name)
    for place in places:
        if place.is_dir():
            return place
    raise RecognizerError(f"{name}: neither at {places[0]} nor at {places[1]}, expected a whole installation")


def recipe_names() -> list[str]:
    """Return the names of the known corpora in order."""
    return sorted({path.parent.name for name in ("recipe.py", RECIPE) for path in folder("datasets").glob(f"*/{name}")})


def load_recipe(name: str) -> Recipe:
    """Load the recipe of a known corpus.

    Raises:
        RecognizerError: there is none of this name; the nearest name is told.
    """
    names = recipe_names()
    if name not in names:
        near = difflib.get_close_matches(name, names, 1)
        hint = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(names)}"
        raise RecognizerError(f"{name}: no recipe of this name, {hint}")
    path = folder("datasets") / name / "recipe.py"
    pages = path.with_name(RECIPE)
    if not path.is_file():
        return _recipe_of_pages(pages)
    spec = importlib.util.spec_from_file_location(f"recognizer_dataset_{name}".replace("-", "_"), path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text: TextSettings = getattr(module, "TEXT", TextSettings())
    downloads: tuple[Download, ...] = getattr(module, "DOWNLOADS", ())
    card = path.with_name("card.md")
    samples = partial(_lines_or_pages, module.samples, pages) if pages.is_file() else module.samples
    return Recipe(name, samples, module.KIND, module.LICENCE, module.HOME, text, downloads, card)


def corpus_of_pages(source: Path, settings: CollectionSettings) -> Corpus:
    """Read a collection of pages as its project publishes it."""
    found = read_collection(source, settings)
    rules = settings.rules.title if settings.rules else ""
    return Corpus(found.samples, found.left_out, found.noted, found.documents, found.card, rules)


def _recipe_of_pages(path: Path) -> Recipe:
    """Return the recipe of a collection that pages.yaml describes."""
    read = read_collection_recipe(path)
    samples = partial(corpus_of_pages, settings=read.settings)
    card = path.with_name("card.md")
    return Recipe(read.name, samples, "handwriting", read.licence, read.home, TextSettings(), (), card)


def _lines_or_pages(lines: Callable[[Path], Corpus], path: Path, source: Path) -> Corpus:
    """Read a folder of cut lines, or the pages that they were cut from as `path` describes them."""
    if (source / TABLE).is_file() or next(source.rglob("*.xml"), None) is None:
        return lines(source)
    return corpus_of_pages(source, read_collection_recipe(path).settings)


def cut_lines(source: Path) -> Corpus:
    """Read a folder of cut lines: transcripts.tsv (file, split, group, text; no header) beside lines/."""
    if not (source / TABLE).is_file():
        raise unrecognised(source, f"{TABLE} (file, split, group, text) beside the images in lines/")
    return _with_strays(read_table(source / TABLE, "lines", CUT_COLUMNS), source / "lines")


def small_form(source: Path) -> Corpus | None:
    """Read a folder of recordings with transcripts.tsv (header) beside audio/; None where it has another layout."""
    if not (source / TABLE).is_file():
        return None
    return _with_strays(read_table(source / TABLE, "audio"), source / "audio")


def unrecognised(source: Path, wanted: str) -> RecognizerError:
    """Return the error of a source that has another layout."""
    found = sorted(path.name for path in source.iterdir())[:5]
    return RecognizerError(f"{source}: layout not recognised, found {', '.join(found) or 'nothing'}; expected {wanted}")


def whole(samples: Iterable[Sample]) -> list[Sample]:
    """Return `samples` if all their files are there, each once.

    Raises:
        RecognizerError: the first absent file and how many are.
    """
    kept = list(samples)
    absent = [sample for sample in kept if not sample.path.is_file()]
    if absent:
        raise RecognizerError(
            f"{absent[0].origin}: {absent[0].path} is not there ({len(absent)} of {len(kept)} are not), expected all"
        )
    twice = [path for path, count in Counter(sample.path for sample in kept).items() if count > 1]
    if twice:
        raise RecognizerError(f"{named(twice)}: listed twice, expected each file once")
    return kept


def keyed_lines(path: Path) -> dict[str, tuple[str, str]]:
    """Read lines of a key, white space, a value: key -> (value, origin such as "text:3").

    Raises:
        RecognizerError: the file is absent, a line has no key, a key stands twice.
    """
    found: dict[str, tuple[str, str]] = {}
    for line, content in read_lines(path):
        key, value = (content.split(maxsplit=1) + ["", ""])[:2]
        if not key or key in found:
            raise RecognizerError(f"{path}:{line}: key {key!r} is empty or stands twice, expected KEY VALUE")
        found[key] = (value.strip(), f"{path.name}:{line}")
    return found


def recordings(folder: Path, suffixes: tuple[str, ...] = SPEECH.suffixes) -> list[Path]:
    """Return the recordings below `folder` in order, files with a leading dot apart."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in suffixes and not path.name.startswith("."))
    return sorted(found)


def _with_strays(samples: list[Sample], media: Path) -> Corpus:
    """Count the files beside the samples that no row names."""
    known = {sample.path.name for sample in samples}
    strays = sum(path.name not in known for path in media.iterdir() if not path.name.startswith("."))
    return Corpus(samples, Counter({"file without a transcript": strays}) if strays else Counter())
