"""Signatures of Standard Webhooks on what the http sink posts: one per secret, so that a receiver can change from one to the next."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from events.signatures.standard import Standard
from events.sinks import SinkRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAME = "webhook-signature"
_ID = re.compile(r"[!-\-/-~]{1,255}")  # As its reader wants it: visible ASCII without the full stop.


class Signer:
    """Signs with every secret: `whsec_` (HMAC-SHA256, v1) or `whsk_` (ed25519, v1a). Shared between threads."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Read the secrets. Raises BadSecret for one that cannot sign, and CryptoMissing."""
        self._scheme = Standard()
        self._keys = [self._scheme.key({"secret": secret}) for secret in secrets]
        for key in self._keys:
            key.item(b"")  # A public key is found out now.

    def headers(self, id: str, body: bytes, now: float) -> dict[str, str]:  # noqa: A002 - the specification's term
        """Return the three headers of one attempt at `now` (seconds since 1970). Raises SinkRefused for an id that they cannot carry."""
        if not _ID.fullmatch(id):
            raise SinkRefused(
                "the event's id cannot be a webhook-id: 1 to 255 visible characters of ASCII without a full stop"
            )
        signed = [self._scheme.sign(key, body, now, id).headers for key in self._keys]
        return {**signed[0], _NAME: " ".join(each[_NAME] for each in signed)}
