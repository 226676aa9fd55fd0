"""ed25519 keys for the scheme `standard` (version v1a): all of it that needs the optional cryptography package."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from events.signatures import BadSecret, CryptoMissing, same

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_RAW = 32
_VERSION = "v1a,"


@dataclass(frozen=True, slots=True)
class Ed25519Key:
    """A key of ed25519 (RFC 8032); `private` is None where only the sender's public key is known."""

    public: Ed25519PublicKey = field(repr=False)
    private: Ed25519PrivateKey | None = field(default=None, repr=False)

    def item(self, message: bytes) -> str:
        """Return `v1a,` and the signature of a message in base64. Raises BadSecret when the private key is not known."""
        if self.private is None:
            raise BadSecret("a public key (whpk_) cannot sign: that takes its secret key (whsk_)")
        return f"{_VERSION}{base64.b64encode(self.private.sign(message)).decode()}"

    def made(self, items: Iterable[str], message: bytes) -> bool:
        """Whether one of the well-formed items of a signature header is of this key. Never raises."""
        texts = [item.removeprefix(_VERSION) for item in items if item.startswith(_VERSION)]
        return any(self._signed(base64.b64decode(text), message) for text in texts)

    def _signed(self, signature: bytes, message: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature

        try:
            self.public.verify(signature, message)
        except InvalidSignature:
            return False
        return True


def from_public(raw: bytes) -> Ed25519Key:
    """Return the key that verifies, from its 32 bytes (RFC 8032, 5.1.5). Raises BadSecret, CryptoMissing."""
    library = _library()
    if len(raw) != _RAW:
        raise BadSecret(f"a public key (whpk_) is {_RAW} bytes in base64; this one has {len(raw)}")
    return Ed25519Key(library.Ed25519PublicKey.from_public_bytes(raw))


def from_private(raw: bytes) -> Ed25519Key:
    """Return the key that verifies and signs, from the seed of 32 bytes, or from the seed and the public key after it.

    Raises BadSecret, also when the two do not belong together, and CryptoMissing.
    """
    library = _library()
    if len(raw) not in (_RAW, 2 * _RAW):
        raise BadSecret(f"a secret key (whsk_) is {_RAW} or {2 * _RAW} bytes in base64; this one has {len(raw)}")
    private = library.Ed25519PrivateKey.from_private_bytes(raw[:_RAW])
    public = private.public_key()
    if len(raw) > _RAW and not same(public.public_bytes_raw(), raw[_RAW:]):
        raise BadSecret("the second half of this secret key (whsk_) is not the public key of its first half")
    return Ed25519Key(public, private)


def _library() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise CryptoMissing("a key of ed25519 (whpk_, whsk_)") from None
    return ed25519
