"""Invocations answered as a whole, for triggers that cannot give single records back: done, or an exception that repeats it all."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from events.triggers.records import Record
    from events.triggers.serverless.batches import Batches
    from events.triggers.serverless.invocation import Invocation
    from events.triggers.serverless.settling import Settled, Settling
    from functions.cloud.errors import CallError

log = logging.getLogger("hongyan.events")

_SHOWN = 5
_MOST_TOLD = 300


class NotDone(Exception):
    """Raised to the platform so that it repeats an asynchronous invocation, and in the end hands it to its dead letters or destination."""


class TryAgain(NotDone):
    """Some records are worth another try."""


class CannotSucceed(NotDone):
    """Some records can never succeed: their events have gone out, and the platform's dead letters are to have them as well."""


def reason(error: CallError) -> str:
    """Return why a call failed as the platform shows it: kind, the cloud's code, the message cut."""
    return f"{error.kind}{f' ({error.code})' if error.code else ''}: {error.message}"[:_MOST_TOLD]


class Whole:
    """Runs records whose platform repeats all of them or none."""

    def __init__(self, batches: Batches, settling: Settling) -> None:
        self._batches = batches
        self._settling = settling

    def answer(self, records: Sequence[Record], invocation: Invocation, *, repeats: bool = True) -> dict[str, Any]:
        """Run the records and return what an operator may like to read: `{"records", "outcomes"}`.

        Raises NotDone when some must be run again, and running all of them again has no further effect. Where the platform never `repeats`,
        or where a repeat would do a write twice, every event is emitted instead, and says whether another try is worth it.
        """
        settled = self._batches.run(records, invocation, whole=True)
        returned = [one for one in settled if one.returned]
        safe = all(one.result is None or one.result.repeatable for one in settled)
        if returned and repeats and safe:
            raise _not_done(returned, len(settled))
        for one in returned:
            if not one.emitted:
                self._tell(one, invocation)
        outcomes = Counter(one.result.outcome if one.result else "failed" for one in settled)
        return {"records": len(settled), "outcomes": dict(outcomes)}

    def _tell(self, one: Settled, invocation: Invocation) -> None:
        """Emit the event of a record that nobody will run again."""
        if one.result is None:
            told = self._batches.unrun(one.record, invocation.deadline)
        else:
            told = self._settling.give_up(one.record, one.result)
        if told.result is None:
            log.error("record.untold", extra={"facts": {"trigger": one.record.kind, "id": one.record.id}})
        if not told.emitted:
            raise TryAgain("a result event could not be handed on; a repeat may do again what was done")


def _not_done(returned: Sequence[Settled], total: int) -> NotDone:
    """Return the exception whose text tells why, with no payload and no secret in it."""
    again = [one for one in returned if one.result is None or one.result.error is None or one.result.error.retryable]
    reasons = Counter(_reason(one) for one in returned)
    told = "; ".join(f"{count} x {reason}" for reason, count in reasons.most_common(_SHOWN))
    kind = TryAgain if again else CannotSucceed
    return kind(f"{len(returned)} of {total} records: {told}")


def _reason(one: Settled) -> str:
    error = one.result.error if one.result else None
    if error is None:
        return "not run, there was no time" if one.result is None else "its result event could not be handed on"
    return reason(error)
