"""The doors of senders, /hooks/<sender>, and the schemes that they sign by; for the API's document."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from events.cloudevents.http import BATCH as BATCH_JSON
from events.cloudevents.http import STRUCTURED
from events.openapi import examples, operations
from events.openapi.answers import ANY_FAILURE, failures, succeeded
from events.openapi.cloudevents import BATCH
from events.openapi.shapes import name_of, ref
from events.signatures import registry
from functions.registry import find

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from events.signatures import Scheme

_TEXT = {"type": "string"}
_SENDER = {
    "name": "sender",
    "in": "path",
    "required": True,
    "description": "the name that the senders file has",
    "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$"},
}
_SIGNED = """Who sent it is proved before anything is parsed. What to run is said by the type of a CloudEvent in the body, else by the
sender's own `operation`, whose payload is the body, or what the sender's `payload` picks out of it.

Where the scheme signs the body, attributes in headers are not signed: send events in structured mode. The very same request is taken once
(401, `replayed`); one whose id was handled before is answered 200 with an empty body and `Idempotent-Replayed: true`."""
_MESSAGE = "a message in the sender's own form"


def security_schemes() -> dict[str, Any]:
    """Return how requests are signed, by the scheme's name."""
    return {scheme.name: _described(scheme) for scheme in _schemes()}


def paths(names: Sequence[str], prefix: str, *, queue: bool) -> dict[str, Any]:
    """Return the paths by their URLs; `queue`: there is one."""
    post = _send(names, prefix)
    post = operations.with_later(post, prefix) if queue else post
    return {"/hooks/{sender}": {"post": post, "get": _url_check(), "options": _handshake()}}


def _send(names: Sequence[str], prefix: str) -> dict[str, Any]:
    results = {name: examples.succeeded(name, prefix) for name in names}
    done = succeeded({"anyOf": [ref(f"{name}.Result") for name in names]}, results)
    done["description"] += (
        " What a scheme's handshake wants is answered as that wants it; nothing for what was handled before."
    )
    done["headers"] = {"Idempotent-Replayed": {"description": "it was handled before", "schema": {"const": "true"}}}
    content = done["content"]
    content["application/json"]["schema"] = {"anyOf": [content["application/json"]["schema"], {"type": "object"}]}
    content["text/plain"] = {"schema": _TEXT}
    return {
        "operationId": "hook",
        "tags": ["hooks"],
        "summary": "Run what a verified sender asks for.",
        "description": _SIGNED,
        "security": _any_of(_schemes()),
        "parameters": [_SENDER, *operations.trace()],
        "requestBody": operations.body(*_bodies(names, prefix)),
        "responses": {
            "200": done,
            "204": {"description": "An empty batch: nothing was asked, nothing was done."},
            **failures(*ANY_FAILURE),
        },
    }


def _bodies(names: Sequence[str], prefix: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    typed = [ref(f"{name}.TypedEvent") for name in names]
    payloads = [ref(name_of(find(name).payload)) for name in names]
    yield STRUCTURED, {"oneOf": typed}, {name: examples.event(name, prefix) for name in names}
    yield BATCH_JSON, ref(BATCH), {}
    yield (
        "application/json",
        {"anyOf": [*payloads, {"description": _MESSAGE}]},
        {name: examples.payload(name) for name in names},
    )
    yield "application/x-www-form-urlencoded", {"type": "object", "description": _MESSAGE}, {}
    yield "text/xml", {**_TEXT, "description": _MESSAGE}, {}


def _url_check() -> dict[str, Any]:
    readers = [scheme for scheme in _schemes() if scheme.reads_get]
    only = ", ".join(scheme.name for scheme in readers) or "none here"
    return {
        "tags": ["hooks"],
        "operationId": "hook-url-check",
        "summary": "Answer the URL check of a sender whose handshake is a GET.",
        "description": f"Those of the schemes: {only}. The signed text of the query is decrypted and echoed.",
        "security": _any_of(readers) or [{}],
        "parameters": [_SENDER],
        "responses": {
            "200": {"description": "The text, bare.", "content": {"text/plain": {"schema": _TEXT}}},
            **failures(400, 401, 403, 404, 405, 415, 429, 503),
        },
    }


def _handshake() -> dict[str, Any]:
    rate = {"type": "string", "pattern": r"^(?:[1-9][0-9]{0,8}|\*)?$"}
    origin = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9.-]{0,252}(?::[0-9]{1,5})?$"}
    answered = {
        "Allow": ("the methods that are taken", _TEXT),
        "WebHook-Allowed-Origin": ("consent: the origin that asked; without it there is none", origin),
        "WebHook-Allowed-Rate": ("requests per minute", {"type": "integer", "minimum": 1}),
    }
    return {
        "operationId": "hook-handshake",
        "tags": ["hooks"],
        "summary": "Ask for consent to send (CloudEvents, HTTP 1.1 Web Hooks for Event Delivery).",
        "description": "Answered for senders with `origins`, 405 for others. `WebHook-Request-Callback` is never asked.",
        "parameters": [
            _SENDER,
            _header("WebHook-Request-Origin", "the asking system's host name", origin, required=True),
            _header("WebHook-Request-Rate", "requests per minute that it would send, * for any", rate),
        ],
        "responses": {
            "204": {
                "description": "Answered.",
                "headers": {name: {"description": told, "schema": of} for name, (told, of) in answered.items()},
            },
            **failures(400, 404, 405),
        },
    }


def _header(name: str, told: str, schema: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": required, "description": told, "schema": schema}


def _schemes() -> list[type[Scheme]]:
    found = (registry.find(name) for name in registry.names())
    return [scheme for scheme in found if scheme is not None]


def _any_of(schemes: Sequence[type[Scheme]]) -> list[dict[str, list[str]]]:
    return [{scheme.name: []} for scheme in schemes]


def _described(scheme: type[Scheme]) -> dict[str, Any]:
    """Return a scheme as OpenAPI can say it: where the signature is. The rest is words."""
    told = [
        inspect.getdoc(scheme) or scheme.name,
        f"Window: {scheme.default_window_s:g} s, unless its sender is given another.",
    ]
    if scheme.headers:
        told.append("Headers: " + ", ".join(f"`{name}`" for name in scheme.headers) + ".")
    description = {"description": "\n\n".join([*told, *(["Over https only."] if scheme.needs_https else [])])}
    if "authorization" in scheme.headers:
        return {"type": "http", "scheme": "bearer", **description}
    signature = next((name for name in scheme.headers if "sign" in name), None)
    if signature:
        return {"type": "apiKey", "in": "header", "name": signature, **description}
    # Nothing in the contract names a parameter of the query or a member of the body: the name is the one that 401 challenges with.
    return {"type": "http", "scheme": scheme.name.capitalize(), **description}
