"""The payload inside another system's body: told by a JSON pointer, or put together from several."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from functions.cloud.errors import PayloadRefused

if TYPE_CHECKING:
    from events.senders.mistakes import Place
    from events.senders.sender import Payload

AT = "at"
"""The only key of a table that stands for what a pointer finds."""

_EXAMPLE = '"/deployment/payload"'
_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)*")
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_ABSENT = object()
_INTEGERS = 2**63  # As TOML has it; the parser takes more.
# How marshmallow names what is wrong with a payload as a whole.
_WHOLE = "_schema"


def apply(payload: Payload, body: Any) -> Any:
    """Return the payload that a body (a JSON value) holds.

    `payload` is None for the body itself, a JSON pointer (RFC 6901), or a table whose values are taken as they are, but for each
    `{"at": pointer}` in it, at any depth. Raises PayloadRefused whose `fields` names every pointer that finds nothing.
    """
    if payload is None:
        return body
    lost: dict[str, list[str]] = {}
    value = _filled({AT: payload} if isinstance(payload, str) else payload, body, (), lost)
    if lost:
        name, [told] = next(iter(lost.items()))
        more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
        raise PayloadRefused(f"{name}: {told}{more}".removeprefix(f"{_WHOLE}: "), fields=lost)
    return value


def judge(payload: Any, place: Place) -> Payload:
    """Return what the file says of the payload, None with the mistake noted when that cannot be."""
    if isinstance(payload, str):
        _judge_pointer(payload, place)
        return payload
    if not isinstance(payload, dict):
        place.wrong(
            f"must be a JSON pointer, like {_EXAMPLE}, or a table of fields, like {{ id = {{ at = {_EXAMPLE} }} }}"
        )
        return None
    _judge_value(payload, place)
    return payload


def _judge_value(value: Any, place: Place) -> None:
    if isinstance(value, dict) and AT in value:
        if len(value) > 1:
            place.wrong("`at` stands alone in its table: what it finds is the value")
        elif (place / AT).is_a(str, value[AT], _EXAMPLE):
            _judge_pointer(value[AT], place / AT)
    elif isinstance(value, dict):
        for name, inner in value.items():
            _judge_value(inner, place / name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _judge_value(inner, place / index)
    elif isinstance(value, int) and not -_INTEGERS <= value < _INTEGERS:
        place.wrong("a whole number beyond 64 bits is not kept whole everywhere: write it as text, in quotes")
    elif isinstance(value, float) and not math.isfinite(value):
        place.wrong("JSON has no such number")
    elif not isinstance(value, (str, int, float)):
        place.wrong("JSON has no dates or times: write it as text, in quotes")


def _judge_pointer(pointer: str, place: Place) -> None:
    if _POINTER.fullmatch(pointer):
        return
    if not pointer.startswith("/"):
        place.wrong(f'a JSON pointer begins with "/", like {_EXAMPLE}; an empty one is the whole body')
    else:
        place.wrong('in a JSON pointer "~" is written ~0, and "/" inside a name ~1')


def _found(pointer: str, body: Any) -> Any:
    """Return what a valid pointer finds (RFC 6901, 4), `_ABSENT` when there is nothing."""
    value = body
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(name, _ABSENT)
        elif isinstance(value, list) and _INDEX.fullmatch(name) and int(name) < len(value):
            value = value[int(name)]
        else:
            return _ABSENT
    return value


def _filled(value: Any, body: Any, path: tuple[str, ...], lost: dict[str, list[str]]) -> Any:
    """Return a value, made anew, with its pointers followed; those that find nothing are put into `lost` by the field's path."""
    if isinstance(value, dict) and value.keys() == {AT}:
        found = _found(value[AT], body)
        if found is _ABSENT:
            lost[".".join(path) or _WHOLE] = [f"There is nothing at {value[AT]} in the body."]
        return found
    if isinstance(value, dict):
        return {name: _filled(inner, body, (*path, name), lost) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, body, (*path, str(index)), lost) for index, inner in enumerate(value)]
    return value
