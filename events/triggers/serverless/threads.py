"""The threads of a deployed function, kept between invocations; those that hang are left behind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from functions.cloud.deadline import Deadline


class Threads:
    """At most `most` threads that work at once; invocations of one process share them.

    `margin_s` (seconds) is what an invocation has beyond its deadline. Every call has that deadline; half of the margin is for whatever no
    deadline reaches, as looking up a name.
    """

    def __init__(self, most: int, margin_s: float) -> None:
        self.most = most
        self._patience_s = margin_s / 2
        self._pool = self._fresh()

    def run(self, count: int, work: Callable[[], Any], end: Deadline) -> list[Future[Any]]:
        """Run the same work on so many threads (at most all) and return it when it has ended, or soon after `end`.

        Threads that have not come back by then are not waited for again: what comes next has threads of its own.
        """
        pool = self._pool
        tasks = [pool.submit(work) for _ in range(min(count, self.most))]
        _, hung = wait(tasks, timeout=end.remaining() + self._patience_s)
        if hung and self._pool is pool:
            # Not shut down, for another invocation may be using it; its idle threads end by themselves when nobody holds it any more.
            self._pool = self._fresh()
        return tasks

    def _fresh(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.most, thread_name_prefix="record")
