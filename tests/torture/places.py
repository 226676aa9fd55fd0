"""Where a run's queue and store are, for each transport: on a server that tests share, under names of their own, or in a file."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TRANSPORTS = ("sqlite", "redis", "amqp")
LEASE_S = 2.5
"""Seconds after which the messages of a worker that was killed come to another one."""


@dataclass(frozen=True, slots=True)
class Place:
    """The URLs of a queue and its store ("" for the one that goes with the queue), and the queue's name."""

    transport: str
    name: str
    queue: str = field(repr=False)
    store: str = field(default="", repr=False)


def place(transport: str, name: str, folder: Path) -> Place:
    """Return the place of a run called `name`, whose files are in `folder`."""
    options = f"?queue={name}&lease_s={LEASE_S}"
    if transport == "sqlite":
        return Place(transport, name, f"sqlite:///{folder}/queue.sqlite{options}")
    variable, default = _SERVERS[transport]
    server = os.environ.get(variable, default)
    store = f"sqlite:///{folder}/store.sqlite" if transport == "amqp" else ""
    return Place(transport, name, server + options, store)


_SERVERS = {
    "redis": ("HONGYAN_TEST_REDIS", "redis://127.0.0.1:6379/0"),
    "amqp": ("HONGYAN_TEST_AMQP", "amqp://guest:guest@127.0.0.1:5672/"),
}
