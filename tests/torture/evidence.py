"""What a run has left behind, as its judge wants it: who was sent what, who saw what, and when."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from events.queues import Counts, Letter
    from functions.cloud.emulator.journal import Entry
    from tests.torture.plan import Plan
    from tests.torture.sink import Told


@dataclass(slots=True)
class Evidence:
    """One run on one transport.

    `told` are the events that came to the sink, `asked` the requests of messages (when, in monotonic seconds, and the key), `journal` the
    cloud's; `letters` the dead letters and `counts` the queue's in the end, None when it was never reached. `kills` by moment, `wanted` so
    many; `hits` those that struck requests under way, `deaths` those by a deadly message. `ends`: names, exit codes and seconds of workers
    that were asked to stop; `unasked`: what else became of workers; `said`: how often each event stands in their logs. `cut`: why the run
    was given up, "" when it came to its end.
    """

    transport: str
    plan: Plan
    told: list[Told]
    asked: list[tuple[float, str]]
    journal: list[Entry]
    letters: list[Letter] = field(default_factory=list)
    counts: Counts | None = None
    kills: Counter[str] = field(default_factory=Counter)
    hits: int = 0
    deaths: int = 0
    wanted: int = 0
    ends: list[tuple[str, int, float]] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)
    said: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    unsigned: int = 0
    seconds: float = 0.0
    cut: str = ""
