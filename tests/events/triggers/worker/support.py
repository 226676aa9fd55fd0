"""What tests of the worker share: a worker on real files and an emulated cloud of its own, with a list for a sink."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from events import strictjson
from events.cloudevents import CloudEvent
from events.cloudevents.json import to_envelope
from events.dispatch import Dispatcher
from events.idempotency.urls import open_store
from events.metrics import Metrics
from events.queues import Message
from events.queues.urls import connect
from events.samples import sample
from events.settings import EventSettings
from events.sinks.several import Named, Several
from events.triggers.worker import Worker
from events.triggers.worker.handling import Handler
from events.triggers.worker.patience import Patience
from events.triggers.worker.settings import WorkerSettings
from functions.cloud.client import Client
from functions.cloud.emulator.adapter import EmulatorAdapter
from functions.cloud.emulator.core import Emulator
from functions.cloud.retry import Retry
from functions.cloud.settings import CloudSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from events.queues import Queue

ADD, LIST = "apig.add_members", "elb.list_members"


@dataclass
class Sunk:
    """A sink that keeps what it takes; `before` may refuse it."""

    events: list[CloudEvent] = field(default_factory=list)
    before: Callable[[CloudEvent], None] = lambda _: None

    def emit(self, event: CloudEvent) -> None:
        self.before(event)
        self.events.append(event)

    @property
    def outcomes(self) -> list[str]:
        return [event.data["outcome"] for event in self.events]

    @property
    def ids(self) -> set[str]:
        return {event.id for event in self.events}


def message(id: str, operation: str = LIST, payload: Any = None, *, group: str | None = None, **meta: str) -> Message:  # noqa: A002
    payload = json.loads(sample(operation)) if payload is None else payload
    event = CloudEvent(id, "/test", f"hongyan.{operation}", payload, datacontenttype="application/json")
    return Message(strictjson.dumps(to_envelope(event)), id, group, meta=meta)


def adds(id: str, host: str, **changes: Any) -> Message:  # noqa: A002
    """Return a message that adds one backend."""
    payload = {**json.loads(sample(ADD)), "members": [{"host": host, "weight": 1}]}
    return message(id, ADD, payload, **changes)


class Bench:
    """The parts of a worker, each of which a test may look at or change before `worker` is asked for."""

    def __init__(self, folder: Path, sink: Sunk | None = None, **environ: str) -> None:
        file = f"sqlite:///{folder / 'queue.sqlite'}"
        env = {"HONGYAN_EMULATOR": "local", "HONGYAN_RETRY_S": "0.01", "HONGYAN_THREADS": "4", **environ}
        env.setdefault("HONGYAN_QUEUE", f"{file}?lease_s=5")
        self.own, self.events = WorkerSettings.from_env(env), EventSettings.from_env(env)
        self.emulator = Emulator()
        self.client = Client(CloudSettings.from_env(env), retry=Retry(attempts=1, sleep=lambda _: None))
        self.client.transport._session.mount("http://", EmulatorAdapter(self.emulator))
        self.dispatcher: Any = Dispatcher(self.client, self.events, self.own.operation)
        self.sink = sink or Sunk()
        self.queue: Queue = connect(self.own.queue, "HONGYAN_QUEUE")
        # Any, so that tests may put something else before it.
        self.store: Any = open_store(self.own.store, "HONGYAN_STORE") if self.own.store else None
        self.ending = threading.Event()
        self.steps: list[str] = []
        self.metrics: Any = Metrics()

    def handler(self) -> Handler:
        sinks = Several([Named("test", self.sink)])
        return Handler(
            self.dispatcher,
            sinks,
            self.store,
            self.events,
            self.own,
            Patience(),
            self.ending,
            self.steps.append,
            self.metrics,
        )

    def worker(self, stop_s: float = 5.0) -> Worker:
        return Worker(self.queue, self.handler(), self.own.threads, stop_s, self.ending)

    def posts(self) -> int:
        """How many writes of backends reached the cloud."""
        return sum(entry.method == "POST" and entry.service == "apig" for entry in self.emulator.journal)

    def close(self) -> None:
        self.queue.close()
        if self.store:
            self.store.close()
