"""What is stored for later, as tests look at it: a queue that fails as it is told, what is in a real one, and the calls that come of it."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from events.queues import urls
from events.queues.calls import to_call
from events.settings import EventSettings
from functions.cloud.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from events.dispatch import Call
    from events.queues import Message

QUEUE = SimpleNamespace(transport="fake", name="hongyan")
ANY = SimpleNamespace(operation="", payload=None)
WITHIN_S = 60.0


class FakePublisher:
    """In the place of `Publisher`: keeps what is published, call by call; `faults` are raised first, each once, None for none."""

    shown = "fake:"

    def __init__(self, *faults: Exception | None) -> None:
        self.faults = list(faults)
        self.published: list[list[Message]] = []
        self.before: Callable[[Sequence[Message]], None] = lambda _: None

    def publish(self, messages: Sequence[Message]) -> None:
        self.before(messages)
        if self.faults and (fault := self.faults.pop(0)):
            raise fault
        self.published.append(list(messages))

    def close(self) -> None:
        pass

    @property
    def messages(self) -> list[Message]:
        return [message for each in self.published for message in each]


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder / 'queue.sqlite'}"


def stored_in(folder: Path) -> list[Message]:
    """Return what waits in the queue of a folder, and leave it there."""
    with closing(urls.connect(urls.read(url_of(folder), "TEST"), "TEST")) as queue:
        return [delivery.message for delivery in queue.receive(1000, 0.0)]


def asked(message: Message, **changes: Any) -> Call:
    """Return the call that a worker makes of a message."""
    return to_call(message, QUEUE, Deadline.after(15.0), EventSettings(**changes), ANY)


def until(condition: Callable[[], object]) -> None:
    """Wait for a condition that must come true."""
    end, tick = time.monotonic() + WITHIN_S, threading.Event()
    while not condition():
        assert time.monotonic() < end
        tick.wait(0.002)
