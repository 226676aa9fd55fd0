from __future__ import annotations

import uuid
from typing import Any

import pytest

from events.cli.contexts import of_functiongraph, of_lambda
from functions.cloud.deadline import Deadline

CREDENTIALS = ("getSecurityAccessKey", "getSecuritySecretKey", "getSecurityToken", "getToken")


class Clock:
    """A clock that goes when it is told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def remaining(context: Any) -> Any:
    for name in ("get_remaining_time_in_millis", "getRemainingTimeInMilliSeconds"):
        if hasattr(context, name):
            return getattr(context, name)()
    raise AssertionError("no remaining time")


@pytest.mark.parametrize("of", [of_lambda, of_functiongraph])
def test_the_remaining_time_counts_down_to_nothing(of: Any) -> None:
    clock = Clock()
    context = of(Deadline.after(3.0, clock=clock), {})
    seen = []
    for clock.now in (100.0, 101.5, 103.0, 104.0):
        seen.append(remaining(context))
    assert seen == [3000, 1500, 0, 0]
    assert all(isinstance(each, int) for each in seen)


def test_lambdas_context_says_who_is_invoked() -> None:
    context = of_lambda(Deadline.after(3.0), {})
    assert context.function_name in context.invoked_function_arn
    assert str(uuid.UUID(context.aws_request_id)) == context.aws_request_id
    assert context.aws_request_id != of_lambda(Deadline.after(3.0), {}).aws_request_id
    assert int(context.memory_limit_in_mb) >= 128


def test_functiongraphs_context_says_who_is_invoked_and_has_no_credentials() -> None:
    context = of_functiongraph(Deadline.after(3.0), {"A": "1", "HUAWEICLOUD_SDK_PROJECT_ID": "p"})
    assert (context.getUserData("A"), context.getUserData("B")) == ("1", None)
    assert (context.getProjectID(), context.getFunctionName(), context.getPackage()) == ("p", "hongyan", "default")
    assert context.getRequestID() == context.getRequestID()
    assert context.getRunningTimeInSeconds() == 0
    assert {getattr(context, name)() for name in CREDENTIALS} == {""}
