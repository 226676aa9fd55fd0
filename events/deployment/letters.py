"""Rules for a queue's dead letters: what is given up is kept, once it was tried often enough, and by nobody else's queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.deployment.deployed import QUEUE
from events.deployment.template import attribute, sub

if TYPE_CHECKING:
    from collections.abc import Iterator

    from events.deployment.deployed import Deployed
    from events.deployment.tree import Mistake, Spot

LEAST_RECEIVES = 5
_KEPT_S = 345_600
_LONGEST_S = 1_209_600


def given_up(one: Deployed) -> Iterator[Mistake]:
    """Require that what was tried in vain goes to dead letters of this queue alone, and of its kind."""
    for _, queue in one.queues():
        spot = queue / "RedrivePolicy" / "deadLetterTargetArn"
        letters = one.dead_letters(queue)
        if letters is None:
            yield spot.wrong(
                "without dead letters in another queue of this template a message that fails is lost in the end, or delivered for ever",
                "write RedrivePolicy: {deadLetterTargetArn: !GetAtt <queue>.Arn, maxReceiveCount: …}, and that queue",
            )
            continue
        yield from _alone(one, queue, spot)
        yield from _allowed(queue, letters)
        if ((queue / "FifoQueue").value is True) != ((letters / "FifoQueue").value is True):
            yield (letters / "FifoQueue").wrong(
                "a queue and its dead letters must both be FIFO, or neither", "write the same in both"
            )


def often_enough(one: Deployed) -> Iterator[Mistake]:
    """Require five tries or more, and that the function knows how many: with the last one it tells what became of a message."""
    known = one.environment / "HONGYAN_MAX_RECEIVES"
    for _, queue in one.queues():
        spot = queue / "RedrivePolicy" / "maxReceiveCount"
        if (queue / "RedrivePolicy").value is None:
            continue
        count = _least(one, spot)
        if count is None or count < LEAST_RECEIVES:
            parameter = one.template.parameter(spot.value)
            at = parameter / "MinValue" if parameter else spot
            yield at.wrong(
                "a message that is throttled or short of time would be given up too soon",
                f"write {LEAST_RECEIVES} or more",
            )
        if spot.value is not None and spot.value != known.value:
            number = one.template.number(spot.value)
            if one.template.parameter(spot.value) or number is None or number != one.template.number(known.value):
                yield known.wrong(
                    "the function must know the queue's maxReceiveCount, to tell of a message before it is given up",
                    f"write the value of {spot.where} here too",
                )


def kept(one: Deployed) -> Iterator[Mistake]:
    """Require encryption, and that dead letters are kept longer than the queue keeps messages."""
    for _, queue in one.queues():
        letters = one.dead_letters(queue)
        for each in filter(None, (queue, letters)):
            if (each / "SqsManagedSseEnabled").value is not True and (each / "KmsMasterKeyId").value is None:
                yield (each / "SqsManagedSseEnabled").wrong(
                    "messages are not encrypted", "write SqsManagedSseEnabled: true"
                )
        if letters and _retention(one, letters) <= _retention(one, queue):
            yield (letters / "MessageRetentionPeriod").wrong(
                "a message may be gone before anybody has looked at it: its age counts from when it was first sent",
                f"write MessageRetentionPeriod: {_LONGEST_S}",
            )


def _alone(one: Deployed, queue: Spot, target: Spot) -> Iterator[Mistake]:
    name = attribute(target.value, "Arn")
    for _, other in one.template.of_type(QUEUE):
        theirs = attribute((other / "RedrivePolicy" / "deadLetterTargetArn").value, "Arn")
        if theirs == name and other.where != queue.where:
            yield target.wrong(
                f"{other.where} gives its messages up to the same dead letters, and they could not be told apart",
                "give each queue dead letters of its own",
            )


def _allowed(queue: Spot, letters: Spot) -> Iterator[Mistake]:
    """Dead letters that take messages from named queues name this one."""
    name = sub((queue / "QueueName").value)
    sources = letters / "RedriveAllowPolicy" / "sourceQueueArns"
    if (
        name
        and sources.value is not None
        and not any((sub(each.value) or "").endswith(f":{name}") for each in sources.each())
    ):
        yield sources.wrong("the queue that gives messages up to these dead letters is not among them", f"name {name}")


def _least(one: Deployed, spot: Spot) -> int | None:
    """Return the smallest number that a value can be: a parameter's MinValue, else the value itself."""
    parameter = one.template.parameter(spot.value)
    return one.template.number((parameter / "MinValue").value if parameter else spot.value)


def _retention(one: Deployed, queue: Spot) -> int:
    return one.template.number((queue / "MessageRetentionPeriod").value) or _KEPT_S
