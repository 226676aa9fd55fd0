"""Derived ids follow from the values alone, and base64 is read strictly."""

from __future__ import annotations

from typing import Any

import pytest

from events.calls import is_name
from events.triggers.functiongraph.derived import decoded, digest, joined
from events.triggers.serverless.shapes import EventRefused


def test_a_digest_follows_from_the_values_alone() -> None:
    assert digest("a", {"b": 1, "c": [2]}) == digest("a", {"c": [2], "b": 1})
    different = [
        ("a", "b"),
        ("ab",),
        ("a", None, "b"),
        ("b", "a"),
        ({"a": "b"},),
        ("a", "b", 0),
        (1,),
        ("1",),
        ("\ud800",),
    ]
    assert len({digest(*each) for each in different}) == len(different)
    assert is_name(digest("项目", "\ud800"))


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("value", [nested(100_000), object(), b"x"])
def test_what_json_cannot_carry_has_none(value: Any) -> None:
    with pytest.raises(EventRefused, match="JSON cannot carry"):
        digest(value)


def test_parts_are_joined_where_they_can_be_read() -> None:
    assert joined("a", "b") == "a/b"
    for parts in (("a", "é"), ("a\n",), ("", ""), ("x" * 600,)):
        assert is_name(joined(*parts))
    assert joined("é") != joined("è")


def test_base64_is_read_strictly() -> None:
    assert decoded({"a": "e30="}, "a", "x") == b"{}"
    assert decoded({"a": ""}, "a", "x") == b""
    for wrong in (None, 5, "e30", "e3 0", "{}{}", "é30=", "e30=e30="):
        with pytest.raises(EventRefused, match=r"x\.a must be"):
            decoded({"a": wrong}, "a", "x")
