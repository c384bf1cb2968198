"""An image of Pillow as the file that it would be, so that it is read as a file is."""

import io
from typing import BinaryIO

from PIL import Image, ImageOps

from recognizer.errors import RecognizerError

PLAIN = ("1", "L", "LA", "RGB", "RGBA", "P", "I;16")  # modes that PNG holds as they are
COLOUR = ("CMYK", "YCbCr", "HSV", "LAB", "PA", "RGBX", "RGBa", "La")


def image_file(image: Image.Image) -> BinaryIO:
    """Return an image as a PNG file in memory, upright as its EXIF orientation says.

    Raises:
        RecognizerError: it cannot be loaded, or its numbers are not those of an image.
    """
    if (pages := getattr(image, "n_frames", 1)) > 1:
        raise RecognizerError(f"a Pillow image of {pages} pages, expected one of them: image.seek(n), image.copy()")
    try:
        upright = ImageOps.exif_transpose(image)
        if upright.mode == "La":  # Pillow takes it back to LA alone
            upright = upright.convert("LA")
        if upright.mode in COLOUR:
            upright = upright.convert("RGBA" if upright.mode in ("PA", "RGBa", "La") else "RGB")
        if upright.mode not in PLAIN:
            raise RecognizerError(f"an image of mode {upright.mode}, expected one of {', '.join(PLAIN + COLOUR)}")
        memory = io.BytesIO()
        upright.save(memory, "PNG", compress_level=0)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise RecognizerError(
            f"a Pillow image that cannot be used ({error}), expected one that can be loaded"
        ) from None
    memory.seek(0)
    return memory
