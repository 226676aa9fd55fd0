"""Messages of SMN topics, alarms of Cloud Eye (CES) among them: an alarm is a message that is JSON text, for HONGYAN_PAYLOAD to take from.

Source: FunctionGraph developer guide, SMN example event: the key is `record`, in the singular, and `message_attributes` is null.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.triggers.records import Record
from events.triggers.serverless.shapes import mapping, name, objects, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from events.triggers.serverless.app import App
    from events.triggers.serverless.invocation import Invocation

KIND = "functiongraph.smn"
"""The trigger's name in results."""


def takes(event: Mapping[str, Any]) -> bool:
    """Tell whether an event is SMN's."""
    return isinstance(event.get("record"), list)


def answer(event: Mapping[str, Any], app: App, invocation: Invocation) -> dict[str, Any]:
    """Run the messages and return their count and outcomes. Raises NotDone, and EventRefused when the event cannot be read."""
    return app.whole.answer(list(_records(event)), invocation)


def _records(event: Mapping[str, Any]) -> Iterator[Record]:
    for index, each in enumerate(objects(event, "record")):
        where = f"record[{index}].smn"
        told = mapping(each, "smn", f"record[{index}]")
        yield Record(
            KIND, name(told, "topic_urn", where), name(told, "message_id", where), text(told, "message", where)
        )
