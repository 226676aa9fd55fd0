"""GitHub's webhooks, and those of Gitea and others that sign alike: HMAC-SHA256 over the body and nothing else."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING

from events.signatures import BadSecret, Fresh, Refusal, Scheme, Signed, same
from events.signatures.standard import from_base64

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from events.signatures import Delivery

SHORTEST = 16
"""Characters of a secret: a bound of ours, since a short one can be guessed from one signed body."""

_SIGNATURE = "x-hub-signature-256"
_ID = "x-github-delivery"
_FORM = re.compile(r"sha256=[0-9a-f]{64}")
_VISIBLE = re.compile(
    r"[!-+\--~]{1,255}"
)  # Visible ASCII without the comma, which tells that the header was sent twice.
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")


class GitHub(Scheme):
    """GitHub ("Validating webhook deliveries"): the header `X-Hub-Signature-256` is `sha256=` and 64 lower-case hex digits.

    No time is signed, so a body is remembered for a day; nor is the id (`X-GitHub-Delivery`).
    """

    name = "github"
    default_window_s = 86_400.0
    headers = (_SIGNATURE, _ID)

    def key(self, parts: Mapping[str, str]) -> bytes:
        """As the contract says: the text's bytes in UTF-8."""
        return text_key(parts["secret"])

    def read(self, delivery: Delivery) -> Signed:
        """Read the signature, and the id where there is one."""
        signature = delivery.header(_SIGNATURE)
        if not _FORM.fullmatch(signature):
            raise Refusal("header_malformed", f"the header {_SIGNATURE} is not sha256= and 64 lower-case hex digits")
        return Signed((signature,), delivery.body, _delivery_id(delivery))

    def matches(self, key: bytes, signed: Signed) -> bool:
        """As the contract says."""
        return same(signed.signatures[0], _signature(key, signed.material))

    def sign(self, key: bytes, body: bytes, now: float, id: str) -> Fresh:  # noqa: A002, ARG002
        """As the contract says."""
        return Fresh(body, {"X-Hub-Signature-256": _signature(key, body), "X-GitHub-Delivery": id})

    def readings(self, parts: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
        """As the contract says."""
        return text_readings(parts["secret"])


def text_key(text: str) -> bytes:
    """Return the key of a scheme whose key is the secret's text. Raises BadSecret."""
    if len(text) < SHORTEST:
        raise BadSecret(f"must have at least {SHORTEST} characters; this one has {len(text)}")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise BadSecret("holds a character that UTF-8 has no bytes for") from None


def text_readings(text: str) -> Iterator[tuple[str, bytes]]:
    """Yield the keys that others make of a secret that is meant as text, as `Scheme.readings` does."""
    yield "the sender's secret has a line break at its end", text.encode("utf-8", "surrogatepass") + b"\n"
    bare = text.removeprefix("whsec_")
    if bare and bare != text:
        yield "the sender's secret is without whsec_", bare.encode("utf-8", "surrogatepass")
    if _HEX.fullmatch(bare):
        yield "the sender uses the bytes that the secret stands for in hex, not its text", bytes.fromhex(bare)
    raw = from_base64(bare)
    if raw:
        yield "the sender uses the bytes that the secret stands for in base64, not its text", raw


def _signature(key: bytes, body: bytes) -> str:
    return f"sha256={hmac.digest(key, body, 'sha256').hex()}"


def _delivery_id(delivery: Delivery) -> str | None:
    given = delivery.headers.get(_ID, "")
    if not given.strip():
        return None
    if not _VISIBLE.fullmatch(given):
        raise Refusal("header_malformed", f"the header {_ID} is not 1 to 255 visible characters, or was sent twice")
    return given


SCHEME = GitHub
