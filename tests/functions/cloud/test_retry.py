"""A request is sent again only where that is safe, after a jittered wait that never passes the deadline."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.cloud.deadline import Deadline
from functions.cloud.errors import CallError, CloudRefused, NoAnswer, NotSent
from functions.cloud.retry import Retry

LONG = Deadline(1000.0, lambda: 0.0)
MOST = Retry(random=lambda _, most: most)


def throttled(retry_after_s: float | None = None) -> CallError:
    return CloudRefused("m", kind="resource_exhausted", retry_after_s=retry_after_s)


def test_the_wait_doubles_up_to_a_cap_and_the_attempts_end() -> None:
    patient = Retry(attempts=9, random=lambda _, most: most)
    waits = [patient.wait(throttled(), attempt, LONG, safe=False) for attempt in range(1, 10)]
    assert waits == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0, None]


@pytest.mark.parametrize(
    ("error", "safe", "again"),
    [
        (throttled(), False, True),
        (NotSent("m"), False, True),
        (NoAnswer("m"), False, False),
        (NoAnswer("m"), True, True),
        (CloudRefused("m", kind="unavailable", refused=False), False, False),
        (CloudRefused("m", kind="unavailable", refused=False), True, True),
        (CloudRefused("m", kind="invalid_argument"), True, False),
        (CloudRefused("m", kind="internal", refused=False), True, False),
    ],
)
def test_only_what_is_safe_and_may_help(error: CallError, safe: bool, again: bool) -> None:
    assert (MOST.wait(error, 1, LONG, safe=safe) is not None) is again


def test_retry_after_is_not_cut_short() -> None:
    assert MOST.wait(throttled(7.0), 1, LONG, safe=True) == 7.0
    assert MOST.wait(throttled(7.0), 1, Deadline(7.0, lambda: 0.0), safe=True) is None


def test_a_write_keeps_time_to_hear_its_answer() -> None:
    assert MOST.wait(throttled(1.0), 1, Deadline(1.9, lambda: 0.0), safe=False) is None
    assert MOST.wait(throttled(1.0), 1, Deadline(2.1, lambda: 0.0), safe=False) == 1.0


@given(st.integers(1, 9), st.floats(0, 100), st.none() | st.floats(0, 100))
def test_no_wait_reaches_the_deadline(attempt: int, left: float, retry_after_s: float | None) -> None:
    wait = Retry(attempts=9).wait(throttled(retry_after_s), attempt, Deadline(left, lambda: 0.0), safe=True)
    assert wait is None or (retry_after_s or 0.0) <= wait < left


def test_a_deadline_keeps_its_margin() -> None:
    deadline = Deadline.after(3.0, margin=1.0, clock=lambda: 10.0)
    assert (deadline.at, deadline.remaining()) == (12.0, 2.0)
    assert Deadline(5.0, lambda: 6.0).remaining() == 0.0
