"""Events and card callbacks of Feishu (Lark): SHA-256 over time, nonce, key and body, with the event encrypted inside."""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from events import strictjson
from events.problems import HttpAnswer
from events.signatures import (
    BadOption,
    BadSecret,
    Fresh,
    Refusal,
    Secret,
    Secrets,
    Signed,
    Verified,
    aes,
    same,
    seconds,
)
from events.signatures.dingtalk import json_object, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from events.signatures import Delivery

_TIME, _NONCE, _SIGNATURE = "x-lark-request-timestamp", "x-lark-request-nonce", "x-lark-signature"
_SHA256, _SHA1 = 64, 40  # Hex digits of a signature: which hash it is.
_FORM = re.compile(rf"[0-9a-f]{{{_SHA256}}}|[0-9a-f]{{{_SHA1}}}")
_MAX_CHALLENGE = 1_000  # Characters of a challenge that is echoed.
_MAX_CHECK = 8_192  # Bytes of an unsigned body that is looked into where events are signed; URL checks have about 200.
_EVENT = frozenset({"encrypt", "event", "header", "uuid"})


@dataclass(frozen=True, slots=True)
class FeishuKey:
    """The Verification Token and the Encrypt Key of an app; without the second its events are neither signed nor encrypted."""

    token: str = field(repr=False)
    encrypt_key: str | None = field(default=None, repr=False)


class Feishu(aes.SealedScheme):
    """Feishu ("Receive events", "Receive callbacks"): `X-Lark-Signature` is hex of SHA-256(time + nonce + Encrypt Key + raw body).

    The body `{"encrypt"}` is base64 of an IV and AES-256-CBC under SHA-256 of the Encrypt Key. URL checks come unsigned and are answered to
    whoever knows the token. Without an Encrypt Key the token in an event is all the proof there is: weak, and events then are remembered
    by their id. Since the token may cross the wire, https only. Option: `old_cards` (bool, off) takes old card callbacks, which are signed
    with SHA-1 and the token in place of the key: then the token alone signs whatever is no event.
    No window is documented; an hour is what others take. A delivery is pushed again for up to 7.1 h, each time signed afresh.
    """

    name = "feishu"
    default_window_s = 3600.0
    parts = ("encrypt_key", "token")
    optional_parts = ("encrypt_key",)
    options = ("old_cards",)
    headers = (_TIME, _NONCE, _SIGNATURE)
    secret_fields = ("token",)  # Of bodies that are not encrypted.
    needs_https = True
    answer_within_s = 3.0
    quiet = True

    def __init__(self, *, old_cards: bool = False, window_s: float | None = None) -> None:
        """Make a scheme with the sender's options. Raises BadOption."""
        super().__init__(window_s=window_s)
        if not isinstance(old_cards, bool):
            raise BadOption("old_cards", "must be true or false")
        self.old_cards = old_cards

    def key(self, parts: Mapping[str, str]) -> FeishuKey:
        """As the contract says: `token`, and `encrypt_key` where the app has one."""
        known = FeishuKey(parts.get("token", ""), parts.get("encrypt_key"))
        for part, text in (("token", known.token), ("encrypt_key", known.encrypt_key)):
            if text is not None and not (text and text.isascii() and text.isprintable()):
                raise BadSecret(f"{part} must be there, in printable ASCII characters")
        if known.encrypt_key is not None:
            aes.required("feishu with an encrypt_key")
        return known

    def check(self, delivery: Delivery, secrets: Secrets, now: float) -> Verified:
        """As the contract says. What is not signed rightly may still be a URL check, or an event of an app without Encrypt Key."""
        try:
            return super().check(delivery, secrets, now)
        except Refusal as refusal:
            if refusal.refused.reason not in ("header_missing", "header_malformed", self.mismatch):
                raise
            keys = [secret.key for secret in secrets.each if secret.counts(now)]
            return _unsigned(delivery.body, keys, secrets.sender, refusal)

    def read(self, delivery: Delivery) -> Signed:
        """Read the three headers; the body is not looked into before its signature is right."""
        signature, time, nonce = (delivery.header(name) for name in (_SIGNATURE, _TIME, _NONCE))
        at = seconds(time, f"the header {_TIME}")
        if not _FORM.fullmatch(signature):
            raise Refusal("header_malformed", f"the header {_SIGNATURE} is not {_SHA256} lower-case hex digits")
        return Signed((signature,), (f"{time}{nonce}", delivery.body), None, at)

    def matches(self, key: FeishuKey, signed: Signed) -> bool:
        """As the contract says."""
        signature, (prefix, body) = signed.signatures[0], signed.material
        old = len(signature) == _SHA1
        name, secret = ("sha1", key.token) if old else ("sha256", key.encrypt_key)
        if secret is None or (old and not self.old_cards):
            return False
        digest = hashlib.new(name, f"{prefix}{secret}".encode() + body, usedforsecurity=False)
        return same(signature, digest.hexdigest())

    def sign(self, key: FeishuKey, body: bytes, now: float, id: str) -> Fresh:  # noqa: A002
        """As the contract says. Without an Encrypt Key, token and id are put into the body, which must be a JSON object."""
        if key.encrypt_key is None:
            return Fresh(_with_token(body, key.token, id))
        outer = strictjson.dumps({"encrypt": aes.sealed(_sha256(key.encrypt_key), body, aes.BLOCK)})
        time, nonce = str(int(now)), os.urandom(8).hex()
        signature = _sha256(f"{time}{nonce}{key.encrypt_key}", outer).hex()
        return Fresh(outer, {_TIME: time, _NONCE: nonce, _SIGNATURE: signature})

    def verified(self, delivery: Delivery, signed: Signed, secret: Secret, sender: str) -> Verified:
        """As the contract says. Raises Refusal when the content cannot be read or holds another token."""
        # Strict JSON also stops what can be appended to a body without the key (length extension of a plain hash).
        body, event, kind = delivery.body, json_object(delivery.body), None
        old_card = len(signed.signatures[0]) == _SHA1
        if old_card and not _EVENT.isdisjoint(event):
            raise Refusal("signature_mismatch", "an event is signed with SHA-256; SHA-1 is for old card callbacks")
        if "encrypt" in event:
            body, kind = _opened(secret.key, event["encrypt"]), "application/json"
            event = json_object(body)
        token, its_id = _told(event)
        if _is_check(event) or (token is not None and not old_card):  # An old card's is for updating that card.
            _refuse_other(token, [secret.key])
        answer = _answer(event) if _is_check(event) else None
        return Verified(sender, its_id, signed.time, signed.signatures[0], body, kind, answer)

    def readings(self, parts: Mapping[str, str]) -> Iterator[tuple[str, FeishuKey]]:
        """As the contract says."""
        if "encrypt_key" in parts:
            yield "encrypt_key and token are the wrong way round", FeishuKey(parts["encrypt_key"], parts["token"])


def _unsigned(body: bytes, keys: Sequence[FeishuKey], sender: str, refusal: Refusal) -> Verified:
    """Return what is known of a request by its token alone, else raise the refusal of its signature, or one of its token."""
    weak = [key for key in keys if key.encrypt_key is None]
    if len(body) > _MAX_CHECK and not weak:
        raise refusal
    try:
        event = json_object(body)
    except Refusal as malformed:
        raise (malformed if weak else refusal) from None
    if "encrypt" in event:
        return _sealed_check(event["encrypt"], keys, sender, refusal)
    if _is_check(event):
        _refuse_other(event.get("token"), keys)
        return Verified(sender, None, None, "", body, answer=_answer(event))
    if not weak:
        raise refusal
    token, its_id = _told(event)
    _refuse_other(token, weak)
    if its_id is None:
        raise Refusal("body_malformed", "an event that is not signed needs an id: header.event_id, or uuid")
    return Verified(sender, its_id, None, "", body)


def _sealed_check(sealed: Any, keys: Sequence[FeishuKey], sender: str, refusal: Refusal) -> Verified:
    """Return a URL check that is encrypted, else raise one and the same refusal: anything finer would help to decrypt by trying."""
    for key in keys:
        with suppress(Refusal):
            event = json_object(body := _opened(key, sealed))
            if _is_check(event):
                _refuse_other(event.get("token"), [key])
                return Verified(sender, None, None, "", body, "application/json", _answer(event))
    raise Refusal(refusal.refused.reason, f"{refusal}; nor is it a URL check with this sender's key and token")


def _sha256(text: str, body: bytes = b"") -> bytes:
    return hashlib.sha256(text.encode() + body).digest()


def _opened(key: FeishuKey, text: Any) -> bytes:
    if key.encrypt_key is None:
        aes.refuse()
    return aes.opened(_sha256(key.encrypt_key), text, aes.BLOCK)


def _is_check(event: Mapping[str, Any]) -> bool:
    return event.get("type") == "url_verification"


def _told(event: Mapping[str, Any]) -> tuple[Any, str | None]:
    """Return an event's token and id: those of its header since version 2.0, before that those of the event itself."""
    header = event.get("header")
    place, name = (header, "event_id") if isinstance(header, dict) else (event, "uuid")
    return place.get("token"), visible(place.get(name))


def _refuse_other(token: Any, keys: Sequence[FeishuKey]) -> None:
    if not (isinstance(token, str) and [key for key in keys if same(token, key.token)]):
        raise Refusal("token_mismatch", "no token of this sender is in the body")


def _answer(check: Mapping[str, Any]) -> HttpAnswer:
    given = check.get("challenge")
    if not (isinstance(given, str) and given.isprintable() and 0 < len(given) <= _MAX_CHALLENGE):
        raise Refusal("body_malformed", f"the challenge is not a text of 1 to {_MAX_CHALLENGE} printable characters")
    return HttpAnswer(200, {"Content-Type": "application/json"}, strictjson.dumps({"challenge": given}))


def _with_token(body: bytes, token: str, its_id: str) -> bytes:
    try:
        event = json_object(body)
    except Refusal:
        raise BadSecret("without an encrypt_key the token is put into the body: give a JSON object") from None
    head = event["header"] if isinstance(event.get("header"), dict) else {}
    return strictjson.dumps({**event, "header": {"event_id": its_id, **head, "token": token}})


SCHEME = Feishu
