"""Following ridges of smeared ink across a page."""

from dataclasses import dataclass

import numpy as np

# Set on the five pages of docs/guides/pages.md; what a change of each does to others: docs/lab/segmentation.md.
SLAB = 0.5  # of the spacing: width of a slab, in which a line has one height
FAINT = 0.2  # of the density of dense lines: where a line begins
JUMP = 0.3  # of the spacing: by how much a line rises or falls from one slab to the next
GAP = 2.5  # of the spacing: the longest space inside a line
SHORT = 1.0  # of the spacing: what is shorter is no line
NEAR = 5  # slabs to either side that smooth a line
MEMORY = 12  # slabs of a line that say where it goes
STEEPEST = 3.0  # rows a slab
TAIL = 0.35  # of a line's own density: its ends are where it has so much

Track = list[tuple[int, int]]  # slab, row


@dataclass(frozen=True, eq=False)
class Ridge:
    """A ridge.

    Args:
        columns: (K,) middles of its slabs, rising.
        rows: (K,) where it is highest there.
    """

    columns: np.ndarray
    rows: np.ndarray

    def at(self, column: float, beyond: float = 0.0) -> float | None:
        """Return its row at a column, None where it ends more than `beyond` columns before it."""
        if not self.columns[0] - beyond <= column <= self.columns[-1] + beyond:
            return None
        return float(np.interp(column, self.columns, self.rows))


def follow_ridges(density: np.ndarray, spacing: float, ways: np.ndarray) -> list[Ridge]:
    """Return the ridges of smeared ink (rows, columns) where lines are `spacing` rows apart.

    They end where one of `ways` (rows, columns) crosses them.
    """
    step = max(2, round(SLAB * spacing))
    columns = np.arange(step // 2, density.shape[1], step)
    slabs = density[:, columns].T
    peaks = [_peaks(slab) for slab in slabs]
    heights = np.concatenate([slab[rows] for slab, rows in zip(slabs, peaks, strict=True)])
    least = FAINT * float(np.percentile(heights, 90)) if len(heights) else 1.0
    open_tracks: list[Track] = []
    tracks: list[Track] = []
    for at, (slab, rows) in enumerate(zip(slabs, peaks, strict=True)):
        white = ways[:, columns[at]]
        free = [int(row) for row in rows if slab[row] >= least and not white[row]]
        _carry_on(open_tracks, at, free, JUMP * spacing)
        ended = [
            track
            for track in open_tracks
            if (at - track[-1][0]) * step > GAP * spacing or (track[-1][0] < at and white[track[-1][1]])
        ]
        tracks += ended
        open_tracks = [track for track in open_tracks if track not in ended]
    trimmed = [_trimmed(track, slabs) for track in tracks + open_tracks]
    return [
        Ridge(columns[[at for at, _ in track]], _smooth(track))
        for track in trimmed
        if (track[-1][0] - track[0][0] + 1) * step >= SHORT * spacing
    ]


def _peaks(values: np.ndarray) -> np.ndarray:
    return np.flatnonzero((values[1:-1] > values[:-2]) & (values[1:-1] >= values[2:])) + 1


def _carry_on(tracks: list[Track], at: int, rows: list[int], jump: float) -> None:
    """Let each track go on to the row nearest to where it leads, nearest pairs first; other rows begin new tracks."""
    ahead = [_ahead(track, at) for track in tracks]
    pairs = sorted(
        (abs(row - there), number, row)
        for number, there in enumerate(ahead)
        for row in rows
        if abs(row - there) <= jump * min(2.0, (at - tracks[number][-1][0]) ** 0.5)
    )
    gone, taken = set(), set()
    for _, number, row in pairs:
        if number not in gone and row not in taken:
            gone.add(number)
            taken.add(row)
            tracks[number].append((at, row))
    tracks += [[(at, row)] for row in rows if row not in taken]


def _ahead(track: Track, at: int) -> float:
    """Return the row at which a track would be in slab `at`."""
    last = np.array(track[-MEMORY:], dtype=float)
    if len(last) < 4:
        return float(last[-1, 1])
    x, y = last[:, 0] - last[:, 0].mean(), last[:, 1] - last[:, 1].mean()
    slope = float(np.clip((x * y).sum() / (x**2).sum(), -STEEPEST, STEEPEST))
    return float((last[-1, 1] + last[-3:, 1].mean()) / 2 + slope * (at - last[-1, 0]))


def _smooth(track: Track) -> np.ndarray:
    """Return the rows of a track, each on the straight line through its neighbours."""
    at, rows = np.array(track, dtype=float).T
    made = []
    for here in at:
        near = np.abs(at - here) <= NEAR
        x, y = at[near] - here, rows[near]
        slope = ((x - x.mean()) * (y - y.mean())).sum() / max(((x - x.mean()) ** 2).sum(), 1.0)
        made.append(y.mean() - slope * x.mean())
    return np.array(made)


def _trimmed(track: Track, slabs: np.ndarray) -> Track:
    """Return a track without ends that are faint against the rest of it."""
    density = np.array([slabs[at, row] for at, row in track])
    dense = np.flatnonzero(density >= TAIL * np.median(np.sort(density)[len(density) // 2 :]))
    return track[int(dense[0]) : int(dense[-1]) + 1]
