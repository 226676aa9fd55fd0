"""An HTTP request in, result events out, without a web framework: what every HTTP door has in common."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from events.calls import check_sizes, from_body, from_event, from_typed_event, trace_of
from events.cloudevents import InvalidEvent, UnsupportedFormat
from events.cloudevents.http import from_http, mode, to_batch, to_binary, to_structured
from events.cloudevents.rules import is_json
from events.dispatch import Call
from events.problems import HttpAnswer, problem
from functions.cloud.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from events.cloudevents import CloudEvent
    from events.dispatch import Dispatcher, Result
    from events.settings import EventSettings

# Kept of the deadline for writing the answer, in seconds.
_MARGIN_S = 0.25
# Events of one batch: they share one deadline, so more would not be run anyway.
MOST_EVENTS = 1000
_KEY = re.compile(r"[!-~]{1,255}")
_BARE_SOURCE = "/hongyan/webhook"

STATUS = {
    "invalid_argument": 400,
    "unauthenticated": 500,  # Our own credentials with the cloud: nothing that the sender could mend.
    "permission_denied": 403,
    "not_found": 404,
    "already_exists": 409,
    "aborted": 409,
    "failed_precondition": 409,
    "unimplemented": 501,
    "resource_exhausted": 503,
    "unavailable": 503,
    "deadline_exceeded": 503,
    "internal": 500,
    "unknown": 500,
}


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A POST as it came: header names in any case, the body's raw bytes."""

    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header's value, "" when it was not sent; `name` in lower case."""
        return self.lower().get(name, "")

    def lower(self) -> dict[str, str]:
        """Return the headers by their names in lower case."""
        return {name.lower(): value for name, value in self.headers.items()}


class HttpDoor:
    """Turns requests into calls and results into answers. Every refusal is problem+json or a result event."""

    def __init__(self, dispatcher: Dispatcher, settings: EventSettings) -> None:
        self._dispatcher = dispatcher
        self._settings = settings

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
        if request.header("content-encoding").strip().lower() not in ("", "identity"):
            return problem(415, "invalid_argument", "compressed bodies are not read: send it without Content-Encoding")
        deadline = Deadline.after(self._settings.deadline_s, margin=_MARGIN_S)
        try:
            if mode(request.headers) is None:
                return self._bare(request, operation or "", deadline)
            event = from_http(request.headers, request.body)
            check_sizes(event)
        except UnsupportedFormat as error:
            return problem(415, error.kind, str(error))
        except InvalidEvent as error:
            return problem(400, error.kind, str(error))
        trace = trace_of(request.lower())
        if isinstance(event, list):
            if len(event) > MOST_EVENTS:
                return problem(413, "invalid_argument", f"a batch holds at most {MOST_EVENTS} events")
            return _batched([self._run(item, operation, deadline, trace) for item in event])
        return _single(self._run(event, operation, deadline, trace), request)

    def _bare(self, request: HttpRequest, operation: str, deadline: Deadline) -> HttpAnswer:
        content_type = request.header("content-type")
        if not content_type or not is_json(content_type):
            told = "send the payload as Content-Type application/json, or a CloudEvent"
            return problem(415, "invalid_argument", told)
        key = request.header("idempotency-key").strip().strip('"') or request.header("webhook-id").strip()
        if key and not _KEY.fullmatch(key):
            # Not taken for none: who sends a key wants its result to have the same id again.
            return problem(
                400, "invalid_argument", "Idempotency-Key and webhook-id are 1 to 255 visible ASCII characters"
            )
        payload, refusal = from_body(request.body)
        call = Call(
            operation=operation,
            payload=payload,
            deadline=deadline,
            source=_BARE_SOURCE,
            trigger="webhook",
            id=key or None,
            sender_id=key or None,
            extensions=trace_of(request.lower()),
            refusal=refusal,
        )
        return _single(self._dispatcher.dispatch(call), request)

    def _run(self, event: CloudEvent, operation: str | None, deadline: Deadline, trace: Mapping[str, str]) -> Result:
        if operation is None:
            return self._dispatcher.dispatch(from_typed_event(event, self._settings.prefix, deadline, "webhook", trace))
        return self._dispatcher.dispatch(from_event(event, operation, deadline, "webhook", trace))


def _single(result: Result, request: HttpRequest) -> HttpAnswer:
    headers, body = to_binary(result.event) if _wants_binary(request.header("accept")) else to_structured(result.event)
    status = STATUS[result.error.kind] if result.error else 200
    return HttpAnswer(status, {**headers, **_later(status, result)}, body)


def _batched(results: Sequence[Result]) -> HttpAnswer:
    if not results:
        return HttpAnswer(204)  # Nothing was asked, rightly nothing was done, and there is nothing to tell.
    headers, body = to_batch(result.event for result in results)
    return HttpAnswer(200, headers, body)


def _later(status: int, result: Result) -> dict[str, str]:
    """Return Retry-After: what the cloud said, else a minute for throttling (its windows are minutes long) and 5 s for the rest."""
    if status != 503 or not result.error:
        return {}
    wait = result.error.retry_after_s
    if wait is None:
        wait = 60.0 if result.error.kind == "resource_exhausted" else 5.0
    return {"Retry-After": str(max(1, math.ceil(wait)))}


def _wants_binary(accept: str) -> bool:
    """Whether application/json is asked for before any CloudEvents format; everything else gets the structured mode."""
    quality = {"application/json": 0.0, "application/cloudevents+json": 0.0}
    for item in accept.split(","):
        media, *parameters = (part.strip().lower() for part in item.split(";"))
        if media in quality:
            quality[media] = _quality(parameters)
    return quality["application/json"] > quality["application/cloudevents+json"]


def _quality(parameters: list[str]) -> float:
    given = next((value[2:] for value in parameters if value.startswith("q=")), "1")
    return float(given) if re.fullmatch(r"[01](\.[0-9]{0,3})?", given) else 0.0
