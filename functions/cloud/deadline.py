"""How long a call may still take, and how far it has come: every timeout, back-off and batch step draws from one deadline."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class Trail:
    """What others may know of a call under way.

    `sent`: sending has begun of a request whose end is not known. `announce` is called before each sending of a write that must not be
    repeated, so that whoever comes after this process knows of it; it raises CallError to keep it from being sent.
    """

    sent: bool = False
    announce: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock, in seconds, after which nothing more is sent or awaited."""

    at: float
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def after(cls, seconds: float, *, margin: float = 0.0, clock: Callable[[], float] = time.monotonic) -> Deadline:
        """Return the deadline `seconds` from now, less a margin (seconds) kept for emitting the result."""
        return cls(clock() + seconds - margin, clock)

    def remaining(self) -> float:
        """Return the seconds left, 0.0 when it has passed."""
        return max(0.0, self.at - self.clock())
