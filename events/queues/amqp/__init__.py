"""Queues on RabbitMQ 3.10 and newer, for when one machine is not enough: `amqp://user:password@host:5672/vhost`, `amqps://...`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from events.queues.amqp.queue import AmqpQueue
from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from events.queues.urls import QueueUrl

OPTIONS = ("groups",)
"""`groups`: the number of queues that messages with a group are spread over, 1 to 64; the same for all who use the queue."""

_GROUPS = 4


def connect(url: QueueUrl) -> AmqpQueue:
    """Return the queue of a URL; nothing is reached before it is used. Raises ConfigurationError."""
    groups = url.options.get("groups", str(_GROUPS))
    if not re.fullmatch(r"[1-9]|[1-5][0-9]|6[0-4]", groups):
        raise ConfigurationError("the queue's URL: groups must be a whole number from 1 to 64")
    return AmqpQueue(url, int(groups))
