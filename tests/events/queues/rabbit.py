"""The RabbitMQ that tests share: queues of it that nobody else uses, consumers of them, and raw messages of strangers."""

from __future__ import annotations

import contextlib
import os
import uuid
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import urlsplit

import amqp  # type: ignore[import-untyped]
import pytest

from events.queues import urls
from events.queues.amqp import link, topology
from events.queues.amqp.queue import AmqpQueue
from tests.events.queues.brokers import answers

if TYPE_CHECKING:
    from collections.abc import Iterator

URL = os.environ.get("HONGYAN_TEST_AMQP", "amqp://guest:guest@127.0.0.1:5672/")
"""A RabbitMQ on loopback, in which tests make and delete queues whose names begin with `test.`."""
PORT = urlsplit(URL).port or 5672
USER, PASSWORD = urlsplit(URL).username or "guest", urlsplit(URL).password or "guest"
GROUPS = 2


@contextlib.contextmanager
def some_queue(port: int = PORT) -> Iterator[str]:
    """Give the name of a queue that nobody else uses, and delete all that belongs to it; skip where no broker answers, but not in CI."""
    if port == PORT and not answers(PORT) and os.environ.get("CI") != "true":
        pytest.skip(f"no RabbitMQ answers on port {PORT} (HONGYAN_TEST_AMQP)")
    name = f"test.{uuid.uuid4().hex}"
    try:
        with mock.patch.object(link, "_SETTLES_S", 0.0):
            yield name
    finally:
        delete(name, port)


def delete(name: str, port: int = PORT) -> None:
    """Delete a queue and all that belong to it."""
    groups = [topology.group(name, number) for number in range(2 * GROUPS)]
    with channel(port) as raw:
        for queue in (name, topology.dead(name), *groups, *(topology.delay(name, each) for each in topology.DELAYS_S)):
            raw.queue_delete(queue)


@contextlib.contextmanager
def channel(port: int = PORT) -> Iterator[Any]:
    """Give a channel of the library's own client, as a stranger has one, on which the broker confirms."""
    with amqp.Connection(f"127.0.0.1:{port}", USER, PASSWORD, confirm_publish=True) as connection:
        yield connection.channel()


def url_of(name: str, port: int = PORT, **options: Any) -> str:
    said = {"queue": name, "groups": GROUPS, **options}
    return f"amqp://{USER}:{PASSWORD}@127.0.0.1:{port}/?" + "&".join(
        f"{option}={value}" for option, value in said.items()
    )


def connected(name: str, port: int = PORT, **options: Any) -> AmqpQueue:
    """Return a consumer of a queue; whoever made it closes it."""
    queue = urls.connect(urls.read(url_of(name, port, **options), "HONGYAN_QUEUE"), "HONGYAN_QUEUE")
    assert isinstance(queue, AmqpQueue)
    return queue
