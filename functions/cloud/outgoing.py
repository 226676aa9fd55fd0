"""A request as it will be sent: its path filled and encoded, its query sorted, its body written, for the client and the credentials."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from string import Formatter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from functions.cloud.errors import PayloadRefused
from functions.cloud.signer import canonical_query

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class Outgoing:
    """A request about to be sent: `path` is percent-encoded, `query` holds decoded pairs, `headers` have lower-case names."""

    method: str
    base: str
    path: str
    query: list[tuple[str, str]]
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def url(self) -> str:
        """Return the whole URL; its query is written as it is signed."""
        return self.base + self.path + ("?" + canonical_query(self.query) if self.query else "")


def build(
    method: str, base: str, template: str, ids: Mapping[str, Any], query: Mapping[str, Any] | None, body: Any
) -> Outgoing:
    """Return a request: `template`'s `{names}` filled from `ids`, `query` without what is None, `body` as UTF-8 JSON (None: none).

    Raises PayloadRefused for an id that would change the path.
    """
    segments = {name: _segment(name, ids[name]) for name in _names(template)}
    pairs = [(name, str(value)) for name, value in (query or {}).items() if value is not None]
    raw = b"" if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Outgoing(method, base, template.format_map(segments), pairs, raw)


@lru_cache(maxsize=256)
def _names(template: str) -> tuple[str, ...]:
    return tuple(name for _, name, _, _ in Formatter().parse(template) if name)


def _segment(name: str, value: Any) -> str:
    """Return a path parameter percent-encoded. The schemas let none of the refused ones through; this holds without them."""
    if str(value) in ("", ".", ".."):
        raise PayloadRefused(f"{name} is no id", fields={name: ["Must be an id."]})
    return quote(str(value), safe="~")
