"""The formats that users bring: images, sounds, pen strokes, manifests, pages; for the table of fuzz_formats.py."""

import io
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import soundfile
from fuzz import Format
from PIL import Image

Read = Callable[[Path], object]
PAGE = (
    '<?xml version="1.0"?><PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"><Metadata>'
    '<Creator>x</Creator></Metadata><Page imageFilename="p.png" imageWidth="120" imageHeight="90"><ReadingOrder>'
    '<OrderedGroup id="g"><RegionRefIndexed index="0" regionRef="r"/></OrderedGroup></ReadingOrder>'
    '<TextRegion id="r" custom="readingOrder {index:0;}"><Coords points="0,0 120,0 120,90"/><TextLine id="a" '
    'custom="readingOrder {index:1;} person {offset:0; length:3;}"><Coords points="5,5 110,5 110,40 5,40"/>'
    '<Baseline points="5,30 110,32"/><Word id="w"><TextEquiv><Unicode>one</Unicode></TextEquiv></Word><TextEquiv>'
    '<Unicode>one line</Unicode></TextEquiv></TextLine><TextLine id="b"><Coords points="5,45 110,45 110,80 5,80"/>'
    "<TextEquiv><Unicode>two</Unicode></TextEquiv></TextLine></TextRegion></Page></PcGts>"
)
ALTO = (
    '<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"><Description><MeasurementUnit>pixel</MeasurementUnit>'
    "<sourceImageInformation><fileName>p.png</fileName></sourceImageInformation></Description><Tags>"
    '<OtherTag ID="T" LABEL="hand"/></Tags><Layout><Page ID="p" WIDTH="120" HEIGHT="90"><PrintSpace><TextBlock ID="k" '
    'IDNEXT="k"><TextLine ID="a" TAGREFS="T" HPOS="5" VPOS="5" WIDTH="100" HEIGHT="35" BASELINE="5 30 100 30"><Shape>'
    '<Polygon POINTS="5 5 105 5 105 40 5 40"/></Shape><String CONTENT="one"/><SP/><String CONTENT="line"/></TextLine>'
    "</TextBlock></PrintSpace></Page></Layout></alto>"
)
TABLE = 'file\ttext\tgroup\toffset\tduration\na.wav\tone\tw\t0\t0.5\nb.wav\ttwo, "three"\tw\t0.5\t0.25\n'
ROWS = '{"file": "a.wav", "text": "one", "start": 0, "end": 0.5}\n{"file": "b.wav", "text": "two", "speaker": 7}\n'


def image_files(form: str, folder: Path) -> list[bytes]:
    """Return small images of a form: grey, colour, of 16 bits, of several pages, with an orientation."""
    chance = np.random.default_rng(1)
    grey = Image.fromarray(chance.integers(0, 255, (24, 90), np.uint8))
    made = []
    for image in (grey, grey.convert("RGB")):
        memory, exif = io.BytesIO(), Image.Exif()
        exif[0x0112] = 6
        several = form in ("TIFF", "GIF", "WEBP")
        image.save(memory, form, **({"exif": exif} if form in ("TIFF", "PNG", "JPEG", "WEBP") else {}))
        made.append(memory.getvalue())
        if several:
            memory = io.BytesIO()
            image.save(memory, form, save_all=True, append_images=[image.rotate(180)])
            made.append(memory.getvalue())
    if form in ("TIFF", "PNG"):
        memory = io.BytesIO()
        Image.fromarray(chance.integers(0, 4095, (24, 90), np.uint16)).save(memory, form)
        made.append(memory.getvalue())
    return made


def read_pages_of_image(path: Path) -> object:
    """Return the signal of every page of an image file."""
    from recognizer.inputs.lines.image import HandwritingSettings, line_from_array
    from recognizer.inputs.lines.image_file import ImagePage, image_pages

    pages = [page for _, page in islice(image_pages(path, str(path)), 5) if isinstance(page, ImagePage)]
    return [line_from_array(page.grey, HandwritingSettings()).values.tobytes() for page in pages]


def sound_files(form: str, subtype: str | None, folder: Path) -> list[bytes]:
    """Return half a second of two tones in a form."""
    wave = 0.3 * np.sin(np.arange(4000) / 10) + 0.1 * np.sin(np.arange(4000) / 3)
    made = []
    for channels in (1,) if subtype == "GSM610" else (1, 2):
        memory = io.BytesIO()
        soundfile.write(memory, np.stack([wave] * channels, 1), 8000, format=form, subtype=subtype)
        made.append(memory.getvalue())
    return made


def read_sound(path: Path) -> object:
    """Return the signal of a recording."""
    from recognizer.inputs.speech.audio import SpeechSettings, read_speech

    return read_speech(path, SpeechSettings()).tobytes()


def stroke_files(folder: Path) -> list[bytes]:
    """Return pen strokes as JSON and as InkML."""
    from recognizer.inputs.strokes.strokes import write_inkml

    strokes = [[0.0, 0.0, 3.0, 4.5, 6.0, 2.0], [7.0, 1.0, 8.0, 5.0]]
    return [b'{"strokes": [[0, 0, 3, 4.5, 6, 2], [7, 1, 8, 5]]}', b"[[[0, 1], [2, 3]], [[4, 5]]]", write_inkml(strokes)]


def read_stroke_file(path: Path) -> object:
    """Return the signal of pen strokes."""
    from recognizer.inputs.strokes.strokes import StrokeSettings, read_strokes_signal

    return read_strokes_signal(path, StrokeSettings()).values.tobytes()


def beside(texts: tuple[str, ...], folder: Path) -> list[bytes]:
    """Return texts, with the files that they name beside them."""
    for name in ("a.wav", "b.wav"):
        soundfile.write(folder / name, 0.3 * np.sin(np.arange(8000) / 10), 8000)
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (90, 120), np.uint8)).save(folder / "p.png")
    return [text.encode() for text in texts]


def read_manifest(path: Path) -> object:
    """Return what the rows of a manifest say, and the signals of the files that they name."""
    from recognizer.corpus.manifest import read_corpus
    from recognizer.errors import RecognizerError
    from recognizer.inputs.registry import default_signal, read_signal

    found: list[object] = []
    for sample in read_corpus(path):
        try:
            length = len(read_signal("speech", default_signal("speech"), sample.path).values)
        except RecognizerError as error:
            length = -len(error.reason)
        found.append((sample.path.name, sample.text, sample.split, sample.group, sample.fault, length))
    return found


def read_page_file(path: Path) -> object:
    """Return the lines of a page with their signals, and the page written again with other texts."""
    from recognizer.decoding.hypothesis import Hypothesis
    from recognizer.errors import RecognizerError
    from recognizer.formats.formats import format_page
    from recognizer.formats.result import make_result
    from recognizer.inputs.registry import default_signal, read_signal
    from recognizer.pages.parse import read_page

    page = read_page(path)
    page.image_path()
    records = []
    for line in page.lines:
        name = page.name_of(line)
        try:
            signal = read_signal("handwriting", default_signal("handwriting"), name)
        except RecognizerError:
            continue
        records.append(make_result(str(name), Hypothesis("other", 0.5), signal))
    for form in ("page", "alto", "hocr"):
        format_page(page, records, form)
    return [(line.id, line.text) for line in page.lines]


IMAGES = ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "PPM", "JPEG2000")
SOUNDS: tuple[tuple[str, str | None], ...] = (
    ("WAV", "PCM_16"), ("WAV", "GSM610"), ("RF64", "PCM_16"), ("W64", "PCM_16"), ("NIST", "PCM_16"), ("AIFF", "PCM_16"),
    ("AU", "PCM_16"), ("CAF", "PCM_16"), ("FLAC", None), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", None),
)  # fmt: skip
SEALED = ("FLAC", "OGG")  # whose pages or frames have checksums
INPUT_FORMATS = (
    *(Format(f"image {form}", f".{form.lower()}", partial(image_files, form), read_pages_of_image) for form in IMAGES),
    *(
        Format(
            f"sound {form} {subtype or ''}".strip(),
            ".sound",
            partial(sound_files, form, subtype),
            read_sound,
            sealed=form in SEALED,
        )
        for form, subtype in SOUNDS
    ),
    Format("strokes", ".json", stroke_files, read_stroke_file, text=True),
    Format("manifest TSV", ".tsv", partial(beside, (TABLE,)), read_manifest, text=True),
    Format("manifest JSONL", ".jsonl", partial(beside, (ROWS,)), read_manifest, text=True),
    Format("page XML", ".xml", partial(beside, (PAGE, ALTO)), read_page_file, text=True),
)
