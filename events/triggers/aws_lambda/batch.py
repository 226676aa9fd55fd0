"""The records of SQS's and SNS's events: told by the source that each of them names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.triggers.serverless.shapes import EventRefused, objects

if TYPE_CHECKING:
    from collections.abc import Mapping


def are_from(event: Mapping[str, Any], key: str, source: str) -> bool:
    """Tell whether any of an event's records names this source under `key` (`eventSource` with SQS, `EventSource` with SNS)."""
    records = event.get("Records")
    return isinstance(records, list) and any(isinstance(each, dict) and each.get(key) == source for each in records)


def read(event: Mapping[str, Any], key: str, source: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the records, each with where it stands (`Records[2]`). Raises EventRefused when one names another source, or none."""
    records = objects(event, "Records")
    for index, each in enumerate(records):
        if each.get(key) != source:
            raise EventRefused(f"Records[{index}].{key} must be {source}, as that of the other records is")
    return [(f"Records[{index}]", each) for index, each in enumerate(records)]
