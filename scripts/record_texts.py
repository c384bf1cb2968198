"""Record what the shipped models read in fifty samples each, for the test that holds them to it.

Run: python scripts/record_texts.py [handwriting speech digits strokes]

Reads samples of the demo, which come with the package, lines of a made-up pen, and samples of ../shared/corpora; where
that is not there, what was recorded of it stays. Writes tests/data/recorded/MODEL.tsv, whose difference shows what new
weights read otherwise.
"""

import argparse
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from rendering.pen_hand import written  # noqa: E402

import recognizer  # noqa: E402
from recognizer.commands.demo import DATA  # noqa: E402
from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.common.atomic_write import write_atomically  # noqa: E402
from recognizer.inputs.strokes.strokes import write_inkml  # noqa: E402

RECORDED = ROOT / "tests" / "data" / "recorded"
SHARED = ROOT.parent / "shared" / "corpora"
DEMO = "demo"  # the samples that come with the package
PEN = "pen"  # the lines that a made-up pen writes, a file TEXT.inkml each
PHRASES = (
    ("one", "the old miller", "nobody here", "my brother", "that green bird"),
    ("sold", "went by", "would leave", "has seen", "likes"),
    ("the house on the hill", "two pounds of milk"),
)
# For each model where its samples are from and how many: spread over the split that is named.
SAMPLES = {
    "handwriting": {
        DEMO: 25,
        "copiste:test": 5,
        "hooker:test": 5,
        "mss19:test": 5,
        "peraire:test": 5,
        "timeus:test": 5,
    },
    "speech": {"librispeech-mini:valid": 20, "kathleen:test": 30},
    "speech-words": {"kathleen:test": 50},
    "digits": {"fsdd:test": 50},
    "strokes": {PEN: 50},
}
Texts = dict[str, str]  # by the file's name: SOURCE/NAME


def main() -> None:
    """Record the models that are named, all without a name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", choices=(*SAMPLES, []), help="default all of them")
    for model in parser.parse_args().models or SAMPLES:
        kept = recorded(model)
        for source, number in SAMPLES[model].items():
            if is_shared(source) and not SHARED.is_dir():
                print(f"{model}: {source} stays as it is, {SHARED} is not there")
                continue
            kept = {name: text for name, text in kept.items() if source_of(name) != source}
            kept |= read(model, [f"{source}/{name}" for name in spread(names(source), number)])
        lines = "".join(f"{name}\t{text}\n" for name, text in kept.items())
        write_atomically(RECORDED / f"{model}.tsv", lines.encode())
        print(f"{model}: {len(kept)} texts in {RECORDED.relative_to(ROOT)}/{model}.tsv")


def recorded(model: str) -> Texts:
    """Return what was recorded of a model, nothing where nothing was."""
    path = RECORDED / f"{model}.tsv"
    if not path.is_file():
        return {}
    rows = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    return {name: text for name, text in rows}


def source_of(name: str) -> str:
    """Return where a sample is from: DEMO, or a corpus with its split."""
    return name.partition("/")[0]


def is_shared(source: str) -> bool:
    """Return whether samples lie beside the checkout, and neither come with it nor are made."""
    return source not in (DEMO, PEN)


def read(model: str, samples: Sequence[str]) -> Texts:
    """Return what a shipped model reads in samples SOURCE/NAME by default, batched as they come."""
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(DATA) as archive:
            archive.extractall(folder)
        write_lines(Path(folder), samples)
        found = recognizer.load(model, "cpu").transcribe([path_of(sample, Path(folder)) for sample in samples])
    return dict(zip(samples, (one.text for one in found), strict=True))


def write_lines(folder: Path, samples: Sequence[str]) -> None:
    """Write what the made-up pen wrote of samples PEN/NAME."""
    for sample in samples:
        if source_of(sample) == PEN:
            path = path_of(sample, folder)
            path.write_bytes(write_inkml(written(path.stem)))


def path_of(sample: str, own: Path) -> Path:
    """Return the file of a sample SOURCE/NAME; `own` is the folder of those that are not beside the checkout."""
    source, _, name = sample.partition("/")
    if not is_shared(source):
        return own / name
    folder = SHARED / source.partition(":")[0]
    return folder / ("lines" if (folder / "lines").is_dir() else "audio") / name


def names(source: str) -> list[str]:
    """Return the names of the files of a source."""
    if source == DEMO:
        with zipfile.ZipFile(DATA) as archive:
            return sorted(name for name in archive.namelist() if name.endswith(".png"))
    if source == PEN:
        return [f"{' '.join(words)}.inkml" for words in product(*PHRASES)]
    corpus, _, split = source.partition(":")
    return list(rows_of(SHARED / corpus / "transcripts.tsv", split))


def rows_of(table: Path, split: str) -> Iterator[str]:
    """Yield the file names of a split of a table file, split, speaker or writer, text."""
    for line in table.read_text(encoding="utf-8").splitlines()[1:]:
        name, own, *_ = line.split("\t")
        if own == split:
            yield name


def spread(found: list[str], number: int) -> list[str]:
    """Return `number` of them, evenly spread."""
    return [found[i * len(found) // number] for i in range(number)]


if __name__ == "__main__":
    run_and_exit("record_texts", main)
