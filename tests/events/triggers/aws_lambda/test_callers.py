"""Who calls, as a gateway has proved it: its keys are its own, and nothing that a client writes makes it another."""

from __future__ import annotations

from typing import Any

import pytest

from events.triggers.aws_lambda.callers import first, second
from tests.events.triggers.aws_lambda.support import Function, body_of, http, rest

ROLE = "arn:aws:sts::123456789012:assumed-role/deployments"
USER = "arn:aws:iam::123456789012:user/monitoring"
CLAIMS = {"iss": "https://issuer.example", "sub": "alice"}


@pytest.mark.parametrize(
    ("authorizer", "identity", "caller"),
    [
        (None, {}, None),
        ({"claims": None, "scopes": None}, {}, None),
        (None, {"apiKey": "k"}, None),
        (None, {"userArn": USER}, USER),
        (None, {"userArn": f"{ROLE}/session-1"}, ROLE),
        (None, {"userArn": USER, "cognitoAuthenticationType": "unauthenticated"}, None),
        ({"principalId": "bob"}, {}, "bob"),
        ({"claims": CLAIMS}, {}, "https://issuer.example alice"),
        ({"claims": {"sub": "alice"}}, {}, "alice"),
        ({"claims": {"scope": "all"}}, {}, "an authorizer's"),
        ({"principalId": 7}, {}, "an authorizer's"),
    ],
)
def test_the_caller_in_payload_format_1(authorizer: Any, identity: dict[str, Any], caller: str | None) -> None:
    assert first({"authorizer": authorizer}, identity) == caller


@pytest.mark.parametrize(
    ("authorizer", "caller"),
    [
        (None, None),
        ({"lambda": None}, None),
        ({"iam": {"userArn": f"{ROLE}/session-2"}}, ROLE),
        ({"iam": {"accessKey": "AKIAFAKE"}}, "an authorizer's"),
        ({"iam": {"userArn": ROLE, "cognitoIdentity": {"amr": ["unauthenticated"]}}}, None),
        ({"jwt": {"claims": CLAIMS}}, "https://issuer.example alice"),
        ({"lambda": {"principalId": "bob"}}, "bob"),
        ({"lambda": {"tenant": "a"}}, "an authorizer's"),
    ],
)
def test_the_caller_in_payload_format_2(authorizer: Any, caller: str | None) -> None:
    assert second({"authorizer": authorizer}) == caller


@pytest.mark.parametrize("name", ["鸿雁", "a" * 600, "a\nb", "\ud800"])
def test_a_name_that_cannot_stand_in_an_event_is_told_by_its_digest(name: str) -> None:
    found = second({"authorizer": {"lambda": {"principalId": name}}})
    assert found is not None
    assert len(found) == 64


def test_keys_of_one_caller_are_not_anothers() -> None:
    function, ids = Function(), []
    for claims in (CLAIMS, {**CLAIMS, "sub": "bob"}, CLAIMS):
        event = http(headers={"content-type": "application/json", "idempotency-key": "k-1"})
        event["requestContext"]["authorizer"] = {"jwt": {"claims": claims}}
        ids.append(body_of(function(event))["id"])
    assert ids[0] == ids[2] != ids[1]


def test_the_result_says_who_called() -> None:
    assert body_of(Function()(rest()))["data"]["trigger"]["sender"] == USER
