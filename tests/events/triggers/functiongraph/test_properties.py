"""Whatever arrives: an answer, or an exception that says why and is one of ours."""

from __future__ import annotations

import copy
import json
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.triggers.serverless.shapes import EventRefused
from events.triggers.serverless.whole import NotDone
from tests.events.triggers.functiongraph.support import LISTS, Deployed, deployed, sample, takes

NAMES = ("apig", "cts", "dis", "eventgrid", "kafka", "obs", "smn", "timer")
SAMPLES = {name: sample(name) for name in NAMES} | {"lts": {"lts": {"data": "e30="}}, "invoke": LISTS}
ENVIRONS = (
    {"HONGYAN_GATEWAY_AUTHENTICATES": "true"},
    {"HONGYAN_OPERATION": "elb.list_members"},
    takes({"listener_id": {"at": "/resource_id"}}),
)

texts = st.text(max_size=8) | st.sampled_from(
    ["\ud800", "\x00", "https", "e30=", "{}", "null", '{"specversion": "1.0"}']
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
KEYS = sorted({key for event in SAMPLES.values() for key in event} | {"specversion", "type", "id", "source", "data"})


@lru_cache
def functions() -> tuple[Deployed, ...]:
    return tuple(deployed(environ) for environ in ENVIRONS)


def run(event: Any, which: int) -> None:
    """Run an event; anything but an answer or a typed refusal fails the test, and a request is always answered."""
    function = functions()[which]
    over_http = isinstance(event, dict) and {"requestContext", "httpMethod"} <= event.keys()
    try:
        answer = function.answer(event)
    except (EventRefused, NotDone):
        assert not over_http
        return
    assert json.loads(json.dumps(answer)) == answer
    if over_http:
        assert set(answer) == {"statusCode", "headers", "body", "isBase64Encoded"}
        assert isinstance(answer["body"], str)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to everything inside a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way for key, each in inside for way in ((*path, key), *paths(each, (*path, key)))]


@given(st.dictionaries(st.sampled_from(KEYS) | texts, values, max_size=6) | values, st.integers(0, len(ENVIRONS) - 1))
def test_any_json_value_gives_an_answer_or_a_typed_refusal(event: Any, which: int) -> None:
    run(event, which)


@given(st.data(), st.sampled_from(sorted(SAMPLES)), st.integers(0, len(ENVIRONS) - 1))
def test_any_change_to_a_real_event_does_too(data: st.DataObject, name: str, which: int) -> None:
    event = copy.deepcopy(SAMPLES[name])
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(paths(event)))
        holder = event
        for step in way:
            holder = holder[step]
        if data.draw(st.booleans()):
            holder[last] = data.draw(values)
        elif len(event) > 1 or way:
            del holder[last]
    run(event, which)


@pytest.mark.parametrize("depth", [60, 70, 900])
@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_deep_event_is_no_trouble(name: str, depth: int) -> None:
    deep: Any = 1
    for _ in range(depth):
        deep = {"a": deep}
    event = copy.deepcopy(SAMPLES[name])
    for way in [way for way in paths(event) if isinstance(way[-1], str)]:
        changed = copy.deepcopy(event)
        holder = changed
        for step in way[:-1]:
            holder = holder[step]
        holder[way[-1]] = deep
        run(changed, 1)
