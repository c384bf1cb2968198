"""The splits of a corpus: the source's own, or dealt out by group or file."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from recognizer.corpus.sample import Sample, groups_in_several_splits
from recognizer.corpus.shared_time import shared_time
from recognizer.corpus.store import SHARES
from recognizer.errors import RecognizerError
from recognizer.pages.page import file_of

SHARE = 0.1  # of the groups, for each of valid and test
Say = Callable[[str], None]


def share_of(given: float | None) -> float:
    """Return a share of the groups as it was given, or the one that stands where none was."""
    return SHARE if given is None else given


def with_splits(samples: list[Sample], shares: Mapping[str, float | None], say: Say) -> list[Sample]:
    """Return the samples as they are, or, where not one names a split, dealt out by group, or by file.

    Args:
        samples: of all splits.
        shares: of the groups, for valid and test, as they were given; None is a tenth.
        say: takes lines for people.

    Raises:
        RecognizerError: a share is given where the source names splits, or shares leave nothing to learn of several.
    """
    if any(sample.split for sample in samples):
        _refuse_shares(samples, shares)
        unsaid = sum(not (sample.split or sample.fault) for sample in samples)
        if unsaid:
            say(f'{unsaid} samples name no split, they are kept under ""')
        _say_shared(samples, say)
        _say_overlaps(samples, say)
        return samples
    usable = [sample for sample in samples if not sample.fault]
    unit, by, alone = _units(usable)
    dealt = sorted(set(unit.values()), key=_hash)
    test = _number_of(share_of(shares["test"]), len(dealt), len(dealt) > 2)
    valid = _number_of(share_of(shares["valid"]), len(dealt), len(dealt) > 1)
    if len(dealt) > 1 and valid + test >= len(dealt):
        raise RecognizerError(
            f"of {len(dealt)} {by}s {valid} would go to valid and {test} to test, none is left to learn from, expected "
            "a smaller --valid-share or --test-share"
        )
    split = {one: "test" if i < test else "valid" if i < test + valid else "train" for i, one in enumerate(dealt)}
    if alone:
        say(f"all samples are of {alone!r}: split {by} by {by}, so that one hand or voice may stand in every split")
    say(f"the source names no split: {valid} of {len(dealt)} go to valid, {test} to test, by the hash of the {by} name")
    dealt_out = [replace(sample, split=split.get(unit.get(sample.path, ""), "train")) for sample in samples]
    _say_overlaps(dealt_out, say)
    return dealt_out


def _units(samples: list[Sample]) -> tuple[dict[Path, str], str, str]:
    """Return what is dealt out as one: the group of each sample, its file where it has none.

    Where that is the same of all, their files, and of a single file, its stretches or lines. Files are called by their
    way from the folder that holds them all, so that neither its place nor other files of the same name count.

    Args:
        samples: without those at fault.

    Returns:
        The unit of each path, whether units are a "group", a "file" or a "sample", and the one group or file that all
        samples are of, "" where there are several.
    """
    files = [Path(os.path.abspath(file_of(sample.path))) for sample in samples]
    folder = Path(os.path.commonpath([file.parent for file in files])) if files else Path()
    own = [file.relative_to(folder).as_posix() for file in files]
    groups = [sample.group or name for sample, name in zip(samples, own, strict=True)]
    whole = [
        f"{file}{sample.path.name.removeprefix(Path(file).name)}" for sample, file in zip(samples, own, strict=True)
    ]
    by_group = "group" if any(sample.group for sample in samples) else "file"
    ways = [(groups, by_group), (own, "file"), (whole, "sample")]
    names, by = next((way for way in ways if len(set(way[0])) > 1), ways[0])
    paths = [sample.path for sample in samples]
    return dict(zip(paths, names, strict=True)), by, "" if names is groups else groups[0]


def _refuse_shares(samples: list[Sample], shares: Mapping[str, float | None]) -> None:
    """Refuse shares of splits that the source itself has made."""
    for split, share in shares.items():
        if share is not None:
            names = ", ".join(sorted({sample.split for sample in samples if sample.split}))
            raise RecognizerError(
                f"{SHARES[split]} has no effect: the source names splits itself ({names}), expected no share, or "
                f"samples that the source puts into {split}"
            )


def _say_shared(samples: list[Sample], say: Say) -> None:
    """Say which groups the source itself puts into several splits."""
    placed = [(sample.group, sample.split) for sample in samples if sample.group and not sample.fault]
    if shared := groups_in_several_splits(placed):
        first = min(shared)
        say(
            f"{len(shared)} of {len(dict(placed))} groups stand in several of the source's own splits, first {first!r} "
            f"in {', '.join(sorted(shared[first]))}: a test of them is no test of strangers"
        )


def _say_overlaps(samples: list[Sample], say: Say) -> None:
    """Say which stretches of a recording share time with one of another split.

    So do the voices of a conversation that are groups of their own: dealt out by recording they would stand in every
    split, which is worse.
    """
    usable = [sample for sample in samples if not sample.fault]
    if pairs := shared_time((str(sample.path), sample.split) for sample in usable):
        one, other = (f"{usable[i].path.name} ({usable[i].split})" for i in pairs[0])
        say(
            f"{len(pairs)} stretches overlap with one of their recording in another split, first {one} with {other}: "
            "what is tested there is learned; expected one split for each recording, or stretches that lie apart"
        )


def _number_of(share: float, number: int, enough: bool) -> int:
    """Return how many of a number of groups a share is: one at least where there are enough, and it is not zero."""
    return max(round(share * number), int(share > 0 and enough))


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()
