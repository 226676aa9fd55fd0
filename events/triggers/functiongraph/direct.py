"""Invocations of the function itself by a CloudEvent, an object of operation and payload, or the payload; the result is the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.triggers.records import Record
from events.triggers.serverless import direct
from events.triggers.serverless.shapes import unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.triggers.serverless.app import App
    from events.triggers.serverless.invocation import Invocation

KIND = "functiongraph.invoke"
"""The trigger's name in results."""

_TRIGGERS = frozenset(
    {"trigger_type", "event_version", "ShardID", "Records", "Message", "messages", "request_payload", "requestContext"}
)


def answer(event: dict[str, Any], app: App, invocation: Invocation, known: str) -> dict[str, Any]:
    """Return the result event as a JSON object.

    Raises TryAgain for what is worth another try, and UnknownEvent when nothing says what to run, or when the event is of a trigger that is
    not read here; `known` says which are.
    """
    if not direct.says_what(event, app) or (_is_a_triggers(event) and not direct.names_itself(event)):
        raise unknown(event, known)
    return direct.answer(Record(KIND, invocation.function, invocation.id, event), app, invocation)


def _is_a_triggers(event: Mapping[str, Any]) -> bool:
    """Whether a trigger sent the event: nobody reads its answer, so it must not be answered as if it were a payload."""
    records = event.get("records")
    listed = isinstance(records, list) and any(isinstance(each, dict) for each in records)
    return listed or not _TRIGGERS.isdisjoint(event)
