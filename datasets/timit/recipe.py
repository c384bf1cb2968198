"""The recipe of TIMIT, with phones as text."""

from collections import Counter
from pathlib import Path

from recognizer.corpus.alphabet import TextSettings
from recognizer.corpus.manifest import read_lines
from recognizer.corpus.phones import SIXTY_ONE
from recognizer.corpus.recipes import Corpus, unrecognised, whole
from recognizer.corpus.sample import Sample
from recognizer.errors import RecognizerError

KIND = "speech"
LICENCE = "LDC User Agreement"
HOME = "https://catalog.ldc.upenn.edu/LDC93S1"
TEXT = TextSettings(unit="token", scoring="timit-39")
# The core test set of the corpus's own documentation, two men and a woman of each dialect region.
CORE_TEST = frozenset(
    "mdab0 mwbt0 felc0 mtas1 mwew0 fpas0 mjmp0 mlnt0 fpkt0 mlll0 mtls0 fjlm0 "
    "mbpm0 mklt0 fnlp0 mcmj0 mjdh0 fmgd0 mgrt0 mnjm0 fdhc0 mjln0 mpam0 fmld0".split()
)
# Halberstadt, Heterogeneous acoustic measurements and multiple classifiers for speech recognition, MIT 1998.
DEVELOPMENT = frozenset(
    "faks0 fdac1 fjem0 mgwt0 mjar0 mmdb1 mmdm2 mpdf0 fcmh0 fkms0 mbdg0 mbwm0 mcsh0 fadg0 fdms0 fedw0 mgjf0 "
    "mglb0 mrtk0 mtaa0 mtdt0 mthc0 mwjg0 fnmr0 frew0 fsem0 mbns0 mmjr0 mdls0 mdlf0 mdvc0 mers0 fmah0 fdrw0 "
    "mrcs0 mrjm4 fcal1 mmwh0 fjsj0 majc0 mjsw0 mreb0 fgjd0 fjmg0 mroa0 mteb0 mjfc0 mrjr0 fmml0 mrws1".split()
)
SAME_FOR_ALL = ("sa1", "sa2")  # two sentences that every speaker read


def samples(source: Path) -> Corpus:
    """Read {TRAIN,TEST}/DR*/SPEAKER/*.PHN with the recordings beside, in either letter case."""
    root = next((place for place in (source, *_folders(source)) if {"train", "test"} & _named(place).keys()), None)
    if root is None:
        raise unrecognised(source, "TIMIT/ with TRAIN/ or TEST/, in them DR1/FCJF0/SI648.PHN and SI648.WAV")
    found: list[Sample] = []
    left_out: Counter[str] = Counter()
    for part, folder in sorted(_named(root).items()):
        for speaker in [inner for region in _folders(folder) for inner in _folders(region)]:
            if part in ("train", "test"):
                _speaker(part, speaker, found, left_out)
    return Corpus(whole(found), left_out)


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir())


def _named(folder: Path) -> dict[str, Path]:
    """Return lower-case name -> path."""
    return {path.name.lower(): path for path in sorted(folder.iterdir())}


def _speaker(part: str, folder: Path, found: list[Sample], left_out: Counter[str]) -> None:
    """Add the sentences of one speaker to `found` and count the others in `left_out`."""
    name = folder.name.lower()
    split = part if part == "train" else "test" if name in CORE_TEST else "valid" if name in DEVELOPMENT else ""
    files = _named(folder)
    for phones in [path for key, path in files.items() if key.endswith(".phn")]:
        stem = phones.stem.lower()
        if stem in SAME_FOR_ALL:
            left_out["sentence SA1 or SA2, the same for all speakers"] += 1
        elif not split:
            left_out["sentence of a TEST speaker outside the core test and development sets"] += 1
        else:
            sound = files.get(f"{stem}.wav", files.get(f"{stem}.wav.wav", phones.with_suffix(".WAV")))
            found.append(Sample(sound, _phones(phones), split, name, f"{part}/{name}/{phones.name}"))


def _phones(path: Path) -> str:
    """Return the phones of a .PHN file (first sample, last sample, phone) with single spaces."""
    phones = []
    for line, content in read_lines(path):
        fields = content.split()
        if len(fields) != 3 or fields[2] not in SIXTY_ONE:
            raise RecognizerError(f"{path}:{line}: {content!r}, expected START END PHONE with one of the 61 phones")
        phones.append(fields[2])
    return " ".join(phones)
