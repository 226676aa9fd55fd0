"""Invocations of a function itself, with no trigger between: its result event is the answer, for both platforms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.cloudevents.json import to_envelope
from events.triggers.serverless.whole import TryAgain, reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.dispatch import Result
    from events.triggers.records import Record
    from events.triggers.serverless.app import App
    from events.triggers.serverless.invocation import Invocation

_SAYS_WHAT = ({"specversion"}, {"operation", "payload"})


def names_itself(event: Mapping[str, Any]) -> bool:
    """Tell whether an event says itself what to run: a CloudEvent, or an object of operation and payload."""
    return any(keys <= event.keys() for keys in _SAYS_WHAT)


def says_what(event: Mapping[str, Any], app: App) -> bool:
    """Tell whether an event, or the settings, say what to run: else nobody can have meant this function."""
    return bool(app.own.operation) or names_itself(event)


def answer(record: Record, app: App, invocation: Invocation) -> dict[str, Any]:
    """Return the result event as a JSON object; it is written nowhere else, so who invokes asynchronously wants a destination.

    The record's id is the invocation's, for an event that has none of its own.

    Raises TryAgain for what is worth another try: it makes the platform repeat an asynchronous invocation, and who waits for the answer
    reads of it there.
    """
    call = app.batches.asked(record, invocation.deadline)
    [task] = app.threads.run(1, lambda: app.dispatcher.dispatch(call), invocation.deadline)
    result: Result = task.result() if task.done() else app.dispatcher.lost(call)
    if result.error and result.error.retryable:
        raise TryAgain(reason(result.error))
    return to_envelope(result.event)
