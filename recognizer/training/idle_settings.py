"""Settings of a run that have no effect beside others, refused before it begins.

Models that were stored with such values are read, and runs that began with them go on: what they hold does no harm.
"""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from recognizer.corpus.store import Store
from recognizer.errors import RecognizerError
from recognizer.inputs.speech.log_mel import LogMelSettings
from recognizer.network.cells import CellSettings
from recognizer.network.front import FrontSettings
from recognizer.network.network import NetworkSettings
from recognizer.training.config import Config, LearningSettings

CONVOLUTIONS = ("channels", "pool_time", "pool_features", "convolutions", "norm", "dropout")  # settings of their front
RECURRENCE = (*(one.name for one in fields(CellSettings)), "bidirectional")  # settings of the recurrent layers


def refuse_idle_settings(config: Config) -> None:
    """Refuse settings that another one leaves without effect and that are not at their defaults.

    Raises:
        RecognizerError: the first of them.
    """
    network = config.network
    if network.front.type == "frames":
        _refuse_changed(network.front, FrontSettings(), CONVOLUTIONS, "network.front", "network.front.type frames")
        folded = network.front.patch[1]
        if folded not in (1, FrontSettings().patch[1]):
            raise RecognizerError(
                f"network.front.patch is {network.front.patch}: {folded} features are not folded beside "
                "network.front.type frames, expected 1 there"
            )
    if not config.features.utterance_mean:
        _refuse_changed(
            config.features, LogMelSettings(), ("speech_range_db",), "features", "features.utterance_mean false"
        )
    if not config.init and not config.keep_symbols:
        raise RecognizerError("keep_symbols is False: no effect without init, expected True there")
    if network.layers == 0:
        _refuse_changed(network, NetworkSettings(), RECURRENCE, "network", "network.layers 0")
        _refuse_changed(config.learning, LearningSettings(), ("weight_noise",), "learning", "network.layers 0")


def refuse_idle_beside(config: Config, stores: Sequence[Store]) -> None:
    """Refuse what has no effect on these corpora, or is learned twice.

    Raises:
        RecognizerError: the first of them.
    """
    kind = stores[0].header.kind
    if kind != "speech" and not config.init:
        names = [one.name for one in fields(LogMelSettings)]
        _refuse_changed(config.features, LogMelSettings(), names, "features", f"a corpus of {kind}")
    seen: dict[str, Store] = {}
    for store in stores if len(stores) > 1 else ():  # of one nothing is asked: a fingerprint reads all texts
        other = seen.setdefault(store.fingerprint(), store)
        if other is not store:
            raise RecognizerError(
                f"{store.path}: the same samples as {other.path}, expected each corpus once; --data.weights has a "
                "corpus learned more often"
            )


def _refuse_changed(settings: Any, defaults: Any, names: Iterable[str], where: str, beside: str) -> None:
    for name in names:
        value, default = getattr(settings, name), getattr(defaults, name)
        if value != default:
            raise RecognizerError(f"{where}.{name} is {value!r}: no effect beside {beside}, expected {default!r} there")
