"""Events of OBS buckets: the body is the record, for HONGYAN_PAYLOAD to take from (`/s3/object/key`).

Source: FunctionGraph developer guide, OBS example event: like S3's, with `s3` in each record; `obs` is read as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.triggers.functiongraph.derived import digest, joined
from events.triggers.records import Record
from events.triggers.serverless.shapes import mapping, objects, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from events.triggers.serverless.app import App
    from events.triggers.serverless.invocation import Invocation

KIND = "functiongraph.obs"
"""The trigger's name in results."""

_INSIDE = ("s3", "obs")


def takes(event: Mapping[str, Any]) -> bool:
    """Tell whether an event is of OBS; one without records is taken for one."""
    records = event.get("Records")
    return isinstance(records, list) and all(isinstance(each, dict) and _inside(each) for each in records)


def answer(event: Mapping[str, Any], app: App, invocation: Invocation) -> dict[str, Any]:
    """Run the records and return their count and outcomes. Raises NotDone, and EventRefused when the event cannot be read."""
    return app.whole.answer(list(_records(event)), invocation)


def _inside(record: Mapping[str, Any]) -> str:
    return next((key for key in _INSIDE if isinstance(record.get(key), dict)), "")


def _records(event: Mapping[str, Any]) -> Iterator[Record]:
    """Yield the records; what tells one from another is bucket, key, sequencer and event, and its time where there is no sequencer."""
    for index, each in enumerate(objects(event, "Records")):
        key = _inside(each)
        where = f"Records[{index}].{key}"
        bucket, thing = (mapping(each[key], part, where) for part in ("bucket", "object"))
        name = text(bucket, "name", f"{where}.bucket")
        when = thing.get("sequencer") or each.get("eventTime")
        yield Record(KIND, joined("obs", name), digest(name, thing.get("key"), when, each.get("eventName")), each)
