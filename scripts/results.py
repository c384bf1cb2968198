"""Prints the table of results of the README anew, with the shipped models on prepared corpora.

    python scripts/results.py DATA [--only NAME ...] [--reports DIR] [--headers]

DATA holds the prepared corpora by name (DATA/copiste and so on); what is not there is left out and said. Each row is
what `recognizer evaluate` prints: the rates of all samples, and intervals that draw writers, speakers or pages where
the corpus has at least two. `--reports` keeps what `evaluate --json` writes, for `recognizer compare`; `--headers` puts
rates and intervals into the shipped models' own headers, which `recognizer info` prints.
"""

import argparse
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from recognizer.commands.exit_codes import DONE, FOUND, run_and_exit  # noqa: E402
from recognizer.common.atomic_write import write_atomically  # noqa: E402
from recognizer.corpus.shards import open_store  # noqa: E402
from recognizer.decoding.options import DecoderOptions  # noqa: E402
from recognizer.errors import RecognizerError  # noqa: E402
from recognizer.evaluation.evaluate import evaluate  # noqa: E402
from recognizer.evaluation.exclusion_list import exclude  # noqa: E402
from recognizer.evaluation.report import Report  # noqa: E402
from recognizer.model.model_file import read_header, write_header  # noqa: E402
from recognizer.pretrained import find_model  # noqa: E402
from recognizer.reading.reader import Reader  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
KEPT = ("cer", "wer", "cer_95", "wer_95", "samples", "characters", "words", "skipped", "sha256")  # in a header
HEAD = ("model", "test", "CER", "95 %", "WER", "95 %", "drawn", "command")


@dataclass(frozen=True)
class Row:
    """A measurement.

    Args:
        model: name of the shipped model.
        corpus: name of the prepared corpus.
        about: what was read, for people.
        split: of the corpus.
        tta: views of each line.
        without: a list of samples to leave out, from the root of the repository.
        lm: language model by name; "" is the model's own choice.
    """

    model: str
    corpus: str
    about: str
    split: str = "test"
    tta: int = 1
    without: str = ""
    lm: str = ""

    @property
    def name(self) -> str:
        """What the row is called."""
        more = ("-tta" if self.tta > 1 else "") + ("-without" if self.without else "")
        return f"{self.model}-{self.corpus}{more}"

    @property
    def command(self) -> str:
        """The command that measures it."""
        more = f" --split {self.split}" if self.split != "test" else ""
        more += f" --tta {self.tta}" if self.tta > 1 else ""
        more += f" --lm {self.lm}" if self.lm else ""
        more += f" --without {self.without}" if self.without else ""
        return f"recognizer evaluate {self.model} data/{self.corpus}{more}"


ROWS = (
    Row("handwriting", "unseen", "unseen documents"),
    Row("handwriting", "copiste", "unseen writers"),
    Row("handwriting", "peraire", "a known hand"),
    Row("handwriting", "timeus", "known clerks"),
    Row("handwriting", "mss19", "two unseen documents"),
    Row("handwriting", "hooker", "a known hand"),
    Row("handwriting", "hooker", "without lines cut at wrong places", without="datasets/hooker/miscut.txt"),
    Row("handwriting", "copiste", "five views of each line", tta=5),
    Row("handwriting-medieval", "unseen-medieval", "unseen documents"),
    Row("speech", "librispeech-mini", "two unseen speakers", split="valid", lm="none"),
    Row("speech-words", "librispeech-mini", "two unseen speakers", split="valid"),
    Row("speech", "kathleen", "a known speaker", lm="none"),
    Row("strokes", "unipen", "unipen, unseen writers and texts"),
    Row("digits", "fsdd", "takes of known speakers"),
)


def measured(row: Row, data: Path, done: dict[tuple[str, ...], Report]) -> Report:
    """Evaluate as the command line does; what is read stays in `done`, since samples do not change each other."""
    key = (row.model, row.corpus, row.split, str(row.tta), row.lm)
    if key not in done:
        options = DecoderOptions(tta=row.tta if row.tta > 1 else None, lm=Path(row.lm) if row.lm else None)
        reader = Reader.load(row.model, "auto", options)
        done[key] = evaluate(reader, row.model, data / row.corpus, row.split, _beside)
    return done[key] if not row.without else without(done[key], row, data)


def without(report: Report, row: Row, data: Path) -> Report:
    """Return a report without the samples that the row's list names."""
    store = open_store(data / row.corpus)
    indices = store.indices(row.split)
    kept, left_out = exclude(store, indices, ROOT / row.without)
    place = {index: i for i, index in enumerate(indices)}
    chosen = [place[index] for index in kept]
    judged = replace(report.trust, judged=[report.trust.judged[i] for i in chosen])
    return replace(report, scored=[report.scored[i] for i in chosen], trust=judged, left_out=left_out)


def cells(row: Row, report: Report) -> tuple[str, ...]:
    """Return a row of the table."""
    characters, words = (report.interval(unit) for unit in ("characters", "words"))
    number = report.units.number
    drawn = f"{number} groups" if report.units.names else f"{number} samples"
    return (
        f"`{row.model}`",
        f"{row.corpus} {row.split}, {len(report.scored)} samples, {row.about}",
        f"{report.characters.rate:.2%}",
        f"{characters[0]:.2%} to {characters[1]:.2%}",
        f"{report.words.rate:.2%}",
        f"{words[0]:.2%} to {words[1]:.2%}",
        drawn,
        f"`{row.command}`",
    )


def into_header(row: Row, report: Report) -> None:
    """Put the rates of a row and their intervals into the header of its model."""
    path, data = find_model(row.model), report.as_data()
    results = dict(read_header(path)["results"])
    name = f"{report.corpus} {report.split}"
    results[name] = {**results.get(name, {}), **{key: data[key] for key in KEPT}}
    write_header(path, path, {"results": results})


def _line(parts: tuple[str, ...]) -> str:
    return f"| {' | '.join(parts)} |"


def _beside(line: str) -> None:
    print(line, file=sys.stderr)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path, help="folder of the prepared corpora")
    parser.add_argument("--only", nargs="+", metavar="NAME", help=f"rows: {', '.join(row.name for row in ROWS)}")
    parser.add_argument("--reports", type=Path, help="folder for the reports as JSON")
    parser.add_argument("--headers", action="store_true", help="put what was measured into the models' headers")
    chosen = parser.parse_args()
    rows = [row for row in ROWS if not chosen.only or row.name in chosen.only]
    if len(rows) < len(set(chosen.only or ())):
        raise RecognizerError(f"--only {' '.join(chosen.only)}: rows are {', '.join(row.name for row in ROWS)}")
    print(_line(HEAD), _line(("---",) * len(HEAD)), sep="\n", flush=True)
    absent, done = 0, dict[tuple[str, ...], Report]()
    for row in rows:
        if not (chosen.data / row.corpus).is_dir():
            _beside(f"{chosen.data / row.corpus}: not there, {row.name} is left out")
            absent += 1
            continue
        report = measured(row, chosen.data, done)
        print(_line(cells(row, report)), flush=True)
        if chosen.reports:
            text = json.dumps(report.as_data(), indent=1, ensure_ascii=False) + "\n"
            write_atomically(chosen.reports / f"{row.name}.json", text.encode())
        if chosen.headers and row.tta == 1 and not row.without:
            into_header(row, report)
    return FOUND if absent else DONE


if __name__ == "__main__":
    run_and_exit("results", main)
