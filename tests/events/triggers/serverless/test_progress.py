"""How far a batch has come: nothing is begun that there is no time for, and what ends too late counts no more."""

from __future__ import annotations

import pytest

from events.dispatch import Call
from events.triggers.serverless.progress import Progress
from events.triggers.serverless.settling import Settled
from functions.cloud.deadline import Deadline
from tests.events.triggers.serverless.support import record, result


class Clock:
    """A clock that is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def progress(count: int, seconds: float, *, tells: bool = True) -> tuple[Progress, Clock]:
    clock = Clock()
    return Progress(
        [record(str(number)) for number in range(count)], Deadline(seconds, clock), strict=False, tells=tells
    ), clock


CALL = Call("a.b", {}, Deadline.after(1), "/test", "test")
DONE = Settled(record("1"), result("succeeded"), returned=False)


@pytest.mark.parametrize(
    ("count", "left", "begins"),
    [
        (1, 0.25, True),
        (1, 0.24, False),
        (101, 0.46, True),
        (101, 0.44, False),
        (100_000, 5.26, True),
        (100_000, 5.2, False),
    ],
)
def test_time_is_kept_for_telling_of_what_is_not_run(count: int, left: float, begins: bool) -> None:
    # 2 ms for each other record, but no more than half of what there was at the beginning: here 10 s.
    under_way, clock = progress(count, 10.0)
    clock.now = 10.0 - left
    assert under_way.begin(0, CALL) is begins


def test_no_time_is_kept_where_nothing_need_be_told() -> None:
    under_way, clock = progress(1000, 10.0, tells=False)
    clock.now = 9.74
    assert under_way.begin(0, CALL)


def test_nothing_begins_with_less_than_twice_the_usual_time() -> None:
    under_way, clock = progress(3, 10.0)
    assert under_way.begin(0, CALL)
    assert under_way.claim(0, result("succeeded"))
    under_way.settled(0, DONE, 3.0)
    clock.now = 4.1
    assert not under_way.begin(1, CALL)
    clock.now = 3.9
    assert under_way.begin(1, CALL)


def test_what_ends_after_the_close_counts_no_more() -> None:
    under_way, _ = progress(3, 10.0)
    assert under_way.begin(0, CALL)
    assert under_way.begin(1, CALL)
    assert under_way.claim(1, result("succeeded"))
    under_way.close(0.0)
    assert (list(under_way.hung), list(under_way.late), under_way.done) == ([0], [1], {})
    assert not under_way.claim(0, result("succeeded"))
    under_way.settled(1, DONE, 1.0)
    assert under_way.done == {}
    assert not under_way.begin(2, CALL)
