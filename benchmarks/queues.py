"""Messages a second through each transport, beside its raw client in the same run.

    .venv/bin/python -m benchmarks.queues --messages 5000 --rounds 3 [--transport sqlite|redis|amqp]

Every row receives and acknowledges so many waiting messages of 400 bytes with one consumer: the raw client (sqlite3 with the same
durability, redis-py, kombu with prefetch 100), our transport by itself, a worker whose handler does nothing, and a worker that runs
elb.list_members on the emulated cloud in its own process, with a store, into a sink that keeps nothing. Rounds are interleaved; medians and
ratios to the raw client are printed, one JSON line per transport. Redis and RabbitMQ must answer on loopback.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import queues_raw
from events import strictjson
from events.cloudevents import CloudEvent
from events.cloudevents.json import to_envelope
from events.dispatch import Dispatcher
from events.idempotency.urls import open_store
from events.queues import Message
from events.queues.urls import connect, read
from events.samples import sample
from events.settings import EventSettings
from events.sinks.several import Named, Several
from events.triggers.worker import Worker
from events.triggers.worker.handling import Handler
from events.triggers.worker.patience import Patience
from events.triggers.worker.settings import WorkerSettings
from events.triggers.worker.verdicts import Done
from functions.cloud.client import Client
from functions.cloud.settings import CloudSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from events.queues import Delivery

BATCH = 100
THREADS = 16
URLS = {"redis": "redis://127.0.0.1:6379/0", "amqp": "amqp://guest:guest@127.0.0.1:5672/"}


class Nothing:
    """A sink, and a handler, that do nothing."""

    def emit(self, event: CloudEvent) -> None:
        """Take it."""

    def handle(self, delivery: Delivery) -> Done:  # noqa: ARG002
        """Be done."""
        return Done("succeeded")


def main() -> None:
    """Measure, and print a line of JSON per transport."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--whole", type=int, default=1000, help="messages of the row that asks the emulated cloud")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--transport", choices=["sqlite", "redis", "amqp"], action="append")
    told = parser.parse_args()
    logging.getLogger("hongyan").setLevel(logging.CRITICAL)
    for transport in told.transport or ["sqlite", "redis", "amqp"]:
        with tempfile.TemporaryDirectory(prefix="hongyan-bench-") as folder:
            print(json.dumps(measured(transport, Path(folder), told)))  # noqa: T201 - its output


def measured(transport: str, folder: Path, told: argparse.Namespace) -> dict[str, Any]:
    """Return the medians of a transport's rows, in messages a second, and their ratios to the raw client."""
    base = f"sqlite:///{folder / 'queue.sqlite'}" if transport == "sqlite" else URLS[transport]
    rows: dict[str, tuple[Callable[[str, int], float], int]] = {
        "raw": (lambda name, count: queues_raw.RAW[transport](base, name, count, BATCH), told.messages),
        "transport": (lambda name, count: _transport(f"{base}?queue={name}", count), told.messages),
        "worker": (lambda name, count: _worker(f"{base}?queue={name}", count), told.messages),
        "whole": (lambda name, count: _whole(f"{base}?queue={name}", count, folder), told.whole),
    }
    found: dict[str, list[float]] = {row: [] for row in rows}
    for _ in range(told.rounds):
        for row, (run, count) in rows.items():
            name = f"bench-{uuid.uuid4().hex[:8]}"
            try:
                found[row].append(count / run(name, count))
            finally:
                queues_raw.CLEAN[transport](base, name)
    rates = {row: round(statistics.median(each)) for row, each in found.items()}
    ratios = {
        row: round(statistics.median(a / b for a, b in zip(found[row], found["raw"], strict=True)), 3) for row in rows
    }
    spread = {row: [round(min(each)), round(max(each))] for row, each in found.items()}
    return {"transport": transport, "per_s": rates, "spread": spread, "ratio_to_raw": ratios}


def body(number: int) -> bytes:
    """Return an event that asks for a list of members."""
    payload = json.loads(sample("elb.list_members"))
    event = CloudEvent(f"bench-{number}", "/bench", "hongyan.elb.list_members", payload, "application/json")
    return strictjson.dumps(to_envelope(event))


def _filled(url: str, count: int) -> Any:
    queue = connect(read(url, "URL"), "URL")
    for start in range(0, count, 500):
        queue.publish([Message(body(number)) for number in range(start, min(count, start + 500))])
    return queue


def _transport(url: str, count: int) -> float:
    queue, got, began = _filled(url, count), 0, time.perf_counter()
    while got < count:
        deliveries = queue.receive(BATCH, 1.0)
        queue.acknowledge(deliveries)
        got += len(deliveries)
    seconds = time.perf_counter() - began
    queue.close()
    return seconds


def _worker(url: str, count: int) -> float:
    return _timed(_filled(url, count), Nothing(), count)


def _whole(url: str, count: int, folder: Path) -> float:
    env = {"HONGYAN_EMULATOR": "local", "HONGYAN_QUEUE": url, "HONGYAN_STORE": f"sqlite:///{folder / 'store.sqlite'}"}
    if url.startswith("redis"):
        env["HONGYAN_STORE"] = URLS["redis"]
    env["HONGYAN_KEEP_S"] = "60"  # What is left in Redis ends by itself.
    own, events, cloud = WorkerSettings.from_env(env), EventSettings(), CloudSettings.from_env(env)
    store = open_store(own.store, "HONGYAN_STORE")
    sinks = Several([Named("nothing", Nothing())])
    # A source of its own for each run: else the store would answer.
    handler = Handler(
        Dispatcher(Client(cloud), events), sinks, _Fresh(store), events, own, Patience(), threading.Event()
    )
    seconds = _timed(_filled(url, count), handler, count)
    store.close()
    return seconds


class _Fresh:
    """A store to which every run's calls are new."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._run = uuid.uuid4().bytes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def claim(self, key: bytes, lease_s: float, run: int = 0) -> Any:
        """Claim a key of this run."""
        return self._store.claim(bytes(a ^ b for a, b in zip(key, self._run * 2, strict=True)), lease_s, run)


def _timed(queue: Any, handler: Any, count: int) -> float:
    def progress(summary: Any) -> None:
        if summary.ended >= count:
            worker.stop()

    worker = Worker(queue, handler, THREADS, 10.0, threading.Event(), progress)
    began = time.perf_counter()
    worker.run()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
