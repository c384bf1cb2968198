"""The verb lm on the command line: build, perplexity, train, tune."""

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recognizer.commands.console import Console
from recognizer.commands.options import add_decoder_options, add_division, decoder_options, division, number, whole
from recognizer.commands.output_file import LANGUAGE_MODEL, MODEL, refuse_foreign
from recognizer.commands.progress import steps
from recognizer.errors import RecognizerError

if TYPE_CHECKING:
    from recognizer.corpus.alphabet import TextSettings


def add_lm(verbs: Any, console: Console) -> None:
    """Add lm to the command line `verbs`, what argparse's add_subparsers returned."""
    lm = verbs.add_parser("lm", help="build, measure, train and tune language models")
    actions = lm.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_build(actions, console)
    _add_perplexity(actions, console)
    _add_train(actions, console)
    _add_tune(actions, console)


def _add_build(actions: Any, console: Console) -> None:
    build = actions.add_parser("build", help="an n-gram model of texts, a sentence a line")
    build.add_argument("texts", nargs="+", type=Path, help="text files in UTF-8, .gz and .xz too")
    build.add_argument("--order", type=whole("order"), default=6, help="units of the longest n-gram (default 6)")
    build.add_argument("--unit", choices=["character", "word"], default="character", help="default character")
    build.add_argument("--out", type=Path, required=True, help="FILE.arpa, FILE.arpa.gz, or any other name: packed")
    build.add_argument(
        "--cutoff",
        type=whole("cutoff"),
        nargs="+",
        default=[0],
        metavar="N",
        help="occurrences at or below which n-grams go, from order 1 (keeps all: 0); the last one holds for the rest",
    )
    build.add_argument(
        "--prune",
        type=number("prune"),
        default=0.0,
        metavar="X",
        help="leave out n-grams whose loss raises the perplexity by less than this share, 1e-8 for example (default 0)",
    )
    build.add_argument(
        "--quantize",
        type=whole("quantize"),
        default=0,
        metavar="BITS",
        help="a small packed file, probabilities rounded to 2 to 8 bits (default 0: whole, in a large file)",
    )
    build.add_argument(
        "--vocabulary",
        type=whole("vocabulary"),
        default=0,
        metavar="N",
        help="keep the N commonest words, count all others as unknown (default 0: keep all)",
    )
    build.add_argument(
        "--lm-weight", type=number("lm-weight"), metavar="X", help="stated in a packed file for decoders"
    )
    build.add_argument("--word-bonus", type=number("word-bonus"), metavar="X", help="likewise")
    build.add_argument("--beam", type=whole("beam"), metavar="N", help="likewise, prefixes kept")
    build.add_argument("--prior-weight", type=number("prior-weight"), metavar="X", help="likewise")
    build.add_argument("--temperature", type=number("temperature"), metavar="X", help="likewise")
    _add_text_options(build)
    build.set_defaults(act=partial(_build, console))


def _add_perplexity(actions: Any, console: Console) -> None:
    perplexity = actions.add_parser("perplexity", help="perplexity of a text under a language model")
    perplexity.add_argument("lm", type=Path, help="language model of any kind")
    perplexity.add_argument("text", type=Path, help="text file, a sentence a line")
    perplexity.set_defaults(act=partial(_perplexity, console))


def _add_train(actions: Any, console: Console) -> None:
    train = actions.add_parser("train", help="a neural model of characters, of the recognizer's own layers")
    train.add_argument("texts", nargs="+", type=Path, help="text files in UTF-8, .gz and .xz too")
    train.add_argument("--out", type=Path, required=True, help="model file; FILE.training beside it while it learns")
    train.add_argument("--resume", action="store_true", help="go on with FILE.training where there is one")
    for name, default, words in (
        ("hidden", 256, "units of a layer"),
        ("layers", 1, "recurrent layers"),
        ("embedding", 64, "size of a character's vector"),
        ("least", 5, "rarer characters are learned as unknown"),
        ("steps", 2000, "updates in all"),
        ("batch", 32, "streams side by side"),
        ("span", 128, "characters between two cuts of the gradient"),
        ("save-every", 200, "updates between two saved states"),
        ("seed", 0, "of all chance"),
    ):
        train.add_argument(f"--{name}", type=whole(name), default=default, help=f"{words} (default {default})")
    train.add_argument("--cell", default="lstm", help="kind of the recurrent layers (default lstm)")
    train.add_argument("--dropout", type=number("dropout"), default=0.0, help="default 0")
    train.add_argument("--rate", type=number("rate"), default=4e-3, help="highest learning rate (default 0.004)")
    train.add_argument("--bfloat16", action="store_true", help="compute in bfloat16; slow without units for it")
    train.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    _add_text_options(train)
    train.set_defaults(act=partial(_train, console))


def _add_tune(actions: Any, console: Console) -> None:
    tune = actions.add_parser(
        "tune", help="find weights, temperature, word bonus and beam on validation, write them into the model"
    )
    tune.add_argument("model", help="model file, folder of a run, or name of a shipped model")
    tune.add_argument("corpus", type=Path, nargs="+", help="prepared corpora, manifests or folders; all count alike")
    tune.add_argument("--split", default="valid", help="validation samples (default valid); never a test split")
    tune.add_argument("--by", default="cer", help="what is made small: cer (default) or wer")
    tune.add_argument(
        "--samples", type=whole("samples"), default=0, help="at most so many of each, 0 for all (default)"
    )
    tune.add_argument(
        "--out",
        type=Path,
        help="write the model there; without it into the model's own file, unless that is a shipped one",
    )
    tune.add_argument("--device", default="auto", help="auto, cpu or cuda")
    add_decoder_options(tune)
    add_division(tune)
    tune.set_defaults(act=partial(_tune, console))


def _add_text_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--against", type=Path, metavar="CORPUS", help="refuse a text that holds its test lines")
    parser.add_argument(
        "--model", help="normalise the text as its transcripts are; words that it cannot write are unknown"
    )


def _letters(model: str | None, unit: str) -> str:
    """Return the characters that the words of a language model for `model` may hold, "" for any."""
    if model is None or unit != "word":
        return ""
    from recognizer.model.model_file import load_model_file
    from recognizer.pretrained import find_model

    alphabet = load_model_file(find_model(model)).alphabet
    # The tokens of a model of phones are no letters: its lexicon says which words it can write.
    return "" if alphabet.text.unit == "token" else "".join(alphabet.symbols)


def _text_settings(model: str | None) -> "TextSettings":
    from recognizer.corpus.alphabet import TextSettings

    if model is None:
        return TextSettings()
    from recognizer.model.model_file import load_model_file
    from recognizer.pretrained import find_model

    return load_model_file(find_model(model)).alphabet.text


def _build(console: Console, chosen: argparse.Namespace) -> int:
    from recognizer.language.build import BuildSettings, steps_of
    from recognizer.language.checked_build import build_checked

    refuse_foreign("--out", chosen.out, LANGUAGE_MODEL)
    _refuse_for_decoder(chosen)
    settings = BuildSettings(
        order=chosen.order,
        unit=chosen.unit,
        cutoff=tuple(chosen.cutoff),
        prune=chosen.prune,
        quantize=chosen.quantize,
        vocabulary=chosen.vocabulary,
        letters=_letters(chosen.model, chosen.unit),
        text=_text_settings(chosen.model),
        weight=chosen.lm_weight,
        word_bonus=chosen.word_bonus,
        beam=chosen.beam,
        prior_weight=chosen.prior_weight,
        temperature=chosen.temperature,
    )
    with steps(steps_of(len(chosen.texts), settings), console.complain) as begin:
        built = build_checked(chosen.texts, settings, chosen.out, chosen.against, begin)
    report, shared = built.report, built.shared
    console.say(f"{report.lines} lines, {report.tokens} {chosen.unit}s, {report.blank} blank lines left out")
    for order, (kept, counted, discounts) in enumerate(
        zip(report.sizes, report.counted, report.discounts, strict=True), 1
    ):
        shown = ", ".join(f"{one:.3f}" for one in discounts)
        console.say(f"{order}-grams: {kept} of {counted}, discounts {shown}")
    for note in report.notes:
        console.say(f"note: {note}")
    if shared:
        console.say(
            f"none of {shared.lines} test lines stands in the text; {shared.short} too short to tell, "
            f"{shared.runs} of their {shared.test_runs} runs of words are in it"
        )
    if report.errors:
        console.say(
            f"rounded to {chosen.quantize} bits: log-probabilities (natural) are off by {report.errors.rms:.4f} "
            f"(root mean square), {report.errors.worst:.3f} at most"
        )
    console.say(f"{chosen.out}: {chosen.out.stat().st_size / 1e6:.1f} MB")
    return 0


def _refuse_for_decoder(chosen: argparse.Namespace) -> None:
    """Refuse to state in a model file what no decoder takes."""
    from recognizer.decoding.settings import DecoderSettings

    names = ("lm_weight", "word_bonus", "prior_weight", "temperature")
    DecoderSettings(**{name: value for name in names if (value := getattr(chosen, name)) is not None})


def _perplexity(console: Console, chosen: argparse.Namespace) -> int:
    from recognizer.corpus.alphabet import TextSettings
    from recognizer.decoding.decoder_files import open_language_model
    from recognizer.language import lstm, perplexity
    from recognizer.language.text import read_lines

    model = open_language_model(chosen.lm)
    lines = (line.text for line in read_lines(chosen.text, TextSettings()))
    if isinstance(model, lstm.LanguageModel):
        unit, found = "character", lstm.perplexity(model, lines)
    else:
        unit, found = model.about.unit, perplexity.perplexity(model, lines)
    if not found.lines:
        raise RecognizerError(f"{chosen.text}: the text is empty, expected a sentence a line")
    console.say(f"{found.lines} lines, {found.tokens + found.unknown} {unit}s with line ends, {found.unknown} unknown")
    hidden = unit == "word" and found.unknown  # <unk> pays nothing for the letters of the words that it stands for
    bits = "" if hidden else f", {found.bits_per_character:.4f} bits a character"
    console.say(f"perplexity {found.perplexity:.3f}{bits}")
    if found.tokens and found.unknown:
        console.say(f"perplexity {found.known_perplexity:.3f} without the unknown")
    return 0


def _train(console: Console, chosen: argparse.Namespace) -> int:
    from recognizer.language.build import BuildSettings
    from recognizer.language.checked_build import compare
    from recognizer.training.language_learner import TrainingSettings
    from recognizer.training.language_training import LanguageTraining, train_language

    text = _text_settings(chosen.model)
    names = ("hidden", "layers", "cell", "embedding", "dropout", "least", "save_every", "device")
    learning = {name: getattr(chosen, name) for name in ("steps", "batch", "span", "rate", "seed", "bfloat16")}
    settings = LanguageTraining(
        **{name: getattr(chosen, name) for name in names}, text=text, training=TrainingSettings(**learning)
    )
    refuse_foreign("--out", chosen.out, MODEL)
    if chosen.against:
        compare(chosen.texts, chosen.against, BuildSettings(text=text))
    train_language(chosen.texts, settings, chosen.out, chosen.resume, console.say)
    console.say(str(chosen.out))
    return 0


def _tune(console: Console, chosen: argparse.Namespace) -> int:
    from recognizer.decoding.options import DecoderOptions
    from recognizer.evaluation.tuning import TuneSettings, corpus_lines, point_line, surface_lines, tune
    from recognizer.model.model_file import read_header
    from recognizer.pretrained import find_language_model, find_model, output_path
    from recognizer.reading.reader import Reader

    settings = TuneSettings(chosen.split, chosen.by, chosen.samples)
    options = decoder_options(chosen)
    for name in ("lm_weight", "word_bonus", "prior_weight", "temperature"):
        if getattr(options, name) is not None:
            raise RecognizerError(f"--{name.replace('_', '-')} is what lm tune looks for, leave it out")
    if options.tta is not None:
        raise RecognizerError("--tta is not for lm tune, which reads each line once, leave it out")
    path = find_model(chosen.model)
    out = output_path(path, chosen.out, "lm tune")
    refuse_foreign("--out", chosen.out, MODEL)
    read_header(path)  # what it is written into has to be a model file: said before the long search
    reader = Reader.load(path, chosen.device, DecoderOptions(engine="greedy"), division(chosen))
    if options.lm is not None:
        options = replace(options, lm=find_language_model(options.lm, reader.kind))
    tuned = tune(reader, out, path, chosen.corpus, options, settings, console.complain, console.progress("samples"))
    for line in surface_lines(tuned, chosen.by):
        console.say(line)
    for line in corpus_lines(tuned):
        console.say(line)
    console.say(f"best setting, means of the corpora: {point_line(tuned.best, tuned.rates)}")
    console.say(f"written into {out}: {tuned.settings.describe()}")
    return 0
