"""Which decoder reads: chosen from what the model file states and what a command line asks for."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from recognizer.corpus.alphabet import Alphabet
from recognizer.decoding.decoder import Decoder
from recognizer.decoding.decoder_files import DecoderFiles, name_file, open_language_model, read_words, unknown_symbols
from recognizer.decoding.options import DecoderOptions, asked, flag_of, with_
from recognizer.decoding.pronunciations import has_pronunciations, read_pronunciations
from recognizer.decoding.settings import FILES, DecoderSettings, NamedFile, settings_of
from recognizer.errors import RecognizerError
from recognizer.language.ngram import NGram

SHOWN = 20  # symbols in a note


def make_decoder(
    options: DecoderOptions, stored: dict[str, Any], alphabet: Alphabet, priors: Sequence[float] = ()
) -> Decoder:
    """Return the decoder that a command line and a model file ask for; the command line goes first.

    The model file's settings hold where every outside file that they name is given, known by its hash; else the
    defaults do, and the decoder's notes say so.

    Args:
        options: of the command line.
        stored: the model file's `decoder`, {} where it has none.
        alphabet: of the model.
        priors: of its classes, () where the model file states none.

    Raises:
        RecognizerError: a file or a value is at fault, or an option would have no effect.
    """
    given = options.given()
    files = {name: name_file(given[name]) for name in FILES if name in given}
    own = settings_of(stored)
    base, notes = _base(DecoderSettings() if options.no_lm and own.lm else own, files, given)
    settings = _settings(base, files, given)
    _refuse_no_effect(settings, given)
    outside = _opened(options, alphabet)
    if base.lm is None:
        settings, lacking = _suggested(settings, outside, given, bool(priors))
        notes = [*notes, *lacking]
    return Decoder(settings, alphabet, outside, [*notes, *_lacking(outside, alphabet)], priors)


def _base(
    stored: DecoderSettings, files: dict[str, NamedFile], given: dict[str, Any]
) -> tuple[DecoderSettings, list[str]]:
    """Return what the options change, with what a user should know of it."""
    if given.get("engine") == "greedy":
        return DecoderSettings(), []
    for name, wanted in stored.outside().items():
        flag = f"--{name.replace('_', '-')}"
        if name not in files:
            return DecoderSettings(), [
                f"the model's own decoder ({stored.describe()}) needs {wanted.name}: give it with {flag}"
            ]
        if files[name].sha256 != wanted.sha256:
            return DecoderSettings(), [
                f"{files[name].name} is not the {wanted.name} (sha256 {wanted.sha256[:16]}) "
                "of the model's own decoder, whose settings are left aside"
            ]
    return stored, []


def _settings(base: DecoderSettings, files: dict[str, NamedFile], given: dict[str, Any]) -> DecoderSettings:
    plain: dict[str, Any] = {name: value for name, value in given.items() if name not in (*FILES, "beam")} | files
    if "engine" not in given and base.engine == "greedy" and given.keys() - set(with_("greedy")):
        plain["engine"] = "beam"
    if "beam" in given:
        plain["beam"] = replace(base.beam, width=given["beam"])
    return replace(base, **plain)


def _suggested(
    settings: DecoderSettings, outside: DecoderFiles, given: dict[str, Any], priors: bool
) -> tuple[DecoderSettings, list[str]]:
    """Return the settings with what the language model's file states for decoders, where nobody chose it.

    What it states goes together: without the priors that it counts on its temperature stays unused too, and a note
    says so.
    """
    if not isinstance(outside.lm, NGram):
        return settings, []
    about = outside.lm.about
    if about.weight is not None and "lm_weight" not in given:
        settings = replace(settings, lm_weight=about.weight)
    if about.beam is not None and "beam" not in given:
        settings = replace(settings, beam=replace(settings.beam, width=about.beam))
    if about.word_bonus is not None and "word_bonus" not in given:
        settings = replace(settings, word_bonus=about.word_bonus)
    if about.prior_weight and "prior_weight" not in given and not priors:
        return settings, ["the model file states no label priors, which the language model's settings count on"]
    for name in ("prior_weight", "temperature"):
        if getattr(about, name) is not None and name not in given:
            settings = replace(settings, **{name: getattr(about, name)})
    return settings, []


def _refuse_no_effect(settings: DecoderSettings, given: dict[str, Any]) -> None:
    """Refuse an option that would change nothing."""
    needs = {one.name: one.metadata["needs"] for one in asked()}
    for name in given.keys() - set(with_("greedy")):
        if settings.engine == "greedy":
            raise RecognizerError(
                f"{flag_of(name)} has no effect on the best path, expected --decoder beam or flashlight"
            )
        if needs[name] and getattr(settings, needs[name]) is None:
            raise RecognizerError(f"{flag_of(name)} has no effect without {flag_of(needs[name])}")
        if settings.engine == "flashlight" and name not in with_("flashlight"):
            raise RecognizerError(f"{flag_of(name)} is not for flashlight, expected --decoder beam")


def _opened(options: DecoderOptions, alphabet: Alphabet) -> DecoderFiles:
    flashlight = options.engine == "flashlight"
    said = options.lexicon is not None and has_pronunciations(options.lexicon)
    if said:
        _refuse_with_pronunciations(options)
    return DecoderFiles(
        lm=open_language_model(options.lm) if options.lm and not flashlight else None,
        lm_path=options.lm,
        hot_words=read_words(options.hot_words, alphabet, "list of hot words") if options.hot_words else (),
        lexicon=read_words(options.lexicon, alphabet, "lexicon") if options.lexicon and not said else (),
        pronunciations=read_pronunciations(options.lexicon, alphabet) if options.lexicon and said else None,
        rescore=open_language_model(options.rescore) if options.rescore else None,
    )


def _refuse_with_pronunciations(options: DecoderOptions) -> None:
    """Refuse what asks for words by their letters, where a lexicon gives them by other units."""
    if options.engine == "flashlight":
        raise RecognizerError(f"{options.lexicon}: a lexicon of pronunciations is not for flashlight, expected beam")
    for name in ("hot_words", "oov_penalty"):
        if getattr(options, name) is not None:
            raise RecognizerError(
                f"{flag_of(name)} needs the letters of words, expected a lexicon without pronunciations beside it"
            )


def _lacking(outside: DecoderFiles, alphabet: Alphabet) -> list[str]:
    """Return a note where the language model does not know characters that the model can read."""
    model = outside.lm
    if model is None:
        return []
    from recognizer.language.lstm import LanguageModel

    if not isinstance(model, LanguageModel) and model.about.unit == "word":
        return []
    lacking = unknown_symbols(model, alphabet)
    if not lacking:
        return []
    shown = " ".join(map(repr, lacking[:SHOWN])) + (" ..." if len(lacking) > SHOWN else "")
    return [f"the language model does not know {len(lacking)} of the model's characters: {shown}"]
