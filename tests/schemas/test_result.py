"""The result event's data: the fields that its consumers rely on."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.result import OUTCOMES, SCHEMA_ID, ResultData
from tests.schemas.pages import PROJECT
from tests.schemas.support import Path, changed, refusal, without

SCHEMA = ResultData()
SUCCEEDED: dict[str, Any] = {
    "operation": "apig.add_members",
    "outcome": "succeeded",
    "target": {"region": "cn-north-4", "project_id": PROJECT, "instance_id": "a", "vpc_channel_id": "b"},
    "result": {"size": 1, "members": [{"marker_id": 2**53 + 1}]},
    "error": None,
    "upstream": {
        "service": "apig",
        "method": "POST",
        "status": 201,
        "request_id": "f0f0",
        "attempts": 2,
        "requests": 1,
        "duration_ms": 31,
    },
    "trigger": {"kind": "webhook", "id": None},
}
REJECTED: dict[str, Any] = {
    **SUCCEEDED,
    "outcome": "rejected",
    "target": {"region": "emulator", "project_id": None},
    "result": None,
    "error": {
        "kind": "invalid_argument",
        "code": None,
        "message": "members.0.weight: Must be a whole number (a JSON integer).",
        "status": None,
        "retryable": False,
        "retry_after_s": None,
        "fields": {"members": {"0": {"weight": ["Must be a whole number (a JSON integer)."]}}},
    },
    "upstream": None,
    "trigger": {"kind": "sqs", "id": "42"},
}
FAILED: dict[str, Any] = {**REJECTED, "outcome": "failed", "error": {**REJECTED["error"], "retry_after_s": 1.5}}


@pytest.mark.parametrize("data", [SUCCEEDED, REJECTED, FAILED], ids=["succeeded", "rejected", "failed"])
def test_data_of_a_result_is_what_the_schema_describes(data: dict[str, Any]) -> None:
    loaded = SCHEMA.load(data)
    assert loaded["target"] == data["target"]
    assert {**SCHEMA.dump(loaded), "target": data["target"]} == data


@pytest.mark.parametrize(
    "path",
    [
        *[(name,) for name in SUCCEEDED],
        *[("target", name) for name in ("region", "project_id")],
        *[("error", name) for name in REJECTED["error"]],
        *[("upstream", name) for name in SUCCEEDED["upstream"]],
        *[("trigger", name) for name in SUCCEEDED["trigger"]],
    ],
)
def test_every_field_is_always_there(path: Path) -> None:
    data = {**SUCCEEDED, "error": REJECTED["error"]}
    assert refusal(SCHEMA, without(data, path)) == {path: ["Missing data for required field."]}


@pytest.mark.parametrize("path", [("new",), ("error", "new"), ("upstream", "new"), ("trigger", "new")])
def test_a_later_version_may_tell_more(path: Path) -> None:
    assert SCHEMA.validate(changed({**SUCCEEDED, "error": REJECTED["error"]}, path, 1)) == {}


@pytest.mark.parametrize("path", [("operation",), ("outcome",), ("target",), ("trigger",), ("error", "kind")])
def test_what_is_never_null(path: Path) -> None:
    assert list(refusal(SCHEMA, changed(REJECTED, path, None))) == [path]


def test_outcomes_and_the_schemas_name() -> None:
    assert OUTCOMES == ("succeeded", "partial", "rejected", "failed", "unknown")
    assert SCHEMA_ID == "urn:hongyan:result:1"
    assert list(refusal(SCHEMA, {**SUCCEEDED, "outcome": "done"})) == [("outcome",)]
