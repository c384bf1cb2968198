"""Makes new lines for training out of the words of a corpus that one hand has written.

    python scripts/recombine_lines.py --model runs/mine/model.safetensors --corpus data/mine \\
        --text english.txt.xz --count 5000 --seed 1 --out ../recombined
    recognizer prepare ../recombined/manifest.tsv --out data/recombined

The model says where each word of the training lines stands; it should read them well. Only the training split is cut.
Line i depends on the seed, i, the corpus, the model, the texts alone.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image
from rendering.recombine import Hand, Word, cut_words, new_line
from rendering.text import read_sentences

from recognizer.commands.exit_codes import run_and_exit
from recognizer.common.atomic_write import write_atomically
from recognizer.corpus.store import Store
from recognizer.decoding.alignment import align_batch
from recognizer.errors import RecognizerError
from recognizer.evaluation.open_corpus import open_corpus
from recognizer.reading.reader import Reader

BATCH = 32  # lines aligned at a time
SAID = 500  # lines from one word of progress to the next


def read_hand(reader: Reader, store: Store) -> Hand:
    """Cut the training lines of a corpus into words."""
    words: dict[str, list[Word]] = {}
    gaps: list[int] = []
    todo = sorted(store.indices("train"), key=lambda i: int(store.counts[i]))
    cut = 0
    for at in range(0, len(todo), BATCH):
        for image, text, places in _placed(reader, store, todo[at : at + BATCH]):
            found, between = cut_words(image, text, places)
            cut += len(text.split(" "))
            gaps += between
            for name, word in found:
                words.setdefault(name, []).append(word)
    kept = sum(map(len, words.values()))
    print(f"{kept} of {cut} words in {len(todo)} lines stand apart from their neighbours: {len(words)} words")
    if not gaps:
        raise RecognizerError(f"{store.path}: no two words stand apart, expected lines of several words")
    longest = int(np.percentile(store.counts[todo], 95))
    return Hand(words, gaps, margin=3, longest=longest)


def _placed(reader: Reader, store: Store, run: list[int]) -> list[tuple[np.ndarray, str, list[tuple[int, int]]]]:
    """Return image, text and the columns of each character of some samples."""
    alphabet, step = reader.alphabet, reader.model.steps_per_frame()
    texts = [alphabet.text.normalize(store.text(i)) for i in run]
    log_probs, counts = reader.log_probs([store.signal(i) for i in run])
    aligned = align_batch(log_probs, counts, [alphabet.encode(text) for text in texts])
    return [
        (
            np.asarray(store.signal(i)).T,
            text,
            [(int(a * step), int(b * step)) for a, b in zip(found.placed.starts, found.placed.ends, strict=True)],
        )
        for i, text, found in zip(run, texts, aligned, strict=True)
    ]


def main() -> int:
    """Cut, set together, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="handwriting", help="model that aligns (file or shipped name)")
    parser.add_argument("--corpus", type=Path, required=True, help="folder that `recognizer prepare` made; one hand")
    parser.add_argument("--text", type=Path, nargs="+", required=True, help="text files, a sentence a line")
    parser.add_argument("--count", type=int, required=True, help="number of lines")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for lines/ and manifest.tsv")
    arguments = parser.parse_args()
    sentences = [sentence for path in arguments.text for sentence in read_sentences(path)]
    reader = Reader.load(arguments.model)
    with open_corpus(reader, arguments.corpus, print) as store:
        name, hand = store.header.name, read_hand(reader, store)
    rows = ["file\ttext\tsplit\tgroup"]
    for i in range(arguments.count):
        text, image = new_line(hand, sentences, np.random.default_rng([arguments.seed, i]))
        path = arguments.out / f"lines/{arguments.seed}-{i // 1000:03d}/{i:06d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
        rows.append(f"{path.relative_to(arguments.out)}\t{text}\ttrain\t{name}")
        if (i + 1) % SAID == 0:
            print(f"{i + 1} lines", flush=True)
    write_atomically(arguments.out / "manifest.tsv", ("\n".join(rows) + "\n").encode())
    print(f"{arguments.count} lines in {arguments.out}")
    return 0


if __name__ == "__main__":
    run_and_exit("recombine_lines", main)
