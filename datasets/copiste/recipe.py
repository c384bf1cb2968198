"""The recipe of Copiste d'un jour, French handwriting of 2024, as cut lines."""

from pathlib import Path

from recognizer.corpus.recipes import Corpus, cut_lines

KIND = "handwriting"
LICENCE = "CC BY 4.0"
HOME = "https://github.com/banq-dcn/Copiste-d-un-jour"


def samples(source: Path) -> Corpus:
    """Read transcripts.tsv beside lines/."""
    return cut_lines(source)
