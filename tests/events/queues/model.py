"""A queue as simple as can be, and steps that a real one takes beside it: both must come to the same."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from tests.events.queues.support import letter, message, take, until

if TYPE_CHECKING:
    from events.queues import Delivery, Message, Queue

_number = itertools.count()


def empty(queue: Queue) -> None:
    """Throw away what an earlier run left."""
    queue.drop([kept.id for kept in queue.letters()])
    while queue.counts().ready:
        queue.acknowledge(queue.receive(100, 0.2))


class Model:
    """What waits, is held and is dead, in three lists; a group's messages stand in their order."""

    STEPS: ClassVar[list[str]] = [
        "publish",
        "publish",
        "receive",
        "acknowledge",
        "give_back",
        "dead_letter",
        "redrive",
        "drop",
    ]

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.waiting: list[Message] = []
        self.held: list[Delivery] = []
        self.dead: list[Message] = []

    def step(self, does: str, which: int, flag: bool) -> None:
        """Take one of `STEPS`, on what `which` picks; `flag` is the second choice where there is one."""
        if does == "publish":
            self.publish(which, flag)
        elif does == "receive":
            self.receive(1 + which)
        elif does in ("redrive", "drop"):
            self.judge(does, which)
        elif self.held:
            found = self.held.pop(which % len(self.held))
            self.end(does, found, flag)

    def publish(self, which: int, flag: bool) -> None:
        sent = [message(next(_number), [None, "g", "h"][which % 3]) for _ in range(1 + flag)]
        self.queue.publish(sent)
        self.waiting += sent

    def available(self) -> list[Message]:
        """Return what may be delivered: all without a group, and the first of each group of which none is held."""
        busy = {found.message.group for found in self.held} - {None}
        found = []
        for each in self.waiting:
            if each.group not in busy:
                found.append(each)
                busy |= {each.group} - {None}
        return found

    def receive(self, most: int) -> None:
        there = {each.id: each for each in self.available()}
        found = take(self.queue, min(most, len(there))) if there else self.queue.receive(most, 0.0)
        for delivery in found:
            assert delivery.message == there.pop(delivery.message.id)
            self.waiting.remove(delivery.message)
        self.held += found

    def end(self, does: str, found: Delivery, flag: bool) -> None:
        if does == "acknowledge":
            self.queue.acknowledge([found])
        elif does == "give_back":
            self.queue.give_back(found, failed=flag)
            again = replace(found.message, tries=found.message.tries + flag)
            # Before all others of its group, which have come later.
            self.waiting.insert(0, again)
        else:
            self.queue.dead_letter(found, letter(found, id=f"letter-{found.message.id}"))
            self.dead.append(found.message)
            until(lambda: len(self.queue.letters()) == len(self.dead))

    def judge(self, does: str, which: int) -> None:
        chosen, self.dead = self.dead[:which], self.dead[which:]
        judged = [f"letter-{each.id}" for each in chosen]
        assert (self.queue.redrive(judged) if does == "redrive" else self.queue.drop(judged)) == len(chosen)
        if does == "redrive":
            self.waiting += [replace(each, tries=0, runs=each.runs + 1) for each in chosen]

    def finish(self) -> None:
        """End everything, in the order of its groups, until nothing is left."""
        while self.held or self.waiting:
            self.queue.acknowledge(self.held)
            self.held = []
            self.receive(len(self.waiting) or 1)
        until(lambda: self.queue.counts().ready == 0)
        assert self.queue.receive(1, 0.0) == []
        assert sorted(kept.message.id for kept in self.queue.letters()) == sorted(each.id for each in self.dead)
