"""Messages and dead letters as text fields and JSON, for the transports that carry such."""

from __future__ import annotations

import base64
import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from events import strictjson
from events.calls import is_name
from events.queues import VERSION, Letter, Message, QueueRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BESIDE = 100_000
"""Bytes of a message's group and `meta` together: what stands beside a body must fit into one frame of AMQP."""
UNREADABLE = 0
"""The version of a message with something beside its body that cannot be read: what its sender allowed is not known, so nobody runs it."""

# Bytes of an id that is written; of one that comes back the same there are no more than `events.calls.MOST_NAME`.
_MOST_ID = 1_000
_COUNT = re.compile(r"[0-9]{1,9}")
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")


def to_fields(message: Message) -> dict[str, str]:
    """Return everything of a message but its body; what has its usual value is left out.

    Raises QueueRefused as `beside` does: never for a message that `from_fields` returned, whatever it was made of.
    """
    group, meta = beside(message)
    known = {
        "id": message.id,
        "group": group,
        "sent_at": f"{message.sent_at:.6f}",
        "tries": str(message.tries or ""),
        "runs": str(message.runs or ""),
        "version": str(message.version),
        "meta": meta,
    }
    return {name: value for name, value in known.items() if value}


def beside(message: Message) -> tuple[str, str]:
    """Return the group and the `meta` of a message as text, each '' when there is none.

    Raises QueueRefused where id, group or meta is not text or too long: nobody could read it back.
    """
    group = message.group or ""
    try:
        meta = strictjson.dumps(dict(message.meta)).decode() if message.meta else ""
        id_size, size = len(message.id.encode()), len(group.encode()) + len(meta.encode())
    except ValueError:
        raise QueueRefused("id, group and meta of a message must be text without lone surrogates") from None
    if id_size > _MOST_ID or size > MOST_BESIDE:
        told = f"a message's id must not be longer than {_MOST_ID} bytes, its group and meta together not than {MOST_BESIDE}"
        raise QueueRefused(told)
    return group, meta


def from_fields(body: bytes, fields: Mapping[str, Any], default_id: str, now: float) -> Message:
    """Return the message of a body and what stands beside it; never raises, since anybody may have put it there.

    Without an id that can be one it has `default_id`, without a time it was sent `now` (seconds since 1970). Its version is `UNREADABLE`
    when that, its group or its meta is there and cannot be read; what is returned can always be written again.
    """
    its_id = fields.get("id")
    group, said = _written(fields.get("group", "")), fields.get("meta")
    # What is cut is the meta rather than the group, which others may wait for.
    meta = {} if said is None else meta_of(said, MOST_BESIDE - len((group or "").encode()))
    version = _count(fields.get("version", str(VERSION)))
    return Message(
        body,
        its_id if isinstance(its_id, str) and is_name(its_id) else default_id,
        group or None,
        moment_of(fields.get("sent_at"), now),
        _count(fields.get("tries")),
        _count(fields.get("runs")),
        UNREADABLE if group is None or meta is None else version,
        meta or {},
    )


def to_json(letter: Letter) -> bytes:
    """Return a dead letter as JSON."""
    return strictjson.dumps(
        {
            "id": letter.id,
            "reason": letter.reason,
            "at": letter.at,
            "operation": letter.operation,
            "kind": letter.kind,
            "code": letter.code,
            "event": letter.event,
            "message": {**to_fields(letter.message), "body": base64.b64encode(letter.message.body).decode("ascii")},
        }
    )


def from_json(raw: bytes, default_id: str, now: float) -> Letter:
    """Return the dead letter that JSON of ours holds; anything else becomes the body of one whose reason is `broker`. Never raises."""
    try:
        said = strictjson.loads(raw)
        fields = dict(said["message"].items())
        body = base64.b64decode(fields.pop("body"), validate=True)
        message = from_fields(body, fields, default_id, now)
        return Letter(
            message,
            str(said["reason"]),
            _moment(said["at"], now),
            str(said["operation"]),
            _text(said["kind"]),
            _text(said["code"]),
            said["event"] if isinstance(said["event"], dict) else None,
            str(said["id"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError):
        return Letter(Message(raw, default_id, sent_at=now), "broker", now, id=default_id)


def again(letter: Letter) -> Message:
    """Return the message of a letter as it is redriven: with its id, its tries forgotten, and told that it was."""
    return replace(letter.message, tries=0, runs=letter.message.runs + 1)


def meta_of(said: object, most: int = MOST_BESIDE) -> dict[str, str] | None:
    """Return the `meta` that a field holds; None for what is no JSON object of strings, or longer than `most` bytes. Never raises."""
    if not isinstance(said, str) or len(said) > most:
        return None
    try:
        meta = strictjson.loads(said)
    except strictjson.NotJSON:
        return None
    if not isinstance(meta, dict) or not all(isinstance(value, str) for value in meta.values()):
        return None
    return meta if said.isascii() or len(said.encode()) <= most else None


def moment_of(said: object, default: float) -> float:
    """Return the time that a field holds, in seconds since 1970, `default` for what is none."""
    return float(said) if isinstance(said, str) and _NUMBER.fullmatch(said) else default


def _written(said: object) -> str | None:
    """Return a group as it can be written again, None for what is none or too long."""
    if not isinstance(said, str) or len(said) > MOST_BESIDE:
        return None
    # Some clients pass lone surrogates through as if they were characters.
    group = said if said.isascii() else said.encode("utf-8", "replace").decode()
    return group if len(group.encode()) <= MOST_BESIDE else None


def _count(said: object) -> int:
    return int(said) if isinstance(said, str) and _COUNT.fullmatch(said) else 0


def _moment(value: Any, now: float) -> float:
    fits = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if fits else now


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
