"""CloudEvents 1.0: the event and what makes it valid, for every part that takes one in or sends one out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, ClassVar, Final

from events import strictjson
from events.cloudevents.rules import CORE, REQUIRED, extension, is_json, shown

Extension = str | int | bool
"""A CloudEvents String, Integer (32 bits) or Boolean."""


class _NoData(Enum):
    NO_DATA = "NO_DATA"


NO_DATA: Final = _NoData.NO_DATA
"""The event has no data: not the same as data that is JSON's null."""

NO_EXTENSIONS: Final[Mapping[str, Extension]] = MappingProxyType({})
"""No extension attribute, shared and immutable."""


class InvalidEvent(ValueError):
    """The event breaks a rule of CloudEvents.

    `attribute` names the attribute (`data` for the payload), `[3].source` in a batch, or is None where there is none to
    name. The text says how to mend it and repeats nothing that may be long or hostile.
    """

    kind: ClassVar[str] = "invalid_argument"
    status: ClassVar[int] = 400
    retryable: ClassVar[bool] = False

    def __init__(self, attribute: str | None, message: str) -> None:
        super().__init__(attribute, message)
        self.attribute = attribute
        self.message = message

    def __str__(self) -> str:
        return f"{self.attribute}: {self.message}" if self.attribute else self.message

    def within(self, index: int) -> "InvalidEvent":
        """Return the same fault as found in the batch's event number `index`, counted from 0."""
        return InvalidEvent(f"[{index}].{self.attribute}" if self.attribute else f"[{index}]", self.message)


class UnsupportedFormat(ValueError):
    """The event is in a format or charset that is not read here; the text says which to send instead."""

    kind: ClassVar[str] = "invalid_argument"
    status: ClassVar[int] = 415
    retryable: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """One event (CloudEvents 1.0, "Context Attributes" and "Event Data").

    `data` is a JSON value where `datacontenttype` is JSON or None, text under another media type, bytes where it came
    as bytes, or NO_DATA. `source` is a URI-reference, `dataschema` an absolute URI, `time` RFC 3339 as it was sent.

    The constructor checks nothing: it is for values that are known to be right. Others go through `checked`.
    """

    specversion: ClassVar[str] = "1.0"

    id: str
    source: str
    type: str
    data: Any = field(default=NO_DATA, repr=False)  # A log line that names an event must not carry its payload.
    datacontenttype: str | None = None
    dataschema: str | None = None
    subject: str | None = None
    time: str | None = None
    extensions: Mapping[str, Extension] = field(default_factory=lambda: NO_EXTENSIONS)

    @classmethod
    def checked(
        cls,
        *,
        id: str,  # noqa: A002  The names are those of the specification.
        source: str,
        type: str,  # noqa: A002
        data: Any = NO_DATA,
        datacontenttype: str | None = None,
        dataschema: str | None = None,
        subject: str | None = None,
        time: str | None = None,
        extensions: Mapping[str, Extension] = NO_EXTENSIONS,
    ) -> "CloudEvent":
        """Build an event of values that may be wrong. Raises InvalidEvent."""
        event = cls(
            id, source, type, data, datacontenttype, dataschema, subject, time, MappingProxyType(dict(extensions))
        )
        validate(event)
        return event

    def attributes(self) -> dict[str, Extension]:
        """Return every attribute that is set, extensions too, by its name."""
        core = {
            "specversion": self.specversion,
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "datacontenttype": self.datacontenttype,
            "dataschema": self.dataschema,
            "subject": self.subject,
            "time": self.time,
        }
        return {**{name: value for name, value in core.items() if value is not None}, **self.extensions}


def validate(event: CloudEvent) -> None:
    """Check an event that was built of unchecked values, data included. Raises InvalidEvent."""
    clash = CORE.keys() & event.extensions.keys()
    if clash:
        raise InvalidEvent(min(clash), "is no extension: the specification defines it")
    check_attributes(event.attributes())
    if event.data is NO_DATA or isinstance(event.data, bytes):
        return
    if not is_json(event.datacontenttype) and not isinstance(event.data, str):
        raise InvalidEvent("data", "must be text or bytes where datacontenttype is not JSON")
    try:
        strictjson.loads(strictjson.dumps(event.data))
    except (TypeError, ValueError, RecursionError):
        raise InvalidEvent("data", "is not a value that JSON can carry") from None


def check_attributes(attributes: Mapping[str, Any]) -> None:
    """Check attributes by their names: `specversion` is one of them, what is unset is left out. Raises InvalidEvent."""
    for name in REQUIRED:
        if name not in attributes:
            raise InvalidEvent(name, f"is missing: an event needs {', '.join(REQUIRED)}")
    for name, value in attributes.items():
        rule = CORE.get(name)
        problem = rule(value) if rule else extension(name, value)
        if problem:
            raise InvalidEvent(shown(name), problem)


def from_attributes(attributes: Mapping[str, Any], read_data: Callable[[str | None], Any]) -> CloudEvent:
    """Build an event of attributes as they came; `read_data` is given the checked `datacontenttype`, returns the data.

    Raises InvalidEvent, and what `read_data` raises.
    """
    check_attributes(attributes)
    datacontenttype = attributes.get("datacontenttype")
    return CloudEvent(
        attributes["id"],
        attributes["source"],
        attributes["type"],
        read_data(datacontenttype),
        datacontenttype,
        attributes.get("dataschema"),
        attributes.get("subject"),
        attributes.get("time"),
        MappingProxyType({name: value for name, value in attributes.items() if name not in CORE}),
    )
