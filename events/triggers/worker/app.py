"""A worker's parts, put together as the environment says; for the command line."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

from events.dispatch import Dispatcher
from events.idempotency.urls import open_store
from events.metrics import Metrics
from events.queues.urls import connect
from events.settings import EventSettings
from events.sinks.measured import measured
from events.sinks.settings import open_sinks
from events.sinks.several import Several
from events.triggers.worker import Worker
from events.triggers.worker.handling import Handler
from events.triggers.worker.patience import Patience
from events.triggers.worker.settings import WorkerSettings
from functions.cloud.client import Client
from functions.cloud.settings import CloudSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from events.sinks.several import Named
    from events.triggers.worker.summary import Summary

log = logging.getLogger("hongyan.events")


def make(
    environ: Mapping[str, str],
    *,
    client: Client | None = None,
    step: Callable[[str], None] = lambda _: None,
    progress: Callable[[Summary], None] = lambda _: None,
    metrics: Metrics | None = None,
) -> Worker:
    """Return a worker that is ready to run.

    `step` is told the steps of each message (`received`, `claimed`, `announced`, `answered`, `recorded`, `emitted`), on the thread that
    takes them. Raises ConfigurationError that names the variables which are missing or wrong, QueueUnavailable and QueueRefused.
    """
    own, events = WorkerSettings.from_env(environ), EventSettings.from_env(environ)
    client = client or Client(CloudSettings.from_env(environ).require(), environ=environ)
    ending, metrics = threading.Event(), metrics or Metrics()
    with ExitStack() as opened:
        sinks = Several(_sinks(own, environ, metrics))
        opened.callback(sinks.close)
        store = open_store(own.store, "HONGYAN_STORE") if own.store else None
        if store:
            opened.callback(store.close)
        else:
            log.warning("worker.storeless", extra={"facts": {"told": "redeliveries run again: set HONGYAN_STORE"}})
        queue = connect(own.queue, "HONGYAN_QUEUE")
        # What is counted are events that go out, by the handler: not each try.
        dispatcher = Dispatcher(client, events, own.operation)
        handler = Handler(dispatcher, sinks, store, events, own, Patience(), ending, step, metrics)
        closers = [opened.pop_all().close]
    return Worker(queue, handler, own.threads, own.stop_s, ending, progress, closers, metrics)


def _sinks(own: WorkerSettings, environ: Mapping[str, str], metrics: Metrics) -> list[Named]:
    found = open_sinks(own.sinks, environ, consumed=own.queue, threads=own.threads)
    return [measured(each, metrics) for each in found] if metrics.audience else found
