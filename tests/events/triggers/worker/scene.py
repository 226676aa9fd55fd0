"""A scene for tests of outages: messages of every operation, a cloud and a sink over HTTP, workers as processes, and who judges them."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import Counter
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from events.queues import Counts, QueueUnavailable
from events.queues.urls import connect, read
from functions.cloud.emulator.faults import Faults
from functions.cloud.emulator.routes import service_names
from functions.cloud.emulator.server import serving_app
from tests.events.queues.support import until
from tests.torture import options
from tests.torture.cloud import Cloud, door
from tests.torture.crew import Worker
from tests.torture.evidence import Evidence
from tests.torture.judge import Verdict, judge
from tests.torture.moments import TAKEN, TOLD, Moments
from tests.torture.places import Place, place
from tests.torture.plan import WRITE, plan
from tests.torture.removing import remove
from tests.torture.sink import Told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from events.queues import Letter, Queue
    from events.triggers.worker import Worker as InProcess

WITHIN_S = 60.0
"""Seconds after which what must happen has not, on a machine that does much else."""
_SEED = 20_260_101
_LOOK_S = 0.1


class Receiver:
    """A sink over HTTP, a path for each worker: it keeps what comes, and refuses it with 503 while `down` is set."""

    def __init__(self, moments: Moments) -> None:
        self.told: list[Told] = []
        self.taken: set[str] = set()
        self.down = threading.Event()
        self._moments = moments

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        worker = environ["PATH_INFO"].strip("/")
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        with self._moments.under_way(worker):
            self._moments.pass_by(worker, TOLD)
            taken = not self.down.is_set()
            # Whoever was cut off while it was sending has sent a part.
            with suppress(ValueError):
                self._keep(json.loads(body), taken=taken)
            self._moments.pass_by(worker, TAKEN)
        start_response("204 No Content" if taken else "503 Service Unavailable", [("Content-Length", "0")])
        return []

    def _keep(self, event: dict[str, Any], *, taken: bool) -> None:
        data = event["data"]
        read_back = data["operation"] == WRITE and (data["upstream"] or {}).get("method") == "GET"
        self.told.append(Told(time.monotonic(), event["id"], event["causationid"], data["outcome"], taken, read_back))
        if taken:
            self.taken.add(event["id"])


class Scene:
    """One queue, its messages and whoever works on them; `cloud.faults` is empty, `environ` is what every worker is told.

    `moments` know of each worker's requests by its name. What is made here ends with `stack`.
    """

    def __init__(self, where: Place, folder: Path, count: int, stack: ExitStack, **environ: str) -> None:
        self.where, self.moments = where, Moments()
        self.cloud = Cloud(_SEED)
        self.cloud.faults = self.faults = Faults(service_names())
        self.sink = Receiver(self.moments)
        self.plan = plan(_SEED, count, where.name, where.name)
        self.workers: list[Worker] = []
        self.ends: list[tuple[str, int, float]] = []
        self.queue: Queue = connect(read(where.queue, "URL"), "URL")
        self._folder, self._stack = folder, stack
        stack.callback(self.queue.close)
        self._sink_url = stack.enter_context(serving_app(self.sink))
        self._environ = {**options.environ(where, options.Options(), "", self._sink_url, ""), **environ}

    def environ(self, name: str) -> dict[str, str]:
        """Return the settings of a worker, with a door to the cloud and one to the sink that know its name."""
        cloud = door(self.cloud, lambda: name, self.moments, lambda: None)
        url = self._stack.enter_context(serving_app(cloud))
        return {**self._environ, "HONGYAN_EMULATOR": url, "HONGYAN_SINKS": f"{self._sink_url}/{name}"}

    def start(self, **changes: str) -> Worker:
        """Start a worker."""
        number = len(self.workers) + 1
        environ = {**self.environ(f"worker-0-{number}"), **changes}
        worker = Worker(0, number, environ, self._folder)
        self._stack.callback(worker.process.wait)
        self._stack.callback(worker.process.kill)
        self.workers.append(worker)
        return worker

    def publish(self, start: int = 0, end: int | None = None) -> None:
        """Put messages into the queue: those from one place to another in the order of publication."""
        self.queue.publish([one.message for one in self.plan.published[start:end]])

    def told(self, share: float) -> bool:
        """Tell whether so large a share of all results has been taken."""
        return len(self.sink.taken) >= share * len(self.plan.sent)

    def stop(self, *workers: Worker) -> None:
        """Stop workers, note how they end, and how long that takes."""
        for worker in workers:
            if worker.asked_to_stop is None:  # Asked twice, it ends at once.
                worker.stop()
        for worker in workers:
            code = worker.process.wait(WITHIN_S)
            assert worker.asked_to_stop is not None
            self.ends.append((worker.name, code, time.monotonic() - worker.asked_to_stop))

    def finish(self) -> None:
        """Wait until every message has its result and the queue is empty, and stop the workers; one that ended by itself has failed.

        What a worker gave back at its stop, where a broker does not tell of what is in flight, another one ends.
        """
        until(lambda: self.told(1.0) and self.is_empty(), WITHIN_S)
        running = [one for one in self.workers if one.asked_to_stop is None]
        assert [one.name for one in running if one.process.poll() is not None] == []
        self.stop(*running)
        while not self.is_empty():
            last = self.start()
            until(self.is_empty, WITHIN_S)
            self.stop(last)

    def is_empty(self) -> bool:
        """Tell whether the queue says twice in a row that nothing is left but dead letters."""
        for _ in range(2):
            counts = self.counts()
            if counts is None or counts.ready or counts.delayed or counts.in_flight:
                return False
            time.sleep(_LOOK_S)
        return True

    def counts(self) -> Counts | None:
        """Return how many messages there are, None while the queue is away."""
        with suppress(QueueUnavailable):
            return self.queue.counts()
        with suppress(QueueUnavailable):
            self.queue.reconnect()
        return None

    def verdict(self, said: Counter[str] | None = None) -> Verdict:
        """Return what `tests.torture.judge` says of it all; `said` counts events of logs in place of those of the processes."""
        return judge(self.evidence(said))

    def evidence(self, said: Counter[str] | None = None) -> Evidence:
        """Return what there is to be judged."""
        letters: list[Letter] = self.queue.letters(10_000)
        return Evidence(
            self.where.transport,
            self.plan,
            list(self.sink.told),
            list(self.cloud.asked),
            self.cloud.collect(),
            letters,
            self.counts(),
            ends=self.ends,
            said=sum((said_by(worker) for worker in self.workers), Counter()) if said is None else said,
        )


@contextmanager
def scene(
    transport: str, folder: Path, count: int, server: str = "", store: str = "", **environ: str
) -> Iterator[Scene]:
    """Give a scene on a transport; on a shared server (what it leaves there is removed) unless the URL of another one is given."""
    where = place(transport, f"test-{uuid.uuid4().hex[:12]}", folder)
    if server:
        where = Place(transport, where.name, f"{server}?{urlsplit(where.queue).query}", store or where.store)
    with ExitStack() as stack:
        whole = Scene(where, folder, count, stack, **environ)
        if not server:
            stack.callback(partial(remove, where, whole.plan.sent))
        yield whole


def said_by(worker: Worker) -> Counter[str]:
    """Return how often each event stands in a worker's log."""
    return Counter(event for event, _ in facts_of(worker))


def facts_of(worker: Worker, event: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Return the lines of a worker's log, each as its event and everything else it says: all, or those of one event."""
    found = []
    for line in worker.log.read_text(encoding="utf-8", errors="replace").splitlines():
        said: dict[str, Any] = {}
        with suppress(ValueError):
            said = json.loads(line)
        name = said.get("event") or ("traceback" if line.startswith("Traceback") else "text")
        if event in ("", name):
            found.append((name, said))
    return found


def through(url: str, port: int) -> str:
    """Return a URL whose server is reached through a port of loopback."""
    parts = urlsplit(url)
    user = parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{user}@127.0.0.1:{port}" if user else f"127.0.0.1:{port}").geturl()


def struck(
    moments: Moments,
    worker: Worker,
    moment: str,
    strike: Callable[[], None],
    meanwhile: Callable[[], None] = lambda: None,
) -> None:
    """Do something while a worker's request passes a moment, and return when it was done; `meanwhile` may bring that request about."""
    done = threading.Event()

    def act() -> None:
        strike()
        done.set()

    moments.arm(worker.name, moment, act)
    meanwhile()
    assert done.wait(WITHIN_S), f"{worker.name} did nothing"


@contextmanager
def at_work(worker: InProcess) -> Iterator[None]:
    """Have a worker work on a thread of this process, and stop it in the end."""
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join(WITHIN_S)
    assert not thread.is_alive()
