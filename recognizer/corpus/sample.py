"""One sample of a corpus as its owner names it."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

NO_TEXT = "line without text"  # why lines of published pages are left out that nobody transcribed: no fault


@dataclass(frozen=True)
class Sample:
    """A file with its transcript.

    Args:
        path: the image or recording.
        text: the transcript as it stands in the manifest.
        split: "train", "valid", "test", another name, or "" where the manifest does not say.
        group: the writer, speaker, page or document it comes from, "" where unknown.
        origin: where the row stands, for messages, such as "manifest.tsv:12".
        fault: why it cannot be used, as one line, where that is known before its file is read; else "".
        reason: the class of that fault, to be counted.
    """

    path: Path
    text: str
    split: str = ""
    group: str = ""
    origin: str = ""
    fault: str = ""
    reason: str = ""


def groups_in_several_splits(samples: Iterable[tuple[str, str]]) -> dict[str, Counter[str]]:
    """Return the groups that stand in several splits, with how many samples each has in which; of (group, split)."""
    splits: dict[str, Counter[str]] = defaultdict(Counter)
    for group, split in samples:
        splits[group][split] += 1
    return {group: counts for group, counts in splits.items() if group and len(counts) > 1}
