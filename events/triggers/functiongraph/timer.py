"""Timers: the text that was written into the trigger (`user_event`) is the body, empty for none.

Source: FunctionGraph developer guide, timer example event; user guide, invocation modes of triggers: timers invoke synchronously. So nobody
repeats one that failed, and its event says so at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.triggers.functiongraph.derived import joined
from events.triggers.records import Record
from events.triggers.serverless.shapes import name, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.triggers.serverless.app import App
    from events.triggers.serverless.invocation import Invocation

KIND = "functiongraph.timer"
"""The trigger's name in results."""


def takes(event: Mapping[str, Any]) -> bool:
    """Tell whether an event is a timer's."""
    return event.get("trigger_type") == "TIMER"


def answer(event: Mapping[str, Any], app: App, invocation: Invocation) -> dict[str, Any]:
    """Run what the timer asks for and return its outcome. Raises EventRefused when the event cannot be read."""
    its_id = joined(text(event, "trigger_name"), name(event, "time"))
    record = Record(KIND, invocation.function, its_id, text(event, "user_event").strip() or "{}")
    return app.whole.answer([record], invocation, repeats=False)
