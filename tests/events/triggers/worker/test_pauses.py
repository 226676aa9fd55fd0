"""Throttled operations wait, longer each time it does not help, and the others go on."""

from __future__ import annotations

import pytest

from events.triggers.worker.pauses import EVERYTHING, Pauses
from events.triggers.worker.verdicts import delay


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


@pytest.fixture
def pauses(now: list[float]) -> Pauses:
    return Pauses(1.0, 10.0, clock=lambda: now[0])


def test_one_operation_waits_and_the_others_do_not(pauses: Pauses, now: list[float]) -> None:
    assert pauses.pause("a.b", None, "resource_exhausted") == 1.0
    assert (pauses.left("a.b"), pauses.left("c.d")) == (1.0, 0.0)
    now[0] += 0.75
    assert pauses.left("a.b") == 0.25
    now[0] += 0.25
    assert pauses.left("a.b") == 0.0


def test_everything_waits_for_credentials(pauses: Pauses) -> None:
    pauses.pause(EVERYTHING, None, "unauthenticated")
    assert pauses.left("a.b") == 1.0


def test_calls_that_fail_meanwhile_do_not_make_it_longer(pauses: Pauses, now: list[float]) -> None:
    pauses.pause("a.b", None, "x")
    now[0] += 0.5
    assert [pauses.pause("a.b", None, "x") for _ in range(32)] == [0.5] * 32


def test_a_pause_that_does_not_help_grows_up_to_the_most(pauses: Pauses, now: list[float]) -> None:
    found = []
    for _ in range(6):
        found.append(pauses.pause("a.b", None, "x"))
        now[0] += found[-1]
    assert found == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_what_works_again_begins_anew(pauses: Pauses, now: list[float]) -> None:
    for _ in range(3):
        now[0] += pauses.pause("a.b", None, "x")
    pauses.worked("a.b")
    assert pauses.pause("a.b", None, "x") == 1.0


def test_what_was_asked_before_the_pause_does_not_end_it(pauses: Pauses) -> None:
    pauses.pause("a.b", None, "x")
    pauses.worked("a.b")
    assert pauses.left("a.b") == 1.0


def test_the_clouds_own_word_counts(pauses: Pauses, now: list[float]) -> None:
    assert pauses.pause("a.b", 60.0, "x") == 60.0
    assert pauses.pause("a.b", 90.0, "x") == 90.0
    now[0] += 90
    assert pauses.pause("a.b", 0.1, "x") == 4.0


def test_delays_grow_are_jittered_and_never_shorter_than_the_cloud_said() -> None:
    for tries, most in ((1, 1.0), (2, 2.0), (5, 16.0), (9, 100.0), (10_000, 100.0)):
        each = [delay(tries, 1.0, 100.0) for _ in range(50)]
        assert all(most / 2 <= one <= most for one in each)
        assert len(set(each)) > 1
    assert delay(1, 1.0, 100.0, 500.0) == 500.0
