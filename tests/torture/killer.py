"""Who is killed when: SIGKILL at random moments of a worker's work, and now and then SIGTERM, by the run's seed."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import TYPE_CHECKING

from tests.torture.moments import ACTED, ANY, ASKED, TAKEN, TOLD, Moments

if TYPE_CHECKING:
    from tests.torture.crew import Crew, Worker

# How often each moment is waited for. Those of requests come to every message; `any` is whatever the worker is at.
_MOMENTS = {ANY: 28, ASKED: 18, ACTED: 18, TOLD: 18, TAKEN: 18}
_STOPS = 0.1
# Seconds for which a moment is waited for, or a worker that has lived long enough; and since its last request after which one is idle.
_PATIENCE_S, _IDLE_S = 2.0, 0.3


class Killer:
    """Strikes one worker at a time, only while it works, after up to `life` requests of it; `wanted` are killed in all.

    `kills` are those that happened, by moment; `hits` those among them that found requests of the worker being answered.
    """

    def __init__(self, seed: int, wanted: int, life: int, crew: Crew, moments: Moments) -> None:
        self.kills: Counter[str] = Counter()
        self.hits = 0
        self.stops = 0
        self._wanted = wanted
        self._life = life
        self._draw = random.Random(f"{seed} killer")
        self._crew = crew
        self._moments = moments
        self._victim: Worker | None = None
        self._ends = 0.0
        self._age = self._draw.randint(1, life)

    @property
    def done(self) -> int:
        """How many were killed."""
        return self.kills.total()

    def step(self) -> None:
        """Do what is due; called every few milliseconds."""
        if self._victim:
            self._wait_for(self._victim)
        elif self.done < self._wanted and (worker := self._chosen()):
            self._next()
            if self._draw.random() < _STOPS:
                worker.stop()
                self.stops += 1
                return
            moment = self._draw.choices(list(_MOMENTS), list(_MOMENTS.values()))[0]
            if moment == ANY:
                self._strike(worker, ANY)
                return
            self._victim = worker
            self._moments.arm(worker.name, moment, lambda: self._strike(worker, moment))

    def _wait_for(self, worker: Worker) -> None:
        if worker.process.poll() is None and time.monotonic() > self._ends and self._moments.disarm():
            self._strike(worker, ANY)
        if worker.process.poll() is not None:
            # Also when it ended by itself, which the crew reports.
            self._moments.disarm()
            self._victim = None
            self._next()

    def _next(self) -> None:
        self._ends = time.monotonic() + _PATIENCE_S
        self._age = self._draw.randint(1, self._life)

    def _chosen(self) -> Worker | None:
        """Return a worker that is at work and old enough; when none gets as old as that, any that works."""
        working = [one for one in self._crew.workers if self._works(one)]
        if time.monotonic() < self._ends:
            working = [one for one in working if self._moments.came(one.name) >= self._age]
        return self._draw.choice(working) if working else None

    def _works(self, worker: Worker) -> bool:
        untouched = not worker.killed and worker.asked_to_stop is None and worker.process.poll() is None
        return untouched and self._moments.quiet_s(worker.name) < _IDLE_S

    def _strike(self, worker: Worker, moment: str) -> None:
        self.hits += self._moments.open(worker.name) > 0
        self.kills[moment] += 1
        worker.kill()
