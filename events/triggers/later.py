"""Calls that are stored in a queue and answered before they are done, for the HTTP doors of the web server."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from events import strictjson
from events.calls import MOST_REPEATED
from events.cloudevents.json import to_envelope
from events.dispatch import result_id
from events.problems import HttpAnswer, problem
from events.queues import QueueRefused, QueueUnavailable
from events.queues.calls import to_message
from events.queues.publishing import Publisher
from events.queues.urls import read
from events.triggers.http import NotTaken
from events.triggers.preferences import RESPOND_ASYNC, responds_async
from events.triggers.storing import Storing
from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from events.dispatch import Call, Dispatcher, Result
    from events.queues import Message
    from events.settings import EventSettings
    from events.triggers.http import Calls, HttpRequest

log = logging.getLogger("hongyan.events")

VARIABLE = "HONGYAN_QUEUE"
# Seconds after which a sender may ask again when the queue takes nothing.
_SOON = {"Retry-After": "5"}
# Any fixed UUID makes uuid5 deterministic.
_REQUESTS = uuid.UUID("0d7c7f5e-4f0a-5b43-8a4e-6f3f4b9a2c55")


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer to a request that was to be stored for later; `stored`: the queue has confirmed at least one of its calls."""

    answer: HttpAnswer
    stored: bool


class Later:
    """Stores calls; make one in each process and share it between threads."""

    def __init__(self, dispatcher: Dispatcher, settings: EventSettings, storing: Storing) -> None:
        self._dispatcher = dispatcher
        self._settings = settings
        self._storing = storing

    @classmethod
    def of(cls, dispatcher: Dispatcher, settings: EventSettings) -> Later | None:
        """Return what stores in the queue that the settings name, None when they name none. Raises as `check`."""
        if not settings.queue:
            return None
        return cls(dispatcher, settings, Storing(check(settings.queue)))

    def take(self, calls: Calls, request: HttpRequest, *, quiet: bool = False, seed: str = "") -> Taken:
        """Store the calls that would be sent, all of them or none, and tell which those are and what became of the others.

        What is plainly wrong is not stored but answered as ever: a refused call by its result, a batch of them by theirs. `quiet`: the
        sender's scheme wants 200 and nothing to read. `seed`: what is the same when this very request comes again and for no other, "" for
        nothing; of it a call without an id gets one.
        """
        named = [call if call.id else replace(call, id=_id(seed)) for call in calls.each]
        refusals = [self._dispatcher.refused(call) for call in named]
        wanted = [call for call, refusal in zip(named, refusals, strict=True) if refusal is None]
        if not wanted:
            return Taken(calls.answer([one for one in refusals if one], request.header("accept")), stored=False)
        try:
            self._store(wanted)
        except NotTaken as refused:
            return Taken(refused.answer, stored=False)
        except QueueUnavailable as error:
            log.warning("queue.unavailable", extra={"facts": {"calls": len(wanted), "detail": str(error)}})
            return Taken(problem(503, "unavailable", "the queue takes nothing at the moment", _SOON), stored=False)
        except QueueRefused as error:
            log.exception("queue.refused", extra={"facts": {"calls": len(wanted), "detail": str(error)}})
            return Taken(
                problem(500, "internal", "the queue refuses this; the log of the server says why"), stored=False
            )
        each = [_fate(call, refusal) for call, refusal in zip(named, refusals, strict=True)]
        return Taken(HttpAnswer(200) if quiet else _accepted(each if calls.is_batch else each[0], request), stored=True)

    def close(self) -> None:
        """Give the connection to the queue up. Raises QueueUnavailable."""
        self._storing.close()

    def _store(self, calls: Sequence[Call]) -> None:
        messages = [self._message(call) for call in calls]
        self._storing.store(messages, min(call.deadline.remaining() for call in calls))
        for call in calls:
            log.info("call.stored", extra={"facts": _facts(call)})

    def _message(self, call: Call) -> Message:
        """Return a call's message. Raises NotTaken for one that could not be read again."""
        key = call.extensions.get("partitionkey")
        if isinstance(key, str) and len(key) > MOST_REPEATED:
            raise NotTaken(400, f"partitionkey: must not be longer than {MOST_REPEATED} characters here")
        message = to_message(call, self._settings.prefix)
        if len(message.body) > self._settings.body_limit:
            raise NotTaken(413, f"as an event in the queue this is larger than {self._settings.body_limit} bytes")
        return message


def check(url: str) -> Publisher:
    """Return what publishes into the queue of a URL, which HONGYAN_QUEUE is; nothing is connected yet.

    Raises ConfigurationError when the URL is wrong, when what it needs is not installed, or when its file cannot be used.
    """
    publisher = Publisher(read(url, VARIABLE), VARIABLE)
    try:
        publisher.open()
        # No connection outlives this: the process may be forked before it stores anything.
        publisher.close()
    except (QueueUnavailable, QueueRefused) as error:
        raise ConfigurationError(f"{VARIABLE} cannot be used: {error}") from None
    return publisher


def _id(seed: str) -> str:
    return str(uuid.uuid5(_REQUESTS, seed) if seed else uuid.uuid4())


def _fate(call: Call, refusal: Result | None) -> dict[str, Any]:
    """Return what a sender is told of one call: how its result will be known, and that result when it was refused."""
    told = {
        "id": call.id,
        "source": call.source,
        "operation": refusal.event.data["operation"] if refusal else call.operation,
        "result_id": refusal.event.id if refusal else _result_id(call),
    }
    return {**told, "rejected": to_envelope(refusal.event)} if refusal else told


def _result_id(call: Call) -> str:
    return result_id(call.origin, call.id or "", call.operation)


def _accepted(told: Any, request: HttpRequest) -> HttpAnswer:
    # Said of what the sender prefers, not of what its settings are (RFC 7240, section 3).
    applied = {"Preference-Applied": RESPOND_ASYNC} if responds_async(request.header("prefer")) else {}
    return HttpAnswer(202, {"Content-Type": "application/json", **applied}, strictjson.dumps(told))


def _facts(call: Call) -> dict[str, Any]:
    return {
        "operation": call.operation,
        "sender": call.sender,
        "id": call.id,
        "event_id": _result_id(call),
        "correlation_id": call.extensions.get("correlationid") or call.id,
    }
