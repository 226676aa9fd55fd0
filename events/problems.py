"""Refusals that are no result event: problem+json (RFC 9457), for every HTTP door."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from events import strictjson

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEM_JSON = "application/problem+json"

PLAIN = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""Headers of every answer: it is nobody's to keep, and to be read as what it says it is."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP answer of any door: status, headers, body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def problem(
    status: int, kind: str, detail: str, headers: Mapping[str, str] | None = None, reason: str | None = None
) -> HttpAnswer:
    """Return an RFC 9457 answer; `kind` is the canonical RPC code in lower case, `detail` says how to mend it.

    `reason` is a stable code of why a signed request was refused (`events.signatures.REASONS`).
    """
    body = {
        "type": f"urn:hongyan:problem:{kind}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "kind": kind,
        **({"reason": reason} if reason else {}),
    }
    return HttpAnswer(status, {"Content-Type": PROBLEM_JSON, **(headers or {})}, strictjson.dumps(body))
