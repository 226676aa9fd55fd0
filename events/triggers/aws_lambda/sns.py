"""Notifications of SNS: those that invoke the function, and what every notification carries, for those that come through a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.triggers.aws_lambda import batch
from events.triggers.aws_lambda.carried import notified, unwrapped
from events.triggers.records import Record
from events.triggers.serverless.shapes import mapping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.triggers.serverless.app import App
    from events.triggers.serverless.invocation import Invocation

KIND = "sns"
"""The trigger's name in results."""

_SOURCE = ("EventSource", "aws:sns")


def takes(event: Mapping[str, Any]) -> bool:
    """Tell whether an event is SNS's."""
    return batch.are_from(event, *_SOURCE)


def answer(event: Mapping[str, Any], app: App, invocation: Invocation) -> dict[str, Any]:
    """Run the notifications and return their count and outcomes, which SNS does not read.

    Raises NotDone when Lambda is to repeat the invocation, EventRefused when a notification cannot be read.
    """
    records = []
    for where, each in batch.read(event, *_SOURCE):
        told = notified(mapping(each, "Sns", where), f"{where}.Sns")
        records.append(unwrapped(Record(KIND, **told), app))
    return app.whole.answer(records, invocation)
