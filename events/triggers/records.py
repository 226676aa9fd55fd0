"""What a queue, a topic or a timer brings: records, each of which becomes one call, whatever platform carried it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from events import strictjson
from events.calls import check_sizes, from_event, is_name, trace_of
from events.cloudevents import InvalidEvent
from events.cloudevents.json import from_envelope
from events.dispatch import Call
from functions.cloud.errors import CallError, PayloadRefused, UnknownOperation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.senders.sender import Payload
    from events.settings import EventSettings
    from functions.cloud.deadline import Deadline

_WRAPPED = ({"operation", "payload"}, {"operation", "payload", "id"})


class Deployment(Protocol):
    """What a deployment's own settings say of its records: the one operation that it runs ("" for any), and where their payloads are."""

    @property
    def operation(self) -> str:
        """The only operation that is run, "" for any."""

    @property
    def payload(self) -> Payload:
        """Where the payload is in another system's body (`events.senders.payload`), None for the whole body."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of an invocation.

    `kind` is the trigger's (`sqs`, `functiongraph.kafka`); `source` and `id` are unique together, and the same for a redelivery. `body` is
    JSON text (str or bytes), or a JSON value that the platform has read already. `operation` is what the envelope says, if anything.
    Records of one `group` run in their order. `item` is the record's name in the platform's answer, "" where it answers for all at once.
    `receives` counts its deliveries with this one, None when the platform does not. `carrier` may hold W3C `traceparent`, `tracestate`.
    """

    kind: str
    source: str
    id: str
    body: Any = field(repr=False)
    operation: str | None = None
    group: str | None = None
    item: str = ""
    receives: int | None = None
    carrier: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def asks(self, deadline: Deadline, events: EventSettings, own: Deployment) -> Call:
        """Return the call that the record asks for; one that asks for nothing carries its refusal.

        The body is a CloudEvent in structured mode, an object of `operation`, `payload` and perhaps `id`, else the payload itself. What to
        run is said by the event's type (`<prefix>.<operation>`), by that object or by the envelope, else by the settings.
        """
        plain = Call("", None, deadline, self.source, self.kind, self.id, self.id, trace_of(self.carrier))
        try:
            call = self._read(plain, events, own)
        except InvalidEvent as error:
            told = {"_schema": [str(error)]}
            call = replace(plain, refusal=PayloadRefused(f"the CloudEvent is not valid: {error}", fields=told))
        except CallError as error:
            call = replace(plain, refusal=error)
        operation = call.operation or self.operation or own.operation
        if not operation and call.refusal is None:
            mend = f"send a CloudEvent of type {events.prefix}.<operation>" + ', or {"operation": ..., "payload": ...}'
            refusal = UnknownOperation(f"nothing says what to run: {mend}, or set HONGYAN_OPERATION")
            call = replace(call, refusal=refusal)
        return replace(call, operation=operation)

    def _read(self, plain: Call, events: EventSettings, own: Deployment) -> Call:
        value = _value(self.body, events.body_limit)
        if own.payload is not None:
            # Imported here since few need it, and every function's start would pay for it.
            from events.senders.payload import apply

            return replace(plain, payload=apply(own.payload, value))
        if isinstance(value, dict) and "specversion" in value:
            return self._event(value, plain, events)
        if isinstance(value, dict) and value.keys() in _WRAPPED:
            return _wrapped(value, plain)
        return replace(plain, payload=value)

    def _event(self, value: Any, plain: Call, events: EventSettings) -> Call:
        event = from_envelope(value)
        check_sizes(event)
        ours = event.type.startswith(events.prefix + ".")
        operation = event.type[len(events.prefix) + 1 :] if ours else ""
        call = from_event(event, operation, plain.deadline, self.kind, plain.extensions)
        return replace(call, sender_id=self.id)


def _value(body: Any, most: int) -> Any:
    """Return the JSON value of a body, read strictly also when the platform has read it already. Raises PayloadRefused."""
    try:
        raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else strictjson.dumps(body)
        if len(raw) > most:
            raise _unread(f"the body is larger than {most} bytes")
        return strictjson.loads(raw)
    except strictjson.NotJSON as error:
        raise _unread(f"the body is not JSON: {error}") from None
    except (TypeError, ValueError, RecursionError):
        raise _unread("the body is not a value that JSON can carry") from None


def _unread(told: str) -> PayloadRefused:
    return PayloadRefused(told, fields={"_schema": [told]})


def _wrapped(value: dict[str, Any], plain: Call) -> Call:
    operation, its_id = value["operation"], value.get("id", plain.id)
    if not isinstance(operation, str) or not operation:
        raise PayloadRefused(
            "operation must name an operation", fields={"operation": ["Must be a string such as elb.list_members."]}
        )
    if not is_name(its_id):
        raise PayloadRefused("id must be short text", fields={"id": ["Must be 1 to 512 visible ASCII characters."]})
    return replace(plain, operation=operation, payload=value["payload"], id=its_id)
