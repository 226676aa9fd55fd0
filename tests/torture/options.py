"""How hard a run is, and what it tells its workers: times that are short, so that what is lost comes back soon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.torture.places import Place

_SECRET = "TORTURE_SECRET"


@dataclass(frozen=True, slots=True)
class Options:
    """Messages, kills, workers at a time, the seed, the seconds after which a run is given up, threads of a worker.

    `store`: whether workers remember what they did; without that the test must fail. `deadly`: one message kills whoever runs it, until
    it is given up; that takes most of a minute.
    """

    messages: int = 2000
    kills: int = 50
    workers: int = 3
    seed: int = 1
    seconds: float = 300.0
    threads: int = 4
    store: bool = True
    deadly: bool = True


def environ(place: Place, options: Options, cloud_url: str, sink_url: str, secret: str) -> dict[str, str]:
    """Return the settings of a worker; WORKER in its sink's URL stands for its name."""
    stored = {"HONGYAN_STORE": place.store} if place.store else {}
    return {
        "HONGYAN_QUEUE": place.queue,
        **(stored if options.store else {"HONGYAN_STORE": "none"}),
        "HONGYAN_EMULATOR": cloud_url,
        "HONGYAN_SINKS": f"{sink_url}/WORKER#secret={_SECRET}",
        _SECRET: secret,
        "HONGYAN_THREADS": str(options.threads),
        "HONGYAN_DEADLINE_S": "2",
        "HONGYAN_RETRY_S": "0.05",
        "HONGYAN_RETRY_MOST_S": "1",
        "HONGYAN_TRIES": "15",
        "HONGYAN_KEEP_S": "3600",
        "HONGYAN_STOP_S": "10",
    }
