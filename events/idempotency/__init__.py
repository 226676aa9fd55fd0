"""Done once, remembered: which calls are under way, which have ended and how; what every store promises, for the worker."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

EFFECTIVE = frozenset({"succeeded", "partial", "unknown"})
"""Outcomes after which a call must not be run again: it had its effect, or may have had it."""


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
    """A call that is under way elsewhere; `wait_s`: so many seconds from now its claim ends unless it is extended."""

    wait_s: float


class Store(Protocol):
    """Remembers calls by key; shared between threads. Every method raises StoreUnavailable."""

    def claim(self, key: bytes, lease_s: float, run: int = 0) -> Claim | Finished | Busy:
        """Claim a call for `lease_s` seconds, unless it is claimed or has ended.

        `run` counts how often its message was redriven: an end that had no effect (not `EFFECTIVE`) and was told in an earlier run
        does not keep it from being run again.
        """

    def announce(self, claim: Claim) -> None:
        """Note, so that it survives this process, that a write is about to be sent. Raises LeaseLost: then it must not be."""

    def extend(self, claims: Sequence[Claim], lease_s: float) -> None:
        """Keep claims for another `lease_s` seconds; those that are lost are passed over."""

    def finish(self, claim: Claim, end: Finished, keep_s: float, run: int = 0) -> None:
        """Remember how a call ended, for `keep_s` seconds. Raises LeaseLost."""

    def release(self, claim: Claim) -> None:
        """Forget a claim whose call had no effect: anybody may run it now. One that is lost is passed over."""

    def close(self) -> None:
        """Give the connection or file up."""


def key_of(origin: str, id: str, operation: str) -> bytes:  # noqa: A002 - the field's term
    """Return the key of a call: who says so and from where (`Call.origin`), the event's id, the operation."""
    return hashlib.sha256("\0".join((origin, id, operation)).encode("utf-8", "surrogatepass")).digest()
