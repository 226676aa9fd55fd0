"""The JSON Schema of result events' data, made from `schemas.result`, for whoever consumes them."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin

from schemas.result import SCHEMA_ID, ResultData


@lru_cache(maxsize=1)
def result_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12, as OpenAPI 3.1 has it) whose `$id` is the events' `dataschema`."""
    spec = APISpec("Hongyan", "1", "3.1.0", plugins=[MarshmallowPlugin(schema_name_resolver=_name)])
    spec.components.schema("ResultData", schema=ResultData)
    parts = json.loads(json.dumps(spec.to_dict()["components"]["schemas"]).replace("#/components/schemas/", "#/$defs/"))
    whole = parts.pop("ResultData")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **whole, "$defs": parts}


def _name(schema: Any) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__
