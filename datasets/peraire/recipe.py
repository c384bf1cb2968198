"""The recipe of the notebooks of Lucien Peraire, as cut lines."""

from pathlib import Path

from recognizer.corpus.recipes import Corpus, cut_lines

KIND = "handwriting"
LICENCE = "CC BY 4.0"
HOME = "https://github.com/alix-tz/peraire-ground-truth"


def samples(source: Path) -> Corpus:
    """Read transcripts.tsv beside lines/."""
    return cut_lines(source)
