"""The settings that say what a deployment runs and where payloads are, for every trigger that takes records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events import strictjson
from functions.cloud.errors import ConfigurationError, UnknownOperation
from functions.registry import find

if TYPE_CHECKING:
    from events.senders.sender import Payload


def operation_of(name: str) -> str:
    """Return the operation that HONGYAN_OPERATION names, "" for any. Raises ConfigurationError."""
    try:
        return find(name).name if name else ""
    except UnknownOperation as error:
        raise ConfigurationError(f"HONGYAN_OPERATION: {error.message}") from None


def payload_of(written: str, operation: str) -> Payload:
    """Return where HONGYAN_PAYLOAD says that payloads are, None for the whole body. Raises ConfigurationError."""
    if not written:
        return None
    if not operation:
        raise ConfigurationError("HONGYAN_PAYLOAD needs HONGYAN_OPERATION: what it finds is that operation's payload")
    value: Any = written
    if not written.startswith("/"):
        try:
            value = strictjson.loads(written)
        except strictjson.NotJSON as error:
            told = 'a JSON pointer, like /detail/payload, or a JSON object of fields, like {"id": {"at": "/detail/id"}}'
            raise ConfigurationError(f"HONGYAN_PAYLOAD must be {told}: {error}") from None
    # Imported here since few need it, and every function's start would pay for it.
    from events.senders.lines import Lines
    from events.senders.mistakes import Notes, Place
    from events.senders.payload import judge

    notes = Notes(Lines(""))
    found = judge(value, Place(notes))
    for mistake in notes.mistakes:
        where = f"HONGYAN_PAYLOAD.{mistake.where}".rstrip(".")
        raise ConfigurationError(f"{where}: {mistake.told}")
    return found
