"""What a payload may hold, one row for each field, read from its schema, for `flask functions`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marshmallow import fields, missing, validate

from schemas.fields import Flag, Text, Whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marshmallow import Schema

_TYPES = {fields.Boolean: "boolean", fields.Integer: "integer", fields.String: "string", fields.Nested: "object"}
# These say nothing by their own names that their type does not.
_PLAIN = (Text, Whole, Flag, fields.List, fields.Nested)


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field: `name` as a path (`members[].host`), `type` as JSON has it, `default` a JSON value or None, `rule` in words."""

    name: str
    type: str
    required: bool
    default: Any
    rule: str


def field_rows(schema: Schema, prefix: str = "") -> Iterator[FieldRow]:
    """Yield the rows of a schema and of the schemas nested in it, in the order of their declaration."""
    for name, field in schema.fields.items():
        default = None if field.load_default is missing else field.load_default
        yield FieldRow(prefix + name, _type(field), field.required, default, "; ".join(_rules(field)))
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested):
            yield from field_rows(inner.schema, f"{prefix}{name}{'[]' if inner is not field else ''}.")


def _type(field: fields.Field[Any]) -> str:
    if isinstance(field, fields.List):
        return f"list of {_type(field.inner)}s"
    return next((word for kind, word in _TYPES.items() if isinstance(field, kind)), "any")


def _rules(field: fields.Field[Any]) -> Iterator[str]:
    if description := field.metadata.get("description"):
        yield description
    if isinstance(field, Text) and field.rule:
        yield field.rule
    elif type(field) not in _PLAIN and not description:
        yield (type(field).__doc__ or "").partition("\n")[0].rstrip(".")
    yield from (words for validator in field.validators if (words := _limit(validator, field)))


def _limit(validator: object, field: fields.Field[Any]) -> str:
    if isinstance(validator, validate.OneOf):
        return " or ".join(map(str, validator.choices))
    if not isinstance(validator, (validate.Range, validate.Length)):
        return ""
    least, most = validator.min, validator.max
    counted = " items" if isinstance(field, fields.List) else " characters"
    unit = "" if isinstance(validator, validate.Range) else counted
    if least is not None and most is not None:
        return f"{least} to {most}{unit}"
    if (least, unit) == (1, " items"):
        return "not empty"
    return f"at least {least}{unit}" if least is not None else f"at most {most}{unit}"
