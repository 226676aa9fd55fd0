"""What is stored for later: how it is asked for, and the answer 202; for the API's document."""

from __future__ import annotations

from typing import Any

from events.dispatch import result_id
from events.openapi import examples
from events.openapi.cloudevents import RESULT
from events.openapi.shapes import ref
from events.triggers.http import MOST_EVENTS
from events.triggers.preferences import RESPOND_ASYNC

STORED = "later.Stored"
BATCH = "later.StoredBatch"

_EXAMPLE = {"id": "6f1c", "source": "/monitor", "operation": "elb.list_members"}


def schemas() -> dict[str, Any]:
    """Return the schemas of the answer 202, by their names in the document."""
    return {
        STORED: _stored(),
        BATCH: {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST_EVENTS,
            "items": {
                "allOf": [ref(STORED)],
                "properties": {
                    "rejected": {**ref(RESULT), "description": "its result: it was refused, and is not stored"}
                },
            },
        },
    }


def prefer() -> dict[str, Any]:
    """Return the header that asks for it."""
    return {
        "name": "Prefer",
        "in": "header",
        "description": f"`{RESPOND_ASYNC}` (RFC 7240): answer when it is stored, not when it is done. Other preferences are passed over.",
        "schema": {"type": "string", "examples": [RESPOND_ASYNC]},
    }


def accepted(prefix: str) -> dict[str, Any]:
    """Return the answer 202, as an operation lists it; `prefix` is the first part of event types."""
    stored = {**_EXAMPLE, "result_id": result_id(_EXAMPLE["source"], _EXAMPLE["id"], _EXAMPLE["operation"])}
    refused = {"id": "6f1d", "source": "/monitor", "operation": "apig.add_members"}
    event = examples.failed(400, "invalid_argument", prefix)
    event |= {"id": result_id(refused["source"], refused["id"], refused["operation"]), "causationid": "6f1d"}
    batch = [stored, {**refused, "result_id": event["id"], "rejected": event}]
    shown = {"stored": {"value": stored}, "batch": {"value": batch}}
    return {
        "202": {
            "description": "It is stored in the queue, which has confirmed that, and will be done: `result_id` is the id that its "
            "result event will have. What is plainly wrong is not stored but answered as ever; of a batch, each event's place tells what "
            "became of it, and only those with `rejected` are to be mended and sent again.",
            "headers": {
                "Preference-Applied": {
                    "description": "the preference, where it was asked for",
                    "schema": {"const": RESPOND_ASYNC},
                }
            },
            "content": {"application/json": {"schema": {"anyOf": [ref(STORED), ref(BATCH)]}, "examples": shown}},
        }
    }


def _stored() -> dict[str, Any]:
    return {
        "description": "What was taken, and how its result will be known.",
        "type": "object",
        "required": ["id", "source", "operation", "result_id"],
        "properties": {
            "id": {"type": "string", "minLength": 1, "description": "the event's or your own id, else a fresh one"},
            "source": {"type": "string", "minLength": 1},
            "operation": {"type": "string", "examples": [_EXAMPLE["operation"]]},
            "result_id": {"type": "string", "format": "uuid", "description": "the id of the result event"},
        },
    }
