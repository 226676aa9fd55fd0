"""AES-256-CBC with PKCS#7, and the choice among several keys, for the schemes that encrypt what they send (Feishu, WeCom)."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Any, NoReturn

from events.signatures import CryptoMissing, Refusal, Scheme, same

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

    from events.signatures import Delivery, Secrets, Verified

BLOCK = 16
"""Bytes of a block of AES (FIPS 197), and so of an initialisation vector."""
KEY = 32
"""Bytes of a key of AES-256."""


class SealedScheme(Scheme):
    """A scheme with keys that its signature does not show: of two secrets that make the same signature one may open the content."""

    def check(self, delivery: Delivery, secrets: Secrets, now: float) -> Verified:
        """As the contract says, but each secret that makes the signature is tried on the content, not only the first."""
        signed = self.read(delivery)
        found = [secret for secret in secrets.each if secret.counts(now) and self.matches(secret.key, signed)]
        if not found:
            raise Refusal(self.mismatch, "no secret of this sender makes this signature")
        self.in_window(signed.time, now)
        refusals: list[Refusal] = []
        for secret in found:
            try:
                return self.verified(delivery, signed, secret, secrets.sender)
            except Refusal as refusal:  # noqa: PERF203  The next one may open it.
                refusals.append(refusal)
        raise refusals[0]


def required(what: str) -> None:
    """Raise CryptoMissing when there is no AES for `what`: told at start, not with the first request."""
    try:
        _cipher(bytes(KEY), bytes(BLOCK))
    except ImportError:
        raise CryptoMissing(what) from None


def opened(key: bytes, text: Any, block: int, iv: bytes | None = None) -> bytes:
    """Return what was encrypted under a key of 32 bytes and put into base64 (RFC 4648, 4); the IV comes before it unless it is given.

    `block` is what it was padded to a multiple of, in bytes (RFC 5652, 6.3). Raises Refusal, for whatever is wrong with one reason and
    one text: which it was would let a stranger decrypt by trying.
    """
    raw = _decoded(text)
    if iv is None:
        iv, raw = raw[:BLOCK], raw[BLOCK:]
    if not raw or len(raw) % block:  # What is left has blocks, so the IV before it is whole.
        refuse()
    decryptor = _cipher(key, iv).decryptor()
    padded = decryptor.update(raw) + decryptor.finalize()
    count = padded[-1]
    if not (1 <= count <= block and same(padded[-count:], bytes([count]) * count)):
        refuse()
    return padded[:-count]


def sealed(key: bytes, plain: bytes, block: int, iv: bytes | None = None) -> str:
    """Return `plain` so that `opened` gives it back; under a random IV unless one is given."""
    first = os.urandom(BLOCK) if iv is None else b""
    count = block - len(plain) % block
    encryptor = _cipher(key, iv or first).encryptor()
    return base64.b64encode(first + encryptor.update(plain + bytes([count]) * count) + encryptor.finalize()).decode()


def refuse() -> NoReturn:
    """Raise the one refusal of everything that cannot be decrypted."""
    raise Refusal("decrypt_failed", "the body cannot be decrypted with this sender's key")


def _decoded(text: Any) -> bytes:
    try:
        return base64.b64decode(text if isinstance(text, str) else "", validate=True)
    except ValueError:  # Also binascii.Error and, for other than ASCII, a plain one.
        refuse()


def _cipher(key: bytes, iv: bytes) -> Cipher[modes.CBC]:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    return Cipher(algorithms.AES(key), modes.CBC(iv))
