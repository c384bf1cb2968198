"""What can be asked of a decoder: the command line, the Python interface and the checks all take it from here."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

ENGINES = ("greedy", "beam", "flashlight")


def option(
    meaning: str, metavar: str = "X", *, needs: str = "", greedy: bool = False, flashlight: bool = True, flag: str = ""
) -> Any:
    """Return a field of `DecoderOptions`; None leaves it to the model file or the defaults.

    Args:
        meaning: what it is, for help.
        metavar: what its value is called there; X is a number, N a whole one, FILE and NAME are files.
        needs: the option without which it has no effect.
        greedy: whether it has an effect on greedy decoding too.
        flashlight: whether flashlight knows it.
        flag: of the command line, where it is not called as the setting.
    """
    about = {
        "meaning": meaning,
        "metavar": metavar,
        "needs": needs,
        "greedy": greedy,
        "flashlight": flashlight,
        "flag": flag,
    }
    return field(default=None, metadata=about)


@dataclass(frozen=True)
class DecoderOptions:
    """What a command line or a caller asks for; None leaves it to the model file or the defaults.

    The meaning of each stands in `DecoderSettings`, which has the same names; here files are paths.
    """

    engine: str | None = option("how log-probabilities are read", "NAME", greedy=True, flag="decoder")
    tta: int | None = option("test-time augmentation: a line read larger, slanted, smaller; 1 to 5", "N", greedy=True)
    beam: int | None = option("prefixes kept (default: what the language model states, else 25)", "N")
    lm: Path | None = option("language model: en, fr or medieval, none, or a file: ARPA, packed, neural", "NAME")
    lm_weight: float | None = option("of its log-probabilities", needs="lm")
    word_bonus: float | None = option("added for every word")
    prior_weight: float | None = option("power of the network's label priors that its probabilities are divided by")
    temperature: float | None = option("what the network's log-probabilities are divided by")
    hot_words: Path | None = option("words to prefer, one a line", "FILE", flashlight=False)
    hot_bonus: float | None = option("added for each of them", needs="hot_words")
    lexicon: Path | None = option("words that may be read, one a line; behind a tabulator their units; en", "FILE")
    oov_penalty: float | None = option("penalty of any other word", needs="lexicon")
    rescore: Path | None = option("language model that ranks the beam's texts anew", "FILE", flashlight=False)
    rescore_weight: float | None = option("of its log-probabilities", needs="rescore")
    no_lm: bool = False  # read without the language model that the model file states; --lm none

    def given(self) -> dict[str, Any]:
        """Return the options that are not left to others, by name."""
        return {one.name: value for one in asked() if (value := getattr(self, one.name)) is not None}


def asked() -> list[Any]:
    """Return the fields that are options of the command line, in its order."""
    return [one for one in fields(DecoderOptions) if one.metadata]


def flag_of(name: str) -> str:
    """Return the flag of a setting on a command line."""
    about = next(one.metadata for one in asked() if one.name == name)
    return "--" + (about["flag"] or name.replace("_", "-"))


def with_(about: str) -> tuple[str, ...]:
    """Return the options of which something holds, such as "greedy"."""
    return tuple(one.name for one in asked() if one.metadata[about])
