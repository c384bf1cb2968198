"""A sample as a page shows it: the picture of a line or of strokes, a recording to play."""

import base64
import io

import numpy as np
from PIL import Image

from recognizer.corpus.store import Store

MOST_SECONDS = 30.0  # of a recording that is put into a page
QUALITY = 60  # of WebP, 0 to 100


def media_of(store: Store, index: int) -> tuple[str, str]:
    """Return ("image" or "audio", data URL) of a sample as the network reads it."""
    values, settings = np.array(store.signal(index)), store.header.signal
    if store.header.kind == "speech":
        return "audio", _data_url(_wav(values, int(settings["sample_rate"])), "audio/wav")
    if store.header.kind == "strokes":
        from recognizer.inputs.strokes.strokes import raster

        return "image", _data_url(_webp(Image.fromarray(raster(values))), "image/webp")
    from recognizer.inputs.lines.image import HandwritingSettings, picture

    return "image", _data_url(_webp(picture(values, HandwritingSettings(**settings))), "image/webp")


def _webp(image: Image.Image) -> bytes:
    memory = io.BytesIO()
    image.convert("L").save(memory, "WEBP", quality=QUALITY)
    return memory.getvalue()


def _wav(values: np.ndarray, rate: int) -> bytes:
    import wave

    memory = io.BytesIO()
    with wave.open(memory, "wb") as sound:
        sound.setparams((1, 2, rate, 0, "NONE", ""))
        sound.writeframes(values[: round(MOST_SECONDS * rate)].astype("<i2").tobytes())
    return memory.getvalue()


def _data_url(data: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
