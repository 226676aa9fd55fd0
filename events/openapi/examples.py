"""Examples in the API's document: a request and its result for each operation that has them, and one answer for each failure."""

from __future__ import annotations

import json
from importlib import resources
from types import MappingProxyType
from typing import Any

from events.facts import error_data
from events.problems import problem
from events.samples import NoSample, sample
from functions.cloud.errors import CallError
from schemas.result import SCHEMA_ID

_PROJECT, _REGION, _REQUEST = "0605767a3300d5762fb7c0186d9e1779", "cn-north-4", "2655d5d1d5d64173bf90194291347b22"
_WEIGHT = "Must be greater than or equal to 0 and less than or equal to 100."
_IN_DOUBT = "it is not known whether this took effect: the answer broke off"
# By status: the outcome, and the error that a result event tells.
_ERRORS: MappingProxyType[int, tuple[str, str, dict[str, Any]]] = MappingProxyType(
    {
        400: ("rejected", f"members.0.weight: {_WEIGHT}", {"fields": {"members": {"0": {"weight": [_WEIGHT]}}}}),
        403: (
            "rejected",
            "this project may not be used here",
            {"fields": {"project_id": ["Not allowed by the settings."]}},
        ),
        404: ("failed", "The VPC channel does not exist", {"code": "APIG.3023", "status": 404}),
        409: ("failed", "The VPC channel is of another type", {"code": "APIG.3491", "status": 409}),
        500: ("unknown", _IN_DOUBT, {}),
        501: ("rejected", "there is no such operation; did you mean apig.add_members?", {}),
        503: ("failed", "Too many requests", {"code": "APIG.0308", "status": 429, "retry_after_s": 60.0}),
    }
)
_REFUSALS = MappingProxyType(
    {
        400: "source: is missing: an event needs specversion, id, source, type",
        401: "this request is not verified to be its sender's; the log of the server says why",
        403: "this server takes requests from its own machine only",
        404: "there is no such sender",
        408: "the request did not arrive within 20 s",
        405: "The method is not allowed for the requested URL.",
        409: "a request with this id is being handled",
        413: "the body is larger than 1048576 bytes",
        415: "compressed bodies are not read: send it without Content-Encoding",
        429: "this sender is over its rate",
        500: "an error inside Hongyan; its log tells more",
        501: "nothing is stored for later here: that takes the web server, with HONGYAN_QUEUE set",
        503: "this server cannot tell at the moment whether this is new",
    }
)
_REASONS = MappingProxyType({401: "signature_mismatch", 409: "under_way"})


def payload(operation: str) -> Any:
    """Return the sample payload of an operation, None when it has none."""
    try:
        return json.loads(sample(operation))
    except NoSample:
        return None


def event(operation: str, prefix: str) -> dict[str, Any] | None:
    """Return an event that asks for an operation with its sample payload, None when it has none."""
    data = payload(operation)
    attributes = {"specversion": "1.0", "id": "6f1c", "source": "/monitor", "type": f"{prefix}.{operation}"}
    return None if data is None else {**attributes, "data": data}


def succeeded(operation: str, prefix: str) -> dict[str, Any] | None:
    """Return the result event of that event, as the emulator answers it, None when none is kept."""
    file = resources.files("events.openapi").joinpath("results", f"{operation}.json")
    if not file.is_file():
        return None
    kept: dict[str, Any] = json.loads(file.read_bytes())
    return {**kept, "type": f"{prefix}.{operation}.succeeded"}


def failed(status: int, kind: str, prefix: str) -> dict[str, Any]:
    """Return the result event of a failed call with this status and this `error.kind`."""
    outcome, message, facts = _ERRORS[status]
    answered = {"status": facts.get("status"), "request_id": _REQUEST if "status" in facts else None}
    upstream = {"service": "apig", "method": "POST", **answered, "attempts": 1, "requests": 1, "duration_ms": 40}
    return {
        "specversion": "1.0",
        "id": "b033e15c-5244-5ed4-a9a2-02d9586aa487",
        "source": f"/hongyan/{_REGION}/{_PROJECT}",
        "type": f"{prefix}.apig.add_members.{outcome}",
        "time": "2026-11-22T08:00:00.000Z",
        "datacontenttype": "application/json",
        "dataschema": SCHEMA_ID,
        "causationid": "6f1c",
        "correlationid": "6f1c",
        "data": {
            "operation": "apig.add_members",
            "outcome": outcome,
            "target": {"region": _REGION, "project_id": _PROJECT},
            "result": None,
            "error": error_data(CallError(message, kind=kind, **facts)),
            "upstream": None if outcome == "rejected" else upstream,
            "trigger": {"kind": "webhook", "id": "6f1c", "sender": None},
        },
    }


def refused(status: int, kind: str) -> Any:
    """Return a problem with this status, None when no example is kept."""
    told = _REFUSALS.get(status)
    return json.loads(problem(status, kind, told, reason=_REASONS.get(status)).body) if told else None
