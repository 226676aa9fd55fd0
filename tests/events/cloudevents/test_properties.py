"""CloudEvents under any input: typed errors only, the same answer twice, and what is written is read back."""

import json
from datetime import timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.cloudevents import NO_DATA, CloudEvent, InvalidEvent, UnsupportedFormat, validate
from events.cloudevents.http import from_http, mode, to_batch, to_binary, to_structured
from events.cloudevents.rules import CORE

pytestmark = pytest.mark.slow

THOROUGH = settings(max_examples=500, deadline=None)

# What is valid

_NONCHARACTERS = "".join(
    map(chr, [*range(0xFDD0, 0xFDF0), *(p + low for p in range(0, 0x110000, 0x10000) for low in (0xFFFE, 0xFFFF))])
)
STRINGS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=_NONCHARACTERS))
FILLED = STRINGS.filter(bool)
_PATHS = st.text("abz019/:@!$&'()*+,;=-._~")
_ENDS = st.sampled_from(["", "%e9%E9", "?a=b/?"])
URIS = st.builds("{}{}{}".format, st.sampled_from(["urn:a", "https://u@h:8080/", "a+b-1.c:/d"]), _PATHS, _ENDS)
SOURCES = URIS | st.builds("{}{}{}#f".format, st.sampled_from(["/a", "a/", "../", "//[::1]/"]), _PATHS, _ENDS)
TIMES = st.datetimes(timezones=st.just(timezone.utc)).map(lambda time: time.isoformat())
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
NAMES = st.text("abtz019", min_size=1, max_size=24).filter(lambda name: name not in CORE)
INTEGERS = st.integers(-(2**31), 2**31 - 1)
JSON_TYPES = st.sampled_from(["application/json", "Application/Problem+JSON; charset=utf-8", "text/json"])
TEXT_TYPES = st.sampled_from(
    ["text/plain", "Text/XML;charset=UTF-8", "text/csv; header=present", "text/x; charset=gb18030"]
)
OTHER_TYPES = st.sampled_from(["image/png", "application/xml; charset=utf-8", "application/octet-stream"])


def payloads(binary: bool) -> st.SearchStrategy[tuple[Any, str | None]]:
    """Return data with its media type; of binary mode only what it brings back as it was (see `to_binary`)."""
    none = st.tuples(st.just(NO_DATA), st.none() | JSON_TYPES | TEXT_TYPES | OTHER_TYPES)
    filled = st.binary(min_size=1)
    if binary:
        texts = st.tuples(TEXT.filter(bool), TEXT_TYPES)
        return none | st.tuples(JSON, JSON_TYPES) | texts | st.tuples(filled, st.none() | OTHER_TYPES)
    texts = st.tuples(TEXT, TEXT_TYPES | OTHER_TYPES)
    return (
        none
        | st.tuples(JSON, st.none() | JSON_TYPES)
        | texts
        | st.tuples(st.binary(), st.none() | JSON_TYPES | OTHER_TYPES)
    )


@st.composite
def events(draw: st.DrawFn, *, binary: bool) -> CloudEvent:
    data, datacontenttype = draw(payloads(binary))
    return CloudEvent(
        draw(FILLED),
        draw(SOURCES),
        draw(FILLED),
        data,
        datacontenttype,
        draw(st.none() | URIS),
        draw(st.none() | FILLED),
        draw(st.none() | TIMES),
        draw(st.dictionaries(NAMES, STRINGS if binary else STRINGS | INTEGERS | st.booleans(), max_size=3)),
    )


@THOROUGH
@given(events(binary=False))
def test_structured_is_read_back(event: CloudEvent) -> None:
    validate(event)
    assert from_http(*to_structured(event)) == event


@settings(max_examples=200, deadline=None)
@given(st.lists(events(binary=False), max_size=2))
def test_batch_is_read_back(batch: list[CloudEvent]) -> None:
    assert from_http(*to_batch(batch)) == batch


@THOROUGH
@given(events(binary=True))
def test_binary_is_read_back(event: CloudEvent) -> None:
    validate(event)
    headers, body = to_binary(event)
    assert all(value.isascii() and value.isprintable() for value in headers.values())
    assert from_http(headers, body) == event


@THOROUGH
@given(events(binary=False))
def test_binary_of_any_event_is_an_event_or_a_typed_error(event: CloudEvent) -> None:
    """What binary mode changes is data and the types of extensions, never which event it is."""
    read = outcome(*to_binary(event))
    if isinstance(read, tuple):  # Bytes that are not what their media type says.
        assert isinstance(event.data, bytes)
        assert read[1].startswith("data: is not JSON")
        return
    assert isinstance(read, CloudEvent)
    assert (read.id, read.source, read.type, read.subject, read.time) == (
        event.id,
        event.source,
        event.type,
        event.subject,
        event.time,
    )
    assert read.extensions.keys() == event.extensions.keys()


# What is not

_VALUES = st.sampled_from(
    ["1.0", "1", "/s", "t", "0.3", "", "%C0%A0", '"a b"', '"', "a b", "é", "yesterday", "%", "%20", "x" * 300, "\x00"]
)
_MEDIA = st.sampled_from(
    [
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/cloudevents",
        "application/cloudevents+x",
        "application/json",
        "text/plain",
        "text/plain; charset=utf-16",
        "text/plain; charset=no",
        "image/png",
        "json",
        "",
        "application/cloudevents+json; charset=gbk",
        "application/cloudevents-batch+json;charset=utf-8",
    ]
)
_KEYS = st.sampled_from([*CORE, "data", "data_base64", "traceparent", "Bad", "", "é", "a" * 300])
_HEADER_NAMES = (
    _KEYS.map(lambda name: f"ce-{name}") | _KEYS.map(lambda name: f"CE-{name.title()}") | st.text(max_size=4)
)
_REQUIRED = st.sampled_from([{}, {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t"}])
HEADERS = st.builds(
    lambda required, media, others: {**required, **media, **others},
    _REQUIRED,
    st.dictionaries(st.sampled_from(["Content-Type", "content-type"]), _MEDIA | st.text(max_size=8)),
    st.dictionaries(_HEADER_NAMES, _VALUES | st.text(max_size=8), max_size=4),
)
_SURROGATES = st.text(st.characters(), max_size=4)
_MEMBERS = st.dictionaries(
    _KEYS, _VALUES | _SURROGATES | _MEDIA | JSON | st.sampled_from(["YQ==", "!!!", 5.5, 2**40]), max_size=5
)
_ENVELOPES = _MEMBERS | _MEMBERS.map(
    lambda members: {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", **members}
)
BODIES = (_ENVELOPES | st.lists(_ENVELOPES | JSON, max_size=3) | JSON).map(
    lambda value: json.dumps(value).encode()
) | st.binary()


def outcome(headers: dict[str, str], body: bytes) -> CloudEvent | list[CloudEvent] | tuple[type[Exception], str]:
    try:
        return from_http(headers, body)
    except (InvalidEvent, UnsupportedFormat) as error:
        return type(error), str(error)


@settings(max_examples=1000, deadline=None)
@given(HEADERS, BODIES)
def test_any_request_is_an_event_or_a_typed_error_and_the_same_one_twice(headers: dict[str, str], body: bytes) -> None:
    answer = outcome(headers, body)
    assert answer == outcome(headers, body)
    assert mode(headers) in {"batch", "structured", "binary", None}
    if isinstance(answer, tuple):
        assert len(answer[1]) < 300
        assert answer[1].isprintable()
        return
    for event in answer if isinstance(answer, list) else [answer]:
        validate(event)
        assert from_http(*to_structured(event)) == event


@THOROUGH
@given(st.dictionaries(st.text(), st.text()), st.binary())
def test_wholly_random_requests_raise_typed_errors_only(headers: dict[str, str], body: bytes) -> None:
    assert outcome(headers, body) == outcome(headers, body)
