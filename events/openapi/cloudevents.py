"""CloudEvents as JSON Schema: what is taken (one event, a batch) and what is answered, for the API's document."""

from __future__ import annotations

from typing import Any

from events.calls import MOST_REPEATED
from events.openapi.shapes import ref
from events.triggers.http import MOST_EVENTS
from schemas.result import SCHEMA_ID

EVENT = "cloudevents.Event"
BATCH = "cloudevents.Batch"
RESULT = "cloudevents.ResultEvent"
RESULTS = "cloudevents.ResultBatch"

# The last two code points of every plane but the first are written as they are: JSON Schema's dialects share no escape for them.
_NONCHARACTERS = r"\ufdd0-\ufdef\ufffe\uffff" + "".join(
    chr(plane + last) for plane in range(0x10000, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF)
)
_STRING = rf"^[^\u0000-\u001f\u007f-\u009f{_NONCHARACTERS}]*$"
_BASE64 = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"

# RFC 9110, section 8.3.1; and that with a subtype that is JSON.
_TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - a grammar's token, no secret
_PARAMETERS = rf'(?:[ \t]*;(?:[ \t]*{_TOKEN}=(?:{_TOKEN}|"(?:[ !#-\[\]-~]|\\[ -~])*"))?)*[ \t]*'
_MEDIA_TYPE = f"^{_TOKEN}/{_TOKEN}{_PARAMETERS}$"
_JSON_TYPE = rf"^{_TOKEN}/(?:{_TOKEN}\+)?[Jj][Ss][Oo][Nn]{_PARAMETERS}$"

_JSON = {"datacontenttype": {"type": ["string", "null"], "pattern": _JSON_TYPE}}
_NO_BYTES = {"data_base64": {"type": "null"}}
_NO_DATA = {"data": False}


def schemas() -> dict[str, Any]:
    """Return the schemas of events whatever they ask for, by their names in the document."""
    return {
        EVENT: _event(),
        BATCH: {"type": "array", "items": ref(EVENT), "maxItems": MOST_EVENTS},
        RESULT: _result_event(),
        RESULTS: {"type": "array", "items": ref(RESULT)},
    }


def event_with(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an event whose data is a payload, itself or as JSON in base64."""
    in_base64 = {
        "type": "string",
        "minLength": 4,
        "contentEncoding": "base64",
        "contentMediaType": "application/json",
        "contentSchema": payload,
    }
    return {
        "allOf": [ref(EVENT)],
        "anyOf": [
            {"required": ["data"], "properties": {"data": payload, **_JSON, **_NO_BYTES}},
            {"required": ["data_base64"], "properties": {"data_base64": in_base64, **_JSON, **_NO_DATA}},
        ],
    }


def result_with(data: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a result event whose data is further described by `data`."""
    return {"allOf": [ref(RESULT)], "properties": {"data": data}}


def _event() -> dict[str, Any]:
    optional = {"type": ["string", "null"]}
    return {
        "description": "A CloudEvent 1.0 in the JSON format. An attribute that is null is unset.",
        "type": "object",
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": _text("told again by the result: with the source, it makes the result's own id", "6f1c"),
            "source": {"type": "string", "format": "uri-reference", "minLength": 1, "examples": ["/monitor"]},
            "type": _text("what is asked for", "hongyan.elb.list_members"),
            "subject": {**optional, "minLength": 1, "pattern": _STRING},
            "time": {**optional, "format": "date-time"},
            "datacontenttype": {**optional, "pattern": _MEDIA_TYPE},
            "dataschema": {**optional, "format": "uri", "pattern": "^[^#]*$"},
            "data": {"description": "the payload"},
            "data_base64": {**optional, "contentEncoding": "base64", "pattern": _BASE64},
            **{name: _extension(MOST_REPEATED) for name in ("correlationid", "traceparent", "tracestate")},
        },
        "propertyNames": {"pattern": "^(?:[a-z0-9]+|data_base64)$"},
        "additionalProperties": _extension(),
        "anyOf": [
            {"properties": {**_JSON, **_NO_BYTES}},
            {"properties": {"data": {"type": "string"}, **_NO_BYTES}},
            {"properties": _NO_DATA},
        ],
    }


def _result_event() -> dict[str, Any]:
    names = ("specversion", "id", "source", "type", "time", "datacontenttype", "dataschema")
    return {
        "description": "The CloudEvent that every call ends in.",
        "type": "object",
        "required": [*names, "causationid", "correlationid", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "format": "uuid", "description": "the same for a redelivery of the same event"},
            "source": {"type": "string", "examples": ["/hongyan/cn-north-4/0605767a3300d5762fb7c0186d9e1779"]},
            "type": {"type": "string", "examples": ["hongyan.elb.list_members.succeeded"]},
            "subject": {
                "type": "string",
                "description": "the resource acted on",
                "examples": ["listeners/65093734fb96"],
            },
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "dataschema": {"const": SCHEMA_ID},
            "causationid": {"type": "string", "description": "the incoming event's id"},
            "correlationid": {
                "type": ["string", "integer", "boolean"],
                "description": "the incoming event's, else its id",
            },
            "traceparent": {"type": "string"},
            "tracestate": {"type": "string"},
            "data": ref("result.ResultData"),
        },
    }


def _text(told: str, example: str) -> dict[str, Any]:
    limits = {"minLength": 1, "maxLength": MOST_REPEATED, "pattern": _STRING}
    return {"type": "string", **limits, "description": told, "examples": [example]}


def _extension(longest: int | None = None) -> dict[str, Any]:
    text = {"type": "string", "pattern": _STRING, **({"maxLength": longest} if longest else {})}
    whole = {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1}
    return {"anyOf": [text, whole, {"type": ["boolean", "null"]}]}
