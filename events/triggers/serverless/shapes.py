"""Values read out of what a platform handed over, each refused by its name when it is not what the platform documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.calls import MOST_NAME, is_name
from functions.cloud.errors import CallError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_SHOWN = 20


class EventRefused(CallError):
    """The event that the platform handed over cannot be read; the message names the key and what it must be. Nothing was run."""

    kind = "invalid_argument"


class UnknownEvent(EventRefused):
    """The event has the shape of no trigger that is known here; the message names its top-level keys."""


def unknown(event: Any, known: str) -> UnknownEvent:
    """Return the refusal of an event that no trigger of a platform sends; `known` says what is."""
    if not isinstance(event, dict):
        return UnknownEvent(f"an event must be a JSON object, not {type(event).__name__}; known are {known}")
    keys = ", ".join(sorted(ascii(str(key)[:40]) for key in list(event)[:_MOST_SHOWN])) or "none"
    more = f" and {len(event) - _MOST_SHOWN} more" if len(event) > _MOST_SHOWN else ""
    return UnknownEvent(
        f"no trigger sends an event with these top-level keys: {keys}{more}; known are {known}; to invoke the function itself send a"
        ' CloudEvent, {"operation": ..., "payload": ...}, or set HONGYAN_OPERATION and send the payload'
    )


def name(holder: Mapping[str, Any], key: str, where: str = "") -> str:
    """Return an id, a source or the like: a string of 1 to `MOST_NAME` visible ASCII characters and inner blanks. Raises EventRefused."""
    value = holder.get(key)
    if not is_name(value):
        raise EventRefused(f"{_at(where, key)} must be a string of 1 to {MOST_NAME} visible ASCII characters")
    return str(value)


def text(holder: Mapping[str, Any], key: str, where: str = "") -> str:
    """Return a string, "" when the key is absent or null. Raises EventRefused."""
    value = holder.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise EventRefused(f"{_at(where, key)} must be a string")
    return value


def mapping(holder: Mapping[str, Any], key: str, where: str = "") -> dict[str, Any]:
    """Return an object, {} when the key is absent or null. Raises EventRefused."""
    value = holder.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise EventRefused(f"{_at(where, key)} must be an object")
    return value


def items(holder: Mapping[str, Any], key: str, where: str = "") -> list[Any]:
    """Return an array, [] when the key is absent or null. Raises EventRefused."""
    value = holder.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise EventRefused(f"{_at(where, key)} must be an array")
    return value


def objects(holder: Mapping[str, Any], key: str, where: str = "") -> list[dict[str, Any]]:
    """Return an array of objects, [] when the key is absent or null. Raises EventRefused."""
    found = items(holder, key, where)
    for index, value in enumerate(found):
        if not isinstance(value, dict):
            raise EventRefused(f"{_at(where, key)}[{index}] must be an object")
    return found


def _at(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key
