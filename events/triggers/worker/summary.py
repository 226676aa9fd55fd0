"""How many messages a worker has ended, and how: for its last words, its progress line and the metrics."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from events.triggers.worker.verdicts import Back, Dead

if TYPE_CHECKING:
    from events.triggers.worker.verdicts import Verdict


class Summary:
    """`outcomes` of messages that have ended, those among them that are `dead`, and why others were `returned` (`retry`, `busy`, …)."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.returned: Counter[str] = Counter()
        self.dead = 0

    @property
    def ended(self) -> int:
        """How many messages have come to their end."""
        return sum(self.outcomes.values())

    def count(self, verdict: Verdict) -> None:
        """Take a verdict into account."""
        if isinstance(verdict, Back):
            self.returned[verdict.why] += 1
        else:
            self.outcomes[verdict.outcome] += 1
            self.dead += isinstance(verdict, Dead)

    def facts(self) -> dict[str, int]:
        """Return the same as a flat table, for a log line or JSON."""
        returned = {f"returned_{why.replace(' ', '_')}": count for why, count in sorted(self.returned.items())}
        return {"ended": self.ended, **dict(sorted(self.outcomes.items())), "dead": self.dead, **returned}
