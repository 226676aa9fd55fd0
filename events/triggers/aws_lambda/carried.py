"""What envelopes of SNS and EventBridge say of the call inside them, whether they come by themselves or on their way through a queue."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from events import strictjson
from events.triggers.serverless.shapes import EventRefused, mapping, name, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from events.triggers.records import Record
    from events.triggers.serverless.app import App

# A body without any of these is no envelope, and need not be parsed to know that.
_MARKS = ('"TopicArn"', '"detail-type"')


def notified(notification: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    """Return what a notification of SNS says of its message, as fields of a Record. Raises EventRefused."""
    attributes = mapping(notification, "MessageAttributes", where)
    found = {each: value.get("Value") for each, value in attributes.items() if isinstance(value, dict)}
    told = {each: value for each, value in found.items() if isinstance(value, str)}
    return {
        "source": name(notification, "TopicArn", where),
        "id": name(notification, "MessageId", where),
        "body": text(notification, "Message", where),
        "operation": told.get("operation"),
        "carrier": told,
    }


def published(event: Mapping[str, Any], app: App) -> dict[str, Any]:
    """Return what an event of EventBridge says of its call, as fields of a Record. Raises EventRefused.

    Its `detail` is the body, JSON text with schedules; where HONGYAN_PAYLOAD says what to look for, the whole event is.
    """
    kind, prefix = text(event, "detail-type"), f"{app.events.prefix}."
    if "detail" not in event:
        raise EventRefused("detail is missing: it holds the payload")
    # Publishers name themselves in any script; a source here is ASCII.
    publisher = {"source": ascii(text(event, "source"))[1:-1]}
    return {
        "source": name(publisher, "source"),
        "id": name(event, "id"),
        "body": event["detail"] if app.own.payload is None else event,
        "operation": kind[len(prefix) :] if kind.startswith(prefix) else None,
        "carrier": {},
    }


def unwrapped(record: Record, app: App) -> Record:
    """Return the record with what the envelope in its body carries, under the envelope's own source and id; as it is when there is none."""
    value = _object(record.body)
    if value.get("Type") == "Notification":
        record = _read(record, lambda: notified(value))
    inner = _object(record.body)
    if "detail-type" in inner and "specversion" not in inner:
        record = _read(record, lambda: published(inner, app))
    return record


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, str) or not any(mark in body for mark in _MARKS):
        return {}
    try:
        value = strictjson.loads(body)
    except strictjson.NotJSON:
        return {}
    return value if isinstance(value, dict) else {}


def _read(record: Record, tell: Callable[[], dict[str, Any]]) -> Record:
    try:
        told = tell()
    except EventRefused:
        return record  # It only looks like an envelope: a payload may have fields of any name.
    told["operation"] = told["operation"] or record.operation
    told["carrier"] = told["carrier"] or record.carrier
    return replace(record, **told)
