"""A signature whose time is outside the window: how far, which way, and what may have set the two clocks apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.explain.words import WORDS, Words, moment, span
from events.signatures import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from events.signatures import Scheme

_HOUR = 3600
_DAY = 86_400
_NEAR = 120  # Seconds that a clock may be off besides its hours.
_ZONES = range(1, 15)


def off(scheme: Scheme, time: float, now: float) -> Words | None:
    """Return what to say of a signature's time, None when it is inside the window around `now`; both in seconds since 1970."""
    try:
        scheme.in_window(time, now)
    except Refusal:
        way = "in the past" if time < now else "in the future"
        told = (
            f"The signature is right, but its time is {span(time - now)} {way}, and the window is {scheme.window_s:g} s: it says"
            f" {moment(time)}, and it is judged as of {moment(now)}. The sender's clock is off, or this machine's, or the request"
            f" came late or was sent a second time."
        )
        return Words("clock_off", told, WORDS["too_old"].fix)
    return None


def notes(time: float, now: float, received: float | None) -> Iterator[str]:
    """Yield what else the time of a signature tells; `received` is when it came where it is judged as of another moment."""
    if received is not None and received != now:
        when = "after" if received >= time else "before"
        yield f"It came at {moment(received)}, {span(received - time)} {when} the time that it says."
    hours = round(abs(time - now) / _HOUR)
    if hours in _ZONES and abs(abs(time - now) - hours * _HOUR) <= _NEAR:
        yield f"That is {hours} h nearly to the second: a local time taken for UTC."
    elif abs(time / 1000 - now) < _DAY:
        yield "Divided by 1000 it would be right: the sender writes milliseconds where the scheme has seconds."
    elif abs(time * 1000 - now) < _DAY:
        yield "Times 1000 it would be right: the sender writes seconds where the scheme has milliseconds."
