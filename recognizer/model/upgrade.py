"""Headers of older model files in the words of this version."""

from typing import Any

KINDS = {"ink": "strokes"}
NETWORK = {"side_head": "auxiliary_head"}
DECODER = {"views": "tta", "out_of_lexicon": "oov_penalty"}
BEAM = {"floor": "token_min_logp", "margin": "beam_threshold", "certain": "blank_skip_threshold"}
ENGINES = {"best-path": "greedy"}


def upgrade_header(header: dict[str, Any]) -> dict[str, Any]:
    """Return the header of a model file of format 1 as format 2 has it; a header of format 2 stays as it is.

    Format 2 names settings as the field does; none means anything else than before. What is not of the form that
    a header has is left for the reader of the header to refuse.
    """
    if header["format"] > 1:
        return header
    upgraded = {**header, "format": 2}
    if isinstance(settings := header.get("settings"), dict):
        network = settings.get("network")
        upgraded["settings"] = {
            **settings,
            "kind": upgrade_kind(settings.get("kind")),
            "network": renamed(network, NETWORK) if isinstance(network, dict) else network,
        }
    if isinstance(decoder := header.get("decoder"), dict) and decoder:
        decoder = renamed(decoder, DECODER)
        if isinstance(decoder.get("beam"), dict):
            decoder["beam"] = renamed(decoder["beam"], BEAM)
        if "engine" in decoder:
            decoder["engine"] = ENGINES.get(decoder["engine"], decoder["engine"])
        upgraded["decoder"] = decoder
    return upgraded


def upgrade_weight(name: str) -> str:
    """Return the name of a network's parameter as this version has it."""
    return name.replace("network.side_head.", "network.auxiliary_head.")


def upgrade_kind(kind: Any) -> Any:
    """Return the name of a kind of input as this version has it."""
    return KINDS.get(kind, kind) if isinstance(kind, str) else kind


def renamed(data: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Return plain data with some of its keys renamed, order kept."""
    return {names.get(key, key): value for key, value in data.items()}
