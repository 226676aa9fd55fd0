"""The way into one sink for all threads: while it is down, one of them tries it now and then, and the others wait."""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import TYPE_CHECKING

from events.sinks import SinkGone, SinkRefused, SinkUnavailable
from events.sinks.outage import Outage

if TYPE_CHECKING:
    from collections.abc import Callable

    from events.cloudevents import CloudEvent
    from events.sinks import Sink

log = logging.getLogger("hongyan.events")

REFUSALS = 3
"""Tries of an event that a sink refuses: a receiver may be mistaken while it is being deployed."""

# A condition cannot wait for `stop` as well: while another thread's try is under way, it is looked at this often, in seconds.
_LOOK_S = 0.2


class Gate:
    """Hands events to one sink until it takes them; `shown` names it in the log. Shared between threads."""

    def __init__(
        self,
        shown: str,
        sink: Sink,
        *,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
        wait: Callable[[threading.Event, float], object] = threading.Event.wait,
    ) -> None:
        """`clock`, `uniform` and `wait` (until an event is set, for so many seconds at most) are for tests."""
        self.shown = shown
        self._sink = sink
        self._wait = wait
        # Guards everything below; notified when the one try of a sink that is down has ended.
        self._changed = threading.Condition()
        self._outage = Outage(shown, clock, uniform)
        self._trying = False
        self._gone = ""

    @property
    def down(self) -> bool:
        """Whether the sink is known to take nothing for now."""
        return self._outage.lasts

    def check(self) -> None:
        """Raise SinkGone when the sink wants nothing any more."""
        if self._gone:
            raise SinkGone(self._gone)

    def offer(self, event: CloudEvent) -> SinkUnavailable | None:
        """Give the sink the event, once, unless it is down; return why it was not taken, None when it was. Raises SinkGone."""
        with self._changed:
            self.check()
            if self._outage.lasts:
                return SinkUnavailable(self._outage.reason)
        return self._asked(event, alone=False)

    def insist(self, event: CloudEvent, stop: threading.Event, failure: SinkUnavailable) -> None:
        """Return when the sink has taken an event that it did not take when it was offered, however long that takes.

        `failure` is what the offer came to. Raises SinkRefused after `REFUSALS` tries, SinkGone, and SinkUnavailable when `stop` is set
        and there is something to wait for.
        """
        refusals = 0
        again: SinkUnavailable | None = failure
        while again is not None:
            if isinstance(again, SinkRefused):
                refusals += 1
                if refusals == REFUSALS:
                    raise again
                self._wait(stop, self._outage.backed_off(refusals))
                self._go_on(stop, str(again))
            again = self._asked(event, alone=self._entered(stop))

    def _asked(self, event: CloudEvent, *, alone: bool) -> SinkUnavailable | None:
        """Try once; return why the event was not taken."""
        failure: SinkUnavailable | None = None
        try:
            try:
                self._sink.emit(event)
            except SinkUnavailable as error:
                failure = error
            with self._changed:
                self._note(failure, alone=alone)
        finally:
            if alone:
                with self._changed:
                    self._trying = False
                    self._changed.notify_all()
        return failure

    def _entered(self, stop: threading.Event) -> bool:
        """Wait until the sink may be tried; return whether this thread is the only one that does."""
        while True:
            with self._changed:
                self.check()
                if not self._outage.lasts:
                    return False
                self._go_on(stop, self._outage.reason)
                if self._trying:
                    self._changed.wait(_LOOK_S)
                    continue
                pause = self._outage.pause_s
                if not pause:
                    self._trying = True
                    return True
            self._wait(stop, pause)

    def _note(self, failure: SinkUnavailable | None, *, alone: bool) -> None:
        if isinstance(failure, SinkGone):
            if not self._gone:
                self._gone = str(failure)
                log.error("sink.gone", extra={"facts": {"sink": self.shown, "reason": self._gone}})
            raise failure
        if failure is not None and not isinstance(failure, SinkRefused):
            self._outage.failed(failure, counts=alone)
        elif alone:  # What began before the sink fell says nothing of now.
            self._outage.ended()

    def _go_on(self, stop: threading.Event, reason: str) -> None:
        if stop.is_set():
            raise SinkUnavailable(f"not waited for, since this process stops: {reason}")
