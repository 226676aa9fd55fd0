"""When a failed request is sent again, and after how long: only where a repeat is safe, never past the deadline."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.cloud.deadline import Deadline
    from functions.cloud.errors import CallError

_BASE_S = 0.2
_CAP_S = 5.0
# A write that must not be repeated is not begun with less time than this to hear its answer, in seconds: a lost answer is worse than none.
LEAST_FOR_WRITE_S = 1.0


@dataclass(frozen=True, slots=True)
class Retry:
    """Exponential back-off with full jitter: before attempt n + 1 a wait of 0 to `base_s` x 2^(n-1) seconds, at most `cap_s`."""

    attempts: int = 4
    base_s: float = _BASE_S
    cap_s: float = _CAP_S
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[float, float], float] = random.uniform

    def wait(self, error: CallError, attempt: int, deadline: Deadline, *, safe: bool) -> float | None:
        """Return the seconds to wait before the next attempt, or None when there must be none.

        `attempt` counts the tries so far, `safe` says that repeating has no further effect. A Retry-After of the cloud is never cut
        short: when it does not fit into the deadline, the wait is left to whoever sent the event.
        """
        if not error.retryable or attempt >= self.attempts or not (safe or error.refused):
            return None
        pause = self.random(0.0, min(self.cap_s, self.base_s * 2 ** (attempt - 1)))
        pause = max(pause, error.retry_after_s or 0.0)
        least = 0.0 if safe else LEAST_FOR_WRITE_S
        return pause if pause + least < deadline.remaining() else None
