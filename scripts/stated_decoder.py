"""The decoder that a model file and a language model's file ask for, as tables vary it."""

from dataclasses import replace
from typing import Any

from recognizer.commands.console import terminal
from recognizer.decoding.decoder import Decoder
from recognizer.decoding.options import DecoderOptions
from recognizer.pretrained import find_model
from recognizer.reading.reader import Reader, decoder_of


def stated(reader: Reader, model: str, options: DecoderOptions) -> Decoder:
    """Return the decoder that `recognizer evaluate` takes for `options`, its notes said on standard error.

    Args:
        reader: of the model, however it decodes.
        model: model file, run, or name of a shipped model, that the reader was loaded by.
        options: a language model, and what a table fixes.

    Raises:
        RecognizerError: a file is at fault, or an option would have no effect.
    """
    decoder = decoder_of(reader.model_file, find_model(model), options)
    for note in decoder.notes:
        terminal().complain(note)
    return decoder


def changed(decoder: Decoder, **settings: Any) -> Decoder:
    """Return a decoder of the same files and label priors with other settings."""
    return Decoder(replace(decoder.settings, **settings), decoder.alphabet, decoder.outside, priors=decoder.priors)


def evidence(decoder: Decoder) -> str:
    """Return in words what is done to the network's log-probabilities before a decoder weighs them."""
    settings = decoder.settings
    if settings.prior_weight == 0 and settings.temperature == 1:
        return "no label priors"
    return f"label priors x {settings.prior_weight:g}, temperature {settings.temperature:g}"
