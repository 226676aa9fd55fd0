"""Slack's Events API, slash commands and interactivity: HMAC-SHA256 over the time and the body."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from events import strictjson
from events.problems import HttpAnswer
from events.signatures import Fresh, Refusal, Scheme, Secret, Signed, Verified, same, seconds
from events.signatures.github import text_key, text_readings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from events.signatures import Delivery

MAX_CHALLENGE = 1_000
"""Characters of a challenge that is echoed; Slack's have about 50."""
MAX_FIELDS = 100
"""Fields of a form; a slash command has about 15."""

_TIME = "x-slack-request-timestamp"
_SIGNATURE = "x-slack-signature"
_FORM = re.compile(r"v0=[0-9a-f]{64}")
_VISIBLE = re.compile(r"[!-~]{1,255}")


class Slack(Scheme):
    """Slack ("Verifying requests from Slack"): `v0=` and hex of HMAC-SHA256 over `v0:<time>:<raw body>`, the time in seconds.

    The id is an event's `event_id`, a command's or an interaction's `trigger_id`. The handshakes `url_verification` and `ssl_check` are
    signed too and answered. A retry is signed afresh and has the same `event_id`.
    """

    name = "slack"
    headers = (_TIME, _SIGNATURE)
    answer_within_s = 3.0
    quiet = True

    def key(self, parts: Mapping[str, str]) -> bytes:
        """As the contract says: the signing secret's own characters, although they look like hex."""
        return text_key(parts["secret"])

    def read(self, delivery: Delivery) -> Signed:
        """Read the two headers; the body is not looked into before its signature is right."""
        time, signature = delivery.header(_TIME), delivery.header(_SIGNATURE)
        at = seconds(time, f"the header {_TIME}")
        if not _FORM.fullmatch(signature):
            raise Refusal("header_malformed", f"the header {_SIGNATURE} is not v0= and 64 lower-case hex digits")
        return Signed((signature,), f"v0:{time}:".encode() + delivery.body, None, at)

    def matches(self, key: bytes, signed: Signed) -> bool:
        """As the contract says."""
        return same(signed.signatures[0], _signature(key, signed.material))

    def sign(self, key: bytes, body: bytes, now: float, id: str) -> Fresh:  # noqa: A002, ARG002
        """As the contract says; the id would have to be in the body."""
        time = str(int(now))
        signature = _signature(key, f"v0:{time}:".encode() + body)
        return Fresh(body, {"X-Slack-Request-Timestamp": time, "X-Slack-Signature": signature})

    def verified(self, delivery: Delivery, signed: Signed, secret: Secret, sender: str) -> Verified:  # noqa: ARG002
        """As the contract says. Raises Refusal when a challenge cannot be echoed."""
        its_id, answer = _told(delivery.body)
        return Verified(sender, its_id, signed.time, signed.signatures[0], delivery.body, answer=answer)

    def readings(self, parts: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
        """As the contract says."""
        return text_readings(parts["secret"])


def _signature(key: bytes, message: bytes) -> str:
    return f"v0={hmac.digest(key, message, 'sha256').hex()}"


def _told(body: bytes) -> tuple[str | None, HttpAnswer | None]:
    """Return the id of a body and the answer that its handshake wants, None for what there is not.

    Whether it is JSON or a form is told by the body alone: it is signed, the Content-Type is not.
    """
    if body.lstrip().startswith(b"{"):
        event = _object(body)
        return _bounded(event.get("event_id")), _challenge(event)
    form = _form(body)
    if form.get("ssl_check") == "1":
        return None, HttpAnswer(200)
    return _bounded(form.get("trigger_id") or _object(form.get("payload", "")).get("trigger_id")), None


def _challenge(event: Mapping[str, Any]) -> HttpAnswer | None:
    if event.get("type") != "url_verification":
        return None
    given = event.get("challenge")
    if not (isinstance(given, str) and given.isprintable() and 0 < len(given) <= MAX_CHALLENGE):
        raise Refusal("body_malformed", f"the challenge is not a text of 1 to {MAX_CHALLENGE} printable characters")
    return HttpAnswer(200, {"Content-Type": "application/json"}, strictjson.dumps({"challenge": given}))


def _bounded(given: Any) -> str | None:
    return given if isinstance(given, str) and _VISIBLE.fullmatch(given) else None


def _object(text: bytes | str) -> Mapping[str, Any]:
    """Return a JSON object, an empty one for anything else: whether a body is good enough is not this scheme's to say."""
    try:
        value = strictjson.loads(text)
    except strictjson.NotJSON:
        return {}
    return value if isinstance(value, dict) else {}


def _form(body: bytes) -> Mapping[str, str]:
    """Return the fields of a form that are there once, none when it is no form."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:  # Also UnicodeDecodeError: a form is ASCII.
        return {}
    names = [name for name, _ in pairs]
    return {name: value for name, value in pairs if names.count(name) == 1}


SCHEME = Slack
