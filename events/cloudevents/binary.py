"""One CloudEvent as HTTP headers and a plain body (bindings/http-protocol-binding.md, 3.1), for the HTTP binding."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from events import strictjson
from events.cloudevents import NO_DATA, CloudEvent, InvalidEvent, UnsupportedFormat, from_attributes
from events.cloudevents.rules import BAD_PERCENT, charset, essence, is_json, shown

_PLAIN = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)

# A fixed list: Python's own knows codecs that are not charsets, and remembers every name it was ever asked for.
_CODECS = {
    **{name: name for name in ("utf-8", "utf-16", "utf-16be", "utf-16le", "us-ascii", "iso-8859-1", "windows-1252")},
    **{name: name for name in ("gb18030", "gbk", "gb2312", "big5", "shift_jis", "euc-jp", "euc-kr")},
    "utf8": "utf-8",
}


def read(headers: Mapping[str, str], content_type: str, body: bytes) -> CloudEvent:
    """Read the event from the `ce-` headers, the Content-Type ("" when there is none) and the body.

    The data is a JSON value under a JSON Content-Type, text under `text/*` (in its charset, else UTF-8), else
    bytes; an empty body is no data; every attribute is a string. Raises InvalidEvent and UnsupportedFormat.
    """
    attributes = _attributes(headers)
    if content_type:
        attributes["datacontenttype"] = content_type
    return from_attributes(attributes, partial(_read_body, body))


def write(event: CloudEvent) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body. Raises as `to_binary` in the HTTP binding says."""
    attributes = event.attributes()
    content_type = attributes.pop("datacontenttype", None)
    headers = {f"ce-{name}": quote(_canonical(value), safe=_PLAIN) for name, value in attributes.items()}
    if content_type is None and event.data is not NO_DATA and not isinstance(event.data, bytes):
        content_type = "application/json"  # What the JSON format implies has to be said here.
    if content_type is not None:
        headers["Content-Type"] = str(content_type)
    return headers, _body(event)


def _attributes(headers: Mapping[str, str]) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for header, value in headers.items():
        prefix, name = header[:3].lower(), header[3:].lower()
        if prefix != "ce-":
            continue
        if name == "datacontenttype":
            raise InvalidEvent(name, "must not be a ce- header: Content-Type says it in binary mode")
        if name in attributes:
            raise InvalidEvent(shown(name), "is given by two headers: send one")
        attributes[name] = _decoded(name, value.strip(" \t"))
    return attributes


def _decoded(name: str, value: str) -> str:
    """Undo a quoted string, then one round of percent-encoding (section 3.1.3.2)."""
    if not value.isascii():
        raise InvalidEvent(shown(name), "is not ASCII: percent-encode it as UTF-8")
    if value.startswith('"'):
        value = _unquoted(name, value)
    if "%" not in value:
        return value
    if BAD_PERCENT.search(value):
        raise InvalidEvent(shown(name), "has a % without two hexadecimal digits: write % as %25")
    try:
        return unquote_to_bytes(value).decode()
    except UnicodeDecodeError:
        raise InvalidEvent(shown(name), "is not UTF-8 once percent-decoded") from None


def _unquoted(name: str, value: str) -> str:
    match = _QUOTED.fullmatch(value)
    if match is None:
        raise InvalidEvent(shown(name), 'starts a quoted string that is not the whole value: write " as %22')
    return _ESCAPED.sub(r"\1", match[1])


def _read_body(body: bytes, content_type: str | None) -> Any:
    if not body:
        return NO_DATA
    if content_type is None:  # It stands for JSON in the JSON format only.
        return body
    if is_json(content_type):
        return _read_json(body)
    return _read_text(body, content_type) if essence(content_type).startswith("text/") else body


def _read_json(body: bytes) -> Any:
    try:
        return strictjson.loads(body)
    except strictjson.NotJSON as error:
        raise InvalidEvent("data", f"is not JSON, as Content-Type says: {error}") from None


def _read_text(body: bytes, content_type: str) -> str:
    codec = _codec(content_type)
    try:
        return body.decode(codec)
    except UnicodeDecodeError:
        raise InvalidEvent("data", f"is not text in {codec}") from None


def _body(event: CloudEvent) -> bytes:
    if event.data is NO_DATA:
        return b""
    if isinstance(event.data, bytes):
        return event.data
    if event.datacontenttype is None or is_json(event.datacontenttype):
        return strictjson.dumps(event.data)
    codec = _codec(event.datacontenttype)
    try:
        return str(event.data).encode(codec)
    except UnicodeEncodeError:
        raise InvalidEvent("data", f"cannot be written in {codec}") from None


def _codec(content_type: str) -> str:
    name = charset(content_type)
    codec = _CODECS.get("utf-8" if name is None else name)
    if codec is None:
        raise UnsupportedFormat("this charset is not known here: send text in UTF-8")
    return codec


def _canonical(value: str | int | bool) -> str:
    """Return the canonical string of an attribute (spec.md, "Type System")."""
    return str(value).lower() if isinstance(value, bool) else str(value)
