"""The event itself and the rules of its attributes."""

import pickle
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from events.cloudevents import NO_DATA, CloudEvent, InvalidEvent, UnsupportedFormat, from_attributes, validate
from events.cloudevents.rules import charset, is_json, media_type

BASE: dict[str, Any] = {"id": "1", "source": "/s", "type": "t"}


def refusal(**fields: Any) -> InvalidEvent:
    with pytest.raises(InvalidEvent) as caught:
        CloudEvent.checked(**{**BASE, **fields})
    return caught.value


def test_the_least_event() -> None:
    event = CloudEvent("1", "/s", "t")
    assert event.specversion == "1.0"
    assert event.data is NO_DATA
    assert event.extensions == {}
    assert event.attributes() == {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
    assert event == CloudEvent.checked(**BASE)


def test_the_fullest_event() -> None:
    event = CloudEvent.checked(
        **BASE,
        data=[1],
        datacontenttype="application/json",
        dataschema="urn:hongyan:result:1",
        subject="雁 1",
        time="2024-01-31T08:00:00Z",
        extensions={"traceparent": "00-1-2-01", "sequence": "0001", "severitynumber": 9, "retried": False},
    )
    assert event.attributes() == {
        "specversion": "1.0",
        "id": "1",
        "source": "/s",
        "type": "t",
        "datacontenttype": "application/json",
        "dataschema": "urn:hongyan:result:1",
        "subject": "雁 1",
        "time": "2024-01-31T08:00:00Z",
        "traceparent": "00-1-2-01",
        "sequence": "0001",
        "severitynumber": 9,
        "retried": False,
    }


def test_an_event_cannot_be_changed() -> None:
    given = {"a": "b"}
    event = CloudEvent.checked(**BASE, extensions=given)
    given["a"] = "c"
    with pytest.raises(FrozenInstanceError):
        event.id = "2"  # type: ignore[misc]
    with pytest.raises(TypeError):
        event.extensions["a"] = "c"  # type: ignore[index]
    with pytest.raises(TypeError):
        CloudEvent("1", "/s", "t").extensions["a"] = "c"  # type: ignore[index]
    assert event.extensions == {"a": "b"}


def test_null_is_data() -> None:
    assert CloudEvent.checked(**BASE, data=None) != CloudEvent.checked(**BASE)


def test_what_is_logged_of_an_event_has_no_payload() -> None:
    assert "hunter2" not in repr(CloudEvent("1", "/s", "t", {"password": "hunter2"}))


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type"])
def test_a_required_attribute_that_is_missing_is_named(name: str) -> None:
    attributes = {"specversion": "1.0", **BASE}
    del attributes[name]
    with pytest.raises(InvalidEvent, match=f"^{name}: is missing: an event needs specversion, id, source, type$"):
        from_attributes(attributes, lambda _: NO_DATA)


@pytest.mark.parametrize("name", ["id", "source", "type", "subject", "time", "dataschema", "datacontenttype"])
def test_an_attribute_of_the_specification_is_never_empty_nor_anything_but_a_string(name: str) -> None:
    assert str(refusal(**{name: ""})) == f"{name}: must not be empty"
    assert str(refusal(**{name: 5})) == f"{name}: must be a string"
    assert str(refusal(**{name: ["x"]})) == f"{name}: must be a string"


@pytest.mark.parametrize("character", ["\x00", "\n", "\x1f", "\x7f", "\x85", "\x9f", "\ud800", "\ufdd0"])
@pytest.mark.parametrize("name", ["id", "type", "subject", "source", "time", "datacontenttype", "dataschema"])
def test_strings_hold_no_forbidden_character(name: str, character: str) -> None:
    assert refusal(**{name: f"urn:a{character}b"}).attribute == name


@pytest.mark.parametrize("character", ["\ufdef", "\ufffe", "\uffff", "\U0001fffe", "\U0010ffff"])
def test_strings_hold_no_noncharacter(character: str) -> None:
    problem = refusal(extensions={"x": character})
    assert problem.attribute == "x"
    assert problem.message == "holds a control character, a noncharacter or a lone surrogate: remove it"


@pytest.mark.parametrize(
    "character", [" ", "~", "\xa0", "\ufdcf", "\ufdf0", "\ufffd", "\U0001fffd", "雁", "😀", "\u200b"]
)
def test_strings_hold_every_other_character(character: str) -> None:
    assert CloudEvent.checked(**{**BASE, "id": character}).id == character


@pytest.mark.parametrize(
    "source",
    [
        "/",
        "a",
        "1-555-123-4567",
        "https://github.com/cloudevents",
        "mailto:a@b.example",
        "urn:uuid:6e8bc430",
        "?q",
        "#f",
        "//host:8080/p",
        "http://u:p@[::1]:80/a;b=c/?x=/?#/?",
        "http://[v1.a:b]/",
        "a%20b",
        "../a:b",
        "./1:2",
        "x:",
        "/%e9",
        "http://h:/",
        "file:///etc",
        "urn:a:b:c",
        "/a//b",
        "h+t.p-1:x",
        "!$&'()*+,;=-._~@",
    ],
)
def test_a_source_is_a_uri_reference(source: str) -> None:
    assert CloudEvent.checked(**{**BASE, "source": source}).source == source


@pytest.mark.parametrize(
    "source",
    [
        "a b",
        "/雁",
        "/a%2",
        "/a%zz",
        "%",
        "1:2",
        ":a",
        "a[b",
        'a"b',
        "<a>",
        "a\\b",
        "a^b",
        "`",
        "{a}",
        "a|b",
        "http://[::1",
        "http://h:8o/",
        "//a@b@c/",
        "#a#b",
        "http://[/",
        "http://[:g]/",
        "//h:1:2",
    ],
)
def test_a_source_is_nothing_but_a_uri_reference(source: str) -> None:
    assert (
        str(refusal(source=source))
        == "source: must be a URI-reference (RFC 3986): percent-encode every other character"
    )


@pytest.mark.parametrize("uri", ["urn:hongyan:result:1", "https://example.com/s.json?v=1", "x:", "a:/b"])
def test_a_dataschema_is_an_absolute_uri(uri: str) -> None:
    assert CloudEvent.checked(**BASE, dataschema=uri).dataschema == uri


@pytest.mark.parametrize("uri", ["/relative", "//host/p", "https://example.com/s#part", "#part", "s.json"])
def test_a_dataschema_is_neither_relative_nor_has_it_a_fragment(uri: str) -> None:
    assert "must be an absolute URI" in str(refusal(dataschema=uri))


@pytest.mark.parametrize(
    "time",
    [
        "2024-01-31T08:00:00Z",
        "2024-01-31t08:00:00z",
        "2024-02-29T23:59:59.123456789+08:00",
        "1985-04-12T23:20:50.52Z",
        "2016-12-31T23:59:60Z",
        "2016-12-31T15:59:60-08:00",
        "2017-01-01T07:59:60.5+08:00",
        "0000-02-29T00:00:00-00:00",
        "9999-12-31T23:59:59Z",
        "2000-02-29T00:00:00+23:59",
    ],
)
def test_a_time_is_kept_as_it_was_sent(time: str) -> None:
    assert CloudEvent.checked(**BASE, time=time).time == time


@pytest.mark.parametrize(
    "time",
    [
        "yesterday",
        "2024-13-01T00:00:00Z",
        "2024-00-01T00:00:00Z",
        "2024-01-32T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z",
        "2024-01-01T00:00:61Z",
        "2024-01-01T12:00:60Z",
        "2016-12-31T23:59:60+08:00",
        "2024-01-01T00:00:00+24:00",
        "2024-01-01T00:00:00+08:60",
        "2024-01-01T00:00:00",
        "2024-01-01 00:00:00Z",
        "2024-01-01",
        "2024-1-1T0:0:0Z",
        "2024-01-01T00:00Z",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00+0800",
        "2024-01-01T00:00:00,5Z",
        "20240101T000000Z",
        "1704067200",
        "２０２４-01-01T00:00:00Z",
        "2024-01-01T00:00:00Z ",
        "2024-01-01T00:00:00ZZ",
        "-2024-01-01T00:00:00Z",
    ],
)
def test_a_time_is_real_and_rfc_3339(time: str) -> None:
    assert str(refusal(time=time)) == "time: must be a real time in RFC 3339, such as 2024-01-31T08:00:00Z"


@pytest.mark.parametrize(
    "media",
    [
        "application/json",
        "Application/JSON; charset=UTF-8",
        "text/plain;charset=utf-8",
        "application/vnd.a.b+json;v=1",
        'multipart/mixed; boundary="a; b\\"c"',
        "text/plain;",
        "text/plain ; ; a=b ; ",
        "x/*",
        "a/b;c=d;e=f",
    ],
)
def test_a_datacontenttype_is_a_media_type(media: str) -> None:
    assert CloudEvent.checked(**BASE, datacontenttype=media, data=b"").datacontenttype == media


@pytest.mark.parametrize(
    "media",
    [
        "json",
        "a/",
        "/b",
        "a/b/c",
        "a b/c",
        "a/b; c",
        "a/b; c=",
        "a/b; =d",
        'a/b; c="',
        'a/b; c="d"e',
        "a/b, c/d",
        "文/本",
        'a/b; c="é"',
        "a/b c=d",
        "a/b; c = d",
    ],
)
def test_a_datacontenttype_is_nothing_but_a_media_type(media: str) -> None:
    assert str(refusal(datacontenttype=media)) == "datacontenttype: must be a media type, such as application/json"


def test_no_pattern_takes_for_ever() -> None:
    """Each of these made an ambiguous pattern try every way to divide the text."""
    blanks = "a/b" + ";  " * 50_000 + "("
    assert media_type(blanks) is not None
    assert media_type('a/b;c="' + "\\ " * 50_000) is not None
    assert refusal(source="//" + "a:" * 50_000).attribute == "source"
    assert refusal(source="a" * 100_000 + "^").attribute == "source"
    assert refusal(time="2024-01-01T00:00:00." + "0" * 100_000).attribute == "time"


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        ("text/plain", None),
        ("text/plain; charset=GBK", "gbk"),
        ('text/plain;a=b;Charset="UTF-8"', "utf-8"),
        ('text/plain; a="; charset=x"; charset=big5', "big5"),
        ("text/plain;charset=a;charset=b", "a"),
    ],
)
def test_the_charset_of_a_media_type(media: str, expected: str | None) -> None:
    assert charset(media) == expected


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        (None, True),
        ("application/json", True),
        ("TEXT/JSON ; charset=utf-8", True),
        ("application/problem+JSON", True),
        ("application/jsonp", False),
        ("application/json-seq", False),
        ("text/plain; a=/json", False),
        ("a/+jsonx", False),
    ],
)
def test_which_media_types_are_json(media: str | None, expected: bool) -> None:
    assert is_json(media) is expected


@pytest.mark.parametrize("name", ["traceparent", "a", "1", "0x", "k" * 60])
@pytest.mark.parametrize("value", ["", "x", "雁 ", True, False, 0, 2**31 - 1, -(2**31)])
def test_an_extension_is_a_string_a_small_integer_or_a_boolean(name: str, value: str | int | bool) -> None:
    read = CloudEvent.checked(**BASE, extensions={name: value}).extensions[name]
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 10**30])
def test_an_integer_has_32_bits(value: int) -> None:
    assert str(refusal(extensions={"x": value})) == "x: must be an integer of 32 bits: send a larger one as a string"


@pytest.mark.parametrize("value", [1.0, None, [], {}, b"x"])
def test_an_extension_is_nothing_else(value: Any) -> None:
    assert str(refusal(extensions={"x": value})) == "x: must be a string, an integer or a boolean"


@pytest.mark.parametrize("name", ["", "A", "data", "data_base64", "a-b", "a b", "é", "a\n", "ſ", "１", 5, None])
def test_a_name_is_made_of_small_letters_and_digits(name: Any) -> None:
    assert refusal(extensions={name: "x"}).message == 'an attribute name is made of a-z and 0-9, and is not "data"'


@pytest.mark.parametrize("name", ["specversion", "id", "datacontenttype", "time"])
def test_an_extension_is_not_named_as_what_the_specification_defines(name: str) -> None:
    assert str(refusal(extensions={name: "1.0"})) == f"{name}: is no extension: the specification defines it"


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("0.3", 'must be "1.0", not "0.3"'),
        ("1.1", 'must be "1.0", not "1.1"'),
        ("", 'must be "1.0"'),
        ("1.0\n", 'must be "1.0"'),
        ("9" * 41, 'must be "1.0"'),
        ("一", 'must be "1.0"'),
        (1.0, 'must be "1.0"'),
    ],
)
def test_the_version_is_1_0(version: Any, message: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        from_attributes({**BASE, "specversion": version}, lambda _: NO_DATA)
    assert str(caught.value) == f"specversion: {message}"


@pytest.mark.parametrize(
    ("data", "datacontenttype"),
    [
        ({"a": [None]}, None),
        ("text", None),
        ([1], "a/b+json"),
        ("<a/>", "application/xml"),
        ("", "text/plain"),
        (b"\xff", None),
        (b"\xff", "application/json"),
        (b"", "image/png"),
    ],
)
def test_data_fits_its_media_type(data: Any, datacontenttype: str | None) -> None:
    assert CloudEvent.checked(**BASE, data=data, datacontenttype=datacontenttype).data == data


@pytest.mark.parametrize("data", [{}, [], 1, None, True])
def test_data_that_is_not_json_is_text_or_bytes(data: Any) -> None:
    answer = refusal(data=data, datacontenttype="text/plain")
    assert str(answer) == "data: must be text or bytes where datacontenttype is not JSON"


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


@pytest.mark.parametrize("media", [None, "application/json"])
@pytest.mark.parametrize(
    "data",
    [
        float("nan"),
        [float("inf")],
        object(),
        {1, 2},
        "\ud800",
        {"\ud800": 1},
        {1: "a", "1": "b"},
        {"a": b"x"},
        pytest.param(nested(65), id="deep"),
        pytest.param(nested(100000), id="deeper than a stack"),
    ],
)
def test_data_that_json_cannot_carry_is_refused(data: Any, media: str | None) -> None:
    assert str(refusal(data=data, datacontenttype=media)) == "data: is not a value that JSON can carry"


def test_text_that_utf_8_cannot_carry_is_refused() -> None:
    assert refusal(data="\ud800", datacontenttype="text/plain").attribute == "data"


def test_an_event_built_without_checks_can_be_checked() -> None:
    validate(CloudEvent("1", "/s", "t", {"a": 1}))
    with pytest.raises(InvalidEvent, match=r"^source: must be a URI-reference"):
        validate(CloudEvent("1", "a b", "t"))


def test_a_hostile_name_is_not_repeated() -> None:
    for name in ("N" * 41, "\x1b[31m", "雁" * 3):
        problem = refusal(extensions={name: "x"})
        assert problem.attribute is None
        assert str(problem) == problem.message


def test_errors_carry_what_an_answer_needs() -> None:
    invalid, unsupported = InvalidEvent("id", "must not be empty"), UnsupportedFormat("send JSON")
    assert (invalid.kind, invalid.status, invalid.retryable) == ("invalid_argument", 400, False)
    assert (unsupported.kind, unsupported.status, unsupported.retryable) == ("invalid_argument", 415, False)
    assert isinstance(invalid, ValueError)
    assert isinstance(unsupported, ValueError)
    assert str(pickle.loads(pickle.dumps(invalid))) == "id: must not be empty"


def test_a_fault_in_a_batch_says_where() -> None:
    assert str(InvalidEvent("source", "is bad").within(3)) == "[3].source: is bad"
    assert str(InvalidEvent(None, "is bad").within(0)) == "[0]: is bad"
