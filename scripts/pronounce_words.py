"""Write the pronunciations of the commonest words of some texts: a lexicon for models that read phones.

A line is a word, a tabulator, its phones. All variants of the CMU Pronouncing Dictionary are written; possessives are
said by rule, what is left by the model of g2p2. Needs the extra `phones`. Example:

    python scripts/pronounce_words.py novels.txt.xz sentences.txt --words 60000 --out words.lexicon
"""

import argparse
import lzma
import sys
from collections import Counter
from pathlib import Path

from recognizer.commands.exit_codes import run_and_exit
from recognizer.common.atomic_write import replacing
from recognizer.corpus.pronunciation import Pronouncer
from recognizer.corpus.recipes import SPEECH_TEXT
from recognizer.errors import RecognizerError
from recognizer.language.text import read_lines


def commonest(paths: list[Path], words: int) -> list[str]:
    """Return the commonest words of texts, the commonest first."""
    counts: Counter[str] = Counter()
    for path in paths:
        for line in read_lines(path, SPEECH_TEXT):
            counts.update(line.text.split())
    return [word for word, _ in counts.most_common(words)]


def main() -> int:
    """Parse the options and write the lexicon."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="+", type=Path, help="a sentence a line, .txt, .gz or .xz")
    parser.add_argument("--words", type=int, default=60000, help="the commonest that are taken (default 60000)")
    parser.add_argument("--out", type=Path, required=True, help="the lexicon; NAME.xz is packed")
    args = parser.parse_args()
    pronouncer, sources, failed, lines = Pronouncer(), Counter[str](), list[str](), list[str]()
    for word in commonest(args.texts, args.words):
        try:
            said = pronouncer.variants(word)
        except RecognizerError:
            failed.append(word)
            continue
        sources[said[0].source] += 1
        lines += [f"{word}\t{' '.join(one.phones)}\n" for one in said]
    written = "".join(lines).encode()
    with replacing(args.out) as file:
        file.write(lzma.compress(written) if args.out.suffix == ".xz" else written)
    told = ", ".join(f"{count} by {source}" for source, count in sources.most_common())
    print(f"{args.out}: {len(lines)} pronunciations of {sum(sources.values())} words ({told})")
    if failed:
        print(f"{len(failed)} words could not be said and are left out: {', '.join(failed[:10])}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_and_exit("pronounce_words", main)
