"""Samples taken or left by the tags that their pages give them, such as "print" or "marginalia"."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from recognizer.corpus.store import Store
from recognizer.errors import RecognizerError

NOTE = "tag: "  # how notes of a sample begin that are its tags


@dataclass(frozen=True)
class TagChoice:
    """Which samples count.

    Args:
        only: those with one of these tags; empty takes all.
        without: not those with one of these.
    """

    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


EVERY_TAG = TagChoice()


def choose_by_tags(
    store: Store, indices: Sequence[int], choice: TagChoice = EVERY_TAG, say: Callable[[str], None] = lambda _: None
) -> list[int]:
    """Return the samples of a split that the tags choose.

    Raises:
        RecognizerError: no sample has a tag that was named, or none is left.
    """
    if not choice.only and not choice.without:
        return list(indices)
    tags = [
        {note.removeprefix(NOTE) for note in store.notes(index) if note.startswith(NOTE)} for index in range(len(store))
    ]
    there = Counter(tag for one in tags for tag in one)
    for tag in (*choice.only, *choice.without):
        if tag not in there:
            names = ", ".join(f"{name!r} ({count})" for name, count in sorted(there.items())) or "none"
            raise RecognizerError(f"{store.path}: no sample has the tag {tag!r}, there are {names}")
    only, without = set(choice.only), set(choice.without)
    kept = [i for i in indices if (not only or tags[i] & only) and not tags[i] & without]
    if not kept:
        raise RecognizerError(f"{store.path}: the tags leave none of {len(indices)} samples")
    say(f"{len(kept)} of {len(indices)} samples count by their tags")
    return kept
