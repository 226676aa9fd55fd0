"""An HTTP request in, result events out, without a web framework: what every HTTP door has in common, and the one for this machine."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from events.calls import check_sizes, from_body, from_event, from_typed_event, trace_of
from events.cloudevents import InvalidEvent, UnsupportedFormat
from events.cloudevents.http import from_http, mode
from events.cloudevents.rules import is_json
from events.dispatch import Call
from events.problems import HttpAnswer, problem
from events.triggers.preferences import no_queue, responds_async
from events.triggers.results import batched, single
from functions.cloud.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from events.dispatch import Dispatcher, Result
    from events.settings import EventSettings
    from events.triggers.later import Later

# Kept of the deadline for writing the answer, in seconds.
_MARGIN_S = 0.25
# Events of one batch: they share one deadline, so more would not be run anyway.
MOST_EVENTS = 1000
_KEY = re.compile(r"[!-~]{1,255}")
_BARE_SOURCE = "/hongyan/webhook"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it came: header names in any case, the body's raw bytes, the query's values by name.

    `client` is the address it came from, "" when it is not known; `https` tells whether its way here was encrypted, or within this machine.
    `kind` is the trigger's name in results; `deadline` is when the platform must have the answer, None where the settings alone decide;
    `caller` is who a gateway has proved to call, None where nobody did.
    """

    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    method: str = "POST"
    query: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)
    client: str = ""
    https: bool = False
    kind: str = "webhook"
    deadline: Deadline | None = None
    caller: str | None = None

    def header(self, name: str) -> str:
        """Return a header's value, "" when it was not sent; `name` in lower case."""
        return self.lower().get(name, "")

    def lower(self) -> dict[str, str]:
        """Return the headers by their names in lower case."""
        return {name.lower(): value for name, value in self.headers.items()}


class NotTaken(Exception):
    """The request holds no call at all: `answer` is the problem to answer with."""

    def __init__(self, status: int, detail: str, kind: str = "invalid_argument") -> None:
        super().__init__(detail)
        self.answer = problem(status, kind, detail)


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls that a request asks for: one, or the events of a batch in their order."""

    each: tuple[Call, ...]
    is_batch: bool = False

    def run(self, dispatcher: Dispatcher) -> list[Result]:
        """Run them, one after the other."""
        return [dispatcher.dispatch(call) for call in self.each]

    def answer(self, results: Sequence[Result], accept: str) -> HttpAnswer:
        """Return the answer that their results make; `accept` is the request's Accept header."""
        return batched(results) if self.is_batch else single(results[0], accept)


class HttpDoor:
    """Turns requests into calls and results into answers. Every refusal is problem+json or a result event.

    `later` stores what is not to be waited for, None where nothing can.
    """

    def __init__(self, dispatcher: Dispatcher, settings: EventSettings, later: Later | None = None) -> None:
        self._dispatcher = dispatcher
        self._settings = settings
        self._later = later

    def function(self, operation: str, request: HttpRequest) -> HttpAnswer:
        """Answer POST /functions/<operation>: a bare JSON payload, or CloudEvents whose data is the payload."""
        return self._answer(request, operation)

    def events(self, request: HttpRequest) -> HttpAnswer:
        """Answer POST /events: CloudEvents whose type is `<prefix>.<operation>`."""
        if mode(request.headers) is None:
            return problem(
                415, "invalid_argument", "send a CloudEvent here, or a bare payload to /functions/<operation>"
            )
        return self._answer(request, None)

    def _answer(self, request: HttpRequest, operation: str | None) -> HttpAnswer:
        deadline = deadline_of(self._settings, request)
        try:
            refuse_compressed(request)
            if mode(request.headers) is None:
                calls = Calls((bare(request, operation or "", deadline, _key(request)),))
            else:
                calls = events_of(request, self._settings, deadline, operation)
        except NotTaken as refused:
            return refused.answer
        # Ids of one caller are never taken for another's.
        calls = replace(calls, each=tuple(replace(call, sender=request.caller) for call in calls.each))
        if responds_async(request.header("prefer")):
            return self._later.take(calls, request).answer if self._later else no_queue()
        return calls.answer(calls.run(self._dispatcher), request.header("accept"))


def deadline_of(settings: EventSettings, request: HttpRequest, most_s: float | None = None) -> Deadline:
    """Return when an answer must be written: what the settings give a call, or sooner.

    `most_s` is how long (seconds) the sender waits; the platform that the request came through may have a deadline of its own.
    """
    seconds = settings.deadline_s if most_s is None else min(settings.deadline_s, most_s)
    deadline = Deadline.after(seconds, margin=_MARGIN_S)
    return deadline if request.deadline is None else min(deadline, request.deadline, key=Deadline.remaining)


def refuse_compressed(request: HttpRequest) -> None:
    """Raise NotTaken (415) for a compressed body: a few bytes of one may stand for gigabytes."""
    if request.header("content-encoding").strip().lower() not in ("", "identity"):
        raise NotTaken(415, "compressed bodies are not read: send it without Content-Encoding")


def events_of(request: HttpRequest, settings: EventSettings, deadline: Deadline, operation: str | None = None) -> Calls:
    """Return the calls that CloudEvents in any mode ask for: `operation`, else what each event's type says. Raises NotTaken."""
    try:
        found = from_http(request.headers, request.body)
        check_sizes(found)
    except UnsupportedFormat as error:
        raise NotTaken(415, str(error), error.kind) from None
    except InvalidEvent as error:
        raise NotTaken(400, str(error), error.kind) from None
    events = found if isinstance(found, list) else [found]
    if len(events) > MOST_EVENTS:
        raise NotTaken(413, f"a batch holds at most {MOST_EVENTS} events")
    trace = trace_of(request.lower())
    if operation is None:
        calls = [from_typed_event(event, settings.prefix, deadline, request.kind, trace) for event in events]
    else:
        calls = [from_event(event, operation, deadline, request.kind, trace) for event in events]
    return Calls(tuple(calls), isinstance(found, list))


def bare(request: HttpRequest, operation: str, deadline: Deadline, key: str | None) -> Call:
    """Return the call that a bare JSON payload asks for; `key` is the sender's own id of the delivery. Raises NotTaken."""
    content_type = request.header("content-type")
    if not content_type or not is_json(content_type):
        raise NotTaken(415, "send the payload as Content-Type application/json, or a CloudEvent")
    payload, refusal = from_body(request.body)
    return Call(
        operation=operation,
        payload=payload,
        deadline=deadline,
        source=_BARE_SOURCE,
        trigger=request.kind,
        id=key,
        sender_id=key,
        extensions=trace_of(request.lower()),
        refusal=refusal,
    )


def _key(request: HttpRequest) -> str | None:
    key = request.header("idempotency-key").strip().strip('"') or request.header("webhook-id").strip()
    if key and not _KEY.fullmatch(key):
        # Not taken for none: who sends a key wants its result to have the same id again.
        raise NotTaken(400, "Idempotency-Key and webhook-id are 1 to 255 visible ASCII characters")
    return key or None
