"""CloudEvents that EventGrid routes to the function.

Source: EventGrid user guide, event content transformation: passed through they come as `{"events": [...]}`. Pages also show a single one
without that, which is taken for EventGrid's unless its type is ours (then somebody invokes the function and waits for the answer). What a
template makes of an event is whatever it says: `{"operation": ..., "payload": ...}`, or the payload.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.calls import is_name
from events.triggers.functiongraph.derived import digest
from events.triggers.records import Record
from events.triggers.serverless.shapes import objects

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from events.triggers.serverless.app import App
    from events.triggers.serverless.invocation import Invocation

KIND = "functiongraph.eventgrid"
"""The trigger's name in results."""


def takes(event: Mapping[str, Any]) -> bool:
    """Tell whether an event is a list of EventGrid's."""
    return isinstance(event.get("events"), list)


def brought(event: Mapping[str, Any], prefix: str) -> bool:
    """Tell whether an event is a single CloudEvent of another system's type."""
    its_type = event.get("type")
    return "specversion" in event and isinstance(its_type, str) and not its_type.startswith(f"{prefix}.")


def answer(event: Mapping[str, Any], app: App, invocation: Invocation) -> dict[str, Any]:
    """Run the events and return their count and outcomes. Raises NotDone, and EventRefused when the event cannot be read."""
    return app.whole.answer(list(_records(event)), invocation)


def _records(event: Mapping[str, Any]) -> Iterator[Record]:
    """Yield the events, those without a source or an id too: such a one is refused where its body is read."""
    for each in objects(event, "events"):
        source, its_id = each.get("source"), each.get("id")
        yield Record(
            KIND,
            str(source) if is_name(source) else "eventgrid",
            str(its_id) if is_name(its_id) else digest(each),
            each,
        )
