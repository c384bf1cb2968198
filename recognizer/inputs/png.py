"""Pictures of samples as PNG files."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from recognizer.common.atomic_write import write_atomically

if TYPE_CHECKING:
    from PIL import Image


def write_png(image: "Image.Image", path: Path) -> Path:
    """Write an image whole or not at all; return its path."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    write_atomically(path, buffer.getvalue())
    return path
