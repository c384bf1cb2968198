"""Lets speech synthesizers say sentences: recordings, and the table that `recognizer prepare voices` reads.

    python scripts/speak_sentences.py --voices voices.tsv --text english.txt.xz --count 5000 --seed 1 --out ../voices
    recognizer prepare voices --source ../voices --out data/voices

voices.tsv has a voice a line: its name, how often it speaks, and the command of any engine, with {text} for a file that
holds the sentence and {out} for the sound file to write; tabs between. Such as

    espeak-f3	1	espeak-ng -v en-us+f3 -s 150 -f {text} -w {out}
    slt	2	flite -voice slt -f {text} -o {out}

Recording i depends on the seed, i, the voices, the texts alone; one that is there already is not spoken again.
"""

import argparse
import re
import shlex
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rendering.text import read_sentences

from recognizer.commands.exit_codes import run_and_exit
from recognizer.common.atomic_write import write_atomically
from recognizer.errors import RecognizerError
from recognizer.inputs.speech.audio import SpeechSettings, read_speech, write_speech

FORM = SpeechSettings(sample_rate=16000)
SPOKEN = re.compile(r"[A-Za-z'’,;:.!?\"“”‘ —–-]+")  # what every engine says alike: no digits, no foreign letters
SAID = 100  # recordings from one word of progress to the next


@dataclass(frozen=True)
class Voice:
    """One voice of one engine.

    Args:
        name: for the column speaker.
        share: how often it speaks, beside the others' shares.
        command: words of the engine's command line, with {text} and {out}.
    """

    name: str
    share: float
    command: list[str]


def read_voices(path: Path) -> list[Voice]:
    """Read the table of voices.

    Raises:
        RecognizerError: a line of another form, a name that stands twice, no voice.
    """
    voices: dict[str, Voice] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fields = line.split("\t")
        if len(fields) != 3 or fields[0] in voices or not re.fullmatch(r"[0-9]*\.?[0-9]+", fields[1]):
            raise RecognizerError(f"{path}:{number}: expected NAME, SHARE, COMMAND with tabs between, each name once")
        if "{text}" not in fields[2] or "{out}" not in fields[2]:
            raise RecognizerError(f"{path}:{number}: {fields[2]!r}, expected a command with {{text}} and {{out}}")
        voices[fields[0]] = Voice(fields[0], float(fields[1]), shlex.split(fields[2]))
    if not any(voice.share for voice in voices.values()):
        raise RecognizerError(f"{path}: no voice that ever speaks, expected one a line")
    return list(voices.values())


def speak(voice: Voice, text: str, path: Path) -> None:
    """Write what `voice` makes of `text` as FLAC of 16 kHz.

    Raises:
        RecognizerError: the engine fails, or what it wrote is no sound.
    """
    with tempfile.TemporaryDirectory() as folder:
        said, made = Path(folder) / "text.txt", Path(folder) / "out.wav"
        said.write_text(text + "\n", encoding="utf-8")
        words = [word.replace("{text}", str(said)).replace("{out}", str(made)) for word in voice.command]
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=300)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RecognizerError(f"voice {voice.name}: {words[0]}: {error}") from None
        if done.returncode or not made.is_file():
            raise RecognizerError(f"voice {voice.name}: exit code {done.returncode}, {done.stderr.strip()[-200:]}")
        write_speech(path, read_speech(made, FORM, f"voice {voice.name}"), FORM)


def main() -> int:
    """Speak the sentences, write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voices", type=Path, required=True, help="table of voices")
    parser.add_argument("--text", type=Path, nargs="+", required=True, help="sentences, one a line, plain or .xz")
    parser.add_argument("--count", type=int, required=True, help="number of recordings")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for audio/ and transcripts.tsv")
    parser.add_argument("--longest", type=int, default=170, help="characters of a sentence (default 170)")
    given = parser.parse_args()
    voices = read_voices(given.voices)
    sentences = [
        line for path in given.text for line in read_sentences(path) if 8 <= len(line) <= given.longest
        and SPOKEN.fullmatch(line)
    ]  # fmt: skip
    if not sentences:
        raise RecognizerError(f"{given.text[0]}: no sentence of 8 to {given.longest} plain characters, expected some")
    shares = np.array([voice.share for voice in voices]) / sum(voice.share for voice in voices)
    (given.out / "audio").mkdir(parents=True, exist_ok=True)
    rows = ["file\tsplit\tspeaker\ttext"]
    for i in range(given.count):
        random = np.random.default_rng([given.seed, i])
        voice, text = voices[int(random.choice(len(voices), p=shares))], sentences[int(random.integers(len(sentences)))]
        name = f"{given.seed}-{i:06d}.flac"
        if not (given.out / "audio" / name).exists():
            speak(voice, text, given.out / "audio" / name)
        rows.append(f"{name}\ttrain\t{voice.name}\t{text}")
        if (i + 1) % SAID == 0 or i + 1 == given.count:
            write_atomically(given.out / "transcripts.tsv", "\n".join([*rows, ""]).encode())
            print(f"{i + 1} of {given.count} recordings", flush=True)
    return 0


if __name__ == "__main__":
    run_and_exit("speak_sentences", main)
