"""Stretches of one recording that share time across splits: what is tested there is learned."""

import math
from collections import defaultdict
from collections.abc import Iterable

from recognizer.inputs.speech.part import PART, SLACK


def shared_time(rows: Iterable[tuple[str, str]]) -> list[tuple[int, int]]:
    """Return each stretch with an earlier one of another split that it shares more than SLACK seconds with.

    Args:
        rows: name of a file, or of a stretch FILE[1.5-3.25] or FILE[1.5-3.25,2], and split of each sample. Without a
            channel a stretch is the mean of all of them.

    Returns:
        Pairs of places in `rows`.
    """
    recordings: dict[str, list[tuple[float, float, str, str, int]]] = defaultdict(list)
    for index, (name, split) in enumerate(rows):
        found = PART.fullmatch(name)
        file, start, end, channel = found.groups() if found else (name, "0", "", "")
        recordings[file].append((float(start), float(end) if end else math.inf, channel or "", split, index))
    pairs = []
    for stretches in recordings.values():
        last: dict[tuple[str, str], tuple[float, int]] = {}  # by split and channel, the one that ends last
        for start, end, channel, split, index in sorted(stretches) if len(stretches) > 1 else ():
            for (other, its_channel), (its_end, earlier) in last.items():
                same_sound = channel == its_channel or not channel or not its_channel
                if other != split and same_sound and min(end, its_end) - start > SLACK:
                    pairs.append((index, earlier))
                    break
            last[split, channel] = max(last.get((split, channel), (-math.inf, index)), (end, index))
    return sorted(pairs)
