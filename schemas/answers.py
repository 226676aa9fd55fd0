"""The vocabulary of results: tolerant fields that normalise what the cloud said, and never invent what it left out."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from marshmallow import INCLUDE, Schema, fields

if TYPE_CHECKING:
    from collections.abc import Mapping

_INTEGER = re.compile(r"-?[0-9]{1,19}")
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)


class Result(Schema):
    """What goes out: dumped from what a function returned. What the cloud left out is null, what we do not know is let pass."""

    class Meta:
        """A later version may tell more, so that consumers let pass what they do not know either."""

        unknown = INCLUDE


class SaidText(fields.String):
    """A string that the cloud said; null for what is none. Halves of surrogate pairs, which no UTF-8 can hold, become `?`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_none=True, dump_default=None, **options)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            return None
        return str(value).encode("utf-8", "replace").decode()


class SaidWord(SaidText):
    """One word of the cloud's vocabulary in ours, as NORMAL is healthy; `other` for a word that we do not know or that is missing."""

    def __init__(self, words: Mapping[Any, str], *, other: str | None, **options: Any) -> None:
        self._words = words
        self._other = other
        super().__init__(**options)
        self.dump_default = other

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        key = super()._serialize(value, attr, obj, **kwargs)
        return self._words.get((key or "").lower(), self._other)


class SaidWhole(fields.Integer):
    """An integer that the cloud said as a number or in a string (its clients disagree which); never by way of a float."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_none=True, dump_default=None, **options)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> int | None:
        if isinstance(value, str) and _INTEGER.fullmatch(value):
            return int(value)
        return value if isinstance(value, int) and not isinstance(value, bool) else None


def said_flag(value: Any) -> bool | None:
    """Return the boolean that the cloud said, also as the string "true" or "false"; None for anything else."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


class SaidFlag(fields.Boolean):
    """A boolean that the cloud said, as `said_flag` reads it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_none=True, dump_default=None, **options)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> bool | None:
        return said_flag(value)


class SaidIds(fields.List[Any]):
    """The ids in an array of `{"id": ...}` that the cloud said; null for what is no array."""

    def __init__(self, **options: Any) -> None:
        super().__init__(SaidText(), allow_none=True, dump_default=None, **options)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> list[Any] | None:
        if not isinstance(value, list):
            return None
        ids = super()._serialize([item.get("id") for item in value if isinstance(item, dict)], attr, obj, **kwargs)
        return [known for known in ids or () if known is not None]


class SaidTime(fields.String):
    """A time that the cloud said, as RFC 3339 in UTC and as fine as it came; null for what is no time.

    Classic ELB says `2015-12-28 10:35:51`, VPCEP once `2018-01-30T07:42:01.174`: without a zone, both are taken for UTC.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_none=True, dump_default=None, metadata={"format": "date-time"}, **options)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        match = _TIME.fullmatch(value) if isinstance(value, str) else None
        if not match:
            return None
        day, clock, fraction, zone = match.groups()
        offset = "+00:00" if zone in (None, "Z") else f"{zone[:3]}:{zone[-2:]}"
        try:
            moment = datetime.fromisoformat(f"{day}T{clock}{offset}").astimezone(timezone.utc)
        except (ValueError, OverflowError):
            return None
        return moment.isoformat(timespec="seconds")[:19] + (fraction or "") + "Z"
