"""Records of a DIS stream, each in base64; those of one partition run in their order.

Source: FunctionGraph user guide, using a DIS trigger: the template of a test event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.triggers.functiongraph.derived import decoded, joined
from events.triggers.records import Record
from events.triggers.serverless.shapes import mapping, name, objects, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from events.triggers.serverless.app import App
    from events.triggers.serverless.invocation import Invocation

KIND = "functiongraph.dis"
"""The trigger's name in results."""


def takes(event: Mapping[str, Any]) -> bool:
    """Tell whether an event is of DIS."""
    return "ShardID" in event and "StreamName" in event


def answer(event: Mapping[str, Any], app: App, invocation: Invocation) -> dict[str, Any]:
    """Run the records and return their count and outcomes. Raises NotDone, and EventRefused when the event cannot be read."""
    return app.whole.answer(list(_records(event)), invocation)


def _records(event: Mapping[str, Any]) -> Iterator[Record]:
    shard, source = name(event, "ShardID"), joined("dis", text(event, "StreamName"))
    for index, each in enumerate(objects(mapping(event, "Message"), "records", "Message")):
        where = f"Message.records[{index}]"
        its_id = joined(shard, name(each, "sequence_number", where))
        yield Record(KIND, source, its_id, decoded(each, "data", where), group=shard)
