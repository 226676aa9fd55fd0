"""Traces of CTS, what was done in the account: the body is the `cts` object, for HONGYAN_PAYLOAD to take from (`/request`, `/resource_id`).

Source: FunctionGraph developer guide, CTS example event. Its `time` is "", seconds or milliseconds, as the page pleases: it is not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.calls import is_name
from events.triggers.functiongraph.derived import digest
from events.triggers.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.triggers.serverless.app import App
    from events.triggers.serverless.invocation import Invocation

KIND = "functiongraph.cts"
"""The trigger's name in results."""


def takes(event: Mapping[str, Any]) -> bool:
    """Tell whether an event is of CTS."""
    return isinstance(event.get("cts"), dict)


def answer(event: Mapping[str, Any], app: App, invocation: Invocation) -> dict[str, Any]:
    """Run the trace and return its outcome; the trace's id is its own. Raises NotDone, and EventRefused when the event cannot be read."""
    trace = event["cts"]
    its_id = trace.get("trace_id")
    record = Record(KIND, "cts", its_id if is_name(its_id) else digest(trace), trace)
    return app.whole.answer([record], invocation)
