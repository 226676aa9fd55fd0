"""One queue that many threads publish into: for the webhook that stores events for later, and for the sink that queues results."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from events.queues import QueueUnavailable
from events.queues.urls import connect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from events.queues import Message, Queue
    from events.queues.urls import QueueUrl


class Publisher:
    """Publishes into the queue of a URL; threads may share it. Nothing is connected before `open` or the first `publish`.

    `shown` is the queue for people and logs; `variable` names the setting that its URL came from.
    """

    def __init__(self, url: QueueUrl, variable: str) -> None:
        self.shown = url.shown
        self._url = url
        self._variable = variable
        self._lock = threading.Lock()
        self._queue: Queue | None = None
        self._lost = False

    def open(self) -> None:
        """Make the queue's object now, so that a mistake in its settings is told at start. Raises as `events.queues.urls.connect` does."""
        with self._lock:
            self._connected()

    def publish(self, messages: Sequence[Message]) -> None:
        """Put messages into the queue, one caller at a time; when this returns, they are in its keeping.

        A connection that turns out to be lost is made anew, once. Raises QueueUnavailable (some or all of the messages may be in the queue
        nevertheless: publish them again under the same ids), QueueRefused, and ConfigurationError where `open` would have.
        """
        with self._lock:
            fresh = self._queue is None or self._lost
            try:
                self._publish(messages)
            except QueueUnavailable:
                if fresh:
                    raise
                self._publish(messages)

    def close(self) -> None:
        """Give the connection up; publishing again makes another one. Raises QueueUnavailable."""
        with self._lock:
            queue, self._queue = self._queue, None
            if queue is not None:
                queue.close()

    def _connected(self) -> Queue:
        if self._queue is None:
            self._queue, self._lost = connect(self._url, self._variable), False
        return self._queue

    def _publish(self, messages: Sequence[Message]) -> None:
        queue = self._connected()
        if self._lost:
            queue.reconnect()
            self._lost = False
        try:
            queue.publish(messages)
        except QueueUnavailable:
            self._lost = True
            raise
