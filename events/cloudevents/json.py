"""CloudEvents as JSON objects (formats/json-format.md), for the HTTP binding and for queues that carry whole events."""

import base64
import binascii
from typing import Any

from events.cloudevents import NO_DATA, CloudEvent, InvalidEvent, from_attributes
from events.cloudevents.rules import is_json

_DATA = frozenset({"data", "data_base64"})


def from_envelope(envelope: Any) -> CloudEvent:
    """Read an event from a JSON value as `strictjson.loads` returned it.

    An attribute that is null is unset (section 2.2); data that is null is data (section 3.1). Raises InvalidEvent.
    """
    if not isinstance(envelope, dict):
        raise InvalidEvent(None, "an event must be a JSON object")
    attributes = {name: value for name, value in envelope.items() if value is not None and name not in _DATA}
    return from_attributes(attributes, lambda datacontenttype: _read_data(envelope, datacontenttype))


def to_envelope(event: CloudEvent) -> dict[str, Any]:
    """Return the event as a JSON object; bytes go into `data_base64`, everything else into `data` as it is."""
    envelope: dict[str, Any] = event.attributes()
    if isinstance(event.data, bytes):
        envelope["data_base64"] = base64.b64encode(event.data).decode("ascii")
    elif event.data is not NO_DATA:
        envelope["data"] = event.data
    return envelope


def _read_data(envelope: dict[str, Any], datacontenttype: str | None) -> Any:
    encoded = envelope.get("data_base64")
    if encoded is not None:
        if "data" in envelope:
            raise InvalidEvent("data_base64", "stands beside data: send one of them")
        return _decoded(encoded)
    data = envelope.get("data", NO_DATA)
    if data is NO_DATA or isinstance(data, str) or is_json(datacontenttype):
        return data
    raise InvalidEvent("data", "must be a string where datacontenttype is not JSON; send bytes as data_base64")


def _decoded(encoded: Any) -> bytes:
    """Decode base64 (RFC 4648, section 4), padded and without a stranger among its characters."""
    if isinstance(encoded, str) and len(encoded) % 4 == 0:  # Python 3.10 does not look at the padding by itself.
        try:
            return base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):  # ValueError: not ASCII.
            pass
    raise InvalidEvent("data_base64", "must be a string of padded base64 (RFC 4648, section 4)")
