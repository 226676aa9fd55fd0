"""The threads of a deployed function, kept between invocations; those that hang are left behind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future


class Threads:
    """At most `most` threads that work at once; invocations of one process share them."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._pool = self._fresh()

    def run(self, count: int, work: Callable[[], Any], patience_s: float) -> list[Future[Any]]:
        """Run the same work on so many threads (at most all) and return it when it has ended, or when `patience_s` seconds are over.

        Threads that have not come back by then are not waited for again: what comes next has threads of its own.
        """
        pool = self._pool
        tasks = [pool.submit(work) for _ in range(min(count, self.most))]
        _, hung = wait(tasks, timeout=patience_s)
        if hung and self._pool is pool:
            # Not shut down, for another invocation may be using it; its idle threads end by themselves when nobody holds it any more.
            self._pool = self._fresh()
        return tasks

    def _fresh(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.most, thread_name_prefix="record")
