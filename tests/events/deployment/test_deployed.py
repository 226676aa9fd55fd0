from __future__ import annotations

from events.deployment.check import deployed
from events.deployment.template import Template
from tests.events.deployment.support import OWN, changed


def test_a_function_has_what_belongs_to_it() -> None:
    one = next(deployed(Template(changed())))
    assert (one.name, one.operation, one.timeout_s) == (f"{OWN}Function", "apig.add_members", 29)
    assert [(event / "Path").value for event in one.events("HttpApi")] == [
        "/functions/apig.add_members",
        "/apig.add_members/hooks/{sender}",
    ]
    [(event, queue)] = one.queues()
    letters = one.dead_letters(queue)
    assert letters is not None
    assert ((event / "BatchSize").value, queue.where, letters.where) == (100, f"{OWN}Queue", f"{OWN}DeadLetters")


def test_a_queue_gives_nothing_up_to_itself() -> None:
    text = changed(
        (f"deadLetterTargetArn: !GetAtt {OWN}DeadLetters.Arn", f"deadLetterTargetArn: !GetAtt {OWN}Queue.Arn")
    )
    one = next(deployed(Template(text)))
    [(_, queue)] = one.queues()
    assert one.dead_letters(queue) is None


def test_a_queue_elsewhere_is_not_looked_at() -> None:
    one = next(deployed(Template(changed((f"Queue: !GetAtt {OWN}Queue.Arn", "Queue: !Ref Other")))))
    assert list(one.queues()) == []
