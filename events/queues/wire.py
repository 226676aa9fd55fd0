"""Messages and dead letters as text fields and JSON, for the transports that carry such."""

from __future__ import annotations

import base64
import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from events import strictjson
from events.calls import is_name
from events.queues import VERSION, Letter, Message

if TYPE_CHECKING:
    from collections.abc import Mapping

_COUNT = re.compile(r"[0-9]{1,9}")
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")


def to_fields(message: Message) -> dict[str, str]:
    """Return everything of a message but its body; what has its usual value is left out."""
    known = {
        "id": message.id,
        "group": message.group or "",
        "sent_at": f"{message.sent_at:.6f}",
        "tries": str(message.tries or ""),
        "runs": str(message.runs or ""),
        "version": str(message.version),
        "meta": strictjson.dumps(dict(message.meta)).decode() if message.meta else "",
    }
    return {name: value for name, value in known.items() if value}


def from_fields(body: bytes, fields: Mapping[str, str], default_id: str, now: float) -> Message:
    """Return the message of a body and what stands beside it; never raises, since anybody may have put it there.

    Without an id that can be one it has `default_id`, without a time it was sent `now` (seconds since 1970). A version that is no number
    becomes 0, which nobody reads.
    """
    its_id, sent_at, version = fields.get("id"), fields.get("sent_at", ""), fields.get("version", str(VERSION))
    return Message(
        body,
        its_id if its_id is not None and is_name(its_id) else default_id,
        fields.get("group") or None,
        float(sent_at) if _NUMBER.fullmatch(sent_at) else now,
        _count(fields.get("tries", "")),
        _count(fields.get("runs", "")),
        _count(version),
        meta_of(fields.get("meta", "")),
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
        fields = {name: value for name, value in said["message"].items() if isinstance(value, str)}
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


def meta_of(text: str) -> dict[str, str]:
    """Return the `meta` that a field holds, {} for what is none; never raises."""
    if not text:
        return {}
    try:
        said = strictjson.loads(text)
    except strictjson.NotJSON:
        return {}
    return {name: value for name, value in said.items() if isinstance(value, str)} if isinstance(said, dict) else {}


def _count(text: str) -> int:
    return int(text) if _COUNT.fullmatch(text) else 0


def _moment(value: Any, now: float) -> float:
    fits = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if fits else now


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
