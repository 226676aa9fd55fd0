"""Messages put into the queue for many requests at once, none of which waits longer than it may: for what is stored for later."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from events.queues import QueueRefused, QueueUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from events.queues import Message
    from events.queues.publishing import Publisher

log = logging.getLogger("hongyan.events")

MOST_S = 10.0
"""Seconds that a request waits for the queue at most."""
# Messages that go out together, unless one request alone has more.
_TOGETHER = 1000


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    messages: Sequence[Message]
    ended: Future[None] = field(default_factory=Future)


class Storing:
    """Publishes for the threads of a server; make one in each process.

    One thread at a time publishes, and takes with it whatever has come meanwhile: a broker that hangs holds that thread and none of the
    server's, and what takes a queue's time (a disk's, a broker's confirmation) is paid once for many.
    """

    def __init__(self, publisher: Publisher, clock: Callable[[], float] = time.monotonic) -> None:
        self._publisher = publisher
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: deque[_Job] = deque()
        self._busy_since: float | None = None

    def store(self, messages: Sequence[Message], seconds: float) -> None:
        """Return when the queue has confirmed all the messages, after so many `seconds` at most.

        Raises QueueUnavailable (some or all of the messages may be in the queue nevertheless), QueueRefused. What was given up on before
        its turn came is not stored any more.
        """
        job = _Job(messages)
        with self._lock:
            self._add(job)
        try:
            job.ended.result(min(seconds, MOST_S))
        except Late:
            if job.ended.cancel() or not job.ended.done():
                raise QueueUnavailable("the queue has not confirmed it in time") from None
            job.ended.result()

    def close(self) -> None:
        """Give the connection up. Raises QueueUnavailable."""
        self._publisher.close()

    def _add(self, job: _Job) -> None:
        if self._busy_since is None:
            # First, for it may fail; it finds the job once we let go of the lock.
            threading.Thread(target=self._run, name="storing", daemon=True).start()
            self._busy_since = self._clock()
        elif self._clock() - self._busy_since > MOST_S:
            # Else every thread of the server would wait for what the one before has waited for in vain.
            raise QueueUnavailable("the queue has not confirmed for some time what it was given before")
        self._waiting.append(job)

    def _run(self) -> None:
        while jobs := self._next():
            self._publish(jobs)

    def _next(self) -> list[_Job]:
        """Return jobs that are still waited for, as many as go out together; with none left this thread's work is done."""
        jobs: list[_Job] = []
        count = 0
        with self._lock:
            while self._waiting and (not jobs or count + len(self._waiting[0].messages) <= _TOGETHER):
                job = self._waiting.popleft()
                if job.ended.set_running_or_notify_cancel():
                    jobs.append(job)
                    count += len(job.messages)
            self._busy_since = self._clock() if jobs else None
        return jobs

    def _publish(self, jobs: Sequence[_Job]) -> None:
        try:
            self._publisher.publish([message for job in jobs for message in job.messages])
        except QueueRefused as error:
            if len(jobs) > 1:  # One of them may be too large: that must not be the others' fault.
                for job in jobs:
                    self._publish([job])
                return
            jobs[0].ended.set_exception(error)
        except QueueUnavailable as error:
            for job in jobs:
                job.ended.set_exception(error)
        except Exception as error:
            log.exception("queue.crashed")
            for job in jobs:
                job.ended.set_exception(error)
        else:
            for job in jobs:
                job.ended.set_result(None)
