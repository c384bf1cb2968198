"""Image files of every form, depth and orientation read alike; of several pages each has a name."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, _imaging
from PIL.GifImagePlugin import GifImageFile

from recognizer.errors import RecognizerError
from recognizer.inputs.lines.image_file import ImagePage, image_pages, opened_image, read_image


@pytest.fixture(scope="module")
def grey() -> np.ndarray:
    """An image that is the same in no two orientations."""
    made = np.random.default_rng(1).integers(0, 256, (40, 60)).astype(np.uint8)
    made[:10] = 0
    made[:, :5] = 255
    return made


def saved(image: Image.Image, form: str, path: Path, orientation: int = 1, compression: str = "raw") -> Path:
    exif = Image.Exif()
    exif[0x0112] = orientation
    if form == "TIFF":
        image.save(path, form, exif=exif, compression=compression)
    else:
        image.save(path, form, exif=exif)
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("form", "compression"), [("TIFF", "raw"), ("TIFF", "tiff_lzw"), ("PNG", "raw")])
def test_every_orientation_is_upright_and_can_be_turned_back(
    orientation: int, form: str, compression: str, grey: np.ndarray, tmp_path: Path
) -> None:
    path = saved(Image.fromarray(grey), form, tmp_path / "image", orientation, compression)
    page = read_image(path)
    assert page.orientation == orientation
    assert np.array_equal(page.stored(), grey)
    assert np.array_equal(page.grey, read_image(io.BytesIO(path.read_bytes())).grey)
    if orientation == 6:
        assert np.array_equal(page.grey, np.rot90(grey, -1))


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_grey_that_does_not_fill_its_sixteen_bits_reads_as_if_it_did(
    bits: int, form: str, grey: np.ndarray, tmp_path: Path
) -> None:
    deep = (grey.astype(np.uint32) * (2**bits - 1) // 255).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "image", form)
    assert np.array_equal(read_image(tmp_path / "image").grey, grey)


@pytest.mark.parametrize(
    ("kind", "white"),
    [(np.int32, 2**31 - 1), (np.int32, 65535), (np.float32, 1.0), (np.float32, 255.0), (np.float32, 65535.0)],
)
def test_whole_numbers_of_32_bits_and_fractions_are_grey_values_too(
    kind: type, white: float, grey: np.ndarray, tmp_path: Path
) -> None:
    Image.fromarray((grey / 255.0 * white).astype(kind)).save(tmp_path / "image", "TIFF")
    assert np.array_equal(read_image(tmp_path / "image").grey, grey)


def test_sixteen_bits_whose_white_is_zero_are_not_read_as_a_negative(grey: np.ndarray, tmp_path: Path) -> None:
    deep = (255 - grey).astype(np.uint16) * 257
    Image.fromarray(deep).save(tmp_path / "image", "TIFF", tiffinfo={262: 0})
    assert np.array_equal(read_image(tmp_path / "image").grey, grey)


def pages_of(grey: np.ndarray) -> list[Image.Image]:
    return [Image.fromarray(np.roll(grey, 7 * number, 1)) for number in range(3)]


@pytest.mark.parametrize("form", ["TIFF", "GIF", "WEBP", "PNG"])
def test_a_file_of_several_pages_is_refused_with_their_names_and_each_is_read(
    form: str, grey: np.ndarray, tmp_path: Path
) -> None:
    first, *others = pages_of(grey)
    path = tmp_path / f"scan.{form.lower()}"
    first.save(path, form, save_all=True, append_images=others, lossless=True)
    with pytest.raises(RecognizerError, match=r"holds 3 pages, expected one: .*\[1\] to .*\[3\]"):
        read_image(path)
    found = dict(image_pages(path, str(path)))
    assert list(found) == [1, 2, 3]
    for (number, read), page in zip(found.items(), pages_of(grey), strict=True):
        assert not isinstance(read, RecognizerError)
        assert np.abs(read.grey.astype(int) - np.asarray(page)).max() <= 1
        assert np.array_equal(read_image(tmp_path / f"{path.name}[{number}]").grey, read.grey)
    with pytest.raises(RecognizerError, match="no page 4, the file holds 3"):
        read_image(tmp_path / f"{path.name}[4]")
    streamed = dict(image_pages(io.BytesIO(path.read_bytes()), "-"))
    assert np.array_equal(streamed[3].grey, found[3].grey)  # type: ignore[union-attr]


def test_a_small_copy_in_a_tiff_is_no_page(grey: np.ndarray, tmp_path: Path) -> None:
    small = Image.fromarray(grey[::4, ::4])
    small.encoderinfo = {"tiffinfo": {254: 1}}
    Image.fromarray(grey).save(tmp_path / "scan.tif", save_all=True, append_images=[small])
    with Image.open(tmp_path / "scan.tif") as image:
        assert getattr(image, "n_frames", 0) == 2
    ((number, page),) = image_pages(tmp_path / "scan.tif", "scan.tif")
    assert number == 0 and not isinstance(page, RecognizerError) and np.array_equal(page.grey, grey)


def test_postscript_under_another_name_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*unused: object, **unused_too: object) -> None:
        raise AssertionError("Ghostscript was called")

    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", start)
    path = tmp_path / "line.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 30\n%%EndComments\nshowpage\n%%EOF\n")
    with pytest.raises(RecognizerError, match="not an image that can be read"):
        read_image(path)


def test_the_largest_image_is_a_setting_that_the_refusal_names(
    grey: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(grey).save(tmp_path / "line.png")
    monkeypatch.setenv("RECOGNIZER_MAX_MEGAPIXELS", "0.001")
    with pytest.raises(RecognizerError, match="RECOGNIZER_MAX_MEGAPIXELS=1 in the environment lets it in"):
        read_image(tmp_path / "line.png")
    monkeypatch.setenv("RECOGNIZER_MAX_MEGAPIXELS", "1")
    assert read_image(tmp_path / "line.png").grey.shape == grey.shape
    monkeypatch.setenv("RECOGNIZER_MAX_MEGAPIXELS", "many")
    with pytest.raises(RecognizerError, match="'many', expected a number"):
        read_image(tmp_path / "line.png")


def gif(canvas: int, *frames: int) -> bytes:
    """Return a GIF that says how large its square canvas and frames are, and holds a pixel of each of them.

    What a frame leaves is the background where it stood, for which Pillow takes memory as soon as it has its size.
    """
    parts = [b"GIF89a" + struct.pack("<HHBBB", canvas, canvas, 0, 0, 0)]
    for side in frames:
        parts.append(b"!\xf9\x04\x08\0\0\0\0" + b"," + struct.pack("<HHHHB", 0, 0, side, side, 0))
        parts.append(b"\x02" + b"\x02\x44\x01" + b"\0")  # of two bits: begin, colour 0, end
    return b"".join(parts) + b";"


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Pillow have no image of more pixels than may be read."""
    for name in ("new", "fill"):
        real = getattr(_imaging, name)

        def made(mode: str, size: tuple[int, int], *rest: object, real: Callable[..., object] = real) -> object:
            if size[0] * size[1] > 50_000_000:
                raise MemoryError
            return real(mode, size, *rest)

        monkeypatch.setattr(_imaging, name, made)


HUGE = "4,294,836,225 pixels, expected at most 50,000,000 in all; RECOGNIZER_MAX_MEGAPIXELS=4295"


@pytest.mark.parametrize(
    "data", [gif(65535, 1), gif(1, 65535), gif(65535, 65535)], ids=["canvas", "frame", "canvas and frame"]
)
def test_a_gif_that_says_that_it_is_huge_is_refused_before_memory_is_taken(data: bytes, little_memory: None) -> None:
    with pytest.raises(RecognizerError, match=f"x.gif: {HUGE}") as refused:
        read_image(io.BytesIO(data), "x.gif")
    assert refused.value.reason == "too large"


def test_of_a_gif_the_frames_before_a_huge_one_are_read(little_memory: None) -> None:
    assert read_image(io.BytesIO(gif(1, 1))).grey.tolist() == [[0]]
    first, second, third = (page for _, page in image_pages(io.BytesIO(gif(1, 1, 65535, 1)), "x.gif"))
    assert isinstance(first, ImagePage) and first.grey.shape == (1, 1)
    assert str(second).startswith(f"x.gif[2]: {HUGE}")
    assert str(third).startswith(f"x.gif[3]: {HUGE}")  # a frame is drawn on those before it


def test_a_page_at_fault_does_not_stop_those_behind_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *others = (Image.new("L", (side, side), side) for side in (10, 40, 20))
    first.save(tmp_path / "scan.tif", save_all=True, append_images=others)
    monkeypatch.setenv("RECOGNIZER_MAX_MEGAPIXELS", "0.001")
    read, refused, last = (page for _, page in image_pages(tmp_path / "scan.tif", "scan.tif"))
    assert isinstance(read, ImagePage) and (read.grey == 10).all()
    assert "scan.tif[2]: 1,600 pixels, expected at most 1,000" in str(refused)
    assert isinstance(last, ImagePage) and (last.grey == 20).all() and last.grey.shape == (20, 20)


def test_a_damaged_page_of_a_tiff_shows_nothing_of_the_one_before_it(tmp_path: Path) -> None:
    first, *others = (Image.new("L", (10, 10), grey) for grey in (10, 40, 20))
    first.save(tmp_path / "scan.tif", save_all=True, append_images=others, compression="tiff_lzw")
    data = bytearray((tmp_path / "scan.tif").read_bytes())
    strips = struct.pack("<HHI", 273, 4, 1)  # tag, type and count of where the pixels of a page are
    second = data.index(strips, data.index(strips) + 1)
    data[second : second + 2] = struct.pack("<H", 0)
    pages = [page for _, page in image_pages(io.BytesIO(data), "scan.tif")]
    assert [page.grey.max() for page in pages if isinstance(page, ImagePage)] == [10, 0, 20]


def test_a_gif_of_many_pages_has_each_frame_decoded_once(
    grey: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = pages_of(grey)
    first.save(tmp_path / "scan.gif", save_all=True, append_images=others)
    decoded, real = [], GifImageFile.load_prepare

    def load_prepare(image: GifImageFile) -> None:
        decoded.append(image.tell())
        real(image)

    monkeypatch.setattr(GifImageFile, "load_prepare", load_prepare)
    assert len(list(image_pages(tmp_path / "scan.gif", "scan.gif"))) == 3
    assert decoded == [0, 1, 2]


def test_pillow_has_its_own_limit_back_when_the_last_of_two_readers_is_done(grey: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(grey).save(tmp_path / "line.png")
    before = Image.MAX_IMAGE_PIXELS
    first, second = (opened_image(tmp_path / "line.png", "line.png") for _ in range(2))
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert Image.MAX_IMAGE_PIXELS == 25_000_000 != before  # more than twice that is refused
    second.__exit__(None, None, None)
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x03\x04....", "an archive, whose files are read when it is unpacked"),
        (b"<?xml version='1.0'?><PcGts/>", "XML, which is read as a page by the path of its file"),
        (b"", "it is empty, expected an image"),
    ],
)
def test_what_is_no_image_is_told_by_how_it_begins(data: bytes, said: str) -> None:
    with pytest.raises(RecognizerError, match=f"^-: {said}"):
        read_image(io.BytesIO(data), "-")


def test_colours_that_nobody_converts_are_named(tmp_path: Path) -> None:
    Image.new("LAB", (50, 40)).save(tmp_path / "lab.tif")
    with pytest.raises(RecognizerError, match=r"lab\.tif: its colours are LAB, expected grey or RGB"):
        read_image(tmp_path / "lab.tif")


def test_pages_are_counted_from_one(tmp_path: Path) -> None:
    page = Image.new("L", (50, 40))
    page.save(tmp_path / "two.tif", save_all=True, append_images=[page])
    with pytest.raises(RecognizerError, match=r"there is no page 0, the first is two\.tif\[1\]"):
        read_image(tmp_path / "two.tif[0]")
