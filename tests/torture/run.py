"""One run on one transport: everything is set up, sent, tortured and waited for within a time, and the evidence is returned."""

from __future__ import annotations

import time
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from events.queues import QueueUnavailable
from events.queues.urls import connect, read
from functions.cloud.emulator.server import serving_app
from tests.torture.cloud import Cloud, door
from tests.torture.crew import Crew
from tests.torture.evidence import Evidence
from tests.torture.killer import Killer
from tests.torture.moments import Moments
from tests.torture.options import environ
from tests.torture.plan import DEADLY, plan
from tests.torture.sink import Sink

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from _typeshed.wsgi import WSGIApplication

    from events.queues import Counts, Letter, Queue
    from tests.torture.options import Options
    from tests.torture.places import Place
    from tests.torture.plan import Plan

_STEP_S, _LOOK_S, _TELL_S = 0.02, 0.5, 2.0
# So many lots more than kills have happened are in the queue, that kills find work; and a share of lots for kills that found none.
_LOTS_AHEAD, _SPARE = 2, 0.2


class OutOfTime(Exception):
    """The run was given up; the text says what was still missing."""


def run(place: Place, options: Options, folder: Path, say: Callable[[str], None]) -> Evidence:
    """Run the crash test on one transport; `say` is told of its progress. Leaves no process behind; the queue is the caller's to remove."""
    with ExitStack() as stack:
        torture = Torture(place, options, folder, say, stack)
        try:
            torture.go()
        except OutOfTime as error:
            return torture.evidence(str(error))
        return torture.evidence("")


class Torture:
    """The parts of a run under way."""

    def __init__(
        self, place: Place, options: Options, folder: Path, say: Callable[[str], None], stack: ExitStack
    ) -> None:
        self._place, self._options, self._say = place, options, say
        self._began = time.monotonic()
        self._moments = Moments()
        self.plan: Plan = plan(options.seed, options.messages, place.name, place.name, deadly=options.deadly)
        self.cloud = Cloud(options.seed, frozenset(one.key for one in self.plan.sent if one.poison == DEADLY))
        self.sink = Sink(options.seed, self._moments)
        self._expected = {one.event_id for one in self.plan.sent}
        self._queue: Queue = connect(read(place.queue, "--transport"), "--transport")
        stack.callback(self._queue.close)
        sink_url = stack.enter_context(serving_app(self.sink))
        doors = [stack.enter_context(serving_app(self._door(number))) for number in range(options.workers)]
        self._counts: Counts | None = None
        self._looked = self._told = self._collected = 0.0
        self._published = self._extra = self.deaths = 0
        self._crew: Crew | None = None
        crew = Crew([environ(place, options, url, sink_url, self.sink.secret) for url in doors], folder)
        stack.callback(crew.end)
        self._crew = self.crew = crew
        # About half of the work is done by workers that are killed afterwards: each message takes two requests.
        life = max(2, 2 * options.messages // max(1, options.kills))
        self.killer = Killer(options.seed, options.kills, life, crew, self._moments)

    def go(self) -> None:
        """Publish, kill and wait until everything has come to its end. Raises OutOfTime."""
        while self._missing():
            self._publish()
            self.killer.step()
            self._turn()
        while True:
            self._until_empty()
            self.crew.stop()
            if _is_empty(self._look()):
                return
            # What a stopped worker gave back, where the broker does not tell of what is in flight.
            self.crew.start()

    def evidence(self, cut: str) -> Evidence:
        """Return what there is to be judged; workers are stopped by now, or about to be killed."""
        letters: list[Letter] = []
        self._tried(lambda: letters.extend(self._queue.letters(10 * self._options.messages)))
        return Evidence(
            self._place.transport,
            self.plan,
            list(self.sink.told),
            list(self.cloud.asked),
            self.cloud.collect(),
            letters,
            self._look(),
            self.killer.kills,
            self.killer.hits,
            self.deaths,
            self._options.kills,
            self.crew.ends,
            self.crew.unasked,
            self.crew.said(),
            self.cloud.weather.chosen,
            self.sink.refused,
            self.sink.unsigned,
            time.monotonic() - self._began,
            cut,
        )

    def _publish(self) -> None:
        """Send what is due: a lot for each kill and some ahead, another one when there is nothing left to do."""
        kills, published = self._options.kills, self.plan.published
        if {one.event_id for one in published[: self._published]} <= self.sink.taken:
            self._extra += bool(self._published)
        lots = kills + _LOTS_AHEAD + round(_SPARE * kills)
        until = min(len(published), len(published) * (self.killer.done + _LOTS_AHEAD + self._extra) // lots)
        if self.killer.done >= kills:
            until = len(published)
        if until > self._published:
            batch = [one.message for one in self.plan.published[self._published : until]]
            if self._tried(lambda: self._queue.publish(batch)):
                self._published = until

    def _turn(self) -> None:
        """Do what must be done again and again. Raises OutOfTime."""
        self.crew.mend()
        now = time.monotonic()
        if now > self._collected + _LOOK_S:
            self._collected = now
            self.cloud.collect()
        if now > self._told + _TELL_S:
            self._told = now
            self._say(self._progress())
        if now > self._began + self._options.seconds:
            raise OutOfTime(f"given up after {self._options.seconds:g} s: {self._progress()}")
        if len(self.crew.unasked) > 2 * self._options.workers:
            raise OutOfTime("given up, since workers end by themselves")
        time.sleep(_STEP_S)

    def _until_empty(self) -> None:
        """Wait until the queue says that nothing is left, twice in a row. Raises OutOfTime."""
        empty = 0
        while empty < 2:
            self._turn()
            if time.monotonic() > self._looked + _LOOK_S:
                empty = empty + 1 if _is_empty(self._look()) else 0

    def _look(self) -> Counts | None:
        self._looked, self._counts = time.monotonic(), None
        self._tried(self._count)
        return self._counts

    def _count(self) -> None:
        self._counts = self._queue.counts()

    def _tried(self, step: Callable[[], object]) -> bool:
        """Take a step with the queue; when it is away, connect again and return False."""
        try:
            step()
        except QueueUnavailable as error:
            self._say(f"{self._place.transport}: {error}")
            self._queue.reconnect()
            return False
        return True

    def _missing(self) -> int:
        return len(self._expected - self.sink.taken)

    def _progress(self) -> str:
        done = len(self.plan.sent) - self._missing()
        return (
            f"{self._place.transport}: {time.monotonic() - self._began:5.1f} s, {self._published} published, {done} told of, "
            f"{self.killer.done} kills ({self.killer.hits} hits), {self.killer.stops} stops, queue {self._counts}"
        )

    def _door(self, number: int) -> WSGIApplication:
        return door(self.cloud, partial(self._name, number), self._moments, partial(self._kill, number))

    def _name(self, number: int) -> str:
        return self._crew.name(number) if self._crew else ""

    def _kill(self, number: int) -> None:
        self.crew.workers[number].kill()
        self.deaths += 1


def _is_empty(counts: Counts | None) -> bool:
    return counts is not None and not (counts.ready or counts.delayed or counts.in_flight)
