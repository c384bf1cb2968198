"""The recipe of the letters of Joseph Hooker, as cut lines."""

from pathlib import Path

from recognizer.corpus.recipes import Corpus, cut_lines

KIND = "handwriting"
LICENCE = "CC BY-SA 4.0"
HOME = "https://github.com/jschaefer738b/JosephHookerHTR"


def samples(source: Path) -> Corpus:
    """Read transcripts.tsv beside lines/."""
    return cut_lines(source)
