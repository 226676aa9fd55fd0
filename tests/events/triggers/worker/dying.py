"""A worker that kills itself after the step that it is told: `python -m tests.events.triggers.worker.dying STEP`, STEP may be `none`.

Steps are those of `events.triggers.worker.app.make`, and `sent` (the cloud has answered, and nobody has read it) and `acknowledged`.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from events.triggers.worker.app import make
from functions.cloud.client import Client
from functions.cloud.settings import CloudSettings


def main(last: str) -> None:
    """Work until the queue is empty or the step is over."""

    def step(name: str) -> None:
        if name == last:
            os.kill(os.getpid(), signal.SIGKILL)

    client = Client(CloudSettings.from_env(os.environ).require())
    told(client.transport, "send", lambda: step("sent"))
    worker = make(os.environ, client=client, step=step)
    told(worker._connection._queue, "acknowledge", lambda: step("acknowledged"))
    worker.run(until_empty=True)


def told(owner: Any, name: str, after: Any) -> None:
    """Have a method say when it has returned."""
    method = getattr(owner, name)

    def call(*args: Any, **options: Any) -> Any:
        found = method(*args, **options)
        after()
        return found

    setattr(owner, name, call)


if __name__ == "__main__":
    main(sys.argv[1])
