"""The broker dies, the network to it is cut, its file is locked, in mid-run: the same workers go on, nothing lost, nothing done twice."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from events.triggers.worker.app import make
from tests.events.queues.brokers import PrivateRabbit, PrivateRedis, running
from tests.events.queues.relay import Relay
from tests.events.queues.support import until
from tests.events.triggers.worker.scene import WITHIN_S, Scene, at_work, facts_of, said_by, scene, struck, through
from tests.test_torture import reachable
from tests.torture.moments import ACTED
from tests.torture.places import LEASE_S, place
from tests.torture.table import faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from events.queues import Delivery, Queue
    from tests.torture.crew import Worker

    Record = Callable[[str, object], None]

pytestmark = pytest.mark.long

CUT_S = 10.0


def downtime(worker: Worker) -> float:
    """Return how long a worker says its queue was away: once, and not any more."""
    said = said_by(worker)
    assert (said["queue.unavailable"], said["queue.available"]) == (1, 1)
    [(_, facts)] = facts_of(worker, "queue.available")
    return float(facts["down_s"])


def goes_on(each: Scene, workers: Sequence[Worker], record: Record) -> None:
    """Wait for the end: these workers have come to it, all was done once, and each has told of one outage."""
    each.finish()
    verdict = each.verdict()
    assert faults(verdict) == []
    assert [end[:2] for end in each.ends][: len(workers)] == [(one.name, 0) for one in workers]
    record("down_s", [downtime(one) for one in workers])
    record("figures", {name: count for name, count in verdict.figures.items() if count})


@pytest.mark.parametrize(
    ("transport", "kind", "program"),
    [("redis", PrivateRedis, "redis-server"), ("amqp", PrivateRabbit, "rabbitmq-server")],
)
def test_the_broker_is_killed_and_started_again(
    transport: str, kind: type[PrivateRedis | PrivateRabbit], program: str, tmp_path: Path, record_property: Record
) -> None:
    if not kind.found() and os.environ.get("CI") != "true":
        pytest.skip(f"{program} is not installed")
    with running(kind(tmp_path / "server")) as server, scene(transport, tmp_path, 200, server.url) as each:
        # Each once: a second copy is delayed, and RabbitMQ may lose the leader of a queue that is made just before it dies.
        each.queue.publish([one.message for one in each.plan.sent])
        workers = [each.start(), each.start()]
        until(lambda: each.told(0.2), WITHIN_S)
        struck(each.moments, workers[0], ACTED, server.kill)
        died_at = time.monotonic()
        assert not each.told(1.0)
        until(lambda: all(said_by(one)["queue.unavailable"] for one in workers), WITHIN_S)
        # Until all that is in flight is anybody's.
        until(lambda: time.monotonic() > died_at + LEASE_S)
        server.start()
        goes_on(each, workers, record_property)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Have another process write to a sqlite file, and not come to an end with it."""
    text = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('BEGIN EXCLUSIVE'); print('locked', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", text, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"locked\n"
        yield
        process.communicate(b"\n")


def test_another_process_locks_the_file(tmp_path: Path, record_property: Record) -> None:
    with scene("sqlite", tmp_path, 120) as each:
        each.publish()
        workers = [each.start(), each.start()]
        until(lambda: each.told(0.2), WITHIN_S)
        with locked(tmp_path / "queue.sqlite"):
            until(lambda: all(said_by(one)["queue.unavailable"] for one in workers), WITHIN_S)
            assert not each.told(1.0)
        goes_on(each, workers, record_property)


@contextmanager
def wire(url: str) -> Iterator[Relay]:
    """Give a wire of its own to a URL's server."""
    relay = Relay(urlsplit(url).port or 0)
    try:
        yield relay
    finally:
        relay.close()


@pytest.mark.parametrize("transport", ["redis", "amqp"])
def test_the_network_to_the_broker_is_cut(transport: str, tmp_path: Path, record_property: Record) -> None:
    url = place(transport, "none", tmp_path).queue
    reachable(url)
    with wire(url) as silent, wire(url) as broken, scene(transport, tmp_path, 150) as each:
        workers = [each.start(HONGYAN_QUEUE=through(each.where.queue, one.port)) for one in (silent, broken)]
        until(lambda: all(said_by(one)["worker.started"] for one in workers), WITHIN_S)
        each.publish(0, 30)
        until(lambda: each.told(0.1), WITHIN_S)
        struck(each.moments, workers[0], ACTED, silent.hold, meanwhile=lambda: each.publish(30, 120))
        struck(each.moments, workers[1], ACTED, lambda: cut(broken))
        cut_at = time.monotonic()
        # It takes over what they had in flight.
        other = each.start()
        until(lambda: all(said_by(one)["queue.unavailable"] for one in workers), WITHIN_S)
        until(lambda: time.monotonic() > cut_at + CUT_S, 2 * CUT_S)
        silent.release()
        broken.release()
        until(lambda: all(said_by(one)["queue.available"] for one in workers), WITHIN_S)
        each.publish(120)
        goes_on(each, workers, record_property)
        assert said_by(other)["queue.unavailable"] == 0


def cut(relay: Relay) -> None:
    """Break all connections, and let nothing come of new ones."""
    relay.hold()
    relay.cut()


# How many bytes of an acknowledgement still get through, or of the answer to it. One of AMQP has 21 bytes and no answer.
PARTS = {
    "redis": [(0, False), (60, False), (0, True), (1, True)],
    "amqp": [(0, False), (10, False), (20, False), (21, False)],
}


@pytest.mark.parametrize("transport", PARTS)
def test_the_network_breaks_at_an_acknowledgement(
    transport: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = place(transport, "none", tmp_path).queue
    reachable(url)
    with wire(url) as relay, scene(transport, tmp_path, 100) as each, caplog.at_level("INFO", "hongyan.events"):
        worker = make({**each.environ("worker"), "HONGYAN_QUEUE": through(each.where.queue, relay.port)})
        breaks = breaking(relay, worker._connection._queue, PARTS[transport])
        each.publish()
        with at_work(worker):
            until(lambda: each.told(1.0) and each.is_empty(), WITHIN_S)
        each.finish()
        said = Counter(record.getMessage() for record in caplog.records)
        assert faults(each.verdict(said)) == []
    # How many acknowledgements there are is the threads' doing.
    assert breaks
    assert said["queue.unavailable"] == said["queue.available"] >= 1


def breaking(relay: Relay, queue: Queue, parts: Sequence[tuple[int, bool]]) -> list[tuple[int, bool]]:
    """Break the connection at every third acknowledgement, after these parts of it; return those that were broken so far."""
    acknowledge, todo, done, count = queue.acknowledge, list(parts), list[tuple[int, bool]](), itertools.count()

    def breaks(deliveries: Sequence[Delivery]) -> None:
        if todo and next(count) % 3 == 0:
            done.append(todo.pop(0))
            relay.cut_after(done[-1][0], answers=done[-1][1])
        acknowledge(deliveries)

    queue.acknowledge = breaks  # type: ignore[method-assign]
    return done
