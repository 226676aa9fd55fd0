"""Messages of Kafka, RocketMQ and RabbitMQ, which come without ids.

Source: FunctionGraph user guide and developer guide, example events of Kafka and RocketMQ: `records[].messages[]` are bare strings, and
`instance_id` stands at the top or in each record. No page shows RabbitMQ's: it is taken for the same, or for objects with a `body`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.triggers.functiongraph.derived import digest, joined
from events.triggers.records import Record
from events.triggers.serverless.shapes import items, objects, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from events.triggers.serverless.app import App
    from events.triggers.serverless.invocation import Invocation

KAFKA, ROCKETMQ, RABBITMQ = (f"functiongraph.{name}" for name in ("kafka", "rocketmq", "rabbitmq"))
"""The triggers' names in results."""

_KINDS = {"KAFKA": KAFKA, "OPENSOURCEKAFKA": KAFKA, "ROCKETMQ": ROCKETMQ, "RABBITMQ": RABBITMQ}


def takes(event: Mapping[str, Any]) -> bool:
    """Tell whether an event is a queue's."""
    return _kind(event) is not None


def answer(event: Mapping[str, Any], app: App, invocation: Invocation) -> dict[str, Any]:
    """Run the messages and return their count and outcomes; those of one Kafka topic run in their order.

    Raises NotDone for all of them, since a single message cannot be given back, and EventRefused when the event cannot be read.
    """
    return app.whole.answer(list(_records(event, _kind(event) or KAFKA)), invocation)


def _kind(event: Mapping[str, Any]) -> str | None:
    told = event.get("trigger_type")
    return _KINDS.get(told) if isinstance(told, str) else None


def _records(event: Mapping[str, Any], kind: str) -> Iterator[Record]:
    """Yield the messages.

    A message's id is made of instance, topic, event time, its place among all messages and its content. When FunctionGraph repeats an
    invocation it hands over the same event, so ids stay. When it reads the queue anew (its poller died before it had noted how far it
    was), it may cut other batches at another time: the same message then has another id. A `CloudEvent`'s own id, or the `id` beside
    `operation` and `payload`, outlasts that as well.
    """
    position = 0
    for index, each in enumerate(objects(event, "records")):
        where = f"records[{index}]"
        instance = text(each, "instance_id", where) or text(event, "instance_id")
        topic = text(each, "topic_id", where)
        for message in items(each, "messages", where):
            its_id = digest(instance, topic, event.get("event_time"), position, message)
            source = joined(instance, topic)
            yield Record(kind, source, its_id, _body(message, kind), group=source if kind == KAFKA else None)
            position += 1


def _body(message: Any, kind: str) -> Any:
    wrapped = kind == RABBITMQ and isinstance(message, dict) and "body" in message
    return message["body"] if wrapped else message
