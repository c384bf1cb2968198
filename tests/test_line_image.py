"""An image of a line becomes the same signal whatever file it came in."""

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from makers import line_image, page_image
from PIL import Image, ImageFilter

from recognizer.errors import RecognizerError
from recognizer.inputs.lines.image import HandwritingSettings, faults, line_from_array, picture, read_line
from recognizer.inputs.registry import kind_of
from recognizer.inputs.signal import Signal

PLAIN = HandwritingSettings()
LINE = line_image("read me")


def through(image: Image.Image, form: str, **options: object) -> Signal:
    """Write and read an image."""
    memory = io.BytesIO()
    image.save(memory, form, **options)
    memory.seek(0)
    return read_line(memory, PLAIN)


def difference(one: Signal, other: Signal) -> float:
    """Return the mean difference in grey levels."""
    assert one.values.shape == other.values.shape
    return float(np.abs(one.values.astype(float) - other.values).mean())


def wide(image: Image.Image) -> np.ndarray:
    """Return the grey values in 0..1."""
    return np.asarray(image, np.float32) / 255


def transparent(image: Image.Image, mode: str) -> Image.Image:
    """Return black of which the paper is fully transparent, as programs for pens export it."""
    ink = Image.eval(image, lambda grey: 255 - grey)
    black = Image.new("RGB", image.size, (0, 0, 0))
    return Image.merge("RGBA", (*black.split(), ink)).convert(mode)


def indexed(image: Image.Image) -> Image.Image:
    """Return an image whose palette says that number 255 is transparent, black else."""
    made = Image.fromarray(np.asarray(image)).convert("P")
    made.info["transparency"] = 255
    made.putpalette([v for grey in range(256) for v in (grey if grey < 255 else 0,) * 3])
    return made


def sheet(paper: tuple[int, int, int], ink: tuple[int, int, int]) -> Image.Image:
    return Image.composite(Image.new("RGB", LINE.size, paper), Image.new("RGB", LINE.size, ink), LINE)


def as_16_bit(image: Image.Image) -> Image.Image:
    return Image.fromarray((wide(image) * 65535).astype(np.uint16))


FORMS: dict[str, tuple[Callable[[], Signal], float]] = {
    "JPEG": (lambda: through(LINE, "JPEG", quality=95), 2.0),
    "WebP": (lambda: through(LINE, "WEBP", quality=95), 3.0),
    "WebP without loss": (lambda: through(LINE, "WEBP", lossless=True), 1.0),
    "TIFF": (lambda: through(LINE, "TIFF"), 0.0),
    "packed TIFF": (lambda: through(LINE, "TIFF", compression="tiff_lzw"), 0.0),
    "BMP": (lambda: through(LINE, "BMP"), 0.0),
    "GIF": (lambda: through(LINE, "GIF"), 1.0),
    "PGM": (lambda: through(LINE, "PPM"), 0.0),
    "one bit": (lambda: through(LINE.point(lambda v: 255 * (v > 127), "1"), "PNG"), 8.0),
    "one bit in TIFF": (lambda: through(LINE.point(lambda v: 255 * (v > 127), "1"), "TIFF"), 8.0),
    "16 bits": (lambda: through(as_16_bit(LINE), "PNG"), 1.0),
    "16 bits in TIFF": (lambda: through(as_16_bit(LINE), "TIFF"), 1.0),
    "32 bits": (lambda: through(Image.fromarray((np.asarray(LINE) / 255 * (2**31 - 1)).astype(np.int32)), "TIFF"), 1.0),
    "8 of 32 bits": (lambda: through(Image.fromarray(np.asarray(LINE, np.int32)), "TIFF"), 1.0),
    "floats to 1": (lambda: through(Image.fromarray(wide(LINE)), "TIFF"), 1.0),
    "floats to 255": (lambda: through(Image.fromarray(wide(LINE) * 255), "TIFF"), 1.0),
    "colour": (lambda: through(LINE.convert("RGB"), "PNG"), 0.0),
    "CMYK": (lambda: through(LINE.convert("RGB").convert("CMYK"), "TIFF"), 1.0),
    "YCbCr": (lambda: through(LINE.convert("RGB").convert("YCbCr"), "JPEG", quality=95), 2.0),
    "a palette": (lambda: through(LINE.convert("P"), "PNG"), 1.0),
    "a palette with a transparent colour": (lambda: through(indexed(LINE), "PNG", transparency=255), 1.0),
    "grey with alpha": (lambda: through(transparent(LINE, "LA"), "PNG"), 1.0),
    "colour with alpha": (lambda: through(transparent(LINE, "RGBA"), "PNG"), 1.0),
    "a grey that is transparent": (lambda: through(LINE, "PNG", transparency=255), 1.0),
    "light on dark": (lambda: through(Image.eval(LINE, lambda grey: 255 - grey), "PNG"), 1.0),
    "blue on yellow": (lambda: through(sheet((230, 220, 150), (20, 30, 120)), "PNG"), 3.0),
    "white on a blackboard": (lambda: through(sheet((30, 60, 40), (240, 240, 230)), "PNG"), 3.0),
    "turned, as a camera notes it": (lambda: turned(6), 0.0),
    "upside down, as a camera notes it": (lambda: turned(3), 0.0),
    "an array of bytes": (lambda: line_from_array(np.asarray(LINE), PLAIN), 0.0),
    "an array of floats": (lambda: line_from_array(wide(LINE), PLAIN), 1.0),
    "an array of colours": (lambda: line_from_array(np.asarray(LINE.convert("RGB")), PLAIN), 0.0),
    "an array of float colours": (lambda: line_from_array(np.stack([wide(LINE)] * 3, -1), PLAIN), 1.0),
}


def turned(orientation: int) -> Signal:
    """Write the line turned, with the EXIF orientation that turns it back."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    turn = {6: Image.Transpose.ROTATE_90, 3: Image.Transpose.ROTATE_180}[orientation]
    return through(LINE.transpose(turn), "PNG", exif=exif)


@pytest.mark.parametrize(("made", "limit"), FORMS.values(), ids=FORMS)
def test_every_form_of_a_line_gives_the_same_signal(made: Callable[[], Signal], limit: float) -> None:
    signal = made()
    assert signal.values.dtype == np.uint8 and signal.values.flags.c_contiguous
    assert difference(signal, through(LINE, "PNG")) <= limit


def test_the_signal_has_the_stated_height_range_and_proportions() -> None:
    for height in (32, 48, 64):
        signal = line_from_array(np.asarray(LINE), HandwritingSettings(height=height))
        assert signal.values.shape == (round(LINE.width * height / LINE.height), height)
        assert signal.extent == LINE.width and signal.unit == "px" and not signal.mirrored
        assert signal.values.max() == 255 and signal.values.min() < 32
        assert np.median(signal.values) == 255


def test_light_on_dark_is_said() -> None:
    assert line_from_array(255 - np.asarray(LINE), PLAIN).notes == ("light on dark, inverted",)
    assert line_from_array(np.asarray(LINE), PLAIN).notes == ()


def test_right_to_left_is_the_same_signal_backwards() -> None:
    right = line_from_array(np.asarray(LINE), HandwritingSettings(direction="rtl"))
    assert np.array_equal(right.values[::-1], line_from_array(np.asarray(LINE), PLAIN).values)
    assert right.mirrored and right.values.flags.c_contiguous


def test_top_to_bottom_makes_the_rows_the_sequence() -> None:
    down = line_from_array(np.asarray(LINE).T, HandwritingSettings(direction="ttb"))
    assert np.array_equal(down.values, line_from_array(np.asarray(LINE), PLAIN).values)
    assert down.extent == LINE.width and not down.mirrored


def test_places_are_in_pixels_of_the_file() -> None:
    left = line_from_array(np.asarray(LINE), PLAIN)
    right = line_from_array(np.asarray(LINE), HandwritingSettings(direction="rtl"))
    steps = len(left.values)
    assert left.place(0) == 0 and left.place(steps) == LINE.width
    assert right.place(0) == LINE.width and right.place(steps) == 0
    assert left.place(steps / 4) == pytest.approx(LINE.width / 4)
    assert right.place(steps / 4) == pytest.approx(LINE.width * 3 / 4)
    assert left.place(2 * steps) == LINE.width, "a frame that reaches behind the end ends with the file"


def test_a_dark_column_is_placed_where_it_stands_in_the_file() -> None:
    image = np.full((96, 400), 255, np.uint8)
    image[10:80, 300:310] = 0
    for direction in ("ltr", "rtl"):
        signal = line_from_array(image, HandwritingSettings(direction=direction))
        darkest = int(signal.values.min(axis=1).argmin())
        places = sorted((signal.place(darkest), signal.place(darkest + 1)))
        assert places[0] >= 296 and places[1] <= 314


@pytest.mark.parametrize("direction", ["ltr", "rtl", "ttb"])
def test_the_picture_of_a_signal_is_what_was_scaled(direction: str) -> None:
    settings = HandwritingSettings(height=LINE.height, direction=direction, contrast="keep")
    image = LINE.transpose(Image.Transpose.TRANSPOSE) if direction == "ttb" else LINE
    signal = line_from_array(np.asarray(image), settings)
    assert np.array_equal(np.asarray(picture(signal.values, settings)), np.asarray(image))


def test_keeping_the_contrast_keeps_the_grey_values() -> None:
    pale = np.asarray(Image.eval(LINE, lambda grey: 120 + grey // 4))
    kept = line_from_array(pale, replace(PLAIN, contrast="keep")).values
    assert (kept.min(), kept.max()) == (120, 183)
    stretched = line_from_array(pale, PLAIN).values
    assert stretched.max() == 255 and stretched.min() < 10


def test_faint_noise_is_not_blown_up_to_ink() -> None:
    noise = np.random.default_rng(1).normal(200, 2, (60, 400)).clip(0, 255).astype(np.uint8)
    signal = line_from_array(noise, PLAIN)
    assert signal.values.min() > 235
    assert faults(signal.values) == ["blank image"]
    assert faults(line_from_array(np.asarray(LINE), PLAIN).values) == []


def test_a_narrow_image_is_suspect() -> None:
    image = np.full((100, 20), 255, np.uint8)
    image[20:80, 8:12] = 0
    assert faults(line_from_array(image, PLAIN).values) == ["narrower than a quarter of its height"]


@pytest.mark.parametrize("lines", [8, 12, 25])
def test_a_page_is_refused_with_its_number_of_lines(lines: int) -> None:
    for image in (page_image(lines), page_image(lines).filter(ImageFilter.GaussianBlur(1))):
        with pytest.raises(RecognizerError, match=f"page of about {lines} lines"):
            line_from_array(np.asarray(image), PLAIN)


@pytest.mark.parametrize("size", [24, 100, 200])
@pytest.mark.parametrize("text", ["a", "EEE", "it is", "===", "a long line of writing with many words"])
def test_a_line_of_any_size_is_no_page(text: str, size: int) -> None:
    assert line_from_array(np.asarray(line_image(text, size)), PLAIN).values.shape[1] == 64


def test_settings_that_mean_nothing_are_refused() -> None:
    for values in ({"height": 7}, {"height": 513}, {"direction": "up"}, {"contrast": "more"}):
        with pytest.raises(RecognizerError, match=f"signal.{min(values)} is"):
            HandwritingSettings(**values)


def test_a_webp_is_a_picture_though_it_begins_like_a_wave() -> None:
    memory = io.BytesIO()
    LINE.save(memory, "WEBP")
    memory.seek(0)
    assert kind_of(memory) == "handwriting" and memory.tell() == 0
    assert kind_of(io.BytesIO(b"RIFF\0\0\0\0WAVEfmt ")) == "speech"
    assert kind_of(io.BytesIO(b"fLaC")) == "speech"
