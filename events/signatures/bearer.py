"""A token in the `Authorization` header, for senders that cannot sign: whoever reads it on its way can use it, so over https only."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any, ClassVar

from events.signatures import BadOption, BadSecret, Fresh, Refusal, Scheme, Secret, Signed, Verified, same
from events.signatures.standard import from_base64

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from events.signatures import Delivery

SHORTEST = 16
"""Characters of a token: a bound of ours."""

_AUTHORIZATION = "authorization"
_PARAMETER = "access_token"
_IDS = ("idempotency-key", "webhook-id", "ce-id")
_BEARER = re.compile(r"(?i:bearer) +([!-~]+)")
_VISIBLE = re.compile(r"[!-~]+")
_NAME = re.compile(r"[!#$%&'*+.^`|~0-9A-Za-z-]+")  # A token of RFC 9110, 5.6.2, without _: servers drop such headers.
# Headers with a meaning of their own, here, for servers or for proxies, whose values are stored, logged or changed.
_TAKEN = re.compile(
    r"accept|accept-.*|ce-.*|connection|content-.*|cookie|date|expect|forwarded|host|idempotency-key|keep-alive|origin|referer"
    r"|te|traceparent|tracestate|trailer|transfer-encoding|upgrade|user-agent|via|webhook-.*|x-forwarded-.*|x-request-id"
)


class Bearer(Scheme):
    """A bearer token (RFC 6750, 2.1; CloudEvents "HTTP 1.1 Web Hooks for Event Delivery", 3): proves who sent it, not what was sent.

    Options: `header`, the name of another header whose whole value is the token (`X-Gitlab-Token`), read instead of `Authorization`;
    `query_token`, whether the token may come as `?access_token=` instead.
    """

    name = "bearer"
    mismatch = "token_mismatch"
    options = ("header", "query_token")
    headers: ClassVar[tuple[str, ...]] = (_AUTHORIZATION, *_IDS)
    secret_headers: ClassVar[tuple[str, ...]] = (_AUTHORIZATION,)
    takes_headers = True
    needs_https = True

    def __init__(self, *, header: str | None = None, query_token: bool = False, window_s: float | None = None) -> None:
        """Make a scheme with the sender's options. Raises BadOption."""
        super().__init__(window_s=window_s)
        if not isinstance(query_token, bool):
            raise BadOption("query_token", "must be true or false")
        self.header = None if header is None else _header_name(header)
        self.query_token = query_token
        if self.header:  # The contract has these per class; here they follow from an option.
            secret = tuple(dict.fromkeys((_AUTHORIZATION, self.header)))
            vars(self).update(headers=(self.header, *_IDS), secret_headers=secret)

    def key(self, parts: Mapping[str, str]) -> str:
        """As the contract says: the token."""
        text = parts["secret"]
        if text and not _VISIBLE.fullmatch(text):
            raise BadSecret("must be visible ASCII characters without any space: the token alone, without 'Bearer'")
        if len(text) < SHORTEST:
            raise BadSecret(f"must have at least {SHORTEST} characters; this one has {len(text)}")
        return text

    def read(self, delivery: Delivery) -> Signed:
        """Read the token from its one place; in `Signed` only `material` holds it, which no repr shows."""
        name = self.header or _AUTHORIZATION
        if not (self.query_token and _PARAMETER in delivery.query):
            return Signed((), self._from_header(delivery, name), _delivery_id(delivery))
        if name in delivery.headers:
            raise Refusal("header_malformed", f"a token is in the header {name} and in the parameter {_PARAMETER}")
        return Signed((), delivery.parameter(_PARAMETER), _delivery_id(delivery))

    def matches(self, key: str, signed: Signed) -> bool:
        """As the contract says: by digests, so that not even the token's length shows in the time taken."""
        return same(_digest(key), _digest(signed.material))

    def sign(self, key: str, body: bytes, now: float, id: str) -> Fresh:  # noqa: A002, ARG002
        """As the contract says: the token in its header."""
        token = {self.header: key} if self.header else {"Authorization": f"Bearer {key}"}
        return Fresh(body, {**token, "Idempotency-Key": id})

    def verified(self, delivery: Delivery, signed: Signed, secret: Secret, sender: str) -> Verified:  # noqa: ARG002
        """As the contract says: nothing is signed, so there is no fingerprint."""
        return Verified(sender, signed.id, None, "", delivery.body)

    def readings(self, parts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """As the contract says."""
        text = parts["secret"]
        if self.header:
            yield f"the sender writes 'Bearer' before the token in {self.header}", f"Bearer {text}"
        yield "the sender puts the token in quotation marks", f'"{text}"'
        yield "the sender sends the token in base64", base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()
        raw = from_base64(text)
        if raw and raw.isascii() and raw.decode("ascii").isprintable():
            yield "the secret is the token in base64", raw.decode("ascii")

    def _from_header(self, delivery: Delivery, name: str) -> str:
        value = delivery.header(name)
        if self.header:
            return value
        found = _BEARER.fullmatch(value)
        if not found:
            raise Refusal("header_malformed", f"the header {name} is not 'Bearer' and a token of visible characters")
        return found[1]


def _header_name(given: Any) -> str:
    if not (isinstance(given, str) and _NAME.fullmatch(given)):
        raise BadOption("header", "must be a header's name: letters, digits and - (a _ does not reach us)")
    if _TAKEN.fullmatch(given.lower()):
        raise BadOption("header", "must be a header that has no other meaning, as X-Gitlab-Token")
    return given.lower()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _delivery_id(delivery: Delivery) -> str | None:
    """Return the first id that is there, None when it is not 1 to 255 visible ASCII characters."""
    values = (delivery.headers.get(name, "").strip().strip('"') for name in _IDS)  # An Idempotency-Key may be quoted.
    given = next(filter(None, values), "")
    return given if len(given) <= 255 and _VISIBLE.fullmatch(given) else None


SCHEME = Bearer
