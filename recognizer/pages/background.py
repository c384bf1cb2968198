"""Evening out the light of a page."""

import numpy as np
from PIL import Image, ImageFilter

SHARE = 8  # pixels of the page for one of the small picture that the paper is sought in
NEAR = 5  # pixels of the small picture: the lightest so near is paper
BLUR = 4.0  # pixels of the small picture
DARKEST_PAPER = 64.0  # grey level: what is darker is no paper, however even


def even_light(grey: np.ndarray) -> np.ndarray:
    """Return a page, uint8 (rows, columns), with its paper white wherever it lies in shadow or has yellowed.

    Each pixel is divided by the lightest grey around it, on a scale well above that of strokes.
    """
    rows, columns = grey.shape
    small = Image.fromarray(np.ascontiguousarray(grey)).resize(
        (max(1, columns // SHARE), max(1, rows // SHARE)), Image.Resampling.BOX
    )
    paper = small.filter(ImageFilter.MaxFilter(NEAR)).filter(ImageFilter.GaussianBlur(BLUR))
    large = np.asarray(paper.resize((columns, rows), Image.Resampling.BILINEAR), np.float32)
    return np.asarray(np.minimum(grey * (255.0 / np.maximum(large, DARKEST_PAPER)), 255.0), np.uint8)
