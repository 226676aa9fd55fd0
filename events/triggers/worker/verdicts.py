"""What is to become of a message once it was handled: ended, tried again later, or dead; the worker's main thread tells the queue."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from events.queues import Letter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.queues import Message


GONE = "sink gone"
"""Why a message is given back when a sink wants no event any more: the worker then stops."""


CREDENTIALS = "credentials"
"""Why a message is given back when the cloud refuses our credentials: a batch job ends after some of these."""


@dataclass(frozen=True, slots=True)
class Done:
    """The message is acknowledged: its event has left. `outcome` is the event's."""

    outcome: str


@dataclass(frozen=True, slots=True)
class Back:
    """The message is given back for `delay_s` seconds; `failed`: it was run and failed, which counts. `why` is for log and summary."""

    delay_s: float
    failed: bool
    why: str


@dataclass(frozen=True, slots=True)
class Dead:
    """The message goes to the dead letters, its event beside it."""

    letter: Letter
    outcome: str


Verdict = Done | Back | Dead


def letter(message: Message, reason: str, event: Mapping[str, Any], now: float) -> Letter:
    """Return the dead letter of a message whose last result event (in JSON form, {} for none) this is; `now` in seconds since 1970."""
    data = event.get("data") or {}
    error = data.get("error") or {}
    return Letter(
        message, reason, now, data.get("operation", "unknown"), error.get("kind"), error.get("code"), event or None
    )


def delay(tries: int, base_s: float, most_s: float, said_s: float | None = None) -> float:
    """Return the seconds before the next try of what failed `tries` times: growing, jittered, and never less than the cloud said."""
    grown = min(most_s, base_s * 2 ** min(tries - 1, 30))
    return max(random.uniform(grown / 2, grown), said_s or 0.0)  # noqa: S311 - no secret
