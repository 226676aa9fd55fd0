"""The whole document: what each part says of itself, put together for `openapi`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.openapi import answers, cloudevents, hooks, later, operations, service, shapes
from functions.registry import names

if TYPE_CHECKING:
    from collections.abc import Iterable

_ABOUT = """Small stateless functions for Huawei Cloud: an event comes in, one cloud API is called, and exactly one result event goes out.

**Events** are [CloudEvents 1.0](https://cloudevents.io). Structured mode (`application/cloudevents+json`) and batches are described below.
In binary mode the body is the data and the attributes are headers: `ce-specversion: 1.0`, `ce-id`, `ce-source` and `ce-type` are then all
required, others are `ce-<name>`, percent-encoded. OpenAPI has no words for headers that belong to one of several modes.

**Answers** are result events in structured mode; in binary mode where `Accept: application/json` is preferred; a batch for a batch.
Whatever is no result event is `application/problem+json` (RFC 9457).
{later}
**Bodies** are JSON in UTF-8 of at most {limit} bytes, uncompressed, without duplicate keys, lone surrogates, NaN or nesting deeper than 64.
Any `*/json` and `*/*+json` is taken for `application/json`. A whole number has no fraction and no exponent: 1.0 is none.
"""
_LATER = """
With `Prefer: respond-async` (RFC 7240) an event is stored in a queue and answered 202; its result event goes where the queue's worker
sends it.
"""
_TAGS = {
    "functions": "One operation a path, for this machine only: the server must have no senders configured.",
    "events": "The operation is in the event's type. For this machine only.",
    "hooks": "For senders that are configured, each by its signature.",
    "server": "What the server tells of itself.",
}


def document(prefix: str, body_limit: int, *, local: bool, senders: bool, queue: bool, metrics: str) -> dict[str, Any]:
    """Return the document; `local`: the doors of this machine are open, `senders`: those of senders are, `queue`: there is one.

    `metrics`: who may ask for them, "" when there are none.
    """
    known = names()
    paths = {
        **(operations.paths(known, prefix, queue=queue) if local else {}),
        **(hooks.paths(known, prefix, queue=queue) if senders else {}),
        **service.paths(local=local, metrics=metrics),
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hongyan",
            "version": "1",
            "description": _ABOUT.format(limit=body_limit, later=_LATER if queue else ""),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": _tags(paths.values()),
        "paths": paths,
        "components": _components(known, prefix, calls=local or senders, senders=senders, queue=queue),
    }


def _components(known: list[str], prefix: str, *, calls: bool, senders: bool, queue: bool) -> dict[str, Any]:
    if not calls:
        return {"schemas": answers.problem_schema()}
    schemas = {
        **shapes.payloads_and_results(known),
        **operations.schemas(known, prefix),
        **cloudevents.schemas(),
        **shapes.result_data(),
        **answers.schemas(),
        **(later.schemas() if queue else {}),
    }
    signed = {"securitySchemes": hooks.security_schemes()} if senders else {}
    return {"schemas": schemas, "responses": answers.responses(prefix), **signed}


def _tags(items: Iterable[dict[str, Any]]) -> list[dict[str, str]]:
    used = {tag for item in items for operation in item.values() for tag in operation["tags"]}
    return [{"name": name, "description": told} for name, told in _TAGS.items() if name in used]
