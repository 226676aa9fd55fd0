"""Messages of SMN as an HTTP(S) subscription gets them: what counts of the JSON body, and what of it is signed; for the scheme `smn`."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from events import strictjson
from events.signatures import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_BODY = 1 << 20
"""Bytes: a message of 256 KiB, the most that SMN takes, with room for its escapes."""
LONGEST_FIELD = 2048
"""Characters of every field but the message."""

CONFIRM, NOTIFY, UNSUBSCRIBE = "SubscriptionConfirmation", "Notification", "UnsubscribeConfirmation"
_SIGNED = {
    NOTIFY: ("message", "message_id", "subject", "timestamp", "topic_urn", "type"),
    CONFIRM: ("message", "message_id", "subscribe_url", "timestamp", "topic_urn", "type"),
    UNSUBSCRIBE: ("message", "message_id", "subscribe_url", "timestamp", "topic_urn", "type"),
}
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})")


@dataclass(frozen=True, slots=True)
class Message:
    """A message, not yet believed.

    `kind`: one of the three types. `time`: when it was first sent, in seconds since 1970. `signed`: what SMN signs. `signature`: in base64.
    `subscribe_url`: None in a notification.
    """

    kind: str
    id: str
    topic: str
    time: float
    text: str = field(repr=False)
    signed: bytes = field(repr=False)
    signature: str
    certificate_url: str
    subscribe_url: str | None = field(repr=False)


def read(body: bytes) -> Message:
    """Return the message that a body is. Raises Refusal.

    Fields that do not count may be anything. Those that do are texts, all but the message on one line, so that no two messages have the
    same string to sign.
    """
    value = _object(body)
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in _SIGNED:
        raise _malformed(f"type must be one of {', '.join(_SIGNED)}")
    fields = {
        name: _text(value, name) for name in (*_SIGNED[kind], "signature", "signature_version", "signing_cert_url")
    }
    if not _ID.fullmatch(fields["message_id"]):
        raise _malformed("message_id is not 1 to 64 letters, digits, hyphens and underscores")
    if fields["signature_version"] not in ("v1", "V1"):
        raise _malformed("signature_version is not v1")
    try:
        base64.b64decode(fields["signature"], validate=True)
    except ValueError:
        raise _malformed("signature is not base64") from None
    return Message(
        kind=kind,
        id=fields["message_id"],
        topic=fields["topic_urn"],
        time=_seconds(fields["timestamp"]),
        text=fields["message"],
        signed=_string_to_sign(fields, _SIGNED[kind]),
        signature=fields["signature"],
        certificate_url=fields["signing_cert_url"],
        subscribe_url=fields.get("subscribe_url"),
    )


def _string_to_sign(fields: Mapping[str, str], names: tuple[str, ...]) -> bytes:
    """Return each name and each value on a line of its own, in the order of names, with a line break after the last one as well.

    A subject that is missing or empty is left out. (Page "校验消息签名"; the last line break is the official sample code's.)
    """
    return "".join(f"{name}\n{fields[name]}\n" for name in names if name != "subject" or fields[name]).encode()


def _object(body: bytes) -> dict[str, Any]:
    if len(body) > LONGEST_BODY:
        raise _malformed(f"the body is longer than {LONGEST_BODY} bytes")
    try:
        value = strictjson.loads(body)
    except strictjson.NotJSON as error:
        raise _malformed(f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise _malformed("the body is no JSON object")
    return value


def _text(value: Mapping[str, Any], name: str) -> str:
    text = value.get(name)
    if name == "subject" and text is None:
        return ""
    if not isinstance(text, str) or not (text or name == "subject"):
        raise _malformed(f"{name} is missing, empty or no string")
    if name != "message" and (len(text) > LONGEST_FIELD or "\n" in text):
        raise _malformed(f"{name} is longer than {LONGEST_FIELD} characters or has a line break")
    return text


def _seconds(text: str) -> float:
    """Return an RFC 3339 time, with its T and Z in capitals, in seconds since 1970. Raises Refusal."""
    parts = _TIME.fullmatch(text)
    try:
        whole = datetime.strptime(f"{parts[1]}{parts[3]}", "%Y-%m-%dT%H:%M:%S%z") if parts else None
    except ValueError:
        whole = None
    if parts is None or whole is None:
        raise _malformed("timestamp is no RFC 3339 time such as 2025-06-07T15:07:14Z")
    return whole.timestamp() + float(parts[2] or 0)


def _malformed(detail: str) -> Refusal:
    return Refusal("body_malformed", detail)
