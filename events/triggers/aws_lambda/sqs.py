"""Batches of SQS, answered with the ids of those messages that the queue is to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.triggers.aws_lambda import batch
from events.triggers.aws_lambda.carried import unwrapped
from events.triggers.records import Record
from events.triggers.serverless.shapes import mapping, name, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.triggers.serverless.app import App
    from events.triggers.serverless.invocation import Invocation

KIND = "sqs"
"""The trigger's name in results."""

_SOURCE = ("eventSource", "aws:sqs")
_FIFO = ".fifo"
_MOST_DIGITS = 9


def takes(event: Mapping[str, Any]) -> bool:
    """Tell whether an event is a batch of SQS; a batch without records is taken for one."""
    return event.get("Records") == [] or batch.are_from(event, *_SOURCE)


def answer(event: Mapping[str, Any], app: App, invocation: Invocation) -> dict[str, Any]:
    """Return `{"batchItemFailures": [{"itemIdentifier": id}, ...]}`: each message that is to be delivered again, once, in their order.

    The event source mapping must have `ReportBatchItemFailures`, else Lambda deletes all of them. Raises EventRefused before anything is
    run when a record has no id that could be answered, or another source: the queue then delivers all of them again.
    """
    once: dict[tuple[str, str], Record] = {}
    for where, message in batch.read(event, *_SOURCE):
        # A standard queue may deliver a message twice at a time.
        key = (name(message, "messageId", where), text(message, "body", where))
        record = _record(message, where)
        once[key] = max(once.get(key, record), record, key=lambda each: each.receives or 0)
    records = [unwrapped(record, app) for record in once.values()]
    in_order = any(record.group is not None for record in records)
    settled = app.batches.run(records, invocation, strict=in_order)
    returned = {each.record.item for each in settled if each.returned}
    in_turn = dict.fromkeys(record.item for record in records)
    return {"batchItemFailures": [{"itemIdentifier": item} for item in in_turn if item in returned]}


def _record(message: Mapping[str, Any], where: str) -> Record:
    queue = name(message, "eventSourceARN", where)
    attributes = mapping(message, "attributes", where)
    told = _strings(mapping(message, "messageAttributes", where))
    return Record(
        kind=KIND,
        source=queue,
        id=message["messageId"],
        body=text(message, "body", where),
        operation=told.get("operation"),
        # Standard queues have groups, too, for a fair share of each tenant; they keep no order.
        group=text(attributes, "MessageGroupId", f"{where}.attributes") if queue.endswith(_FIFO) else None,
        item=message["messageId"],
        receives=_count(attributes.get("ApproximateReceiveCount")),
        carrier=told,
    )


def _strings(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Return the message attributes that are text, by name."""
    found = {each: value.get("stringValue") for each, value in attributes.items() if isinstance(value, dict)}
    return {each: value for each, value in found.items() if isinstance(value, str)}


def _count(written: Any) -> int | None:
    if not isinstance(written, str) or not written.isascii() or not written.isdigit() or len(written) > _MOST_DIGITS:
        return None
    return int(written)
