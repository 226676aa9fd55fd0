"""One queue's stream as one consumer of it sees it: its keys, its scripts, its entries; for the queue."""

from __future__ import annotations

import os
import socket
import uuid
from typing import TYPE_CHECKING, Any

from events.queues import QueueRefused, QueueUnavailable
from events.queues.redis import scripts
from events.queues.redis.keys import KEYS
from events.redisserver import NoGroup, RedisServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from events.queues.urls import QueueUrl
    from events.redisserver import Script


class Stream:
    """The stream of a URL, with the consumer that this process is. Every method raises QueueUnavailable, QueueRefused."""

    def __init__(self, url: QueueUrl) -> None:
        self.lease_ms = round(url.lease_s * 1000)
        # Whoever looks for what the dead had must know for how long they had it.
        self.consumer = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:12]}:{self.lease_ms}"
        # One hash tag: a cluster keeps all keys of a queue together.
        self.keys = {key: f"{{hongyan:{url.name}}}:{key}" for key in KEYS}
        self._all = tuple(self.keys.values())
        self._few = (self.keys["stream"], self.keys["whole"])
        name = f"hongyan:{self.consumer}"
        self._server = RedisServer(url.address, url.options, QueueUnavailable, QueueRefused, connections=1, name=name)
        self.command, self.reconnect, self.close = self._server.command, self._server.reconnect, self._server.close

    def join(self) -> None:
        """Become a consumer that has lost nothing yet."""
        self.run(scripts.JOIN, self.consumer)

    def run(self, script: Script, *values: Any) -> Any:
        """Run a script of the queue's."""
        return self._asked(lambda: self._server.run(script, self._all, *values))

    def end(self, entries: list[bytes]) -> bool:
        """End entries without groups, if this consumer has lost none; tell whether."""
        return bool(self._asked(lambda: self._server.run(scripts.END, self._few, self.consumer, *entries)))

    def read(self, most: int, wait_ms: int) -> list[Any]:
        """Return up to so many new entries, each its id and its fields, waiting for the first."""
        # To Redis, no time at all is for ever.
        block = ("BLOCK", wait_ms) if wait_ms > 0 else ()
        words = ("GROUP", "hongyan", self.consumer, "COUNT", most, *block, "STREAMS", self._few[0], ">")
        answer = self._asked(lambda: self._server.command("XREADGROUP", *words))
        return answer[0][1] if answer else []

    def _asked(self, ask: Callable[[], Any]) -> Any:
        """Ask the server; where the stream is new, or the server has lost it, make the consumer group first."""
        try:
            return ask()
        except NoGroup:
            pass
        try:
            # Not as a consumer that has lost nothing.
            self._server.run(scripts.JOIN, self._all, "")
            return ask()
        except NoGroup as error:
            raise QueueUnavailable(f"{self._server.shown}: {error}") from error
