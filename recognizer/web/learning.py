"""A model of this hand: corrected lines become a corpus, and `recognizer train --init` learns it in a process aside."""

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from recognizer.common.atomic_write import write_atomically
from recognizer.errors import RecognizerError
from recognizer.inputs.registry import default_signal
from recognizer.inputs.speech.audio import SpeechSettings, write_speech
from recognizer.pages.page import MARK, file_of, mark_of
from recognizer.pages.xml_edit import EditedLine, edit_lines
from recognizer.training.history import read_history
from recognizer.web.documents import READER
from recognizer.web.drafts import Draft, DraftLine
from recognizer.web.limits import Refused
from recognizer.web.line_images import image_of
from recognizer.web.project import ProjectFile
from recognizer.web.saving import new_page
from recognizer.web.sounds import stretch

STATE, LOG, RUN, MANIFEST = "state.json", "log.txt", "run", "manifest.tsv"
NAME = "%Y%m%d-%H%M%S-%fZ"  # of a learning's folder: when it began, in UTC, where no hour comes twice
LEAST = 10  # corrected lines: with fewer nothing is learnt that holds for the next page
STEPS = 300  # of training, roughly what a few dozen lines need
BATCH = 10  # lines of a step, roughly
PATIENCE = 60.0  # seconds that a learning which is stopped has for its end
EPOCHS = (8, 60)  # at least, at most, where the user leaves it to us
Phase = Literal["preparing", "learning", "measuring", "done", "stopped", "failed"]


@dataclass(frozen=True)
class LearningWish:
    """What a user asks for.

    Args:
        kind: "handwriting", "speech" or "strokes".
        held_back: share of the lines that are not learnt, to see how well it reads what it has not seen.
        held_back_file: id of a file whose lines are held back in place of a share; "" for none.
        epochs: 0 leaves it to us.
    """

    kind: str = "handwriting"
    held_back: float = 0.2
    held_back_file: str = ""
    epochs: int = 0


@dataclass(frozen=True)
class Epoch:
    """A point of the curve: epoch from 1, training loss if finite, error rates on the lines held back, in fractions."""

    epoch: int
    loss: float | None
    cer: float
    wer: float


@dataclass(frozen=True)
class LearningState:
    """How a learning stands.

    Args:
        phase: what it does.
        lines: that are learnt.
        held_back: lines that are not.
        epochs: that it will take.
        init: the model that it starts from.
        curve: an entry for each epoch that is over.
        before: character error rate of the first model on the lines held back, None until it is measured.
        fault: what went wrong, one line.
        model: the model file that came out of it, else of the last one before that one came out of; "" for none.
        model_kind: kind of that model.
        process: id of the process that works, 0 for none.
    """

    phase: Phase
    lines: int
    held_back: int
    epochs: int
    init: str
    kind: str = "handwriting"
    curve: tuple[Epoch, ...] = ()
    before: float | None = None
    fault: str = ""
    model: str = ""
    model_kind: str = ""
    process: int = 0

    @property
    def going(self) -> bool:
        """Whether it still works."""
        return self.phase in ("preparing", "measuring", "learning")


FORM = TypeAdapter(LearningState)


@dataclass(frozen=True)
class Corrected:
    """Lines that a person has checked, with the draft and the file that they are of."""

    file: ProjectFile
    draft: Draft
    lines: tuple[DraftLine, ...]


class Learning:
    """The learnings of a project, a folder each; one works at a time."""

    def __init__(self, folder: Path) -> None:
        """Keep learnings in `folder`; one that a killed server has left is seen as it was left."""
        self.folder = folder
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def last(self) -> LearningState | None:
        """Return how the newest learning stands, None where there was none."""
        home = self._home()
        if home is None:
            return None
        state = _state(home)
        curve = _curve(home / RUN)
        if state.going and not self.watched and not _lives(state.process, home):
            # The server that watched it was killed: how it ended is seen by what it has left.
            state = replace(state, phase="done" if len(curve) >= state.epochs else "stopped", process=0)
            self._write(home, state)
        model, model_kind = self._model()
        return replace(state, curve=curve, model=model, model_kind=model_kind)

    def start(self, wish: LearningWish, corrected: Sequence[Corrected], init: Path) -> LearningState:
        """Write the corpus and begin.

        Raises:
            Refused: one works already, or too few lines are corrected.
            RecognizerError: lines that cannot be cut, or a first model that nothing is learnt from.
        """
        with self._lock:
            last = self.last()
            if last and last.going:
                raise Refused(409, "a model is being made already: stop it or wait for its end")
            samples = [(one, line) for one in corrected for line in one.lines if line.text.strip()]
            if len(samples) < LEAST:
                raise Refused(422, f"{len(samples)} lines are corrected or accepted, expected at least {LEAST}")
            form = _form_of(init)
            home = self.folder / f"{datetime.now(timezone.utc):{NAME}}"
            held = _held_back(samples, wish)
            if not 0 < len(held) < len(samples):
                raise Refused(422, f"{len(held)} of {len(samples)} lines would be held back: expected some, not all")
            write_corpus(home, samples, held)
            learnt = len(samples) - len(held)
            most = wish.epochs or min(max(EPOCHS[0], round(STEPS * BATCH / learnt)), EPOCHS[1])
            state = LearningState("preparing", learnt, len(held), most, str(init), wish.kind)
            self._write(home, state)
            self._stopping.clear()
            self._thread = threading.Thread(target=self._work, args=(home, state, form), name="learning", daemon=True)
            self._thread.start()
            return state

    def stop(self) -> LearningState | None:
        """End the learning; the best model so far stays."""
        self._stopping.set()
        last, home = self.last(), self._home()
        if last and home and last.going and _lives(last.process, home):
            _end(last.process)
            _wait_for_end(last.process, home)
        if self._thread:
            self._thread.join(timeout=PATIENCE)
        return self.last()

    @property
    def watched(self) -> bool:
        """Whether this server has begun the learning that goes on."""
        return self._thread is not None and self._thread.is_alive()

    def _work(self, home: Path, state: LearningState, form: Sequence[str]) -> None:
        """Do the steps of a learning; whatever goes wrong is in its record."""
        try:
            self._steps(home, state, form)
        except Exception as error:  # noqa: BLE001  nobody waits for the thread
            fault = " ".join(str(error).split()) or type(error).__name__
            self._write(home, replace(state, phase="failed", process=0, fault=fault))

    def _steps(self, home: Path, state: LearningState, form: Sequence[str]) -> None:
        """Prepare, measure, learn: each a command of the recognizer in a process of its own."""
        corpus, run, init = home / "corpus", home / RUN, state.init
        report = home / "before.json"
        evaluate = ("evaluate", init, corpus, "--split", "valid", "--json", report)
        train = ("train", "--data.corpus", corpus, "--init", init, "--run", run, "--trainer.max_epochs", state.epochs)
        quiet = ("--trainer.enable_progress_bar", "false")
        steps: tuple[tuple[Phase, tuple[object, ...]], ...] = (
            ("preparing", ("prepare", home / MANIFEST, "--out", corpus, *form)),
            ("measuring", evaluate),
            ("learning", (*train, *quiet)),
        )
        for phase, words in steps:
            state = replace(state, phase=phase)
            code = self._run(home, state, [str(word) for word in words])
            if self._stopping.is_set():
                self._write(home, replace(state, phase="stopped", process=0))
                return
            if code not in (0, 1):
                self._write(home, replace(state, phase="failed", process=0, fault=_last_line(home / LOG)))
                return
            if phase == "measuring":
                state = replace(state, before=json.loads(report.read_text(encoding="utf-8"))["cer"])
        self._write(home, replace(state, phase="done", process=0))

    def _run(self, home: Path, state: LearningState, words: list[str]) -> int:
        """Run a verb to its end and return its exit code; the record tells its process."""
        if self._stopping.is_set():
            return 143
        with open(home / LOG, "ab") as log:
            log.write(f"+ recognizer {' '.join(words)}\n".encode())
            log.flush()
            command = [sys.executable, "-m", "recognizer", *words]
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
            self._write(home, replace(state, process=process.pid))
            return process.wait()

    def _homes(self) -> list[Path]:
        """Return the folders of the learnings, the oldest first; former names are of local time and without Z."""
        homes = (path.parent for path in self.folder.glob(f"*/{STATE}"))
        return sorted(homes, key=lambda home: (home.name.endswith("Z"), home.name))

    def _home(self) -> Path | None:
        homes = self._homes()
        return homes[-1] if homes else None

    def _model(self) -> tuple[str, str]:
        """Return the newest model that has come out of a learning, and its kind."""
        for home in reversed(self._homes()):
            path = home / RUN / "model.safetensors"
            if path.is_file():
                return str(path), _state(home).kind
        return "", ""

    def _write(self, home: Path, state: LearningState) -> None:
        write_atomically(home / STATE, json.dumps(asdict(replace(state, curve=(), model="", model_kind=""))).encode())


def write_corpus(home: Path, samples: Sequence[tuple[Corrected, DraftLine]], held: set[int]) -> None:
    """Write files with a manifest of their texts: pages with their images, stretches of recordings, or files as is."""
    (home / "lines").mkdir(parents=True)
    pages: dict[str, Path] = {}
    rows = ["file\ttext\tsplit\tgroup"]
    for number, (one, line) in enumerate(samples):
        if one.draft.kind == "page":
            if one.file.id not in pages:
                pages[one.file.id] = _write_page(home / "lines" / f"page-{len(pages) + 1:05}", one)
            name = f"{pages[one.file.id].name}{MARK}{line.id}"
        else:
            name = _write_sample(home / "lines" / f"{number:05}", one, line).name
        text = " ".join(line.text.split())
        group = " ".join(one.file.name.split())
        rows.append(f"lines/{name}\t{text}\t{'valid' if number in held else 'train'}\t{group}")
    write_atomically(home / MANIFEST, ("\n".join(rows) + "\n").encode())


def _write_page(stem: Path, one: Corrected) -> Path:
    """Write a page as its draft has it, places that were moved too, beside a copy of its image."""
    source = image_of(one.file)
    whole = file_of(source)
    image, path = stem.with_suffix(whole.suffix), stem.with_suffix(".xml")
    image.write_bytes(whole.read_bytes())
    write_atomically(path, new_page(f"{image.name}{mark_of(source)}", one.draft))
    write_atomically(path, edit_lines(path, [EditedLine(ln.id, ln.text, ln.outline, ln.baseline) for ln in one.lines]))
    return path


def _write_sample(stem: Path, one: Corrected, line: DraftLine) -> Path:
    """Write a stretch of a recording, or the file itself where it is one line."""
    if one.draft.kind == "sound" and len(one.draft.lines) > 1:
        path = stem.with_suffix(".wav")
        write_speech(path, stretch(one.file, line.start, line.end), SpeechSettings(**default_signal("speech")))
    else:
        whole = file_of(one.file.path)
        path = stem.with_suffix(whole.suffix)
        path.write_bytes(whole.read_bytes())
        path = path.with_name(f"{path.name}{mark_of(one.file.path)}")
    return path


def _held_back(samples: Sequence[tuple[Corrected, DraftLine]], wish: LearningWish) -> set[int]:
    """Return which samples are held back: those of a file, or a share spread evenly over all."""
    if wish.held_back_file:
        return {i for i, (one, _) in enumerate(samples) if one.file.id == wish.held_back_file}
    if not 0 < wish.held_back < 1:
        raise Refused(422, f"a share of {wish.held_back:g} is to be held back, expected more than 0 and less than 1")
    count = max(1, round(wish.held_back * len(samples)))
    return {int((number + 0.5) * len(samples) / count) for number in range(count)}


def _form_of(init: Path) -> tuple[str, ...]:
    """Return the options of `prepare` that make a corpus as a model reads it.

    Raises:
        RecognizerError: no model that can be changed, such as an export.
    """
    from recognizer.model.model_file import read_header

    settings = read_header(init)["settings"]
    names = {"handwriting": ("height", "direction"), "strokes": ("spacing",)}.get(settings["kind"], ())
    return tuple(part for name in names for part in (f"--{name}", str(settings["signal"][name])))


def corrected_of(kind: str, drafts: Sequence[tuple[ProjectFile, Draft]]) -> list[Corrected]:
    """Return what a person has checked of the files that a kind of model reads."""
    found = []
    for file, draft in drafts:
        lines = tuple(line for line in draft.lines if line.checked and (draft.kind != "page" or len(line.outline) > 2))
        if lines and READER[draft.kind] == kind:
            found.append(Corrected(file, draft, lines))
    return found


def _state(home: Path) -> LearningState:
    """Return the record of a learning.

    Raises:
        RecognizerError: it is damaged.
    """
    try:
        return FORM.validate_json((home / STATE).read_bytes())
    except (OSError, ValidationError) as error:
        raise RecognizerError(f"{home / STATE}: a damaged record of a learning ({error})") from None


def _curve(run: Path) -> tuple[Epoch, ...]:
    """Return the rows of a run's history."""
    return tuple(
        Epoch(one.epoch + 1, one.loss if math.isfinite(one.loss) else None, one.cer, one.wer)
        for one in read_history(run)
    )


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "no word of what went wrong"


def _lives(process: int, home: Path) -> bool:
    """Return whether a process still works for the learning in `home`."""
    if not process:
        return False
    if sys.platform == "win32":
        return _lives_in_windows(process)
    try:
        os.kill(process, 0)
        # Another program may have the number by now: those of a learning are called with paths of its folder.
        command = Path(f"/proc/{process}/cmdline")
        return not command.exists() or os.fsencode(home) in command.read_bytes()
    except OSError:
        return False


def _lives_in_windows(process: int) -> bool:
    """Return whether a process has not ended yet; there the signal 0 would be a Ctrl-C."""
    import ctypes

    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]
    if not (handle := kernel.OpenProcess(0x00100000, False, process)):  # to wait for it
        return False
    try:
        return bool(kernel.WaitForSingleObject(handle, 0) == 0x102)  # a timeout
    finally:
        kernel.CloseHandle(handle)


def _wait_for_end(process: int, home: Path) -> None:
    until = time.monotonic() + PATIENCE
    while _lives(process, home) and time.monotonic() < until:
        time.sleep(0.05)


def _end(process: int) -> None:
    """End a learning's process and, where the system has groups of processes, what it has started."""
    with suppress(OSError):
        if sys.platform == "win32":
            os.kill(process, signal.SIGTERM)
        else:
            os.killpg(process, signal.SIGTERM)
