"""A clock that jumps by a year: leases, claims, what is remembered, retries and delays of workers on a sqlite file stay as they were."""

from __future__ import annotations

import time
from collections import defaultdict
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

import pytest

from events.idempotency import Busy, key_of
from events.queues import Delivery
from events.triggers.worker.app import make
from events.triggers.worker.verdicts import Back, Done
from functions.cloud import auth
from tests.events.queues.support import until
from tests.events.triggers.worker.scene import WITHIN_S, at_work, scene
from tests.events.triggers.worker.support import LIST, adds, message
from tests.torture.table import faults

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.events.triggers.worker.support import Bench

    Make = Callable[..., Bench]

YEAR_S = 365 * 86_400.0


class Clock:
    """The clock of this machine as this process sees it, `ahead` seconds off."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = 0.0
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + self.ahead)


class Steps(list[str]):
    """The steps that a worker takes; `at`: when each was taken, in monotonic seconds."""

    def __init__(self) -> None:
        self.at: dict[str, list[float]] = defaultdict(list)

    def append(self, step: str) -> None:
        self.at[step].append(time.monotonic())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.mark.slow
def test_two_workers_with_different_clocks_keep_out_of_each_others_way(clock: Clock, tmp_path: Path) -> None:
    with scene("sqlite", tmp_path, 200) as each:
        other = each.start()
        each.publish()
        with at_work(make(each.environ("jumping"))):
            for share, ahead in ((0.2, YEAR_S), (0.5, -YEAR_S), (0.7, 0.0)):
                until(lambda share=share: each.told(share), WITHIN_S)  # type: ignore[misc]
                clock.ahead = ahead
            until(lambda: each.told(1.0) and each.is_empty(), WITHIN_S)
        each.finish()
        verdict = each.verdict()
        assert faults(verdict) == []
        # Nothing came to a second worker: each event once, and once more for each message that was sent twice.
        assert verdict.figures["events"] == len(each.plan.published)
        assert all(each.moments.came(name) > 20 for name in ("jumping", other.name))


@pytest.mark.parametrize("ahead", [YEAR_S, -YEAR_S])
class TestJump:
    """In the middle of something."""

    def test_a_result_is_remembered_as_long_as_before(self, bench: Make, clock: Clock, ahead: float) -> None:
        each = bench(HONGYAN_KEEP_S="60")
        handler, one = each.handler(), Delivery(adds("1", "10.0.0.1"))
        assert handler.handle(one) == Done("succeeded")
        clock.ahead = ahead
        assert handler.handle(one) == Done("succeeded")
        assert (each.posts(), len(each.sink.events)) == (1, 2)

    def test_a_claim_lasts_as_long_as_before(self, bench: Make, clock: Clock, ahead: float) -> None:
        each = bench()
        key = key_of("hongyan", "/test", "1", LIST)
        each.store.claim(key, 60.0)
        clock.ahead = ahead
        again = each.store.claim(key, 60.0)
        assert isinstance(again, Busy)
        assert 0 < again.wait_s <= 60
        verdict = each.handler().handle(Delivery(message("1")))
        assert isinstance(verdict, Back)
        assert (verdict.why, verdict.delay_s) == ("busy", 5.0)

    def test_a_delivery_is_its_holders_as_long_as_before(self, bench: Make, clock: Clock, ahead: float) -> None:
        each, other = bench(), bench()
        each.queue.publish([message("1"), message("2")])
        [held] = each.queue.receive(1, 0.0)
        clock.ahead = ahead
        assert [one.message.id for one in other.queue.receive(10, 0.0)] == ["2"]
        each.queue.extend([held])
        each.queue.acknowledge([held])
        counts = each.queue.counts()
        assert (counts.ready, counts.in_flight) == (0, 1)

    def test_a_retry_comes_when_it_was_to_come(self, bench: Make, clock: Clock, ahead: float) -> None:
        each = bench(HONGYAN_RETRY_S="1")
        each.emulator.faults.add(status=502, times=1)
        each.steps = steps = Steps()
        each.queue.publish([message("1")])
        worker = each.worker()
        with at_work(worker):
            until(lambda: worker.summary.returned["retry"] == 1)
            clock.ahead = ahead
            until(lambda: worker.summary.ended == 1)
        first, second = steps.at["claimed"]
        assert 0.5 <= second - first < 5

    def test_what_the_cloud_refuses_for_the_date_waits_for_the_right_one(
        self, bench: Make, clock: Clock, ahead: float, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        each = bench(HONGYAN_RETRY_S="0.1")

        class Jumping(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Jumping:
                return cls.fromtimestamp(time.time(), tz)

        monkeypatch.setattr(auth, "datetime", Jumping)
        clock.ahead = ahead
        each.queue.publish([adds(str(number), f"10.0.0.{number}") for number in range(5)])
        worker = each.worker()
        with at_work(worker):
            until(lambda: worker.summary.returned["credentials"] > 1)
            assert (worker.summary.ended, each.sink.events) == (0, [])
            clock.ahead = 0.0
            until(lambda: worker.summary.ended == 5)
        assert worker.summary.outcomes == {"succeeded": 5}
        assert len(each.sink.events) == len(each.sink.ids) == 5
