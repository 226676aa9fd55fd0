"""The plain settings of a sender, each read from its key or left at its default: rate, window, origins, https, async."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from events.senders.mistakes import shown
from events.senders.sender import DEFAULT_RATE, Rate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.senders.mistakes import Place

PERIODS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86_400.0}
"""Seconds of what a rate may be written per."""

_RATE = re.compile(rf"([1-9][0-9]{{0,8}})/({'|'.join(PERIODS)})")
_LONGEST_S = 86_400
_HOST = re.compile(r"\*|(?!-)[a-z0-9.-]{1,253}(?::[0-9]{1,5})?")


def rate(table: Mapping[str, Any], place: Place) -> Rate:
    """Return the rate, as `"60/minute"` has it."""
    at = place / "rate"
    example = '"60/minute"'
    if "rate" not in table or not at.is_a(str, table["rate"], example):
        return DEFAULT_RATE
    found = _RATE.fullmatch(table["rate"])
    if not found:
        at.wrong(f"{shown(table['rate'])} is no rate: write a number per {', '.join(PERIODS)}, like {example}")
        return DEFAULT_RATE
    return Rate(int(found[1]), PERIODS[found[2]])


def window_s(table: Mapping[str, Any], place: Place) -> float | None:
    """Return how far a signature's time may be from now, in seconds, None for the scheme's default."""
    value = table.get("window_s")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1 <= value <= _LONGEST_S:
        (place / "window_s").wrong(f"must be a number of seconds from 1 to {_LONGEST_S}")
        return None
    return float(value)


def origins(table: Mapping[str, Any], place: Place) -> tuple[str, ...]:
    """Return whose webhook handshake gets consent, in lower case (CloudEvents HTTP 1.1 Web Hooks, 4.1.1: a DNS name)."""
    example = '["eventemitter.example.com"]'
    given = (place / "origins").texts(table.get("origins", []), example)
    for inner, origin in given:
        if not _HOST.fullmatch(origin.lower()):
            inner.wrong(f'{shown(origin)} is no host: write its name alone, as in {example}, or "*" for all')
    return tuple(origin.lower() for _, origin in given)


def https(table: Mapping[str, Any], place: Place, *, needed: bool) -> bool:
    """Return whether requests are taken over https only; `needed` is the default, which it is unwise to change from true."""
    at = place / "https"
    if "https" not in table or not at.is_a(bool, table["https"]):
        return needed
    if needed and not table["https"]:
        at.warn("whoever reads a request of this scheme on its way can make others: leave this out")
    return bool(table["https"])


def later(table: Mapping[str, Any], place: Place) -> bool:
    """Return whether what is sent is stored for later, without being asked for: the key `async`."""
    return "async" in table and (place / "async").is_a(bool, table["async"]) and bool(table["async"])
