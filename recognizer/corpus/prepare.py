"""Pack a corpus that a user brings into a store."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from recognizer.corpus.alphabet import TextSettings
from recognizer.corpus.manifest import read_corpus
from recognizer.corpus.page_samples import pages_below, read_pages
from recognizer.corpus.recipes import load_recipe, recipe_names
from recognizer.corpus.sample import Sample
from recognizer.corpus.store import FILE, Header, Packed, Unusable, write_store
from recognizer.errors import RecognizerError
from recognizer.inputs.kind import PLURALS, default_signal, kind_of, read_signal, refuse_bad_signal
from recognizer.inputs.lines.page_line import page_line_digest
from recognizer.pages.page import page_and_line

UNREADABLE = "cannot be read"  # the reason where nobody knows a better one
Say = Callable[[str], None]


@dataclass(frozen=True)
class PrepareSettings:
    """How a corpus is packed.

    Args:
        signal: signal settings that differ from the kind's defaults.
        valid_share: share of the groups (or of the samples, where none has a group) that become "valid" where the
            source names no split at all.
        test_share: likewise for "test".
    """

    signal: dict[str, Any]
    valid_share: float = 0.1
    test_share: float = 0.1

    def __post_init__(self) -> None:
        """Refuse shares that leave nothing to learn."""
        if min(self.valid_share, self.test_share) < 0 or self.valid_share + self.test_share >= 1:
            raise RecognizerError("valid and test shares are at least 0 and below 1 together")


@dataclass(frozen=True)
class Prepared:
    """What was packed.

    Args:
        path: the store.
        splits: samples of each split.
        characters: of the raw transcripts of each split.
        left_out: reason by reason, with counts; the files that could not be used are among them.
        noted: what was kept but deserves a word.
        unusable: each file that could not be used.
    """

    path: Path
    splits: Counter[str]
    characters: Counter[str]
    left_out: Counter[str]
    noted: Counter[str]
    unusable: list[Unusable]

    @property
    def bad(self) -> list[str]:
        """A line for each file that could not be used."""
        return [one.line for one in self.unusable]


def prepare(name_or_path: str, source: Path | None, out: Path, settings: PrepareSettings, say: Say) -> Prepared:
    """Pack a known corpus (its name, with `source`) or a manifest or folder (its path) into `out`.

    Raises:
        RecognizerError: the source is at fault as a whole, or not one of its files can be used.
    """
    header, samples, left_out, noted = _collect(name_or_path, source, settings)
    signal = {**default_signal(header.kind), **settings.signal}
    if unknown := settings.signal.keys() - default_signal(header.kind).keys():
        raise RecognizerError(f"signal.{min(unknown)}: no setting of {header.kind}, there are {', '.join(signal)}")
    refuse_bad_signal(header.kind, signal)
    header = replace(header, signal=signal, left_out=dict(left_out))
    done = Prepared(out / FILE, Counter(), Counter(), left_out, noted, [])
    samples = _with_splits(samples, settings, say)
    write_store(out, header, _packed(str(source or name_or_path), header, samples, done))
    left_out.update(one.reason for one in done.unusable)
    return done


def _packed(source: str, header: Header, samples: list[Sample], done: Prepared) -> Iterator[Packed | Unusable]:
    """Yield each sample with its signal or with what is wrong with its file, and count it in `done`.

    Raises:
        RecognizerError: at the end, where not one file could be used; a corpus of nothing is not written.
    """
    for sample in samples:
        one = _pack(header, sample)
        if isinstance(one, Packed):
            done.splits[sample.split] += 1
            done.characters[sample.split] += len(sample.text)
        else:
            done.unusable.append(one)
        yield one
    if not done.splits:
        raise RecognizerError(f"{source}: not one of {len(done.unusable)} files can be used, first {done.bad[0]}")


def _pack(header: Header, sample: Sample) -> Packed | Unusable:
    """Return a sample with its signal, or what is wrong with its file."""
    try:
        _refuse_stray_text(sample)
        made = read_signal(header.kind, header.signal, sample.path)
        on_page = page_and_line(sample.path)
        digest = page_line_digest(*on_page) if on_page else hashlib.sha256(sample.path.read_bytes()).digest()
        return Packed(sample, made.values, made.extent, digest, made.notes)
    except RecognizerError as error:
        reason = error.reason or _reason(header.kind, sample.path)
        return Unusable(str(sample.path), reason, f"{sample.origin}: {error}")
    except OSError as error:
        line = f"{sample.origin}: {sample.path}: cannot be read ({error.strerror or error})"
        return Unusable(str(sample.path), _reason(header.kind, sample.path), line)


def _refuse_stray_text(sample: Sample) -> None:
    """Refuse halves of surrogate pairs, which JSON can spell and no file can hold."""
    try:
        sample.text.encode()
    except UnicodeEncodeError as error:
        code = ord(sample.text[error.start])
        raise RecognizerError(f"half a character, U+{code:04X}, wanted Unicode text", "text is not Unicode") from None


def _reason(kind: str, path: Path) -> str:
    """Return the class of a file's fault as far as the file system and its first bytes tell."""
    try:
        if not path.stat().st_size:
            return "empty file"
        return UNREADABLE if kind_of(path) == kind else "of another kind"
    except FileNotFoundError:
        return "no such file"
    except OSError:
        return UNREADABLE


def _collect(
    name_or_path: str, source: Path | None, settings: PrepareSettings
) -> tuple[Header, list[Sample], Counter[str], Counter[str]]:
    """Return the header, the samples, and what the recipe left out or noted."""
    path = Path(name_or_path)
    if name_or_path in recipe_names():
        recipe = load_recipe(name_or_path)
        if source is None:
            raise RecognizerError(f"{name_or_path}: wanted --source with the folder it was unpacked to")
        corpus = recipe.read(source)
        header = Header(recipe.name, recipe.kind, {}, asdict(recipe.text), {}, recipe.licence)
        return header, corpus.samples, Counter(corpus.left_out), Counter(corpus.noted)
    if not path.exists():
        load_recipe(name_or_path)  # says which names there are
    left_out: Counter[str] = Counter()
    noted: Counter[str] = Counter()
    if pages := pages_below(path):
        found = read_pages(path, pages)
        samples, left_out, noted = found.samples, found.left_out, found.noted
    else:
        samples = read_corpus(path)
    if not samples:
        raise RecognizerError(f"{path}: {left_out.total()} lines without text, wanted transcribed ones")
    kinds = Counter(kind_of(sample.path) for sample in samples)
    if len(kinds) > 1:
        raise RecognizerError(
            f"{path}: {' and '.join(f'{n} {PLURALS[kind]}' for kind, n in sorted(kinds.items()))}, wanted one kind"
        )
    name = path.name if path.is_dir() else path.parent.name
    header = Header(name, next(iter(kinds)), {}, asdict(TextSettings()), {})
    return header, samples, left_out, noted


def _with_splits(samples: list[Sample], settings: PrepareSettings, say: Say) -> list[Sample]:
    """Return the samples as they are, or, where not one names a split, dealt out by group."""
    if any(sample.split for sample in samples):
        unsaid = sum(not sample.split for sample in samples)
        if unsaid:
            say(f'{unsaid} samples name no split, they are kept under ""')
        return samples
    groups = sorted({sample.group or sample.path.name for sample in samples}, key=_hash)
    test = round(settings.test_share * len(groups))
    valid = round(settings.valid_share * len(groups))
    split = {g: "test" if i < test else "valid" if i < test + valid else "train" for i, g in enumerate(groups)}
    by = "group" if any(sample.group for sample in samples) else "file"
    say(
        f"the source names no split: {valid} of {len(groups)} go to valid, {test} to test, by the hash of the {by} name"
    )
    return [replace(sample, split=split[sample.group or sample.path.name]) for sample in samples]


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
