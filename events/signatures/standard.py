"""Standard Webhooks 1.0.0, and Svix, which is the same under other names: HMAC-SHA256 (v1) and ed25519 (v1a)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from events.signatures import BadSecret, Fresh, Refusal, Scheme, Secret, Signed, Verified, ed25519, same, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from events.signatures import Delivery

MAX_ITEMS = 32
"""Items of the signature header that are looked at: a sender has one or two keys, and each item may cost a verification."""
SHORTEST, LONGEST = 24, 64
"""Bytes of an HMAC secret (spec/standard-webhooks.md, "Signature scheme")."""

_NAMES = ("webhook-id", "webhook-timestamp", "webhook-signature")
_SVIX = ("svix-id", "svix-timestamp", "svix-signature")
_ID = re.compile(r"[!-\-/-~]{1,255}")  # Visible ASCII without the full stop, which would let an id run into the time.
# The one way to write 32 and 64 bytes in base64: the bits of the last character that stand for nothing are 0.
_V1 = re.compile(r"v1,[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")
_V1A = re.compile(r"v1a,[A-Za-z0-9+/]{85}[AQgw]==")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")


@dataclass(frozen=True, slots=True)
class HmacKey:
    """A key of HMAC-SHA256."""

    raw: bytes = field(repr=False)

    def item(self, message: bytes) -> str:
        """Return `v1,` and the signature of a message in base64: an item of the signature header."""
        return f"v1,{base64.b64encode(hmac.digest(self.raw, message, 'sha256')).decode()}"

    def made(self, items: Iterable[str], message: bytes) -> bool:
        """Whether one of the items of a signature header is of this key. Never raises."""
        expected = self.item(message)
        return any(same(item, expected) for item in items)


class Standard(Scheme):
    """Standard Webhooks 1.0.0 (spec/standard-webhooks.md): signed are the id, the time in seconds and the raw body.

    A secret is `whsec_` and 24 to 64 bytes in base64 (the prefix and the padding may be missing), `whpk_` and a public key of ed25519, or
    `whsk_` and a secret one.
    """

    name = "standard"
    headers = (*_NAMES, *_SVIX)

    def key(self, parts: Mapping[str, str]) -> HmacKey | ed25519.Ed25519Key:
        """As the contract says; an ed25519 key needs the cryptography package."""
        text = parts["secret"]
        prefix = next((known for known in ("whsec_", "whpk_", "whsk_") if text.startswith(known)), "")
        raw = from_base64(text.removeprefix(prefix))
        if raw is None:
            raise BadSecret("is not whsec_, whpk_ or whsk_ and base64 (A-Z a-z 0-9 + /, not the url-safe form)")
        if prefix == "whpk_":
            return ed25519.from_public(raw)
        if prefix == "whsk_":
            return ed25519.from_private(raw)
        if not SHORTEST <= len(raw) <= LONGEST:
            raise BadSecret(f"a secret (whsec_) is {SHORTEST} to {LONGEST} bytes in base64; this one has {len(raw)}")
        return HmacKey(raw)

    def read(self, delivery: Delivery) -> Signed:
        """Read the three webhook- headers, or the three svix- ones when there is none of the former: never a mix."""
        mine = any(name in delivery.headers for name in _NAMES) or not any(name in delivery.headers for name in _SVIX)
        id_name, time_name, items_name = _NAMES if mine else _SVIX
        its_id, time = delivery.header(id_name), delivery.header(time_name)
        if not _ID.fullmatch(its_id):
            raise Refusal("header_malformed", f"the header {id_name} is not 1 to 255 visible characters without '.'")
        at = seconds(time, f"the header {time_name}")
        items = _items(delivery.header(items_name), items_name)
        return Signed(items, _signed_bytes(its_id, time, delivery.body), its_id, at)

    def matches(self, key: HmacKey | ed25519.Ed25519Key, signed: Signed) -> bool:
        """As the contract says: one signature that is right is enough."""
        return key.made(signed.signatures, signed.material)

    def sign(self, key: HmacKey | ed25519.Ed25519Key, body: bytes, now: float, id: str) -> Fresh:  # noqa: A002
        """As the contract says; a public key (whpk_) cannot."""
        time = str(int(now))
        item = key.item(_signed_bytes(id, time, body))
        return Fresh(body, dict(zip(_NAMES, (id, time, item), strict=True)))

    def verified(self, delivery: Delivery, signed: Signed, secret: Secret, sender: str) -> Verified:  # noqa: ARG002
        """As the contract says. The fingerprint is of what is signed: whoever drops or reorders signatures cannot change it."""
        fingerprint = hashlib.sha256(signed.material).hexdigest()
        return Verified(sender, signed.id, signed.time, fingerprint, delivery.body)

    def readings(self, parts: Mapping[str, str]) -> Iterator[tuple[str, HmacKey]]:
        """As the contract says; HMAC only, since an ed25519 key has a form of its own."""
        text = parts["secret"]
        bare = text.removeprefix("whsec_")
        if not bare or text.startswith(("whpk_", "whsk_")):
            return
        for what, used in (("the text of the secret", f"whsec_{bare}"), ("the text after whsec_", bare)):
            raw = used.encode("utf-8", "surrogatepass")
            yield f"the sender uses {what} as its key, not the bytes that its base64 stands for", HmacKey(raw)
            yield f"the sender uses {what} as its key, with a line break at its end", HmacKey(raw + b"\n")
        if _HEX.fullmatch(bare):
            yield "the secret is written in hex, not in base64", HmacKey(bytes.fromhex(bare))
        twice = from_base64((from_base64(bare) or b"").decode("latin-1"))
        if twice:
            yield "the secret is in base64 twice over", HmacKey(twice)


def from_base64(text: str) -> bytes | None:
    """Return what a text stands for in base64 (RFC 4648, 4), with or without its padding; None when it is not base64."""
    bare = text.rstrip("=")
    if not _BASE64.fullmatch(bare) or len(bare) % 4 == 1:
        return None
    return base64.b64decode(bare + "=" * (-len(bare) % 4))


def _signed_bytes(id_: str, time: str, body: bytes) -> bytes:
    return f"{id_}.{time}.".encode() + body


def _items(text: str, name: str) -> tuple[str, ...]:
    """Return the well-formed items of known versions. Raises Refusal when there is none."""
    if ", " in text:  # No item ends in a comma: so it was put there by whoever joined two headers of this name.
        raise Refusal("header_malformed", f"the header {name} was sent twice")
    looked_at = text.split(None, MAX_ITEMS)[:MAX_ITEMS]
    items = tuple(item for item in looked_at if _V1.fullmatch(item) or _V1A.fullmatch(item))
    if not items:
        raise Refusal("signature_mismatch", f"the header {name} holds no well-formed signature of version v1 or v1a")
    return items


SCHEME = Standard
