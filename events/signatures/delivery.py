"""A request as schemes see it, and the secrets that they hold against it."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from events.signatures.outcomes import Refusal

Headers = Mapping[str, str]
"""Header values by name in lower case. One that was sent twice is one value joined by a comma (RFC 9110, 5.3), as servers hand it over."""

Query = Mapping[str, Sequence[str]]
"""Values of the query by name, percent-decoded, in the order they came."""


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret of a sender: what its scheme made of it, where it came from (never its value), and until when it counts.

    `until` is in seconds since 1970, None for no end.
    """

    key: Any = field(repr=False)
    origin: str
    until: float | None = None

    def counts(self, now: float) -> bool:
        """Whether the secret may still be used at `now` (seconds since 1970)."""
        return self.until is None or now <= self.until


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets of one sender, newest first or in any order: each that counts is tried."""

    sender: str
    each: tuple[Secret, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request as it came: the body's raw bytes, `headers` and `query` as above."""

    body: bytes = field(repr=False)
    headers: Headers = field(repr=False)
    query: Query = field(repr=False)

    def header(self, name: str) -> str:
        """Return a header's value. Raises Refusal when it is missing, empty, or not printable ASCII."""
        return _plain(self.headers.get(name, ""), f"the header {name}")

    def parameter(self, name: str) -> str:
        """Return a parameter of the query. Raises Refusal when it is missing, empty, there twice, or not printable ASCII."""
        values = self.query.get(name, ())
        if len(values) > 1:
            raise Refusal("header_malformed", f"the parameter {name} is there {len(values)} times")
        return _plain(values[0] if values else "", f"the parameter {name}")


@dataclass(frozen=True, slots=True)
class Signed:
    """What a request says of its own signing, read but not yet believed; fields as in `Verified`.

    `signatures`: what is compared, as text. `material`: what was signed, of a form that the scheme knows.
    """

    signatures: tuple[str, ...]
    material: Any = field(repr=False)
    id: str | None = None
    time: float | None = None


@dataclass(frozen=True, slots=True)
class Fresh:
    """A request to send: headers and query to add, and the body (encrypted where the scheme encrypts)."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)


def same(given: str | bytes, expected: str | bytes) -> bool:
    """Compare in constant time; texts of any characters."""
    left = given.encode("utf-8", "surrogatepass") if isinstance(given, str) else given
    right = expected.encode("utf-8", "surrogatepass") if isinstance(expected, str) else expected
    return hmac.compare_digest(left, right)


def seconds(text: str, name: str) -> int:
    """Return a time in whole units since 1970 from its decimal digits, no sign, no fraction, no leading zero. Raises Refusal."""
    if not re.fullmatch(r"[1-9][0-9]{0,15}", text, re.ASCII):
        raise Refusal("header_malformed", f"{name} is not a whole number")
    return int(text)


def _plain(value: str, name: str) -> str:
    if not value or value.isspace():
        raise Refusal("header_missing", f"{name} is missing or empty")
    if not (value.isascii() and value.isprintable()):
        raise Refusal("header_malformed", f"{name} holds characters other than printable ASCII")
    return value
