"""Log lines of LTS: the body is what `lts.data` holds in base64, an object whose `logs` are an array, for HONGYAN_PAYLOAD to take from.

Source: FunctionGraph developer guide, LTS example event. There, `logs` is JSON text inside JSON; it is read, so that pointers lead into it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events import strictjson
from events.triggers.functiongraph.derived import decoded, digest, joined
from events.triggers.records import Record
from events.triggers.serverless.shapes import EventRefused, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.triggers.serverless.app import App
    from events.triggers.serverless.invocation import Invocation

KIND = "functiongraph.lts"
"""The trigger's name in results."""

_WHERE = "lts.data"


def takes(event: Mapping[str, Any]) -> bool:
    """Tell whether an event is of LTS."""
    return isinstance(event.get("lts"), dict)


def answer(event: Mapping[str, Any], app: App, invocation: Invocation) -> dict[str, Any]:
    """Run the lines as one record and return its outcome. Raises NotDone, and EventRefused when the event cannot be read."""
    told = _loaded(decoded(event["lts"], "data", "lts"), _WHERE)
    if not isinstance(told, dict):
        raise EventRefused(f"{_WHERE} must hold a JSON object")
    source = joined("lts", text(told, "log_group_id", _WHERE), text(told, "log_topic_id", _WHERE))
    logs = told.get("logs")
    body = {**told, "logs": _loaded(logs, f"{_WHERE}.logs")} if isinstance(logs, str) else told
    return app.whole.answer([Record(KIND, source, digest(told), body)], invocation)


def _loaded(raw: bytes | str, where: str) -> Any:
    try:
        return strictjson.loads(raw)
    except strictjson.NotJSON as error:
        raise EventRefused(f"{where} must hold JSON: {error}") from None
