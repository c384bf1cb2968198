"""The recipe of UNIPEN's lines of pen strokes, as scripts/unpack_strokes.py writes them."""

from pathlib import Path

from recognizer.corpus.manifest import read_table
from recognizer.corpus.recipes import Corpus, unrecognised

KIND = "strokes"
LICENCE = "CC BY 4.0; an older notice inside says research only"
HOME = "https://doi.org/10.5281/zenodo.1195803"


def samples(source: Path) -> Corpus:
    """Read manifest.tsv, which names the InkML files."""
    if not (source / "manifest.tsv").is_file():
        raise unrecognised(source, "manifest.tsv beside lines/, as scripts/unpack_strokes.py writes them")
    return Corpus(read_table(source / "manifest.tsv"))
