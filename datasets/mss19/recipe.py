"""The recipe of CREMMA-MSS-19, French manuscripts of the 19th century, as cut lines."""

from pathlib import Path

from recognizer.corpus.recipes import Corpus, cut_lines

KIND = "handwriting"
LICENCE = "CC BY 4.0"
HOME = "https://github.com/HTR-United/CREMMA-MSS-19"


def samples(source: Path) -> Corpus:
    """Read transcripts.tsv beside lines/."""
    return cut_lines(source)
