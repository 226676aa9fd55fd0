"""CloudEvents 1.0 over HTTP (bindings/http-protocol-binding.md), for the webhook and for whoever posts events."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from events import strictjson
from events.cloudevents import CloudEvent, InvalidEvent, UnsupportedFormat, binary
from events.cloudevents.json import from_envelope, to_envelope
from events.cloudevents.rules import REQUIRED, charset, essence, media_type

STRUCTURED = "application/cloudevents+json"
"""Media type of one event as JSON."""

BATCH = "application/cloudevents-batch+json"
"""Media type of a JSON array of events."""

Mode = Literal["batch", "structured", "binary"]
"""How a request carries events."""

_REQUIRED_HEADERS = tuple(f"ce-{name}" for name in REQUIRED)


def mode(headers: Mapping[str, str]) -> Mode | None:
    """Tell how a request carries CloudEvents (section 3), or None when it is none at all; header names in any case.

    The Content-Type decides first, whatever `ce-` headers stand beside it. One required `ce-` header is enough for
    binary mode: a sender who forgot another is told so by `from_http` rather than taken for something else.
    """
    return _mode(headers, _content_type(headers))


def from_http(headers: Mapping[str, str], body: bytes) -> CloudEvent | list[CloudEvent]:
    """Read the event of a request, or the list of events of a batch (which may be empty).

    How data and attributes arrive in binary mode: `binary.read`. Raises InvalidEvent, which names the
    attribute, and UnsupportedFormat.
    """
    content_type = _content_type(headers)
    found = _mode(headers, content_type)
    if found == "binary":
        return binary.read(headers, content_type, body)
    if found == "structured":
        _check_format(content_type, STRUCTURED)
        return from_envelope(_json(body))
    if found == "batch":
        _check_format(content_type, BATCH)
        return _from_batch(_json(body))
    raise InvalidEvent(None, f"not a CloudEvent: send Content-Type {STRUCTURED}, or {', '.join(_REQUIRED_HEADERS)}")


def to_structured(event: CloudEvent) -> tuple[dict[str, str], bytes]:
    """Return headers and body that carry the event whole (section 3.2)."""
    return {"Content-Type": STRUCTURED}, strictjson.dumps(to_envelope(event))


def to_batch(events: Iterable[CloudEvent]) -> tuple[dict[str, str], bytes]:
    """Return headers and body that carry all the events (section 3.3); only for a receiver who asked for batches."""
    return {"Content-Type": BATCH}, strictjson.dumps([to_envelope(event) for event in events])


def to_binary(event: CloudEvent) -> tuple[dict[str, str], bytes]:
    """Return headers that carry the attributes, and the data as the body (section 3.1).

    Not all of it comes back as it was: integers and booleans arrive as strings, empty text or bytes as no data, text
    as bytes unless the media type is `text/*`, bytes as whatever the media type says. JSON without `datacontenttype` is
    sent as application/json. Raises InvalidEvent for text that its charset cannot write, UnsupportedFormat for a
    charset that is not known here.
    """
    return binary.write(event)


def _mode(headers: Mapping[str, str], content_type: str) -> Mode | None:
    media = content_type.lower()
    if media.startswith("application/cloudevents-batch"):  # First, for it starts as the other does.
        return "batch"
    if media.startswith("application/cloudevents"):
        return "structured"
    return "binary" if any(name.lower() in _REQUIRED_HEADERS for name in headers) else None


def _content_type(headers: Mapping[str, str]) -> str:
    return next((value.strip(" \t") for name, value in headers.items() if name.lower() == "content-type"), "")


def _check_format(content_type: str, wanted: str) -> None:
    if content_type == wanted:
        return
    if media_type(content_type) or essence(content_type) != wanted:
        raise UnsupportedFormat(f"this event format is not read here: send Content-Type {wanted}")
    if charset(content_type) not in {None, "utf-8", "utf8"}:
        raise UnsupportedFormat(f"events are read in UTF-8 only: send Content-Type {wanted} without a charset")


def _json(body: bytes) -> Any:
    try:
        return strictjson.loads(body)
    except strictjson.NotJSON as error:
        raise InvalidEvent(None, f"the body is not JSON: {error}") from None


def _from_batch(batch: Any) -> list[CloudEvent]:
    if not isinstance(batch, list):
        raise InvalidEvent(None, f"a batch must be a JSON array; one event by itself is {STRUCTURED}")
    return [_from_item(index, item) for index, item in enumerate(batch)]


def _from_item(index: int, item: Any) -> CloudEvent:
    try:
        return from_envelope(item)
    except InvalidEvent as error:
        raise error.within(index) from None
