"""A worker that is killed after each step of a write: what the next one finds, does and tells."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import uuid
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from events.queues.urls import connect, read
from functions.cloud.emulator.core import Emulator
from functions.cloud.emulator.server import serving
from tests.events.triggers.worker.support import adds
from tests.torture.places import place
from tests.torture.removing import remove

if TYPE_CHECKING:
    from events.queues.urls import QueueUrl

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[4]

# After the step: requests of both workers together, and events that the sink has in the end.
AFTER = {
    "received": ({"POST": 1}, 1),
    "claimed": ({"POST": 1}, 1),
    # Nobody knows whether it was sent: the cloud is asked, and has nothing of it.
    "announced": ({"GET": 1, "POST": 1}, 1),
    # It was done: the cloud is asked, and it is not done again.
    "sent": ({"POST": 1, "GET": 1}, 1),
    "answered": ({"POST": 1, "GET": 1}, 1),
    # The store answers, with the very same event.
    "recorded": ({"POST": 1}, 1),
    "emitted": ({"POST": 1}, 2),
    "acknowledged": ({"POST": 1}, 1),
}


@pytest.mark.parametrize(
    ("step", "transport"),
    [
        *((step, "sqlite") for step in AFTER),
        *itertools.product(["received", "sent", "emitted", "acknowledged"], ["redis", "amqp"]),
    ],
)
def test_after_each_step_nothing_is_lost_and_nothing_done_twice(
    step: str, transport: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    emulator = Emulator()
    where = place(transport, f"test-{uuid.uuid4().hex[:12]}", tmp_path)
    request.addfinalizer(lambda: remove(where))
    results = f"sqlite:///{tmp_path / 'results.sqlite'}?queue=results"
    with serving(emulator, 0) as cloud:
        queue = connect(read(where.queue, "URL"), "URL")
        # An id of its own: the store on Redis outlives the test.
        queue.publish([adds(where.name, "10.0.0.1")])
        queue.close()
        env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("HONGYAN_", "HUAWEICLOUD_"))},
            "HONGYAN_EMULATOR": cloud,
            "HONGYAN_QUEUE": where.queue,
            "HONGYAN_SINKS": results,
            "HONGYAN_STORE": where.store,
            "HONGYAN_DEADLINE_S": "2",
            "HONGYAN_KEEP_S": "60",
        }
        assert work(step, env) == -signal.SIGKILL
        assert work("none", env) == 0
        requests = Counter(entry.method for entry in emulator.journal)
        events = told(read(results, "URL"))
        after = connect(read(where.queue, "URL"), "URL")
        counts = after.counts()
        after.close()
    assert (requests, len(events)) == AFTER[step]
    assert len(set(events)) == 1
    assert events[0][1] == "succeeded"
    assert (counts.ready, counts.dead) == (0, 0)


def work(step: str, env: dict[str, str]) -> int:
    """Run a worker that dies after the step; return how it ended."""
    command = [sys.executable, "-m", "tests.events.triggers.worker.dying", step]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, timeout=60, check=False).returncode


def told(url: QueueUrl) -> list[tuple[str, str]]:
    """Return the ids and outcomes of the events that the sink has, and take them out."""
    queue = connect(url, "URL")
    deliveries = queue.receive(100, 0.0)
    queue.acknowledge(deliveries)
    queue.close()
    found = [json.loads(delivery.message.body) for delivery in deliveries]
    return [(event["id"], event["data"]["outcome"]) for event in found]
