"""Messages and dead letters as messages of AMQP 0-9-1, and back from whatever anybody may have put into a queue."""

from __future__ import annotations

import hashlib
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import amqp  # type: ignore[import-untyped]

from events.queues import Letter, wire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.queues import Message

_PREFIX = "hongyan-"
_PERSISTENT = 2
_LETTER = "hongyan.letter"
# Bytes of the property that holds an id: a short string.
_MOST_ID = 255
# When a message that was delayed is due, in seconds since 1970 and at most this, unless that is the time at which it comes.
_DUE, _LATEST = "due", 9e11
CUT = {f"{_PREFIX}version": str(wire.UNREADABLE)}
"""The headers of a message whose own could not be read."""


def to_amqp(message: Message, due: float | None = None) -> amqp.Message:
    """Return a message as the broker takes it, to be delivered to nobody before `due`, in seconds since 1970.

    Raises QueueRefused as `wire.to_fields` does: never for what `from_amqp` returned.
    """
    fields = wire.to_fields(message)
    if due is not None:
        fields[_DUE] = f"{min(due, _LATEST):.3f}"
    short = len(message.id.encode()) <= _MOST_ID
    headers = {_PREFIX + name: value for name, value in fields.items() if name != "id" or not short}
    return amqp.Message(
        message.body,
        application_headers=headers,
        delivery_mode=_PERSISTENT,
        message_id=message.id if short else None,
    )


def from_amqp(raw: amqp.Message) -> Message:
    """Return the message that was delivered; never raises.

    Its body is never decoded or decompressed, whatever its properties say. Without an id of its own (`message_id`) it has a digest of its
    body: two equal ones count as one.
    """
    fields = _fields(raw)
    its_id, sent_at = raw.properties.get("message_id"), raw.properties.get("timestamp")
    if its_id is not None:
        fields["id"] = its_id
    if isinstance(sent_at, int):
        fields.setdefault("sent_at", str(sent_at))
    body = raw.body or b""
    return wire.from_fields(body, fields, hashlib.sha256(body).hexdigest(), time.time())


def is_ours(raw: amqp.Message) -> bool:
    """Tell whether a message was published by `to_amqp`, and so is in the queue of its group."""
    return "version" in _fields(raw)


def due_of(raw: amqp.Message) -> float:
    """Return when a message may be delivered, in seconds since 1970: long ago where it does not say."""
    return wire.moment_of(_fields(raw).get(_DUE), 0.0)


def losses_of(raw: amqp.Message) -> int:
    """Return how often a message was delivered before and came back, by the broker's count."""
    count = _headers(raw).get("x-delivery-count")
    trusted = raw.delivery_info["redelivered"] and isinstance(count, int) and not isinstance(count, bool)
    return max(0, count) if trusted and count is not None else 0


def to_letter(letter: Letter) -> amqp.Message:
    """Return a dead letter as the broker takes it."""
    return amqp.Message(wire.to_json(letter), delivery_mode=_PERSISTENT, message_id=letter.id[:64], type=_LETTER)


def from_letter(raw: amqp.Message) -> Letter:
    """Return the dead letter that was delivered; what the broker itself put there has the reason `broker`. Never raises."""
    message = from_amqp(raw)
    told = hashlib.sha256(f"{message.id}\n".encode() + message.body).hexdigest()[:32]
    if raw.properties.get("type") == _LETTER:
        return wire.from_json(message.body, told, time.time())
    return Letter(message, "broker", _died_at(raw), id=told)


def _headers(raw: amqp.Message) -> Mapping[Any, Any]:
    headers = raw.properties.get("application_headers")
    return headers if isinstance(headers, dict) else {}


def _fields(raw: amqp.Message) -> dict[str, Any]:
    return {
        name[len(_PREFIX) :]: value
        for name, value in _headers(raw).items()
        if isinstance(name, str) and name.startswith(_PREFIX)
    }


def _died_at(raw: amqp.Message) -> float:
    """Return when the broker dead-lettered a message, now where it does not say."""
    deaths = _headers(raw).get("x-death")
    first = deaths[0] if isinstance(deaths, list) and deaths else None
    at = first.get("time") if isinstance(first, dict) else None
    return at.replace(tzinfo=timezone.utc).timestamp() if isinstance(at, datetime) else time.time()
