"""Invocations: who runs, and until when, from any context or none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from events.triggers.serverless.invocation import Invocation, remaining_s


@pytest.mark.parametrize(
    ("says", "seconds"),
    [
        (1500, 1.5),
        (0, 0.0),
        (-5, 0.0),
        (2500.5, 2.5005),
        (True, None),
        ("1", None),
        (None, None),
        (float("nan"), None),
        (float("inf"), 86_400.0),
        (10**400, 86_400.0),
    ],
)
def test_the_remaining_time_is_a_number_of_milliseconds_or_not_known(says: Any, seconds: float | None) -> None:
    assert remaining_s(SimpleNamespace(left=lambda: says), "left") == seconds


def test_a_context_may_have_no_such_method() -> None:
    assert remaining_s(None, "left") is None
    assert remaining_s(SimpleNamespace(left=5), "left") is None


def test_the_margin_is_kept() -> None:
    found = Invocation.of("id-1", "arn:x", 10.0, 2.0)
    assert (found.id, found.function) == ("id-1", "arn:x")
    assert 7.5 < found.deadline.remaining() <= 8.0
    assert Invocation.of("id-1", "arn:x", 1.0, 2.0).deadline.remaining() == 0.0


def test_without_a_context_there_is_an_id_and_some_time() -> None:
    one, other = (Invocation.of(None, None, None, 0.5) for _ in range(2))
    assert one.id != other.id
    assert one.function == "/hongyan/function"
    assert one.deadline.remaining() > 20
