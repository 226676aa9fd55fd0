"""csbs.check_restorable: can these backups be restored to these servers, and if not, why?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.cloud.answers import objects
from functions.registry import Partial, function
from schemas.answers import said_flag
from schemas.csbs import CheckRestorable, Verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.cloud.client import Cloud


@function(payload=CheckRestorable, result=Verdicts, subject="providers/{provider_id}", reads=True)
def csbs_check_restorable(payload: Mapping[str, Any], cloud: Cloud) -> dict[str, Any]:
    """Ask whether backups can be restored to servers. A no is an answer, not a failure.

    Source: CSBS v1, POST /v1/{project_id}/providers/{provider_id}/resources/action with check_restorable; it changes nothing.
    """
    questions = payload["check_restorable"]
    template = "/v1/{project_id}/providers/{provider_id}/resources/action"
    answer = cloud.post("csbs", template, path=payload, json={"check_restorable": questions})
    asked = {question["target"]["resource_id"].lower(): question for question in questions}
    verdicts = [dict(verdict) for verdict in objects(answer.get("restorable"), "restorable")]
    _assign(verdicts, asked)
    missing = [question["target"]["resource_id"] for question in asked.values()]
    yes = bool(verdicts) and not missing and all(said_flag(verdict.get("result")) for verdict in verdicts)
    return (Partial if missing else dict)(all_restorable=yes, items=verdicts, missing=missing)


def _assign(verdicts: list[dict[str, Any]], asked: dict[str, Any]) -> None:
    """Give each verdict its question's checkpoint_item_id, by server, and take the question out of `asked`.

    The page's own example answers one question with another server's id: one verdict to one question is its answer whatever it names.
    """
    alone = len(verdicts) == len(asked) == 1
    for verdict in verdicts:
        named = str(verdict.get("resource_id") or "").lower()
        question = asked.pop(named, None) or (asked.popitem()[1] if alone else None)
        verdict["checkpoint_item_id"] = question["checkpoint_item_id"] if question else None
        # An empty code or message is how some answers say that there is none.
        verdict["error_code"] = verdict.get("error_code") or None
        verdict["error_msg"] = verdict.get("error_msg") or None
