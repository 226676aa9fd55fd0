"""SIGTERM under load: the worker ends with 0 in its time, and what it had comes to exactly one result, on every transport."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.events.queues.relay import Relay
from tests.events.queues.support import until
from tests.events.triggers.worker.scene import WITHIN_S, Scene, facts_of, said_by, scene, struck, through
from tests.test_torture import reachable
from tests.torture.moments import ACTED
from tests.torture.places import TRANSPORTS, place
from tests.torture.table import faults

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.torture.crew import Worker

    Record = Callable[[str, object], None]

pytestmark = pytest.mark.long

# Seconds that the end of a process takes beside what it waits for, on a machine that does much else.
_BESIDE_S = 5.0
# What the tries that are under way take of a network that swallows everything: Redis three of 5, RabbitMQ one of 10 and a little.
_TRIES_S = 15.0


def stopped(each: Scene, worker: Worker, record: Record) -> float:
    """Wait for a worker that was asked to stop, and return how long it took; what it left must come to its end by another worker."""
    each.stop(worker)
    [(_, code, took_s)] = each.ends
    left = len(each.plan.sent) - len(each.sink.taken)
    assert code == 0
    assert left > 0
    record("stop_s", round(took_s, 2))
    record("left", left)
    return took_s


def ends_well(each: Scene) -> None:
    """Have another worker do the rest."""
    each.start()
    each.finish()
    assert faults(each.verdict()) == []


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_under_load(transport: str, tmp_path: Path, record_property: Record) -> None:
    reachable(place(transport, "none", tmp_path).queue)
    with scene(transport, tmp_path, 100, HONGYAN_THREADS="16") as each:
        each.publish()
        worker = each.start()
        until(lambda: each.told(0.2), WITHIN_S)
        struck(each.moments, worker, ACTED, worker.stop)
        assert stopped(each, worker, record_property) < _BESIDE_S
        ends_well(each)
        assert said_by(worker)["worker.cut"] == 0


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_while_a_sink_is_down(transport: str, tmp_path: Path, record_property: Record) -> None:
    reachable(place(transport, "none", tmp_path).queue)
    with scene(transport, tmp_path, 100, HONGYAN_THREADS="16", HONGYAN_STOP_S="2") as each:
        each.publish()
        worker = each.start()
        until(lambda: each.told(0.2), WITHIN_S)
        each.sink.down.set()
        until(lambda: said_by(worker)["sink.unavailable"] > 0, WITHIN_S)
        worker.stop()
        assert stopped(each, worker, record_property) < 2 + _BESIDE_S
        each.sink.down.clear()
        ends_well(each)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_while_calls_hang_longer_than_a_stop_may_take(transport: str, tmp_path: Path, record_property: Record) -> None:
    reachable(place(transport, "none", tmp_path).queue)
    with scene(transport, tmp_path, 60, HONGYAN_STOP_S="0.5", HONGYAN_DEADLINE_S="3") as each:
        each.faults.add(delay_s=2.5, times=3)
        each.publish()
        worker = each.start()
        until(lambda: not each.faults.waiting(), WITHIN_S)
        worker.stop()
        assert stopped(each, worker, record_property) < 0.5 + _BESIDE_S
        [(_, said)] = facts_of(worker, "worker.cut")
        assert said["in_flight"] == 3
        ends_well(each)


@pytest.mark.parametrize("transport", ["redis", "amqp"])
def test_while_the_network_to_the_broker_is_cut(transport: str, tmp_path: Path, record_property: Record) -> None:
    where = place(transport, "none", tmp_path).queue
    reachable(where)
    relay = Relay(urlsplit(where).port or 0)
    with scene(transport, tmp_path, 60, HONGYAN_STOP_S="1") as each:
        each.publish()
        worker = each.start(HONGYAN_QUEUE=through(each.where.queue, relay.port))
        until(lambda: each.told(0.2), WITHIN_S)
        struck(each.moments, worker, ACTED, relay.hold)
        worker.stop()
        assert stopped(each, worker, record_property) < 1 + _TRIES_S + _BESIDE_S
        relay.close()
        ends_well(each)
