"""The messages that one consumer has delayed: between two queues the broker counts them in neither."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds that the broker may take to move a message whose time has come; longest when it has just been started.
_MOVE_S = 10.0
# Those whose time has passed are forgotten when there are this many: other consumers may have received them.
_MANY = 1_000


class Away:
    """Messages by their ids, until they come back or should have."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def __len__(self) -> int:
        self._forget()
        return len(self._until)

    def add(self, its_id: str, delay_s: float) -> None:
        """Note that a message was delayed."""
        if len(self._until) >= _MANY:
            self._forget()
        self._until[its_id] = self._clock() + delay_s + _MOVE_S

    def came(self, its_id: str) -> None:
        """Note that a message came."""
        self._until.pop(its_id, None)

    def _forget(self) -> None:
        now = self._clock()
        self._until = {its_id: until for its_id, until in self._until.items() if until > now}
