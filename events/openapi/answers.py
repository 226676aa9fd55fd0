"""What the API answers, whatever was asked: results by status, problems, Retry-After; for every path of the document."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from events.cloudevents.http import BATCH as BATCH_JSON
from events.cloudevents.http import STRUCTURED
from events.openapi import examples
from events.openapi.cloudevents import RESULTS, result_with
from events.openapi.shapes import ref
from events.problems import PROBLEM_JSON
from events.signatures import REASONS
from events.triggers.results import STATUS
from functions.cloud.errors import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEM = "problem.Problem"

_TOLD = {
    400: "The payload, the event or a header is wrong. `rejected`: nothing was sent, `error.fields` names each field and the fix; "
    "`failed`: the cloud says so.",
    401: "Not signed by this sender: `reason` says what is wrong.",
    403: "Not allowed here, or not allowed by the cloud.",
    404: "The cloud does not know the resource, or this server does not know the path.",
    405: "Another method: `Allow` names those that are taken.",
    408: "The request did not arrive in time.",
    409: "The resource exists already, or its state does not allow this.",
    413: "The body is too large, or the batch holds too many events.",
    415: "Another media type, event format or charset than is read here, or a compressed body.",
    429: "Too many requests of this sender.",
    500: "The cloud failed, refused our own credentials, or a write has an unknown outcome; or there is a fault of ours.",
    501: "There is no such operation; or the cloud does not offer it; or nothing is stored for later here.",
    503: "Throttled, unavailable, or out of time: trying again may help.",
}
# Which of a status's kinds its examples have.
_KINDS = {
    401: "unauthenticated",
    405: "invalid_argument",
    408: "deadline_exceeded",
    409: "aborted",
    413: "invalid_argument",
    415: "invalid_argument",
    429: "resource_exhausted",
    500: "unknown",
    503: "resource_exhausted",
}
# Who is refused before any call is made gets a problem; the other statuses are a result's, too.
PROBLEMS = (401, 405, 408, 413, 415, 429)
RESULTS_OF = tuple(sorted(set(STATUS.values())))
ANY_FAILURE = tuple(sorted({*PROBLEMS, *RESULTS_OF}))
_RETRY_AFTER = {"description": "seconds to wait before trying again", "schema": {"type": "integer", "minimum": 1}}
_MUST = {"required": True}
_TEXT = {"schema": {"type": "string"}}
_HEADERS = {
    401: {"WWW-Authenticate": {"description": "the scheme of this sender", **_MUST, **_TEXT}},
    405: {"Allow": {"description": "the methods that are taken", **_MUST, **_TEXT}},
    409: {"Retry-After": _RETRY_AFTER},
    429: {"Retry-After": {**_RETRY_AFTER, **_MUST}},
    503: {"Retry-After": {**_RETRY_AFTER, **_MUST}},
}


def schemas() -> dict[str, Any]:
    """Return the schema of problems and of each failed result, by their names in the document."""
    return {**problem_schema(), **{f"result.Failed{status}": _failed(status) for status in RESULTS_OF}}


def problem_schema() -> dict[str, Any]:
    """Return the schema of problems, by its name in the document."""
    return {PROBLEM: _problem()}


def responses(prefix: str) -> dict[str, Any]:
    """Return every answer that is not a success, by its name in the document; `prefix` is the first part of event types."""
    return {_name(status): _response(status, prefix) for status in _TOLD}


def failures(*statuses: int) -> dict[str, Any]:
    """Return references to the answers of these statuses, as an operation lists them."""
    return {str(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in sorted(statuses)}


def refusal(status: int, told: str) -> dict[str, Any]:
    """Return an answer that is a problem and never a result, as an operation lists it."""
    return {str(status): {"description": told, "content": {PROBLEM_JSON: {"schema": ref(PROBLEM)}}}}


def succeeded(data: dict[str, Any], events: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer 200 of a call whose result event's data is described by `data`; `events` are examples by name, or None."""
    known = {name: event for name, event in events.items() if event}
    content = {
        STRUCTURED: _shown(result_with(data), known),
        "application/json": _shown(data, {name: event["data"] for name, event in known.items()}),
        BATCH_JSON: _shown(ref(RESULTS), {"batch": list(known.values())} if known else {}),
    }
    return {
        "description": "The result event; its data alone, with the attributes as `ce-` headers, where `Accept: application/json` asks for "
        "binary mode; a batch of them for a batch, each with its own outcome.",
        "content": content,
    }


def _name(status: int) -> str:
    return HTTPStatus(status).phrase.title().replace(" ", "").replace("-", "")


def _response(status: int, prefix: str) -> dict[str, Any]:
    kind = _KINDS.get(status) or _kinds(status)[0]
    content: dict[str, Any] = {}
    if status not in PROBLEMS:
        data, event = ref(f"result.Failed{status}"), examples.failed(status, kind, prefix)
        content[STRUCTURED] = _shown(result_with(data), {"failed": event})
        content["application/json"] = _shown(data, {"failed": event["data"]})
    problem = examples.refused(status, kind)
    content[PROBLEM_JSON] = _shown(ref(PROBLEM), {"refused": problem} if problem else {})
    headers = _HEADERS.get(status, {})
    return {"description": _TOLD[status], **({"headers": headers} if headers else {}), "content": content}


def _shown(schema: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: {"value": value} for name, value in values.items()}
    return {"schema": schema, **({"examples": shown} if shown else {})}


def _kinds(status: int) -> list[str]:
    return sorted(kind for kind, of in STATUS.items() if of == status)


def _failed(status: int) -> dict[str, Any]:
    return {
        "allOf": [ref("result.ResultData")],
        "properties": {
            "outcome": {"enum": ["rejected", "failed", "unknown"]},
            "result": {"type": "null"},
            "error": {"allOf": [ref("result.Error")], "properties": {"kind": {"enum": _kinds(status)}}},
        },
    }


def _problem() -> dict[str, Any]:
    return {
        "description": "A refusal that is no result event (RFC 9457).",
        "type": "object",
        "required": ["type", "title", "status", "detail", "kind"],
        "properties": {
            "type": {"type": "string", "pattern": "^urn:hongyan:problem:[a-z_]+$"},
            "title": {"type": "string", "description": "the status in words"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "what is wrong and how to mend it"},
            "kind": {"enum": sorted(KINDS), "description": "canonical RPC code in lower case"},
            "reason": {"enum": list(REASONS), "description": "why a signature was not taken"},
        },
    }
