"""The HTTP binding: which mode, how each is read and written, and what libraries get wrong."""

import base64
import json
from typing import Any

import pytest

from events.cloudevents import NO_DATA, CloudEvent, InvalidEvent, UnsupportedFormat
from events.cloudevents.http import BATCH, STRUCTURED, from_http, mode, to_batch, to_binary, to_structured
from events.cloudevents.json import from_envelope, to_envelope

CE = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t"}
ENVELOPE: dict[str, Any] = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
LEAST = CloudEvent("1", "/s", "t")


def event_of(headers: dict[str, str], body: bytes = b"") -> CloudEvent:
    event = from_http(headers, body)
    assert isinstance(event, CloudEvent)
    return event


def structured(**members: Any) -> CloudEvent:
    return event_of({"Content-Type": STRUCTURED}, json.dumps({**ENVELOPE, **members}).encode())


def binary(body: bytes = b"", **headers: str) -> CloudEvent:
    return event_of({**CE, **{name.replace("_", "-"): value for name, value in headers.items()}}, body)


def refusal(headers: dict[str, str], body: bytes | str | list[Any] | dict[str, Any] = b"") -> str:
    raw = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    with pytest.raises(InvalidEvent) as caught:
        from_http(headers, raw)
    return str(caught.value)


def unsupported(headers: dict[str, str], body: bytes = b"{}") -> str:
    with pytest.raises(UnsupportedFormat) as caught:
        from_http(headers, body)
    return str(caught.value)


# Which mode


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({"Content-Type": "application/cloudevents-batch+json"}, "batch", id="batch"),
        pytest.param(
            {"CONTENT-TYPE": "Application/CloudEvents-Batch+JSON; charset=x"}, "batch", id="batch in capitals"
        ),
        pytest.param({**CE, "Content-Type": BATCH}, "batch", id="batch before ce- headers"),
        pytest.param({"content-type": "application/cloudevents+json"}, "structured", id="structured"),
        pytest.param({"content-type": " \tAPPLICATION/CLOUDEVENTS"}, "structured", id="structured without format"),
        pytest.param({"content-type": "application/cloudevents+avro"}, "structured", id="structured, other format"),
        pytest.param({**CE, "Content-Type": STRUCTURED}, "structured", id="structured before ce- headers"),
        pytest.param(CE, "binary", id="binary"),
        pytest.param({"CE-ID": "1"}, "binary", id="one required header, capitals"),
        pytest.param({"Ce-Specversion": "1.0", "Content-Type": "text/plain"}, "binary", id="specversion alone"),
        pytest.param({"ce-source": "/"}, "binary", id="source alone"),
        pytest.param({"ce-type": "t"}, "binary", id="type alone"),
        pytest.param({"ce-subject": "x", "Content-Type": "application/json"}, None, id="only optional ce- headers"),
        pytest.param({"Content-Type": "application/json"}, None, id="plain JSON"),
        pytest.param({"X-ce-id": "1", "ceid": "1"}, None, id="names that only look alike"),
        pytest.param({}, None, id="nothing"),
    ],
)
def test_mode(headers: dict[str, str], expected: str | None) -> None:
    assert mode(headers) == expected


def test_what_is_no_event_is_told_what_to_send() -> None:
    answer = refusal({"Content-Type": "application/json"}, b"{}")
    assert answer.startswith(
        "not a CloudEvent: send Content-Type application/cloudevents+json, or ce-specversion, ce-id"
    )


# Formats


@pytest.mark.parametrize(
    "content_type",
    [
        "application/cloudevents",
        "application/cloudevents+avro",
        "application/cloudevents+xml",
        "application/cloudeventsjson",
        "application/cloudevents+json+x",
        "application/cloudevents+json, text/plain",
        "application/cloudevents; a=b",
    ],
)
def test_an_unknown_format_is_unsupported(content_type: str) -> None:
    assert unsupported({"Content-Type": content_type}).endswith("send Content-Type application/cloudevents+json")


@pytest.mark.parametrize("content_type", ["application/cloudevents-batch", "application/cloudevents-batch+protobuf"])
def test_an_unknown_batch_format_is_unsupported(content_type: str) -> None:
    assert unsupported({"Content-Type": content_type}).endswith("send Content-Type application/cloudevents-batch+json")


@pytest.mark.parametrize("charset", ["utf-16", "gbk", '"iso-8859-1"', "us-ascii"])
def test_an_envelope_in_another_charset_is_unsupported(charset: str) -> None:
    assert "UTF-8 only" in unsupported({"Content-Type": f"{STRUCTURED}; charset={charset}"})
    assert "UTF-8 only" in unsupported({"Content-Type": f"{BATCH}; charset={charset}"})


@pytest.mark.parametrize("charset", ["UTF-8", "utf-8", '"utf-8"', "utf8"])
def test_an_envelope_in_utf_8_is_read(charset: str) -> None:
    headers = {"Content-Type": f"application/CloudEvents+JSON;charset={charset}"}
    assert event_of(headers, json.dumps({**ENVELOPE, "subject": "雁"}, ensure_ascii=False).encode()).subject == "雁"


# Structured


def test_structured_least() -> None:
    assert structured() == LEAST


def test_structured_null_is_unset() -> None:
    unset = dict.fromkeys(["subject", "time", "dataschema", "datacontenttype", "traceparent", "data_base64"])
    assert structured(**unset) == LEAST


def test_structured_null_does_not_stand_for_what_is_required() -> None:
    assert refusal({"Content-Type": STRUCTURED}, {**ENVELOPE, "source": None}).startswith("source: is missing")


@pytest.mark.parametrize("data", [None, "a string", '{"a":1}', 5, 1.5, True, [], {"a": {"b": None}}, ""])
@pytest.mark.parametrize(
    "datacontenttype", [None, "application/json", "Text/JSON; charset=utf-8", "application/x+json"]
)
def test_structured_json_data_is_the_value_itself(data: Any, datacontenttype: str | None) -> None:
    event = structured(data=data, datacontenttype=datacontenttype)
    assert (event.data, type(event.data)) == (data, type(data))
    assert event.datacontenttype == datacontenttype


def test_structured_other_data_is_text() -> None:
    assert structured(data="<a/>", datacontenttype="application/xml").data == "<a/>"
    assert structured(data="5", datacontenttype="text/plain").data == "5"


@pytest.mark.parametrize("data", [{}, [], 5, None, False])
def test_structured_other_data_is_nothing_but_text(data: Any) -> None:
    answer = refusal({"Content-Type": STRUCTURED}, {**ENVELOPE, "datacontenttype": "text/plain", "data": data})
    assert answer == "data: must be a string where datacontenttype is not JSON; send bytes as data_base64"


@pytest.mark.parametrize("raw", [b"", b"\x00\xff", b"\xfb\xef\xbe", b"x" * 100])
@pytest.mark.parametrize("datacontenttype", [None, "image/png", "application/json"])
def test_structured_base64_is_bytes(raw: bytes, datacontenttype: str | None) -> None:
    assert structured(data_base64=base64.b64encode(raw).decode(), datacontenttype=datacontenttype).data == raw


@pytest.mark.parametrize(
    "encoded",
    [
        "!!!",
        "!!!!",
        "YQ",
        "YQ=",
        "YQ===",
        "Y",
        "YQ==\n",
        "YQ==YQ==",
        "====",
        "==",
        "YWE=YQ==",
        "YW E",
        "-_-_",
        "雁雁雁雁",
        "AAAA==",
        "A===",
        5,
        True,
        ["YQ=="],
        {},
    ],
)
def test_structured_base64_is_strict(encoded: Any) -> None:
    answer = refusal({"Content-Type": STRUCTURED}, {**ENVELOPE, "data_base64": encoded})
    assert answer == "data_base64: must be a string of padded base64 (RFC 4648, section 4)"


@pytest.mark.parametrize("data", [None, "x", {}])
def test_structured_has_one_kind_of_data(data: Any) -> None:
    answer = refusal({"Content-Type": STRUCTURED}, {**ENVELOPE, "data": data, "data_base64": "YQ=="})
    assert answer == "data_base64: stands beside data: send one of them"


def test_structured_keeps_the_types_of_extensions() -> None:
    assert structured(a=5, b=True, c="5").extensions == {"a": 5, "b": True, "c": "5"}


@pytest.mark.parametrize(
    ("members", "message"),
    [
        pytest.param({"id": 5}, "id: must be a string", id="integer id"),
        pytest.param({"id": ""}, "id: must not be empty", id="empty id"),
        pytest.param({"specversion": "0.3"}, 'specversion: must be "1.0", not "0.3"', id="version 0.3"),
        pytest.param({"a": 2147483648}, "a: must be an integer of 32 bits", id="integer of 33 bits"),
        pytest.param({"a": 5.0}, "a: must be a string, an integer or a boolean", id="number with a fraction"),
        pytest.param({"a": {}}, "a: must be a string, an integer or a boolean", id="object as extension"),
        pytest.param({"Subject": "x"}, "Subject: an attribute name is made of a-z", id="capital in a name"),
        pytest.param({"data_": "x"}, "data_: an attribute name is made of a-z", id="underscore in a name"),
        pytest.param({"time": "2024-13-01T00:00:00Z"}, "time: must be a real time", id="month 13"),
        pytest.param({"subject": "\ufffe"}, "subject: holds a control character, a noncharacter", id="noncharacter"),
        pytest.param({"dataschema": "/s"}, "dataschema: must be an absolute URI", id="relative schema"),
        pytest.param({"datacontenttype": "json"}, "datacontenttype: must be a media type", id="no media type"),
    ],
)
def test_structured_faults_name_the_attribute(members: dict[str, Any], message: str) -> None:
    assert refusal({"Content-Type": STRUCTURED}, {**ENVELOPE, **members}).startswith(message)
    batch = [ENVELOPE, ENVELOPE, {**ENVELOPE, **members}]
    assert refusal({"Content-Type": BATCH}, batch).startswith(f"[2].{message}")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b"", "the body is not JSON: malformed JSON at line 1, column 1", id="empty"),
        pytest.param(b"\xff", "the body is not JSON: the text is not UTF-8", id="not UTF-8"),
        pytest.param(b"\xef\xbb\xbf{}", "the body is not JSON: the text starts with a byte order mark", id="BOM"),
        pytest.param(b'{"id":"1","id":"2"}', 'the body is not JSON: an object has the key "id" twice', id="id twice"),
        pytest.param(b'{"subject":"\\ud800"}', "the body is not JSON: a string holds a lone surrogate", id="surrogate"),
        pytest.param(b'{"data":NaN}', "the body is not JSON: NaN is not JSON", id="NaN"),
        pytest.param(b'{"data":' + b"[" * (1 << 20), "the body is not JSON: nested deeper than 64", id="a MiB of ["),
        pytest.param(b'"text"', "an event must be a JSON object", id="string"),
        pytest.param(b"null", "an event must be a JSON object", id="null"),
    ],
)
def test_structured_body_is_one_json_object(body: bytes, message: str) -> None:
    assert refusal({"Content-Type": STRUCTURED}, body).startswith(message)


# Batch


def test_batch_may_be_empty() -> None:
    assert from_http({"Content-Type": BATCH}, b"[]") == []


def test_batch_keeps_the_order() -> None:
    batch = [{**ENVELOPE, "id": str(number), "data": number} for number in range(3)]
    assert from_http({"Content-Type": BATCH}, json.dumps(batch).encode()) == [
        CloudEvent(str(number), "/s", "t", number) for number in range(3)
    ]


@pytest.mark.parametrize("body", ["{}", "1", "null", '"[]"'])
def test_batch_is_an_array(body: str) -> None:
    assert refusal({"Content-Type": BATCH}, body).startswith("a batch must be a JSON array")


@pytest.mark.parametrize("item", ["1", "null", "[]", '"x"'])
def test_batch_holds_objects(item: str) -> None:
    assert refusal({"Content-Type": BATCH}, f"[{item}]") == "[0]: an event must be a JSON object"


def test_batch_fault_says_which_event() -> None:
    assert refusal({"Content-Type": BATCH}, [ENVELOPE, {**ENVELOPE, "source": ""}]) == "[1].source: must not be empty"


# Binary, headers


def test_binary_least() -> None:
    assert binary() == LEAST


def test_binary_header_names_in_any_case() -> None:
    assert event_of({name.upper(): value for name, value in CE.items()}) == LEAST
    assert event_of({name.title(): value for name, value in CE.items()}) == LEAST


@pytest.mark.parametrize("name", ["ce-specversion", "ce-id", "ce-source", "ce-type"])
def test_binary_missing_header_is_named(name: str) -> None:
    headers = {other: value for other, value in CE.items() if other != name}
    assert refusal(headers).startswith(f"{name[3:]}: is missing")


@pytest.mark.parametrize(
    ("header", "value"),
    [
        pytest.param("plain", "plain", id="plain"),
        pytest.param("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀", id="the specification's example"),
        pytest.param("%e2%82%ac", "€", id="lower-case hex"),
        pytest.param("%61%62", "ab", id="needlessly encoded"),
        pytest.param("%2561", "%61", id="one round only"),
        pytest.param("a b", "a b", id="bare space"),
        pytest.param(" \ta \t", "a", id="blanks around"),
        pytest.param('"a b"', "a b", id="quoted"),
        pytest.param('"a\\"b\\\\c\\d"', 'a"b\\cd', id="quoted with escapes"),
        pytest.param('"%E2%82%AC \\%41"', "€ A", id="quoted first, then percent"),
        pytest.param("%22a%22", '"a"', id="encoded quotes stay"),
        pytest.param('a"b', 'a"b', id="a quote inside"),
        pytest.param("a\\b", "a\\b", id="a backslash outside quotes"),
        pytest.param("a+b", "a+b", id="plus is plus"),
    ],
)
def test_binary_header_value(header: str, value: str) -> None:
    assert binary(ce_subject=header).subject == value


@pytest.mark.parametrize(
    ("header", "message"),
    [
        pytest.param("%C0%A0", "is not UTF-8 once percent-decoded", id="overlong"),
        pytest.param("%ED%A0%80", "is not UTF-8 once percent-decoded", id="surrogate"),
        pytest.param("%ff", "is not UTF-8 once percent-decoded", id="no UTF-8"),
        pytest.param("%E2%82", "is not UTF-8 once percent-decoded", id="cut short"),
        pytest.param("100%", "has a % without two hexadecimal digits: write % as %25", id="bare percent"),
        pytest.param("%4", "has a % without two hexadecimal digits: write % as %25", id="one digit"),
        pytest.param("%zz", "has a % without two hexadecimal digits: write % as %25", id="no hex"),
        pytest.param("é", "is not ASCII: percent-encode it as UTF-8", id="raw Latin-1"),
        pytest.param("雁", "is not ASCII: percent-encode it as UTF-8", id="raw Chinese"),
        pytest.param('"', "starts a quoted string that is not the whole value", id="one quote"),
        pytest.param('"a', "starts a quoted string that is not the whole value", id="unfinished"),
        pytest.param('"a" b', "starts a quoted string that is not the whole value", id="more after it"),
        pytest.param('"a\\"', "starts a quoted string that is not the whole value", id="last quote escaped"),
        pytest.param("a\tb", "holds a control character", id="tab"),
        pytest.param("%0D%0Aevil: 1", "holds a control character", id="line break"),
        pytest.param("%00", "holds a control character", id="NUL"),
        pytest.param("%EF%BF%BE", "holds a control character, a noncharacter", id="noncharacter"),
        pytest.param("", "must not be empty", id="empty"),
        pytest.param('""', "must not be empty", id="quoted nothing"),
    ],
)
def test_binary_header_value_refused(header: str, message: str) -> None:
    assert refusal({**CE, "ce-subject": header}).startswith(f"subject: {message}")


def test_binary_extensions_are_strings() -> None:
    assert binary(ce_count="5", ce_flag="true", ce_empty="").extensions == {"count": "5", "flag": "true", "empty": ""}


def test_binary_other_headers_are_not_attributes() -> None:
    assert binary(traceparent="00-1-2-01", Host="h", X_ce_a="1", ce="x").extensions == {}


@pytest.mark.parametrize("name", ["ce-", "ce-data", "ce-data_base64", "ce-a-b", "ce-é", "ce-a b"])
def test_binary_header_name_refused(name: str) -> None:
    assert "an attribute name is made of a-z and 0-9" in refusal({**CE, name: "x"})


def test_binary_content_type_has_no_second_header() -> None:
    answer = refusal({**CE, "Ce-DataContentType": "text/plain", "Content-Type": "text/plain"})
    assert answer == "datacontenttype: must not be a ce- header: Content-Type says it in binary mode"


def test_binary_attribute_is_given_once() -> None:
    assert refusal({**CE, "CE-ID": "2"}) == "id: is given by two headers: send one"


def test_binary_content_type_is_checked_and_not_decoded() -> None:
    assert refusal({**CE, "Content-Type": "json"}, b"{}").startswith("datacontenttype: must be a media type")
    assert binary(b"x", Content_Type='a/b; c="%20"').datacontenttype == 'a/b; c="%20"'


# Binary, data


@pytest.mark.parametrize(
    ("content_type", "body", "data"),
    [
        pytest.param("application/json", b' {"a": 1} ', {"a": 1}, id="JSON"),
        pytest.param("application/JSON; charset=utf-8", '"雁"'.encode(), "雁", id="JSON string"),
        pytest.param("application/problem+json", b"null", None, id="JSON null"),
        pytest.param("text/plain", "雁".encode(), "雁", id="text"),
        pytest.param("text/plain; charset=utf8", "雁".encode(), "雁", id="text, utf8"),
        pytest.param("Text/XML; charset=GBK", "雁".encode("gbk"), "雁", id="text in GBK"),
        pytest.param('text/plain; charset="ISO-8859-1"', b"\xe9", "é", id="text in Latin-1"),
        pytest.param("text/plain; charset=utf-16", "雁".encode("utf-16"), "雁", id="text in UTF-16"),
        pytest.param("text/json", b"[1]", [1], id="text/json is JSON"),
        pytest.param("application/xml", b"<a/>", b"<a/>", id="XML stays bytes"),
        pytest.param("image/png; charset=klingon", b"\x89PNG", b"\x89PNG", id="bytes"),
        pytest.param("", b"{}", b"{}", id="no media type"),
        pytest.param("application/json", b"", NO_DATA, id="no body, JSON"),
        pytest.param("text/plain; charset=klingon", b"", NO_DATA, id="no body, text"),
        pytest.param("", b"", NO_DATA, id="no body"),
    ],
)
def test_binary_data(content_type: str, body: bytes, data: Any) -> None:
    event = binary(body, Content_Type=content_type)
    assert (event.data, type(event.data)) == (data, type(data))
    assert event.datacontenttype == (content_type or None)


@pytest.mark.parametrize(
    ("content_type", "body", "message"),
    [
        pytest.param(
            "application/json", b"{secret", "data: is not JSON, as Content-Type says: malformed", id="bad JSON"
        ),
        pytest.param(
            "application/json", b'{"a":1,"a":2}', "data: is not JSON, as Content-Type says: an o", id="key twice"
        ),
        pytest.param("application/json; charset=gbk", '"雁"'.encode("gbk"), "data: is not JSON", id="JSON in GBK"),
        pytest.param("text/plain", b"secret\xff", "data: is not text in utf-8", id="text that is not UTF-8"),
        pytest.param("text/plain; charset=us-ascii", "é".encode(), "data: is not text in us-ascii", id="not ASCII"),
        pytest.param("text/plain; charset=utf-16le", b"\x00\xd8", "data: is not text in utf-16le", id="lone surrogate"),
    ],
)
def test_binary_data_refused(content_type: str, body: bytes, message: str) -> None:
    answer = refusal({**CE, "Content-Type": content_type}, body)
    assert answer.startswith(message)
    assert "secret" not in answer


@pytest.mark.parametrize("charset", ["klingon", "hex", "rot13", "idna", "unicode_escape", "utf-7", "undefined", '""'])
def test_binary_text_in_an_unknown_charset_is_unsupported(charset: str) -> None:
    answer = unsupported({**CE, "Content-Type": f"text/plain; charset={charset}"}, b"abc")
    assert answer == "this charset is not known here: send text in UTF-8"


# Writing

FULL = CloudEvent.checked(
    id="a b",
    source="/hongyan/cn-north-4",
    type="hongyan.apig.add_members.succeeded",
    subject='Euro € 😀 "%"',
    time="2024-01-31T08:00:00Z",
    datacontenttype="application/json",
    dataschema="urn:hongyan:result:1",
    data={"名": ["雁", None]},
    extensions={"flag": True, "off": False, "count": -5, "empty": ""},
)


def test_writes_structured() -> None:
    headers, body = to_structured(FULL)
    assert headers == {"Content-Type": "application/cloudevents+json"}
    assert json.loads(body) == {
        "specversion": "1.0",
        "id": "a b",
        "source": "/hongyan/cn-north-4",
        "type": "hongyan.apig.add_members.succeeded",
        "subject": 'Euro € 😀 "%"',
        "time": "2024-01-31T08:00:00Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:hongyan:result:1",
        "flag": True,
        "off": False,
        "count": -5,
        "empty": "",
        "data": {"名": ["雁", None]},
    }
    assert from_http(headers, body) == FULL


def test_writes_binary() -> None:
    headers, body = to_binary(FULL)
    assert headers == {
        "Content-Type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": "a%20b",
        "ce-source": "/hongyan/cn-north-4",
        "ce-type": "hongyan.apig.add_members.succeeded",
        "ce-subject": "Euro%20%E2%82%AC%20%F0%9F%98%80%20%22%25%22",
        "ce-time": "2024-01-31T08:00:00Z",
        "ce-dataschema": "urn:hongyan:result:1",
        "ce-flag": "true",
        "ce-off": "false",
        "ce-count": "-5",
        "ce-empty": "",
    }
    assert body == '{"名":["雁",null]}'.encode()


def test_writes_every_printable_character_but_three_as_it_is() -> None:
    printable = "".join(map(chr, range(0x20, 0x7F)))
    headers, _ = to_binary(CloudEvent("1", "/s", "t", subject=printable))
    plain = printable.replace(" ", "%20").replace('"', "%22")
    assert headers["ce-subject"] == plain[:3] + plain[3:].replace("%&", "%25&").replace("%22", "%22")
    assert event_of(headers).subject == printable


def test_writes_a_batch() -> None:
    headers, body = to_batch(iter([LEAST, FULL]))
    assert headers == {"Content-Type": "application/cloudevents-batch+json"}
    assert from_http(headers, body) == [LEAST, FULL]
    assert to_batch([]) == (headers, b"[]")


@pytest.mark.parametrize(
    ("data", "datacontenttype", "member"),
    [
        pytest.param(NO_DATA, None, {}, id="no data"),
        pytest.param(None, None, {"data": None}, id="null"),
        pytest.param(b"\xfb\xff", None, {"data_base64": "+/8="}, id="bytes"),
        pytest.param(b"{}", "application/json", {"data_base64": "e30="}, id="bytes of JSON"),
        pytest.param("<a/>", "text/xml", {"data": "<a/>"}, id="text"),
    ],
)
def test_writes_data_into_its_member(data: Any, datacontenttype: str | None, member: dict[str, Any]) -> None:
    event = CloudEvent("1", "/s", "t", data, datacontenttype)
    envelope = to_envelope(event)
    assert {
        name: value for name, value in envelope.items() if name.startswith("data") and name != "datacontenttype"
    } == member
    assert from_envelope(envelope) == event


@pytest.mark.parametrize(
    ("data", "datacontenttype", "content_type", "body"),
    [
        pytest.param(NO_DATA, None, None, b"", id="no data"),
        pytest.param(NO_DATA, "text/plain", "text/plain", b"", id="no data, but a media type"),
        pytest.param("x", None, "application/json", b'"x"', id="implied JSON is said"),
        pytest.param(None, None, "application/json", b"null", id="implied JSON null"),
        pytest.param(b"x", None, None, b"x", id="bytes without a media type"),
        pytest.param(b"[1", "application/json", "application/json", b"[1", id="bytes as they are"),
        pytest.param("雁", "text/plain", "text/plain", "雁".encode(), id="text"),
        pytest.param(
            "雁", "text/plain;charset=GBK", "text/plain;charset=GBK", "雁".encode("gbk"), id="text in its charset"
        ),
        pytest.param("<a/>", "application/xml", "application/xml", b"<a/>", id="other text"),
    ],
)
def test_writes_the_body(data: Any, datacontenttype: str | None, content_type: str | None, body: bytes) -> None:
    headers, written = to_binary(CloudEvent("1", "/s", "t", data, datacontenttype))
    assert (headers.get("Content-Type"), written) == (content_type, body)


def test_does_not_write_text_that_its_charset_lacks() -> None:
    with pytest.raises(InvalidEvent, match=r"^data: cannot be written in us-ascii$"):
        to_binary(CloudEvent("1", "/s", "t", "雁", "text/plain; charset=us-ascii"))
    with pytest.raises(UnsupportedFormat, match="charset is not known"):
        to_binary(CloudEvent("1", "/s", "t", "雁", "text/plain; charset=klingon"))


# What cloudevents 2.2.0 gets wrong


def test_structured_with_one_ce_header_is_structured() -> None:
    assert event_of({"Content-Type": STRUCTURED, "ce-id": "1"}, json.dumps(ENVELOPE).encode()) == LEAST


def test_structured_with_all_ce_headers_is_structured_and_the_body_wins() -> None:
    headers = {**CE, "ce-id": "other", "ce-subject": "%C0%A0", "Content-Type": STRUCTURED}
    assert event_of(headers, json.dumps({**ENVELOPE, "data": {"a": 1}}).encode()) == CloudEvent(
        "1", "/s", "t", {"a": 1}
    )


def test_a_batch_is_a_list_of_events() -> None:
    assert from_http({"Content-Type": "application/cloudevents-batch+json"}, json.dumps([ENVELOPE]).encode()) == [LEAST]


def test_an_array_as_structured_body_is_refused() -> None:
    assert refusal({"Content-Type": STRUCTURED}, b"[1]") == "an event must be a JSON object"


def test_malformed_json_is_refused_with_our_own_error() -> None:
    assert refusal({"Content-Type": STRUCTURED}, b"{").startswith(
        "the body is not JSON: malformed JSON at line 1, column 2"
    )


def test_a_header_that_is_not_utf_8_is_refused() -> None:
    assert refusal({**CE, "ce-subject": "%C0%A0"}) == "subject: is not UTF-8 once percent-decoded"


def test_a_quoted_header_is_unquoted() -> None:
    assert binary(ce_subject='"a b"').subject == "a b"


def test_bad_base64_is_refused() -> None:
    assert refusal({"Content-Type": STRUCTURED}, {**ENVELOPE, "data_base64": "!!!"}).startswith("data_base64: must be")


def test_a_bad_time_is_refused_with_our_own_error() -> None:
    assert refusal({**CE, "ce-time": "yesterday"}).startswith("time: must be a real time in RFC 3339")
