"""Calls as messages and back: what the webhook stores for later, and what the worker takes out."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from events import strictjson
from events.calls import is_name
from events.cloudevents import CloudEvent
from events.cloudevents.json import to_envelope
from events.queues import VERSION, Message
from events.queues.wire import UNREADABLE
from events.triggers.records import Record
from functions.cloud.errors import CallError
from schemas.result import SCHEMA_ID

if TYPE_CHECKING:
    from events.dispatch import Call
    from events.settings import EventSettings
    from events.triggers.records import Deployment
    from functions.cloud.deadline import Deadline

READS = frozenset({VERSION})
"""The formats of messages that this version reads; a later one goes on reading those of the workers that it runs beside."""

_PASSED_ON = ("correlationid", "traceparent", "tracestate", "partitionkey")


class UnknownVersion(CallError):
    """The message has a format that this version does not read: a newer publisher wrote it. Nothing was sent."""

    kind = "unimplemented"


def to_message(call: Call, prefix: str) -> Message:
    """Return the message that asks for a call; one without an id gets one, since from now on it may be delivered twice.

    Calls of one sender with the same `partitionkey` are one group. `prefix` is that of event types.
    """
    its_id = call.id or str(uuid.uuid4())
    extensions = {name: call.extensions[name] for name in _PASSED_ON if call.extensions.get(name)}
    event = CloudEvent(
        its_id,
        call.source,
        f"{prefix}.{call.operation}",
        call.payload,
        datacontenttype="application/json",
        extensions=extensions,
    )
    meta = {
        "trigger": call.trigger,
        "sender": call.sender,
        "sender_id": call.sender_id,
        "projects": None if call.projects is None else " ".join(sorted(call.projects)),
    }
    key = extensions.get("partitionkey")
    return Message(
        strictjson.dumps(to_envelope(event)),
        its_id,
        group=f"{call.sender or ''}/{key}" if key else None,
        meta={name: value for name, value in meta.items() if value is not None},
    )


def is_result(message: Message) -> bool:
    """Tell whether a message is a result event of ours: results are told of nobody."""
    if SCHEMA_ID.encode() not in message.body:
        return False
    try:
        said = strictjson.loads(message.body)
    except strictjson.NotJSON:
        return False
    return isinstance(said, dict) and said.get("dataschema") == SCHEMA_ID


def group_of(body: bytes) -> str | None:
    """Return the group of a message that somebody else wrote: its `partitionkey` when it is a CloudEvent in JSON that has one."""
    try:
        said = strictjson.loads(body)
    except strictjson.NotJSON:
        return None
    key = said.get("partitionkey") if isinstance(said, dict) and "specversion" in said else None
    return f"/{key}" if is_name(key) else None


@dataclass(frozen=True, slots=True)
class _Stored:
    """The settings for a message that we wrote ourselves: its event's data is the payload."""

    operation: str
    payload: None = None


class Named(Protocol):
    """Which queue a message came out of."""

    @property
    def transport(self) -> str:
        """As `Queue.transport`."""

    @property
    def name(self) -> str:
        """As `Queue.name`."""


def to_call(message: Message, queue: Named, deadline: Deadline, events: EventSettings, own: Deployment) -> Call:
    """Return the call that a message asks for; one that asks for nothing carries its refusal. `own`: what the deployment runs."""
    meta, kind = message.meta, f"queue.{queue.transport}"
    record = Record(kind, f"/hongyan/queue/{queue.name}", message.id, message.body)
    # What the webhook stored is its own event, whatever other systems' bodies look like.
    call = record.asks(deadline, events, _Stored(own.operation) if "trigger" in meta else own)
    if message.version not in READS:
        known = " and ".join(map(str, sorted(READS)))
        told = f"the message has format {message.version}, and this worker reads {known}: upgrade it, then redrive"
        if message.version == UNREADABLE:
            told = "what stands beside the message cannot be read (format 0), and it may limit what is allowed: publish it again"
        call = replace(call, refusal=UnknownVersion(told))
    projects = meta.get("projects")
    return replace(
        call,
        trigger=meta.get("trigger", kind),
        sender=meta.get("sender"),
        sender_id=meta.get("sender_id", message.id),
        projects=None if projects is None else frozenset(projects.split()),
    )
