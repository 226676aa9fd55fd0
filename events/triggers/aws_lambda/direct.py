"""Invocations of the function itself: a CloudEvent, an object of operation and payload, or the payload; the result event is the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.triggers.serverless import direct
from events.triggers.serverless.records import Record
from events.triggers.serverless.shapes import UnknownEvent, unknown

if TYPE_CHECKING:
    from events.triggers.serverless.app import App
    from events.triggers.serverless.invocation import Invocation

KIND = "lambda.invoke"
"""The trigger's name in results."""

_KNOWN = "those of API Gateway, function URLs, SQS, SNS and EventBridge"


def answer(event: Any, app: App, invocation: Invocation) -> dict[str, Any]:
    """Return the result event as a JSON object. It is written nowhere else: who invokes asynchronously gives the function a destination.

    Lambda's request id, the same when it repeats an asynchronous invocation, is the id where the event has none of its own.

    Raises TryAgain for what is worth another try: Lambda then repeats an asynchronous invocation, and who waits for the answer is told in
    `errorType` and `errorMessage`. Raises UnknownEvent when nothing says what to run.
    """
    # Another source's records: an answer would say that they are done.
    if isinstance(event, dict) and "Records" in event and app.own.payload is None:
        raise UnknownEvent(f"Records are not of a source that is known here; known events are {_KNOWN}")
    if not isinstance(event, dict) or not direct.says_what(event, app):
        raise unknown(event, _KNOWN)
    return direct.answer(Record(KIND, invocation.function, invocation.id, event), app, invocation)
