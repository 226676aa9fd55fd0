"""Messages that DingTalk's robots pass on in HTTP mode: HMAC-SHA256 over the time and nothing else."""

from __future__ import annotations

import base64
import hmac
import re
from typing import TYPE_CHECKING, Any

from events import strictjson
from events.signatures import Fresh, Refusal, Scheme, Secret, Signed, Verified, same, seconds
from events.signatures.github import text_key, text_readings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from events.signatures import Delivery

_TIME = "timestamp"
_SIGN = "sign"
_FORM = re.compile(r"[0-9A-Za-z+/]{43}=")
_VISIBLE = re.compile(r"[!-~]{1,255}")
_MS = 1000


class DingTalk(Scheme):
    """DingTalk ("Robot receives messages", HTTP mode): the header `sign` is base64 of HMAC-SHA256(appSecret, timestamp + LF + appSecret).

    The header `timestamp` is in milliseconds, not more than an hour off. Neither the body nor its `msgId` is signed: whoever reads the two
    headers can send another body with them, so https only. The fingerprint is of the two headers alone: they are good for the first
    body that comes with them and for no other. Two messages within one millisecond therefore count as one request.
    """

    name = "dingtalk"
    default_window_s = 3600.0
    headers = (_TIME, _SIGN)
    secret_headers = ("sign",)  # Good for any body until one came with it.
    secret_fields = ("sessionWebhook",)  # Whoever knows it may answer in the conversation.
    needs_https = True
    quiet = True

    def key(self, parts: Mapping[str, str]) -> bytes:
        """As the contract says: the appSecret's own characters."""
        return text_key(parts["secret"])

    def read(self, delivery: Delivery) -> Signed:
        """Read the two headers; the body is not looked into before the signature is right."""
        time, sign = delivery.header(_TIME), delivery.header(_SIGN)
        at = seconds(time, f"the header {_TIME}") / _MS
        if not _FORM.fullmatch(sign):
            raise Refusal("header_malformed", f"the header {_SIGN} is not the base64 of 32 bytes")
        return Signed((sign,), time, None, at)

    def matches(self, key: bytes, signed: Signed) -> bool:
        """As the contract says: the text is compared, so that no other base64 of the same bytes counts."""
        return same(signed.signatures[0], _signature(key, signed.material))

    def sign(self, key: bytes, body: bytes, now: float, id: str) -> Fresh:  # noqa: A002, ARG002
        """As the contract says; the id would have to be in the body."""
        time = str(int(now * _MS))
        return Fresh(body, {_TIME: time, _SIGN: _signature(key, time)})

    def verified(self, delivery: Delivery, signed: Signed, secret: Secret, sender: str) -> Verified:  # noqa: ARG002
        """As the contract says. Raises Refusal when the body is not a JSON object."""
        its_id = visible(json_object(delivery.body).get("msgId"))
        return Verified(sender, its_id, signed.time, signed.signatures[0], delivery.body)

    def readings(self, parts: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
        """As the contract says."""
        return text_readings(parts["secret"])


def json_object(body: bytes) -> Mapping[str, Any]:
    """Return the JSON object that a body is. Raises Refusal."""
    try:
        value = strictjson.loads(body)
    except strictjson.NotJSON as error:
        raise Refusal("body_malformed", str(error)) from None
    if not isinstance(value, dict):
        raise Refusal("body_malformed", "the body is not a JSON object")
    return value


def visible(given: Any) -> str | None:
    """Return a text of 1 to 255 visible ASCII characters, None for anything else: what can be an id."""
    return given if isinstance(given, str) and _VISIBLE.fullmatch(given) else None


def _signature(key: bytes, time: str) -> str:
    return base64.b64encode(hmac.digest(key, time.encode() + b"\n" + key, "sha256")).decode()


SCHEME = DingTalk
