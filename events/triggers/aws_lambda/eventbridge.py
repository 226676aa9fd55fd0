"""Events of EventBridge: of a rule, of its Scheduler, or of an archive that is replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.triggers.aws_lambda.carried import published
from events.triggers.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.triggers.serverless.app import App
    from events.triggers.serverless.invocation import Invocation

KIND = "eventbridge"
"""The trigger's name in results."""


def takes(event: Mapping[str, Any]) -> bool:
    """Tell whether an event is EventBridge's; no CloudEvent has an attribute with a hyphen."""
    return "detail-type" in event and "specversion" not in event


def answer(event: Mapping[str, Any], app: App, invocation: Invocation) -> dict[str, Any]:
    """Run the event and return its count and outcome, which EventBridge does not read; one that is replayed has the id that it had.

    Raises NotDone when Lambda is to repeat the invocation, EventRefused when the event cannot be read.
    """
    return app.whole.answer([Record(KIND, **published(event, app))], invocation)
