"""Results as HTTP answers: status, mode and Retry-After, for every HTTP door."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from events.cloudevents.http import to_batch, to_binary, to_structured
from events.problems import HttpAnswer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from events.dispatch import Result

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


def single(result: Result, accept: str) -> HttpAnswer:
    """Return the answer to one call; `accept` is the request's Accept header."""
    headers, body = to_binary(result.event) if _wants_binary(accept) else to_structured(result.event)
    status = STATUS[result.error.kind] if result.error else 200
    return HttpAnswer(status, {**headers, **_later(status, result)}, body)


def batched(results: Sequence[Result]) -> HttpAnswer:
    """Return the answer to a batch: always 200, or 204 when it was empty; each event tells its own outcome."""
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
