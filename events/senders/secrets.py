"""What a sender's secrets amount to: keys that its scheme can use, and warnings where they are weak, shared or over."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from events.signatures import BadSecret, CryptoMissing, Secret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from events.senders.entries import Entry
    from events.senders.mistakes import Place
    from events.senders.sources import Text
    from events.signatures import Scheme

_WEAK = {
    "bearer": "a token tells who sent a request, not what was sent: choose a scheme that signs where the sender has one"
}
# What a scheme loses without a part of its secret that may be left out.
_WEAKER = {
    ("feishu", "encrypt_key"): "without an encrypt_key nothing is signed: whoever has seen one request can make others"
}


class Judge:
    """Judges the secrets of all senders of one file, and so can tell when two have the same; `now` is in seconds since 1970."""

    def __init__(self, now: float) -> None:
        self._now = now
        self._seen: dict[bytes, Place] = {}

    def judged(self, entries: Sequence[Entry | None], scheme: Scheme | None, place: Place) -> tuple[Secret, ...]:
        """Return the secrets that a sender has, with mistakes and warnings noted; `place` is the sender's.

        `scheme` is None when it is not known: then no secret comes of it, but what can be said is said.
        """
        found = [entry for entry in entries if entry]
        for entry in found:
            self._compare(entry)
        _weigh(found, scheme, place)
        self._ends(found, place / "secrets", every=len(found) == len(entries))
        keys = [(entry, _key(entry, scheme, place)) for entry in found]
        return tuple(Secret(key, _origin(entry.texts), entry.until) for entry, key in keys if key is not None)

    def _compare(self, entry: Entry) -> None:
        texts = sorted(text.text for text in entry.texts.values())
        first = self._seen.setdefault(hashlib.sha256("\0".join(texts).encode()).digest(), entry.place)
        if first.keys[:2] != entry.place.keys[:2]:
            entry.place.warn(f"the same secret as {first}: who has it can pass for either of the two senders")
        elif first is not entry.place:
            entry.place.warn(f"the same secret as {first}")

    def _ends(self, entries: Sequence[Entry], place: Place, *, every: bool) -> None:
        over = [entry for entry in entries if entry.until is not None and entry.until < self._now]
        if over and every and len(over) == len(entries):
            place.wrong("all of these are past their `until`: add a secret that counts")
            return
        for entry in over:
            (entry.place / "until").warn("this secret counts no longer: remove it")


def _weigh(entries: Sequence[Entry], scheme: Scheme | None, place: Place) -> None:
    name = scheme.name if scheme else ""
    if name in _WEAK:
        (place / "scheme").warn(_WEAK[name])
    for (weaker, part), told in _WEAKER.items():
        for entry in entries:
            if name == weaker and part not in entry.texts:
                entry.place.warn(told)


def _key(entry: Entry, scheme: Scheme | None, place: Place) -> Any:
    """Return what the scheme makes of a secret's texts, None with the mistake noted, or when there is no scheme to ask."""
    try:
        return scheme.key({part: text.text for part, text in entry.texts.items()}) if scheme else None
    except CryptoMissing as error:
        (place / error.option).wrong_once(str(error))
    except BadSecret as error:
        entry.place.wrong(str(error))
    return None


def _origin(texts: Mapping[str, Text]) -> str:
    if len(texts) == 1:
        return next(iter(texts.values())).origin
    return ", ".join(f"{part} {text.origin}" for part, text in texts.items())
