"""What the server tells of itself: health, the schema of results, this document and its page; for the API's document."""

from __future__ import annotations

from typing import Any

from events.openapi.answers import refusal
from schemas.result import SCHEMA_ID

_HTML = {"text/html": {"schema": {"type": "string"}}}


def paths(*, local: bool, metrics: str) -> dict[str, Any]:
    """Return the paths by their URLs; `local`: this machine alone may ask, `metrics`: who may ask for those, "" when there are none."""
    found = _paths() | ({"/metrics": _metrics()} if metrics else {})
    if metrics == "local":
        found["/metrics"]["get"]["responses"] |= refusal(403, "Not from this machine.")
    if local:
        for item in found.values():
            item["get"]["responses"] |= {
                **refusal(400, "Under a name that is none of this machine's own."),
                **refusal(403, "Not from this machine."),
            }
    return found


def _metrics() -> dict[str, Any]:
    text = {"schema": {"type": "string"}}
    content = {"text/plain": text, "application/openmetrics-text": text}
    told = {
        "200": {
            "description": "Prometheus's text format 0.0.4, or OpenMetrics 1.0 as `Accept` has it.",
            "content": content,
        }
    }
    return _get("metrics", "Read what the server has counted.", told)


def _paths() -> dict[str, Any]:
    return {
        "/health/live": _get("live", "Tell that the server runs.", {"200": _answer("It runs.", _status("live"))}),
        "/health/ready": _get(
            "ready",
            "Tell whether calls can be made: all settings of the cloud are there.",
            {"200": _answer("They can.", _ready("ready", 0)), "503": _answer("They cannot.", _ready("not ready", 1))},
        ),
        "/schemas/result/1": _get(
            "result-schema",
            "Get the JSON Schema of a result event's data.",
            {"200": _answer(f"The schema `{SCHEMA_ID}`.", _schema(), "application/schema+json")},
        ),
        "/openapi.json": _get(
            "openapi",
            "Get this document.",
            {
                "200": _answer("OpenAPI 3.1.", {"type": "object", "required": ["openapi", "info", "paths"]}),
                "304": _UNCHANGED,
            },
        ),
        "/docs": _get(
            "docs",
            "Read this document as a page.",
            {
                "200": {"description": "The page.", "content": _HTML},
                "304": _UNCHANGED,
                **refusal(501, "The page's assets are not installed: the problem says how to."),
            },
        ),
    }


_UNCHANGED = {"description": "It is what If-None-Match says."}


def _get(name: str, summary: str, responses: dict[str, Any]) -> dict[str, Any]:
    return {"get": {"operationId": name, "tags": ["server"], "summary": summary, "responses": responses}}


def _answer(told: str, schema: dict[str, Any], media: str = "application/json") -> dict[str, Any]:
    return {"description": told, "content": {media: {"schema": schema}}}


def _status(status: str) -> dict[str, Any]:
    return {"type": "object", "required": ["status"], "properties": {"status": {"const": status}}}


def _ready(status: str, fewest_missing: int) -> dict[str, Any]:
    missing = {"type": "array", "items": {"type": "string"}, "minItems": fewest_missing}
    shape = _status(status)
    return {
        "type": "object",
        "required": ["status", "cloud", "missing"],
        "properties": {
            **shape["properties"],
            "cloud": {"type": "string", "description": "the region, or `emulator`", "examples": ["cn-north-4"]},
            "missing": {**missing, "description": "names of the settings that are not there"},
        },
    }


def _schema() -> dict[str, Any]:
    return {"type": "object", "required": ["$id"], "properties": {"$id": {"const": SCHEMA_ID}}}
