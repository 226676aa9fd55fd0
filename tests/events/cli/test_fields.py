from __future__ import annotations

from marshmallow import Schema, fields, validate

from events.cli.fields import FieldRow, field_rows
from schemas.fields import Address, Flag, PathId, Text, Whole


class Inner(Schema):
    weight = Whole(least=0, most=100)


class Money(fields.Field[str]):
    """An amount and its currency.

    More than anybody asked."""


class Payload(Schema):
    resource_id = PathId()
    open = Flag(load_default=True, metadata={"description": "whether it is open"})
    word = Text(validate=validate.OneOf(["a", "b"]))
    name = Text(validate=validate.Length(min=2))
    one = fields.Nested(Inner)
    many = fields.List(fields.Nested(Inner), required=True, validate=validate.Length(max=3))
    names = fields.List(Text(), validate=validate.Length(min=1))
    price = Money(validate=lambda _: True)
    where = Address()


def test_every_field_is_a_row_and_nested_ones_by_their_path() -> None:
    rows = {row.name: row for row in field_rows(Payload())}
    assert list(rows) == [
        "resource_id", "open", "word", "name", "one", "one.weight", "many", "many[].weight", "names", "price", "where",
    ]  # fmt: skip
    assert rows["resource_id"].required
    assert rows["resource_id"].rule == "1 to 64 letters, digits, hyphens and underscores"
    assert rows["open"] == FieldRow("open", "boolean", required=False, default=True, rule="whether it is open")
    assert rows["word"].rule == "a or b"
    assert rows["name"].rule == "at least 2 characters"
    assert (rows["one"].type, rows["one"].rule) == ("object", "")
    assert rows["one.weight"] == FieldRow("one.weight", "integer", required=False, default=None, rule="0 to 100")
    assert (rows["many"].type, rows["many"].required) == ("list of objects", True)
    assert rows["many"].rule == "at most 3 items"
    assert (rows["names"].type, rows["names"].rule) == ("list of strings", "not empty")
    assert (rows["price"].type, rows["price"].rule) == ("any", "An amount and its currency")
    assert "IPv4" in rows["where"].rule
