"""Ids and sources of what its trigger gives none, the same for a redelivery, and data that a trigger hands over in base64."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import TYPE_CHECKING, Any

from events.calls import is_name
from events.triggers.serverless.shapes import EventRefused

if TYPE_CHECKING:
    from collections.abc import Mapping


def digest(*parts: Any) -> str:
    """Return an id (64 hexadecimal digits) of JSON values: the same for the same ones, whatever the order of their objects' keys.

    Raises EventRefused for what JSON cannot carry.
    """
    try:
        # ASCII: a text may hold half of a surrogate pair, which UTF-8 has no bytes for.
        written = json.dumps(parts, sort_keys=True, ensure_ascii=True)
    except (TypeError, ValueError, RecursionError):
        raise EventRefused("the event holds what JSON cannot carry, or is nested too deeply") from None
    return hashlib.sha256(written.encode("ascii")).hexdigest()


def joined(*parts: str) -> str:
    """Return an id or a source that can be read, of its parts; their digest where they make none."""
    readable = "/".join(parts)
    return readable if is_name(readable) else digest(*parts)


def decoded(holder: Mapping[str, Any], key: str, where: str) -> bytes:
    """Return the bytes that a string of padded base64 stands for. Raises EventRefused."""
    value = holder.get(key)
    # Python 3.10 does not look at the padding by itself.
    if isinstance(value, str) and len(value) % 4 == 0:
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):  # ValueError: not ASCII.
            pass
    raise EventRefused(f"{where}.{key} must be a string of padded base64")
