"""The phones of TIMIT, folded from 61 to 48 to 39."""

from collections.abc import Iterable

from recognizer.errors import RecognizerError

# Lee and Hon, Speaker-independent phone recognition using hidden Markov models, IEEE Trans. ASSP 37(11), 1989.
# What is not named in a table stays as it is. Glottal stops (q) are deleted.
SIXTY_ONE = tuple(
    "aa ae ah ao aw ax ax-h axr ay b bcl ch d dcl dh dx eh el em en eng epi er ey f g gcl h# hh hv ih ix iy jh "
    "k kcl l m n ng nx ow oy p pau pcl q r s sh t tcl th uh uw ux v w y z zh".split()
)
DELETED = ("q",)
TO_48 = {
    "ax-h": "ax", "axr": "er", "bcl": "vcl", "dcl": "vcl", "gcl": "vcl", "pcl": "cl", "tcl": "cl", "kcl": "cl",
    "em": "m", "eng": "ng", "h#": "sil", "pau": "sil", "hv": "hh", "nx": "n", "ux": "uw",
}  # fmt: skip
TO_39 = {
    "ao": "aa", "ax": "ah", "el": "l", "en": "n", "ix": "ih", "zh": "sh", "cl": "sil", "vcl": "sil", "epi": "sil",
}  # fmt: skip
FORTY_EIGHT = tuple(sorted({TO_48.get(phone, phone) for phone in SIXTY_ONE if phone not in DELETED}))
THIRTY_NINE = tuple(sorted({TO_39.get(phone, phone) for phone in FORTY_EIGHT}))


def fold(phones: Iterable[str], to: int) -> list[str]:
    """Fold phones of any of the three sets to the set of 61, 48 or 39.

    Equal neighbours stay two: scoring tools of this task do not merge them.

    Raises:
        RecognizerError: a phone is in none of the sets, or belongs to a smaller set than the one wanted.
    """
    if to not in (61, 48, 39):
        raise RecognizerError(f"phones: fold to {to!r}, expected 61, 48 or 39")
    known = {61: SIXTY_ONE, 48: SIXTY_ONE + FORTY_EIGHT, 39: SIXTY_ONE + FORTY_EIGHT + THIRTY_NINE}[to]
    return [_fold(phone, to) for phone in _checked(phones, known, to) if to == 61 or phone not in DELETED]


def _checked(phones: Iterable[str], known: tuple[str, ...], to: int) -> Iterable[str]:
    for phone in phones:
        if phone not in known:
            raise RecognizerError(f"phones: {phone!r} cannot be folded to {to}, expected a phone of TIMIT's sets")
        yield phone


def _fold(phone: str, to: int) -> str:
    if to == 61:
        return phone
    phone = TO_48.get(phone, phone)
    return phone if to == 48 else TO_39.get(phone, phone)
