"""The small picture of a page in which its lines are sought."""

import numpy as np
from PIL import Image

# Set on the five pages of docs/guides/pages.md; what a change of each does to others: docs/lab/segmentation.md.
ROWS, COLUMNS = 1400, 1100  # that the small picture has at most
LEAST_SPACING, MOST_SPACING = 14, 300  # rows from a line to the next
USUAL_LINES = 30  # of a page on which nothing repeats
STRIPS = 12  # upright strips of a page, in each of which the spacing is measured
AS_GOOD = 0.6  # of the best: a smaller spacing as good as that is the spacing
FAINTEST, FULL = 0.2, 0.8  # of the darkest ink: what counts as none, what counts as all
FAINT_INK = 0.08  # ink of a rule
THICK = 4  # rows: a rule is no thicker
RULE = 0.1  # of the page's side: a stroke so long without a break is no writing


def ink_of(grey: np.ndarray) -> np.ndarray:
    """Return ink (rows, columns) float32 in 0 to 1 of an evenly lit page, uint8."""
    dark = (255.0 - grey.astype(np.float32)) / 255.0
    dark /= max(float(np.percentile(dark, 99.5)), FAINTEST)
    return np.asarray(np.clip((dark - FAINTEST) / (FULL - FAINTEST), 0.0, 1.0))


def without_rules(ink: np.ndarray) -> np.ndarray:
    """Return ink without what runs on, level or upright, for a good part of the page: rules, edges of the paper."""
    return np.asarray(np.where(_rules(ink) | _rules(ink.T).T, 0.0, ink))


def erase_rules(grey: np.ndarray) -> np.ndarray:
    """Return an evenly lit page, uint8 (rows, columns), with its level rules white where no stroke crosses them."""
    ink = ink_of(small_picture(grey))
    rules = _rules(ink)
    dark = np.pad((ink > FAINT_INK).astype(np.int32), ((THICK + 1, THICK), (0, 0))).cumsum(axis=0)
    around = dark[2 * THICK + 1 :] - dark[: -2 * THICK - 1]  # dark pixels from THICK rows above to THICK below
    alone = rules & (around <= THICK)
    wider = alone | np.roll(alone, 1, 0) | np.roll(alone, -1, 0)
    mask = Image.fromarray(wider.astype(np.uint8) * 255).resize(grey.shape[::-1], Image.Resampling.NEAREST)
    return np.where(np.asarray(mask) > 0, np.uint8(255), grey)


def small_picture(grey: np.ndarray) -> np.ndarray:
    """Return a page, uint8, as large as fits into ROWS and COLUMNS."""
    rows, columns = grey.shape
    share = min(ROWS / rows, COLUMNS / columns)
    size = (max(8, round(columns * share)), max(8, round(rows * share)))
    return np.asarray(Image.fromarray(np.ascontiguousarray(grey)).resize(size, Image.Resampling.BOX))


def _rules(ink: np.ndarray) -> np.ndarray:
    """Return which pixels (rows, columns) belong to level rules, which may lean by a row or two."""
    thick = np.maximum(ink, np.maximum(np.roll(ink, 1, 0), np.roll(ink, -1, 0))) > FAINT_INK
    return _runs_of(thick, max(3, round(RULE * ink.shape[1])))


def _runs_of(dark: np.ndarray, length: int) -> np.ndarray:
    """Return which pixels (rows, columns) stand in a level run of at least `length` dark ones."""
    padded = np.pad(dark.astype(np.int32), ((0, 0), (1, 0)))
    total = np.cumsum(padded, axis=1)
    full = np.zeros_like(dark)
    if dark.shape[1] < length:
        return full
    begins = total[:, length:] - total[:, :-length] == length  # (rows, columns - length + 1)
    marks = np.zeros((dark.shape[0], dark.shape[1] + 1), np.int32)
    marks[:, : begins.shape[1]] += begins
    marks[:, length : length + begins.shape[1]] -= begins
    return np.asarray(np.cumsum(marks, axis=1)[:, :-1] > 0)


def spacing_of(ink: np.ndarray) -> float:
    """Return the rows from a line to the next: the lag at which the rows of upright strips are most like themselves."""
    rows, columns = ink.shape
    lags = np.arange(LEAST_SPACING, min(MOST_SPACING, max(rows // 2, LEAST_SPACING + 3)))
    like = np.zeros(len(lags))
    for strip in np.array_split(np.arange(columns), STRIPS):
        profile = ink[:, strip].mean(axis=1)
        profile = profile - blurred(profile[:, None], lags[-1] / 2, 1.0)[:, 0]
        like += [float((profile[lag:] * profile[:-lag]).mean()) for lag in lags]
    peaks = [i for i in range(1, len(lags) - 1) if like[i] >= max(like[i - 1], like[i + 1]) and like[i] > 0]
    if not peaks:
        return float(rows / USUAL_LINES)
    # Twice the spacing is as good as the spacing.
    best = max(like[i] for i in peaks)
    return float(lags[next(i for i in peaks if like[i] >= AS_GOOD * best)])


def blurred(values: np.ndarray, across: float, along: float) -> np.ndarray:
    """Return values (rows, columns) smeared by Gaussians of `across` rows and `along` columns."""
    for sigma in (across, along):
        reach = max(1, round(3 * sigma))
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
        size = values.shape[0] + 2 * reach
        spectrum = np.fft.rfft(values, size, axis=0) * np.fft.rfft(kernel / kernel.sum(), size)[:, None]
        # The second turn smears along what are rows now.
        values = np.fft.irfft(spectrum, size, axis=0)[reach : reach + values.shape[0]].T
    return values
