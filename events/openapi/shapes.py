"""Marshmallow schemas as the JSON Schema of OpenAPI 3.1 (2020-12), with nothing lost, for the document's components."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter

import schemas.result
from events.openapi.fields import exact
from events.result_schema import result_schema
from functions.registry import find

if TYPE_CHECKING:
    from collections.abc import Iterable

    from marshmallow import Schema

REF = "#/components/schemas/"

# What the schemas' own hooks hold against several fields at once: marshmallow shows nothing of it. JSON Schema has words for some of it
# ("each host once" is more than uniqueItems).
_ACROSS_FIELDS: dict[str, dict[str, Any]] = {
    "apig.Member": {
        "anyOf": [{"required": ["host"]}, {"required": ["ecs_id", "ecs_name"]}],
        "dependentRequired": {"ecs_id": ["ecs_name"], "ecs_name": ["ecs_id"]},
    },
    "apig.AddMembers.members": {"uniqueItems": True, "description": "each host and each ecs_id once"},
    "csbs.CheckRestorable.check_restorable": {"uniqueItems": True, "description": "each target.resource_id once"},
    "vpcep.UpdateDescriptions.connections": {"uniqueItems": True, "description": "each id once"},
}


def name_of(schema: Schema | type[Schema]) -> str:
    """Return a schema's name in the document, as `elb.ListMembers`: two modules may each have their `Target`."""
    kind = schema if isinstance(schema, type) else type(schema)
    return f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"


def ref(name: str) -> dict[str, str]:
    """Return a reference to a schema of the document."""
    return {"$ref": REF + name}


def payloads_and_results(operations: Iterable[str]) -> dict[str, Any]:
    """Return the payload and result schemas of operations and all that they refer to, by their names in the document."""
    plugin = MarshmallowPlugin(schema_name_resolver=name_of)
    plugin.Converter = _Converter
    spec = APISpec("Hongyan", "1", "3.1.0", plugins=[plugin])
    converter: Any = plugin.converter  # Without types of its own.
    converter.add_attribute_function(exact)
    for function in map(find, operations):
        converter.resolve_nested_schema(function.payload)
        converter.resolve_nested_schema(function.result)
    return dict(sorted(spec.to_dict()["components"].get("schemas", {}).items()))


def result_data() -> dict[str, Any]:
    """Return the schema of result events' data, as `result.ResultData`, and those that it refers to."""
    text = json.dumps({name: part for name, part in result_schema().items() if name not in ("$schema", "$id")})
    whole = json.loads(text.replace("#/$defs/", f"{REF}result."))
    parts = {"ResultData": whole, **whole.pop("$defs")}
    return {
        f"result.{name}": {"description": _told(getattr(schemas.result, name)), **part} for name, part in parts.items()
    }


def _told(schema: Any) -> str:
    return inspect.getdoc(schema) or ""


class _Converter(OpenAPIConverter):
    """apispec's own, which knows neither docstrings nor what holds across fields."""

    def schema2jsonschema(self, schema: Any) -> dict[str, Any]:
        """Return a schema as JSON Schema, described by its docstring."""
        made: dict[str, Any] = super().schema2jsonschema(schema)  # type: ignore[no-untyped-call]
        name = name_of(schema)
        for field, prop in made["properties"].items():
            prop.update(_ACROSS_FIELDS.get(f"{name}.{field}", {}))
        return {"description": _told(schema), **made, **_ACROSS_FIELDS.get(name, {})}
