"""What a verified request asks for, whether its sender was granted that, and whether it is to be done now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from events.cloudevents.http import mode
from events.senders.payload import apply
from events.triggers.http import Calls, NotTaken, bare, deadline_of, events_of
from events.triggers.preferences import responds_async
from functions.cloud.errors import NotGranted, PayloadRefused

if TYPE_CHECKING:
    from events.dispatch import Call
    from events.senders import Sender
    from events.settings import EventSettings
    from events.signatures import Verified
    from events.triggers.http import HttpRequest


def granted(sender: Sender, request: HttpRequest, verified: Verified, settings: EventSettings) -> Calls:
    """Return the calls that a verified request asks for; one that its sender may not ask for carries its refusal. Raises NotTaken.

    What to run is said by what is signed, or by the sender's settings: by the type of a CloudEvent in the body, else by `operation`.
    """
    deadline = deadline_of(settings, request, sender.scheme.answer_within_s)
    headers = request.lower()
    if verified.content_type is not None:
        headers = {**headers, "content-type": verified.content_type}
    request = replace(request, headers=headers, body=verified.body)
    how = None if sender.payload is not None else mode(headers)
    if how == "binary" and not sender.scheme.takes_headers:
        raise NotTaken(415, "attributes in headers are not signed: send the event in structured mode")
    if how is not None:
        calls = events_of(request, settings, deadline)
    elif sender.operation is None:
        told = f"this sender may run several operations: send a CloudEvent of type {settings.prefix}.<operation>"
        raise NotTaken(400, told)
    else:
        calls = Calls((_mapped(bare(request, sender.operation, deadline, verified.id), sender),))
    return replace(calls, each=tuple(_checked(call, sender) for call in calls.each))


def is_for_later(sender: Sender, request: HttpRequest) -> bool:
    """Whether what a request asks for is to be stored for later: its sender's settings say so, or the request does."""
    return sender.later or responds_async(request.header("prefer"))


def seed(verified: Verified) -> str:
    """Return what is the same when this very request comes again and for no other: "" where no time is signed, since nothing is."""
    timed = verified.time is not None and verified.fingerprint
    return f"{verified.sender}\n{verified.fingerprint}" if timed else ""


def _mapped(call: Call, sender: Sender) -> Call:
    """Return the call with the payload that the sender's body holds where its settings say."""
    if sender.payload is None or call.refusal:
        return call
    try:
        return replace(call, payload=apply(sender.payload, call.payload))
    except PayloadRefused as error:
        return replace(call, payload=None, refusal=error)


def _checked(call: Call, sender: Sender) -> Call:
    refusal = call.refusal
    if not sender.may_run(call.operation):
        may = ", ".join(sorted(sender.operations))
        refusal = NotGranted(f"this sender may not run this operation; it may run {may}")
    return replace(call, sender=sender.name, projects=sender.projects, refusal=refusal)
