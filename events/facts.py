"""What a result event and the log tell of a call: its error, what was asked of the cloud, which fields were refused."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from functions.cloud.errors import PayloadRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marshmallow import ValidationError

    from events.cloudevents import CloudEvent
    from functions.cloud.client import Cloud
    from functions.cloud.errors import CallError

# So many fields of one payload are told; who sends more mistakes than this learns of the rest next time.
_MOST_FIELDS = 50


def payload_refused(error: ValidationError) -> PayloadRefused:
    """Return the refusal that marshmallow's messages amount to; its text names the first field, `fields` every one."""
    messages = _plain(error.normalized_messages())  # type: ignore[no-untyped-call]
    where, what = _first(messages)
    more = f" (and {len(messages) - 1} more)" if len(messages) > 1 else ""
    return PayloadRefused(f"{where}: {what}{more}", fields=messages)


def _plain(messages: Any) -> Any:
    """Return messages as JSON can carry them: keys that are strings of UTF-8, and not too many of them."""
    if isinstance(messages, dict):
        kept = list(messages.items())[:_MOST_FIELDS]
        return {str(name)[:100].encode("utf-8", "replace").decode(): _plain(value) for name, value in kept}
    return messages


def _first(messages: Any, path: str = "") -> tuple[str, str]:
    """Return the first field that was refused, as `members.0.weight`, and why."""
    if isinstance(messages, dict) and messages:
        name, value = next(iter(messages.items()))
        return _first(value, path if name == "_schema" else f"{path}.{name}".lstrip("."))
    return path or "payload", str(messages[0] if isinstance(messages, list) and messages else messages)


def error_data(error: CallError) -> dict[str, Any]:
    """Return the `error` of a result event."""
    return {
        "kind": error.kind,
        "code": error.code,
        "message": error.message,
        "status": error.status,
        "retryable": error.retryable,
        "retry_after_s": error.retry_after_s,
        "fields": error.fields,
    }


def upstream_data(cloud: Cloud | None) -> dict[str, Any] | None:
    """Return the `upstream` of a result event, None when nothing was sent."""
    if cloud is None or not cloud.upstream.attempts:
        return None
    facts = cloud.upstream
    return {
        "service": facts.service,
        "method": facts.method,
        "status": facts.status,
        "request_id": facts.request_id,
        "attempts": facts.attempts,
        "requests": facts.requests,
        "duration_ms": round((time.monotonic() - facts.started) * 1000),
    }


def log_facts(event: CloudEvent, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the log tells of a finished call: no payload, no secret."""
    error, upstream = data["error"] or {}, data["upstream"] or {}
    return {
        "operation": data["operation"],
        "sender": data["trigger"]["sender"],
        "outcome": data["outcome"],
        "kind": error.get("kind"),
        "code": error.get("code"),
        "attempts": upstream.get("attempts", 0),
        "duration_ms": upstream.get("duration_ms", 0),
        "request_id": upstream.get("request_id"),
        "event_id": event.id,
        "correlation_id": event.extensions["correlationid"],
    }
