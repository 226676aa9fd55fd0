"""One function of the template with what belongs to it, as the rules look at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from events.deployment.template import attribute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from events.deployment.template import Template
    from events.deployment.tree import Mistake, Spot

    Rule = Callable[["Deployed"], Iterator[Mistake]]

QUEUE = "AWS::SQS::Queue"


@dataclass(frozen=True, slots=True)
class Deployed:
    """A function: its logical id, the operation that it runs, its properties with those of `Globals` below them."""

    template: Template
    name: str
    operation: str
    function: Spot

    @property
    def environment(self) -> Spot:
        """Its environment variables."""
        return self.function / "Environment" / "Variables"

    @property
    def timeout_s(self) -> int | None:
        """The seconds after which it is stopped, None when that is not known; 3 is Lambda's default."""
        written = (self.function / "Timeout").value
        return 3 if written is None else self.template.number(written)

    def events(self, kind: str) -> list[Spot]:
        """Return the properties of its events of a type, as `HttpApi`."""
        return [each / "Properties" for each in (self.function / "Events").each() if (each / "Type").value == kind]

    def queues(self) -> Iterator[tuple[Spot, Spot]]:
        """Yield each of its SQS events with the properties of its queue, where that is one of this template."""
        for event in self.events("SQS"):
            queue = self.template.properties(attribute((event / "Queue").value, "Arn"), QUEUE)
            if queue:
                yield event, queue

    def dead_letters(self, queue: Spot) -> Spot | None:
        """Return the properties of a queue's dead letters, None when they are no other queue of this template."""
        target = attribute((queue / "RedrivePolicy" / "deadLetterTargetArn").value, "Arn")
        found = self.template.properties(target, QUEUE)
        return found if found and found.where != queue.where else None
