"""Done once, remembered: which calls are under way, which have ended and how; what every store promises, for the worker."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Protocol

EFFECTIVE = frozenset({"succeeded", "partial", "unknown"})
"""Outcomes after which a call must not be run again: it had its effect, or may have had it."""
ANNOUNCED_KEEP_S = 30 * 86_400.0
"""Least seconds for which the end of a call that was announced is remembered: it must outlive sinks that are down and letters that wait."""


class StoreUnavailable(Exception):
    """The store cannot be read or written: nothing may be taken for new. The text says why."""


class LeaseLost(Exception):
    """The claim is somebody else's by now, or has ended: what its first holder found out does not count."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A call that is this worker's to run.

    `token` tells it from claims of the same call before and after (a fencing token). `in_doubt`: somebody claimed it before, announced that
    a write was about to be sent, and never said what became of it. `losses` counts the claims in a row before this one whose holder let
    them run out: he died, or does not know himself what became of the call.
    """

    key: bytes
    token: int
    in_doubt: bool = False
    losses: int = 0


@dataclass(frozen=True, slots=True)
class Finished:
    """A call that has ended: its outcome and its result event, in the JSON form of CloudEvents."""

    outcome: str
    event: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Busy:
    """A call that is under way elsewhere; `wait_s`: so many seconds from now its claim ends."""

    wait_s: float


class Store(Protocol):
    """Remembers calls by key; shared between threads. Every method raises StoreUnavailable."""

    def claim(self, key: bytes, lease_s: float, run: int = 0) -> Claim | Finished | Busy:
        """Claim a call for `lease_s` seconds, unless it is claimed or has ended.

        `run` counts how often its message was redriven: an end that had no effect (not `EFFECTIVE`) and was told in an earlier run
        does not keep it from being run again.
        """

    def announce(self, claim: Claim) -> None:
        """Note, so that it survives this process, that a write is about to be sent. Raises LeaseLost: then it must not be.

        A claim whose lease has ended is lost to this, also while nobody else has it. What was announced is remembered until it is
        finished or released, however long that takes.
        """

    def finish(self, claim: Claim, end: Finished, keep_s: float, run: int = 0) -> None:
        """Remember how a call ended, for `keep_s` seconds, or `ANNOUNCED_KEEP_S` if it was announced and that is longer.

        Good also after the lease has ended, until somebody else claims the call: it tells what was done. May be repeated, with the
        same end, by whoever got no answer. Raises LeaseLost.
        """

    def release(self, claim: Claim) -> None:
        """Forget a claim whose call had no effect: anybody may run it now. One that is lost is passed over."""

    def close(self) -> None:
        """Give the connection or file up."""


def key_of(queue: str, origin: str, id: str, operation: str) -> bytes:  # noqa: A002 - the field's term
    """Return the key of a call: its queue's name, who says so and from where (`Call.origin`), the event's id, the operation.

    An event that is sent to two queues is run once for each.
    """
    return hashlib.sha256("\0".join((queue, origin, id, operation)).encode("utf-8", "surrogatepass")).digest()
