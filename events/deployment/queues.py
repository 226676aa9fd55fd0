"""Rules for a function's queue: how batches are taken from it and answered, and when a message is delivered again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.deployment.deployed import QUEUE
from events.deployment.template import attribute

if TYPE_CHECKING:
    from collections.abc import Iterator

    from events.deployment.deployed import Deployed
    from events.deployment.tree import Mistake

PARTIAL = "ReportBatchItemFailures"
_FIFO_BATCH = 10
_LARGEST_BATCH = 10_000
_VISIBILITY_S = 30
_TIMES = 6


def fed(one: Deployed) -> Iterator[Mistake]:
    """Require a queue of this template, and an answer for each message of a batch."""
    events = one.events("SQS")
    if not events:
        yield (one.function / "Events").wrong(f"no queue feeds {one.operation}", "add an SQS event, and its queue")
    for event in events:
        queue = event / "Queue"
        if one.template.properties(attribute(queue.value, "Arn"), QUEUE) is None:
            name = one.name.removesuffix("Function")
            yield queue.wrong(
                "this is no queue of this template", f"write Queue: !GetAtt {name}Queue.Arn, and that queue"
            )
        answers = event / "FunctionResponseTypes"
        if not isinstance(answers.value, list) or PARTIAL not in answers.value:
            yield answers.wrong(
                "without it one message that failed has the whole batch delivered again, and the answer is ignored",
                f"write FunctionResponseTypes: [{PARTIAL}]",
            )


def batched(one: Deployed) -> Iterator[Mistake]:
    """Require a size of batches that the queue's kind allows."""
    for event in one.events("SQS"):
        spot = event / "BatchSize"
        size = _FIFO_BATCH if spot.value is None else one.template.number(spot.value)
        if size is None or not 1 <= size <= _LARGEST_BATCH:
            yield spot.wrong("this is no size of a batch", f"write a whole number from 1 to {_LARGEST_BATCH}")
    for event, queue in one.queues():
        window = event / "MaximumBatchingWindowInSeconds"
        size = one.template.number((event / "BatchSize").value) or _FIFO_BATCH
        seconds = one.template.number(window.value) or 0
        fifo = (queue / "FifoQueue").value is True
        if fifo and size > _FIFO_BATCH:
            yield (event / "BatchSize").wrong(
                f"a FIFO queue gives {_FIFO_BATCH} messages at most", f"write {_FIFO_BATCH} or less"
            )
        if fifo and seconds:
            yield window.wrong("a FIFO queue has no window", "leave it out")
        if not fifo and size > _FIFO_BATCH and not seconds:
            yield window.wrong(
                f"batches of more than {_FIFO_BATCH} need a window of a second or more",
                "write MaximumBatchingWindowInSeconds: 1",
            )


def hidden(one: Deployed) -> Iterator[Mistake]:
    """Require that no message is delivered again while it may be in work: AWS asks for six times the timeout, and the window."""
    for event, queue in one.queues():
        spot = queue / "VisibilityTimeout"
        seconds = _VISIBILITY_S if spot.value is None else one.template.number(spot.value)
        window = one.template.number((event / "MaximumBatchingWindowInSeconds").value) or 0
        least = _TIMES * (one.timeout_s or 0) + window
        if seconds is None or seconds < least:
            yield spot.wrong(
                f"a message must stay hidden for {_TIMES} times the function's {one.timeout_s} s and the window's {window} s, "
                "or it is delivered again while it is in work",
                f"write {least} or more",
            )


def shared(one: Deployed) -> Iterator[Mistake]:
    """Require that no other function takes messages from its queue."""
    for event in one.events("SQS"):
        name = attribute((event / "Queue").value, "Arn")
        for other, properties in one.template.of_type("AWS::Serverless::Function"):
            theirs = [each / "Properties" / "Queue" for each in (properties / "Events").each()]
            if other != one.name and name and any(attribute(queue.value, "Arn") == name for queue in theirs):
                yield (event / "Queue").wrong(
                    f"{other} takes messages from this queue too, and each would get some of the other's",
                    "give each function a queue of its own",
                )
