"""Another request in an event of a gateway, for whoever signs one: its path, query and headers, and nobody who vouches for its caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Mapping

# What only the request that stood there before has.
_OWN = ("content-type", "idempotency-key")
# What a gateway tells also of callers that it does not know.
_OF_ALL = ("sourceIp", "userAgent")


def signed(event: Mapping[str, Any], target: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """Return an event with its own body, but with this target (a path, perhaps with a query) and headers, its caller proved by nobody."""
    path, _, query = target.partition("?")
    asked = dict(parse_qsl(query, keep_blank_values=True))
    first = "multiValueHeaders" in event
    kept = {name: value for name, value in event["headers"].items() if name.lower() not in _OWN}
    sent = {**kept, **{name if first else name.lower(): value for name, value in headers.items()}}
    changed = {
        "path": path,
        "rawPath": path,
        "rawQueryString": query,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": asked or event.get("queryStringParameters"),
        "multiValueQueryStringParameters": {name: [value] for name, value in asked.items()} or None,
        "requestContext": _unproved(event["requestContext"], path),
    }
    return {**event, **{name: value for name, value in changed.items() if name in event}}


def _unproved(context: Mapping[str, Any], path: str) -> dict[str, Any]:
    found = {name: value for name, value in context.items() if name != "authorizer"}
    if "identity" in found:
        found["identity"] = {name: value if name in _OF_ALL else None for name, value in found["identity"].items()}
        found["path"] = f"/{found['stage']}{path}"
    if "http" in found:
        found["http"] = {**found["http"], "path": path}
    return found
