"""Which language model and lexicon a reader takes: shipped ones by name, none, the model file's own, or the default."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from recognizer.decoding.options import DecoderOptions
from recognizer.pretrained import (
    default_language,
    find_language_model,
    find_lexicon,
    shipped_language_model,
    shipped_lexicon,
)

NONE = "none"  # the name that turns every language model off


def with_language_model(
    options: DecoderOptions, model: Path, stored: dict[str, Any], kind: str
) -> tuple[DecoderOptions, list[str]]:
    """Return the options with language model and lexicon as files, and what a user should know of the choice.

    The first of these counts: what the options name (a file, a language such as "en", or "none"); the shipped file of
    the name that the model file's own decoder states; what is usual for a shipped model.

    Args:
        options: of the decoder.
        model: the model's file.
        stored: the decoder that the model's file states, {} where it states none.
        kind: of input that the model reads.

    Raises:
        RecognizerError: a name is neither a file nor a shipped language model for this kind of input.
    """
    options = _with_lexicon(options, stored)
    if options.rescore is not None:
        options = replace(options, rescore=find_language_model(options.rescore, kind))
    if options.lm is not None and str(options.lm) == NONE:
        return replace(options, lm=None, no_lm=True), []
    if options.lm is not None:
        return replace(options, lm=find_language_model(options.lm, kind)), []
    if options.engine not in (None, "beam") or options.no_lm:
        return options, []
    own = (stored.get("lm") or {}).get("name")
    if own is not None:
        return replace(options, lm=shipped_language_model(own)), []
    language = None if stored else default_language(model, kind)
    if language is None:
        return options, []
    note = f"read with the language model {language} that comes with the package; --lm none reads without it"
    return replace(options, lm=find_language_model(language, kind)), [note]


def _with_lexicon(options: DecoderOptions, stored: dict[str, Any]) -> DecoderOptions:
    """Return the options with the lexicon as a file: what they name, or the shipped one that the model names."""
    if options.lexicon is not None:
        return replace(options, lexicon=find_lexicon(options.lexicon))
    own = (stored.get("lexicon") or {}).get("name")
    if own is None or options.no_lm or str(options.lm) == NONE or options.engine not in (None, "beam"):
        return options
    return replace(options, lexicon=shipped_lexicon(own))
