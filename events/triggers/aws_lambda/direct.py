"""Invocations of the function itself: a CloudEvent, an object of operation and payload, or the payload; the result event is the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.triggers.records import Record
from events.triggers.serverless import direct
from events.triggers.serverless.shapes import UnknownEvent, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.triggers.serverless.app import App
    from events.triggers.serverless.invocation import Invocation

KIND = "lambda.invoke"
"""The trigger's name in results."""

_KNOWN = "those of API Gateway, function URLs, SQS, SNS and EventBridge"
# Keys of what other pollers, gateways and destinations send.
_TRIGGERS = frozenset(
    {
        "awslogs",
        "eventSource",
        "messages",
        "records",
        "Records",
        "requestContext",
        "requestPayload",
        "rmqMessagesByQueue",
    }
)


def answer(event: Any, app: App, invocation: Invocation) -> dict[str, Any]:
    """Return the result event as a JSON object. It is written nowhere else: who invokes asynchronously gives the function a destination.

    Lambda's request id, the same when it repeats an asynchronous invocation, is the id where the event has none of its own.

    Raises TryAgain for what is worth another try: Lambda then repeats an asynchronous invocation, and who waits for the answer is told in
    `errorType` and `errorMessage`. Raises UnknownEvent when nothing says what to run.
    """
    if not isinstance(event, dict) or not direct.says_what(event, app):
        raise unknown(event, _KNOWN)
    if _is_a_triggers(event, app):
        raise UnknownEvent(f"the event is of a trigger that is not read here; known are {_KNOWN}")
    return direct.answer(Record(KIND, invocation.function, invocation.id, event), app, invocation)


def _is_a_triggers(event: Mapping[str, Any], app: App) -> bool:
    """Whether a trigger sent the event: its poller takes any answer for "done", so it must not be answered as if it were a payload.

    A single record of any source (S3, say) is taken where HONGYAN_PAYLOAD says what to look for in it.
    """
    if direct.names_itself(event):
        return False
    records = event.get("Records")
    wanted = app.own.payload is not None and isinstance(records, list) and len(records) == 1
    return not (_TRIGGERS - {"Records"} if wanted else _TRIGGERS).isdisjoint(event)
