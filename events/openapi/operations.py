"""The doors of this machine: /functions/<operation>, a path for each operation, and /events; for the API's document."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from events.cloudevents.http import BATCH as BATCH_JSON
from events.cloudevents.http import STRUCTURED
from events.openapi import examples, later
from events.openapi.answers import ANY_FAILURE, failures, succeeded
from events.openapi.cloudevents import BATCH, event_with
from events.openapi.shapes import name_of, ref
from functions.registry import find

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.registry import Function

# 401 is for senders.
_FAILURES = tuple(status for status in ANY_FAILURE if status != 401)
_PATH_SAYS = "The operation is the path's, whatever an event's type says."


def schemas(names: Sequence[str], prefix: str) -> dict[str, Any]:
    """Return the schemas of each operation's events and results, by their names in the document."""
    found: dict[str, Any] = {}
    for function in map(find, names):
        event = event_with(ref(name_of(function.payload)))
        typed = {"type": {"const": f"{prefix}.{function.name}"}}
        found[f"{function.name}.Event"] = event
        found[f"{function.name}.TypedEvent"] = {"allOf": [ref(f"{function.name}.Event")], "properties": typed}
        found[f"{function.name}.Result"] = _result(function)
    return found


def paths(names: Sequence[str], prefix: str, *, queue: bool) -> dict[str, Any]:
    """Return the paths by their URLs; `queue`: there is one."""
    posts = {f"/functions/{name}": _function(find(name), prefix) for name in names} | {
        "/events": _events(names, prefix)
    }
    return {path: {"post": with_later(post, prefix) if queue else post} for path, post in posts.items()}


def with_later(post: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Return a POST whose request may be stored for later, too."""
    parameters, responses = [*post["parameters"], later.prefer()], {**post["responses"], **later.accepted(prefix)}
    return {**post, "parameters": parameters, "responses": dict(sorted(responses.items()))}


def body(*contents: tuple[str, dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    """Return a request's body: for each media type its schema and its examples by name, of which those that are None are left out."""
    content: dict[str, Any] = {}
    for media, schema, values in contents:
        shown = {name: {"value": value} for name, value in values.items() if value is not None}
        content[media] = {"schema": schema, **({"examples": shown} if shown else {})}
    return {"required": True, "content": content}


def trace() -> list[dict[str, Any]]:
    """Return the headers of the W3C trace context, which may hold anything: what is malformed is not passed on."""
    told = "W3C trace context: passed on to the result event when it is well-formed"
    return [
        {"name": name, "in": "header", "description": told, "schema": {"type": "string"}}
        for name in ("traceparent", "tracestate")
    ]


def _function(function: Function, prefix: str) -> dict[str, Any]:
    name = function.name
    event = examples.event(name, prefix)
    return {
        # Swagger UI takes a _ in the link to an operation for a blank, and complains.
        "operationId": name.replace("_", "-"),
        "tags": ["functions"],
        "summary": function.summary,
        "description": "\n\n".join((_safety(function), _PATH_SAYS, _more(function))),
        "parameters": [_key(), *trace()],
        "requestBody": body(
            ("application/json", ref(name_of(function.payload)), {"sample": examples.payload(name)}),
            (STRUCTURED, ref(f"{name}.Event"), {"sample": event}),
            (BATCH_JSON, ref(BATCH), {"sample": event and [event]}),
        ),
        "responses": {
            "200": succeeded(ref(f"{name}.Result"), {"sample": examples.succeeded(name, prefix)}),
            **_no_content(),
            **failures(*_FAILURES),
        },
    }


def _events(names: Sequence[str], prefix: str) -> dict[str, Any]:
    events = {name: examples.event(name, prefix) for name in names}
    results = {name: examples.succeeded(name, prefix) for name in names}
    known = [event for event in events.values() if event]
    return {
        "operationId": "events",
        "tags": ["events"],
        "summary": "Run what CloudEvents ask for by their type.",
        "description": f"An event of type `{prefix}.<operation>` runs that operation with its data as the payload. A batch runs in order, "
        "within one deadline, and is answered 200 whatever becomes of its events: each result tells its own outcome.",
        "parameters": trace(),
        "requestBody": body(
            (STRUCTURED, {"oneOf": [ref(f"{name}.TypedEvent") for name in names]}, events),
            (BATCH_JSON, ref(BATCH), {"batch": known}),
        ),
        "responses": {
            "200": succeeded({"anyOf": [ref(f"{name}.Result") for name in names]}, results),
            **_no_content(),
            **failures(*_FAILURES),
        },
    }


def _result(function: Function) -> dict[str, Any]:
    return {
        "allOf": [ref("result.ResultData")],
        "properties": {
            "operation": {"const": function.name},
            "outcome": {"enum": ["succeeded", "partial"]},
            "result": ref(name_of(function.result)),
            "error": {"type": "null"},
        },
    }


def _no_content() -> dict[str, Any]:
    return {"204": {"description": "The batch was empty: nothing was asked, nothing was done."}}


def _key() -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Your own id of this request: the result's id is the same when you send it again. `webhook-id` is taken for it. It "
        "is for bare payloads, since an event has an id of its own.",
        "schema": {"type": "string", "pattern": "^[!-~]{0,255}$"},
    }


def _safety(function: Function) -> str:
    if function.reads:
        return "It changes nothing."
    if function.idempotent:
        return "It changes something; sent twice, it has the effect of once."
    return "It changes something, and is not sent again when its answer is lost: the outcome is then `unknown`."


def _more(function: Function) -> str:
    """Return what the function's docstring says after its first line."""
    return (inspect.getdoc(function.call) or "").partition("\n")[2].strip()
