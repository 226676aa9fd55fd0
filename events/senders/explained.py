"""What a sender may do and how it proves itself, as plain facts and in words, for whoever checks the senders file."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from events import strictjson
from events.senders.payload import AT
from events.senders.values import PERIODS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from events.senders.sender import Payload, Sender
    from events.signatures import Scheme, Secret

_DAY_S = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_PERIODS = {seconds: name for name, seconds in PERIODS.items()}


def path(sender: Sender) -> str:
    """Return the path that a sender posts to."""
    return f"/hooks/{sender.name}"


def facts(sender: Sender, now: float) -> dict[str, Any]:
    """Return a sender as JSON values, secrets by their origin; `now` is in seconds since 1970."""
    scheme = sender.scheme
    return {
        "sender": sender.name,
        "path": path(sender),
        "scheme": scheme.name,
        "about": _about(scheme),
        "headers": list(scheme.headers),
        "secrets": [
            {"origin": one.origin, "until": _time(one.until), "days_left": _days_left(one.until, now)}
            for one in sender.secrets.each
        ],
        "operations": sorted(sender.operations),
        "operation": sender.operation,
        "projects": sorted(sender.projects),
        "rate": asdict(sender.rate),
        "window_s": scheme.window_s,
        "answer_within_s": scheme.answer_within_s,
        "payload": sender.payload,
        "origins": list(sender.origins),
        "https": sender.https,
        "async": sender.later,
    }


def rows(sender: Sender, now: float) -> Iterator[tuple[str, list[str]]]:
    """Yield what is to be known of a sender: a label, and texts of which each is to begin on a line of its own."""
    scheme = sender.scheme
    yield "scheme", [f"{scheme.name}: {_about(scheme)}"]
    yield "headers", [", ".join(scheme.headers)] if scheme.headers else []
    yield "secrets", [_secret(one, now) for one in sender.secrets.each] or ["none is needed"]
    yield "operations", sorted(sender.operations)
    yield "bare body", [f"runs {sender.operation}" if sender.operation else "not taken: CloudEvents name the operation"]
    yield "payload", _payload(sender.payload)
    yield "projects", sorted(sender.projects) or ["the server's own"]
    yield "rate", [f"{sender.rate.count} requests per {_PERIODS.get(sender.rate.per_s, f'{sender.rate.per_s:g} s')}"]
    yield "window", [f"{scheme.window_s:g} s: how old a signature may be, or how long a request is remembered"]
    yield "answer", [f"within {scheme.answer_within_s:g} s"] if scheme.answer_within_s else []
    yield "async", ["stored for later, in the queue of HONGYAN_QUEUE"] if sender.later else []
    yield "handshake", [f"consent to {', '.join(sender.origins)}"] if sender.origins else []


def _payload(payload: Payload) -> list[str]:
    if isinstance(payload, Mapping):
        return [f"{name} = {_source(value)}" for name, value in payload.items()] or ["{}"]
    return [_source({AT: payload})] if payload else []


def _source(value: Any) -> str:
    if isinstance(value, dict) and AT in value:
        return f"what is at {value[AT]} in the body"
    return strictjson.dumps(value).decode()


def _secret(secret: Secret, now: float) -> str:
    left = _days_left(secret.until, now)
    if left is None:
        return f"{secret.origin}, no end"
    end = f"until {_time(secret.until)}: {left} day{'' if left == 1 else 's'} left" if secret.counts(now) else "over"
    return f"{secret.origin}, {end}"


def _days_left(until: float | None, now: float) -> int | None:
    """Return the whole days until a time since 1970."""
    return None if until is None else max(0, int((until - now) // _DAY_S))


def _time(seconds: float | None) -> str | None:
    """Return a time since 1970 in RFC 3339; its year is at most 9999, which the reader sees to."""
    if seconds is None:
        return None
    return (_EPOCH + timedelta(seconds=int(seconds))).isoformat().replace("+00:00", "Z")


def _about(scheme: Scheme) -> str:
    return (inspect.getdoc(type(scheme)) or "").partition("\n")[0]
