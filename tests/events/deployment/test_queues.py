from __future__ import annotations

import pytest

from tests.events.deployment.support import OWN, mistakes, only

EVENT = f"{OWN}Function.Events.Queue"
WINDOW = "            MaximumBatchingWindowInSeconds: 1\n"
ANSWERS = "            FunctionResponseTypes: [ReportBatchItemFailures]\n"
FIFO = (
    ("      VisibilityTimeout: 180\n", "      VisibilityTimeout: 180\n      FifoQueue: true\n"),
    ("MessageRetentionPeriod: 1209600\n", "MessageRetentionPeriod: 1209600\n      FifoQueue: true\n"),
)


@pytest.mark.parametrize(
    ("old", "new", "where", "wrong"),
    [
        (ANSWERS, "", f"{EVENT}.FunctionResponseTypes", "whole batch delivered again"),
        ("[ReportBatchItemFailures]", "[Report]", f"{EVENT}.FunctionResponseTypes", "whole batch delivered again"),
        ("[ReportBatchItemFailures]", "yes", f"{EVENT}.FunctionResponseTypes", "whole batch delivered again"),
        (WINDOW, "", f"{EVENT}.MaximumBatchingWindowInSeconds", "need a window"),
        ("InSeconds: 1", "InSeconds: 0", f"{EVENT}.MaximumBatchingWindowInSeconds", "need a window"),
        ("BatchSize: 100", "BatchSize: 10001", f"{EVENT}.BatchSize", "no size of a batch"),
        ("BatchSize: 100", "BatchSize: 0", f"{EVENT}.BatchSize", "no size of a batch"),
        ("BatchSize: 100", "BatchSize: many", f"{EVENT}.BatchSize", "no size of a batch"),
        (
            "VisibilityTimeout: 180",
            "VisibilityTimeout: 174",
            f"{OWN}Queue.VisibilityTimeout",
            "6 times the function's 29 s",
        ),
        ("      VisibilityTimeout: 180\n", "", f"{OWN}Queue.VisibilityTimeout", "6 times the function's 29 s"),
        ("VisibilityTimeout: 180", "VisibilityTimeout: long", f"{OWN}Queue.VisibilityTimeout", "6 times"),
    ],
)
def test_a_function_is_held_to_its_queue(old: str, new: str, where: str, wrong: str) -> None:
    place, told = only((old, new))
    assert place == where
    assert wrong in told


def test_visibility_counts_the_window_too() -> None:
    assert mistakes(("VisibilityTimeout: 180", "VisibilityTimeout: 175")) == []


def test_a_function_must_be_fed() -> None:
    place, told = only(("          Type: SQS\n", "          Type: Schedule\n"))
    assert place == f"{OWN}Function.Events"
    assert "no queue feeds apig.add_members" in told


def test_its_queue_must_be_in_the_template() -> None:
    place, told = only((f"Queue: !GetAtt {OWN}Queue.Arn", "Queue: arn:aws:sqs:eu-central-1:123456789012:other"))
    assert place == f"{EVENT}.Queue"
    assert "no queue of this template" in told


def test_a_queue_feeds_one_function() -> None:
    found = mistakes((f"Queue: !GetAtt {OWN}Queue.Arn", "Queue: !GetAtt ElbListMembersQueue.Arn"))
    assert [mistake.where for mistake in found] == [f"{EVENT}.Queue", "ElbListMembersFunction.Events.Queue.Queue"]
    assert found[0].wrong.startswith("ElbListMembersFunction takes messages")


def test_small_batches_need_no_window() -> None:
    assert mistakes(("            BatchSize: 100\n", ""), (WINDOW, "")) == []


def test_a_fifo_queue_has_small_batches_and_no_window() -> None:
    assert [mistake.wrong for mistake in mistakes(*FIFO)] == [
        "a FIFO queue gives 10 messages at most",
        "a FIFO queue has no window",
    ]
    assert mistakes(*FIFO, ("BatchSize: 100", "BatchSize: 10"), (WINDOW, "")) == []
