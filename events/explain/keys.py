"""Which key made a signature, on which form of the body: older secrets, other readings of a secret, bodies written anew."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from events.explain.bodies import rewritten
from events.signatures import BadSecret, Delivery, Refusal, Secret, Secrets, Verified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from events.explain.bodies import Work
    from events.explain.texts import SecretText
    from events.senders import Sender
    from events.signatures import Scheme

_TRIMMED: dict[str, Callable[[str], str]] = {
    "the configured secret has quotation marks around it": lambda text: text.strip("\"'`“”‘’"),
    "the configured secret has several lines, of which the first is it": lambda text: text.partition("\n")[0].strip(),
    "the configured secret has several lines, of which the last is it": lambda text: text.rpartition("\n")[2].strip(),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A key to try: whose it is, what was done to the secret's text in words ("" for nothing), and its end if that has passed."""

    key: Any = field(repr=False)
    origin: str
    reading: str = ""
    ended: float | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """What makes the signature right: a key, and a form of the body in words ("" for the body as it came)."""

    candidate: Candidate
    body: bytes = field(repr=False)
    written: str = ""


def candidates(sender: Sender, texts: Sequence[SecretText], now: float) -> tuple[Candidate, ...]:
    """Return what could have made a request's signature at `now`: secrets that count, then older ones, then other readings of either."""
    plain = [Candidate(one.key, one.origin, "", _ended(one.until, now)) for one in sender.secrets.each]
    others = [
        Candidate(key, text.origin, reading, _ended(text.until, now))
        for text in texts
        for reading, key in _readings(sender.scheme, text)
    ]
    return tuple(sorted((*plain, *others), key=lambda one: (bool(one.reading), one.ended is not None)))


def find(scheme: Scheme, delivery: Delivery, known: Sequence[Candidate], now: float, work: Work) -> Match | None:
    """Return what makes a request right that no secret which counts makes right as it came; None when `work` allows nothing to be found."""
    for one in known:
        if (one.reading or one.ended is not None) and _takes(scheme, delivery, one, now):
            return Match(one, delivery.body)
    for written, body in rewritten(delivery.body, work):
        try:
            signed = scheme.read(replace(delivery, body=body))
        except Refusal:  # A scheme that reads the body needs it in its form.
            continue
        for one in known:
            if scheme.matches(one.key, signed):
                return Match(one, body, written)
    return None


def made(scheme: Scheme, delivery: Delivery, key: Any) -> bool:
    """Whether a key made the signature of a request, whenever that was."""
    try:
        return scheme.matches(key, scheme.read(delivery))
    except Refusal:
        return False


def _takes(scheme: Scheme, delivery: Delivery, one: Candidate, now: float) -> bool:
    if made(scheme, delivery, one.key):
        return True
    # What a scheme does not sign (Feishu's token in the body) only the whole of it tells.
    alone = Secrets("", (Secret(one.key, one.origin),))
    return isinstance(scheme.verify(delivery.body, delivery.headers, delivery.query, alone, now), Verified)


def _ended(until: float | None, now: float) -> float | None:
    return until if until is not None and until < now else None


def _readings(scheme: Scheme, text: SecretText) -> Iterator[tuple[str, Any]]:
    """Yield the readings that a scheme knows, and those of texts that were copied with more than the secret."""
    yield from scheme.readings(text.parts)
    for words, trimmed in _TRIMMED.items():
        parts = {name: trimmed(part) for name, part in text.parts.items()}
        if parts != text.parts:
            with suppress(BadSecret):
                yield words, scheme.key(parts)
