"""Helpers of the schemas' tests: JSON values of any kind, payloads with one thing wrong, refusals read by field."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from marshmallow import Schema

Path = tuple[str | int, ...]

# A busy machine makes no test fail.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

# Halves of surrogate pairs too: JSON may hold them escaped.
TEXT = st.text(st.characters(), max_size=20)
SCALAR = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
JSON = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12
)
# What stands in a payload for something else: each JSON type, and the numbers and words that pass for others in lax readers.
WRONG_FOR_TEXT: list[Any] = [None, True, 1, 1.5, [], ["a"], {}]
WRONG_FOR_WHOLE: list[Any] = [None, True, False, 1.0, 1.5, "1", "", [], [1], {}]
WRONG_FOR_FLAG: list[Any] = [None, 0, 1, "true", "yes", "", [], {}]
WRONG_FOR_LIST: list[Any] = [None, True, 1, "members", {}, {"0": {}}]
WRONG_FOR_OBJECT: list[Any] = [None, True, 1, "text", [], [{}]]
UNPRINTABLE = ["a\x00", "\x1bb", "a\x7f", "\x85", "a\x9f", "\ud800", "a\udfff"]


def changed(payload: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """Return a copy of `payload` with `value` at `path`."""
    copied = copy.deepcopy(payload)
    _parent(copied, path)[path[-1]] = value
    return copied


def without(payload: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return a copy of `payload` without what is at `path`."""
    copied = copy.deepcopy(payload)
    del _parent(copied, path)[path[-1]]
    return copied


def _parent(value: Any, path: Path) -> Any:
    for step in path[:-1]:
        value = value[step]
    return value


def refusal(schema: Schema, payload: Any) -> dict[Path, list[str]]:
    """Return the messages of the refusal that loading `payload` must end in, by the path of the field."""
    with pytest.raises(ValidationError) as caught:
        schema.load(payload)
    return dict(_leaves(caught.value.normalized_messages(), ()))  # type: ignore[no-untyped-call]


def _leaves(messages: Any, path: Path) -> Iterator[tuple[Path, list[str]]]:
    if isinstance(messages, dict):
        for name, inner in messages.items():
            yield from _leaves(inner, path if name == "_schema" else (*path, name))
    else:
        assert isinstance(messages, list)
        assert all(isinstance(message, str) and message for message in messages)
        yield path, messages


def same_json(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON: unlike ==, this tells 1, 1.0 and true apart."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def assert_loads_as_sent(schema: Schema, payload: dict[str, Any]) -> dict[str, Any]:
    """Load `payload` and hold what comes back, before and after dumping, against what was sent; return what was loaded."""
    before = copy.deepcopy(payload)
    loaded: dict[str, Any] = schema.load(payload)
    dumped = schema.dump(loaded)
    assert payload == before
    assert same_json({name: loaded[name] for name in payload}, payload)
    assert same_json({name: dumped[name] for name in payload}, payload)
    defaults = {name for name, field in schema.fields.items() if field.load_default is not field.dump_default}
    assert set(loaded) == set(payload) | defaults
    return loaded


def assert_loads_or_refuses(schema: Schema, value: Any) -> None:
    """Whatever JSON value comes: it is loaded as it came, or marshmallow's ValidationError says why not."""
    try:
        schema.load(value)
    except ValidationError:
        assert refusal(schema, value)
    else:
        assert_loads_as_sent(schema, value)


@st.composite
def with_a_fault(draw: Callable[[Any], Any], payloads: st.SearchStrategy[dict[str, Any]]) -> Any:
    """Draw a payload of which one value is replaced by any JSON, left out, or joined by another."""
    payload = draw(payloads)
    path = draw(st.sampled_from(list(_paths(payload, ()))))
    parent, step = _parent(payload, path), path[-1]
    what = draw(st.sampled_from(["replace", "leave out", "join"]))
    if what == "leave out":
        del parent[step]
    elif what == "replace":
        parent[step] = draw(JSON)
    elif isinstance(parent, list):
        parent.append(draw(JSON))
    else:
        parent[draw(TEXT)] = draw(JSON)
    return payload


def _paths(value: Any, path: Path) -> Iterator[Path]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in pairs:
        yield (*path, step)
        yield from _paths(inner, (*path, step))


def assert_utf8_json(value: Any) -> None:
    """The value can be written as strict JSON in UTF-8."""
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
