"""Helpers of the document's tests: its parts, validators of its schemas, the application that it describes."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jsonschema

from events.openapi import openapi
from events.settings import EventSettings
from events.triggers.webhook import create_app
from functions.cloud.client import Client
from functions.cloud.emulator.adapter import EmulatorAdapter
from functions.cloud.emulator.core import Emulator
from functions.cloud.retry import Retry
from functions.cloud.settings import CloudSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

BOTH: dict[str, Any] = {"operations": True, "hooks": True, "queue": True}
JSON, STRUCTURED, BATCH = (f"application/{kind}" for kind in ("json", "cloudevents+json", "cloudevents-batch+json"))
EVENT: dict[str, Any] = {"specversion": "1.0", "id": "e1", "source": "/monitor", "type": "hongyan.elb.list_members"}


class Api:
    """The application on an emulator of its own."""

    def __init__(self, settings: EventSettings | None = None) -> None:
        self.emulator = Emulator()
        client = Client(CloudSettings.from_env({"HONGYAN_EMULATOR": "local"}), retry=Retry(sleep=lambda _: None))
        client.transport._session.mount("http://", EmulatorAdapter(self.emulator))
        self.http: FlaskClient = create_app(events=settings or EventSettings(), client=client).test_client()


def parts(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object inside a JSON value."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts(inner)


def schemas(document: Any) -> Iterator[Any]:
    """Yield every schema of a document that is not part of another."""
    yield from document["components"].get("schemas", {}).values()
    paths = {name: item for name, item in document.items() if name != "components"}
    for part in (*parts(paths), *parts(document["components"].get("responses", {}))):
        if "schema" in part and set(part) & {"examples", "name", "description", "schema"}:
            yield part["schema"]


@lru_cache(maxsize=64)
def validator(schema: str) -> jsonschema.Draft202012Validator:
    """Return a validator of a schema in the document; patterns mean what ECMA-262 says, not Python, whose $ lets a line break follow."""
    whole = {**json.loads(schema), "components": openapi(**BOTH)["components"]}
    exact = json.loads(json.dumps(whole), object_hook=_to_the_end)
    return jsonschema.Draft202012Validator(exact, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


def _to_the_end(part: dict[str, Any]) -> dict[str, Any]:
    pattern = part.get("pattern")
    return {**part, "pattern": re.sub(r"\$$", r"\\Z", pattern)} if isinstance(pattern, str) else part


def takes(schema: dict[str, Any], value: Any) -> bool:
    return validator(json.dumps(schema)).is_valid(value)


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
