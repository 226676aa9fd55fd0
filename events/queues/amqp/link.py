"""One connection to RabbitMQ: read without blocking for long, kept alive, published into with the broker's confirmation."""

from __future__ import annotations

import select
import time
from typing import TYPE_CHECKING, Any

from amqp import spec  # type: ignore[import-untyped]
from amqp.exceptions import NotFound, PreconditionFailed  # type: ignore[import-untyped]

from events.queues import QueueRefused
from events.queues.amqp.client import ANSWER_S, connect
from events.queues.amqp.confirms import Confirms, Unconfirmed
from events.queues.amqp.errors import said

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import amqp

    from events.queues.urls import QueueUrl

# The first that moves dead letters without losing any, and lets messages of quorum queues expire.
_OLDEST = (3, 10)
# Messages sent before the broker's confirmations are waited for.
_WINDOW = 256
# Seconds until a new queue is safe. A broker of one node that is killed half a second after it made a queue has lost it, and all that was
# confirmed in it: it writes down that there is a queue later than what is in it.
_SETTLES_S = 1.5


class Link:
    """A connection that is used by one thread and thrown away (`drop`) after its first failure.

    Methods raise what is in `events.queues.amqp.errors.FAILURES`, QueueUnavailable and QueueRefused. `heartbeat_s` is 0 without heartbeats.
    """

    def __init__(self, url: QueueUrl, heartbeat_s: int) -> None:
        self.heartbeat_s = heartbeat_s
        self._client = connect(url, heartbeat_s)
        self._socket = self._client.sock
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._declared: set[str] = set()
        self._safe_at: dict[str, float] = {}
        self._confirms: Confirms | None = None
        self._aside: Any = None
        try:
            self._check_version()
        except QueueRefused:
            self.drop()
            raise

    def channel(self) -> Any:
        """Return a new channel, which hands bodies over as they are."""
        channel = self._client.channel()
        channel.auto_decode = False
        return channel

    def pump(self, wait_s: float) -> None:
        """Handle what the broker has sent, waiting up to `wait_s` seconds for the first of it; keep the connection alive."""
        while self.read(wait_s):
            wait_s = 0.0

    def read(self, wait_s: float) -> bool:
        """Handle one frame as soon as it is there and return True, False when none came for `wait_s` seconds; keep the connection alive."""
        # TLS may have decrypted more than was asked for.
        there = getattr(self._socket, "pending", int)() or self._poll.poll(wait_s * 1000)
        if there:
            self._client.blocking_read()
        self._client.heartbeat_tick()
        return bool(there)

    def has_declared(self, queue: str) -> bool:
        """Tell whether `declare` was called for a queue."""
        return queue in self._declared

    def declare(self, queue: str, arguments: Mapping[str, Any]) -> None:
        """Make a queue unless it is there, once in the life of this connection."""
        if queue in self._declared:
            return
        is_new = self.count(queue) is None
        try:
            self._beside().queue_declare(queue, durable=True, auto_delete=False, arguments=dict(arguments))
        except PreconditionFailed as error:
            told = f"the queue {queue} is there in another form: empty and delete it, or choose another `queue`"
            raise QueueRefused(f"{told} ({said(error)})") from error
        self._declared.add(queue)
        if is_new:
            self._safe_at[queue] = time.monotonic() + _SETTLES_S

    def count(self, queue: str) -> int | None:
        """Return how many messages in a queue are with no consumer, None when there is no such queue."""
        try:
            return int(self._beside().queue_declare(queue, passive=True).message_count)
        except NotFound:
            return None

    def publish(self, messages: Sequence[tuple[str, amqp.Message]]) -> None:
        """Put messages into queues, each given by its name; return when the broker has confirmed all of them.

        Raises QueueRefused when the broker will never take one of them; others may be there nevertheless.
        """
        if self._confirms is None:
            self._confirms = Confirms(self.channel())
        confirms = self._confirms
        safe_at = max((self._safe_at.get(queue, 0.0) for queue, _ in messages), default=0.0)
        while (left_s := safe_at - time.monotonic()) > 0:
            self.pump(left_s)
        try:
            for queue, message in messages:
                confirms.send(queue, message)
                if confirms.open >= _WINDOW:
                    self._settle(confirms)
            self._settle(confirms)
        except PreconditionFailed as error:
            if error.method_sig != spec.Basic.Publish:
                # That was said of something else: of a delivery that was held for too long, say.
                raise
            self._confirms = None
            confirms.close()
            raise QueueRefused(f"the broker takes no such message: {said(error)}") from error

    def close(self) -> None:
        """End the connection in agreement with the broker: what was acknowledged stays so."""
        try:
            self._client.close()
        finally:
            self.drop()

    def drop(self) -> None:
        """End the connection at once."""
        self._client.collect()

    def _settle(self, confirms: Confirms) -> None:
        before, ends = confirms.open, time.monotonic() + ANSWER_S
        while confirms.open:
            self.pump(max(0.0, ends - time.monotonic()))
            if confirms.open < before:
                before, ends = confirms.open, time.monotonic() + ANSWER_S
            elif time.monotonic() >= ends:
                raise Unconfirmed(before, confirms.queues)
        confirms.check()

    def _beside(self) -> Any:
        """Return the channel for what may fail: the library opens it anew after a failure."""
        if self._aside is None:
            self._aside = self.channel()
        return self._aside

    def _check_version(self) -> None:
        server = self._client.server_properties
        product, version = str(server.get("product")), str(server.get("version"))
        numbers = [int(part) for part in version.split(".")[:2] if part.isdecimal()]
        if product != "RabbitMQ" or tuple(numbers) < _OLDEST:
            raise QueueRefused(f"the broker is {product:.40} {version:.40}: RabbitMQ 3.10 or newer is needed")
