"""From what a trigger received to a Call: a CloudEvent or a bare body, its payload, its trace; for every trigger."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from events import strictjson
from events.cloudevents import NO_DATA, InvalidEvent
from events.cloudevents.rules import is_json
from events.dispatch import Call
from functions.cloud.errors import PayloadRefused, UnknownOperation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.cloudevents import CloudEvent
    from functions.cloud.deadline import Deadline
    from functions.cloud.errors import CallError

# Characters of what is repeated in every answer and log line.
MOST_REPEATED = 512
MOST_NAME = 512
"""Characters of an id or a source: they become attributes of the result event, and words of log lines."""
_REPEATED = ("correlationid", "traceparent", "tracestate")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def from_event(
    event: CloudEvent,
    operation: str,
    deadline: Deadline,
    trigger: str,
    trace: Mapping[str, str],
    refusal: CallError | None = None,
) -> Call:
    """Return the call that an event's data is the payload of; `trace` is used when the event carries none."""
    payload, unread = _data(event)
    extensions = {name: value for name, value in event.extensions.items() if name not in ("traceparent", "tracestate")}
    return Call(
        operation=operation,
        payload=payload,
        deadline=deadline,
        source=event.source,
        trigger=trigger,
        id=event.id,
        sender_id=event.id,
        extensions={**extensions, **(trace_of(event.extensions) or trace)},
        refusal=refusal or unread,
    )


def from_typed_event(
    event: CloudEvent, prefix: str, deadline: Deadline, trigger: str, trace: Mapping[str, str]
) -> Call:
    """Return the call that an event of type `<prefix>.<operation>` asks for; another type's is refused when it is dispatched."""
    ours = event.type.startswith(prefix + ".")
    refusal = (
        None if ours else UnknownOperation(f"events of this type are not taken here: it must be {prefix}.<operation>")
    )
    return from_event(event, event.type[len(prefix) + 1 :] if ours else event.type, deadline, trigger, trace, refusal)


def check_sizes(event: CloudEvent | list[CloudEvent]) -> None:
    """Raise InvalidEvent for an attribute that the result event repeats and that is too long to be a header of any answer."""
    if isinstance(event, list):
        for index, one in enumerate(event):
            try:
                check_sizes(one)
            except InvalidEvent as error:  # noqa: PERF203 - the index is what the sender needs
                raise error.within(index) from None
        return
    repeated = {"id": event.id, "type": event.type, **{name: event.extensions.get(name) for name in _REPEATED}}
    for name, value in repeated.items():
        if isinstance(value, str) and len(value) > MOST_REPEATED:
            raise InvalidEvent(name, f"must not be longer than {MOST_REPEATED} characters here")


def is_name(value: Any) -> bool:
    """Tell whether a value can be an id or a source: 1 to `MOST_NAME` visible ASCII characters and inner blanks."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= MOST_NAME
        and value.isascii()
        and value.isprintable()
        and value == value.strip()
    )


def from_body(body: bytes) -> tuple[Any, PayloadRefused | None]:
    """Return the payload that a JSON body holds, or why there is none."""
    try:
        return strictjson.loads(body), None
    except strictjson.NotJSON as error:
        return None, PayloadRefused(f"the body is not JSON: {error}", fields={"_schema": [str(error)]})


def trace_of(carrier: Mapping[str, Any]) -> dict[str, str]:
    """Return the W3C trace context that an event's extensions or a request's headers carry: both of it or nothing."""
    parent, state = carrier.get("traceparent"), carrier.get("tracestate")
    if not isinstance(parent, str) or not _TRACEPARENT.fullmatch(parent):
        return {}
    written = isinstance(state, str) and state.isascii() and state.isprintable() and state
    if not written or len(str(state)) > MOST_REPEATED:
        return {"traceparent": parent}
    return {"traceparent": parent, "tracestate": str(state)}


def _data(event: CloudEvent) -> tuple[Any, PayloadRefused | None]:
    if event.data is NO_DATA or not is_json(event.datacontenttype):
        told = {"_schema": ["Send data as application/json."]}
        return None, PayloadRefused("the event's data must be JSON", fields=told)
    return from_body(event.data) if isinstance(event.data, bytes) else (event.data, None)
