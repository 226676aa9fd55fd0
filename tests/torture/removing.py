"""What a run leaves on servers that tests share, and how it is taken away again: its queue, and what the store remembers of its calls."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from events.idempotency import key_of
from events.queues.urls import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.torture.places import Place
    from tests.torture.plan import Sent

_AT_ONCE = 500


def remove(place: Place, sent: Sequence[Sent] = ()) -> None:
    """Take away a queue from its server, and what the store there remembers of messages; files are in a run's folder."""
    if place.transport == "redis":
        _remove_keys(place, sent)
    if place.transport == "amqp":
        _remove_queues(place)


def _remove_keys(place: Place, sent: Sequence[Sent]) -> None:
    import redis

    from events.idempotency.redis import PREFIX

    # What a body that nobody can read asks for has no name.
    named = product(sent, (f"/torture/{place.name}", f"/hongyan/queue/{place.name}"), (True, False))
    calls = [f"{PREFIX}{key_of(place.name, by, one.id, one.operation * known).hex()}" for one, by, known in named]
    with redis.Redis.from_url(urlsplit(place.queue)._replace(query="").geturl()) as client:
        keys = [*calls, *client.scan_iter(f"{{hongyan:{place.name}}}:*")]
        for start in range(0, len(keys), _AT_ONCE):
            client.delete(*keys[start : start + _AT_ONCE])


def _remove_queues(place: Place) -> None:
    from events.queues.amqp import client, topology

    queue = place.name
    names = [queue, topology.dead(queue), *(topology.delay(queue, delay_s) for delay_s in topology.DELAYS_S)]
    names += [topology.group(queue, number) for number in range(64)]
    connection = client.connect(read(place.queue, "the run's queue"), 0)
    try:
        channel = connection.channel()
        for name in names:
            channel.queue_delete(name)
    finally:
        connection.close()
