"""A run's history: a line for each validation, in a table that people and pages read while the run goes on."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from recognizer.common.atomic_write import write_atomically
from recognizer.errors import RecognizerError

HISTORY = "history.tsv"  # in the folder of a run


@dataclass(frozen=True)
class Validation:
    """What was found after an epoch, or within it.

    Args:
        epoch: counted from 0.
        steps: of training so far.
        loss: of the last training step, NaN where it has none.
        cer: character error rate of the validation samples, a fraction.
        wer: word error rate.
        seconds: of training since the run began, validation not counted.
        processor: seconds of one process's processor in them.
    """

    epoch: int
    steps: int
    loss: float
    cer: float
    wer: float
    seconds: float
    processor: float


COLUMNS = [field.name for field in fields(Validation)]


def note(run: Path, found: Validation) -> None:
    """Append a line to the history of a run; an epoch may have several, which their steps tell apart.

    Raises:
        RecognizerError: the history cannot be read or written.
    """
    _write(run, [*read_history(run), found])


def cut(run: Path, epochs: int) -> None:
    """Keep of a run's history what belongs to its first `epochs` epochs: a resumed run does all others again.

    Raises:
        RecognizerError: the history cannot be read or written.
    """
    found = read_history(run)
    kept = [one for one in found if one.epoch < epochs]
    if kept != found:
        _write(run, kept)


def read_history(run: Path) -> list[Validation]:
    """Return the validations of a run so far, the first one first; none where there is no history yet.

    Raises:
        RecognizerError: the file cannot be read or is no history.
    """
    path = run / HISTORY
    try:
        head, *rows = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise RecognizerError(f"{path}: cannot be read as the history of a run ({error})") from error
    found = []
    for number, row in enumerate(rows, start=2):
        try:
            of = dict(zip(head, row, strict=True))
            found.append(Validation(int(of.pop("epoch")), int(of.pop("steps")), **{n: float(v) for n, v in of.items()}))
        except (KeyError, TypeError, ValueError):
            columns = " ".join(COLUMNS)
            raise RecognizerError(f"{path}:{number}: expected a line of {columns}, tabs between") from None
    return found


def _write(run: Path, validations: Iterable[Validation]) -> None:
    lines = ["\t".join(COLUMNS), *_lines(validations)]
    write_atomically(run / HISTORY, ("\n".join(lines) + "\n").encode())


def _lines(validations: Iterable[Validation]) -> Iterable[str]:
    for one in validations:
        epoch, steps, loss, cer, wer, *seconds = astuple(one)
        times = [f"{second:.3f}" for second in seconds]
        yield "\t".join([str(epoch), str(steps), f"{loss:.4f}", f"{cer:.5f}", f"{wer:.5f}", *times])
