import json
from typing import Any

import pytest

from functions.cloud.emulator.core import Emulator
from tests.functions.cloud.emulator.support import APIG_MEMBERS, ELB_MEMBERS, call, emulator, send, token

FAULTS = "/_emulator/faults"


def control(cloud: Emulator, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    answer = send(cloud, method, path, body, **headers)
    return answer.status, json.loads(answer.body) if answer.body else None


def test_faults_are_added_listed_and_cleared() -> None:
    cloud = emulator()
    spec = {"match": {"service": "elb"}, "status": 503, "times": 2, "body": "away"}
    described = {**spec, "kind": "answer", "headers": {}, "delay_s": 0}
    assert control(cloud, "POST", FAULTS, spec) == (201, described)
    assert send(cloud, "GET", ELB_MEMBERS).status == 503
    assert control(cloud, "GET", FAULTS) == (200, {"faults": [{**described, "times": 1}]})
    assert control(cloud, "DELETE", FAULTS) == (204, None)
    assert control(cloud, "GET", FAULTS) == (200, {"faults": []})


@pytest.mark.parametrize(
    ("body", "field"),
    [({"kind": "drop", "times": 0}, "times"), ({"self": 1}, "self"), ([], "body"), (None, "body")],
)
def test_a_wrong_fault_is_refused_and_the_field_named(body: Any, field: str) -> None:
    cloud = emulator()
    status, answer = control(cloud, "POST", FAULTS, body)
    assert (status, answer["error_code"], answer["field"]) == (400, "EMULATOR.0400", field)
    assert cloud.faults.waiting() == []


def test_a_fault_must_be_json_and_declared_so() -> None:
    assert control(emulator(), "POST", FAULTS, b"{")[0] == 400
    assert control(emulator(), "POST", FAULTS, b"{}", Content_Type="text/plain")[0] == 415


def test_the_journal_is_read_and_control_routes_are_not_in_it() -> None:
    cloud = emulator()
    send(cloud, "GET", ELB_MEMBERS)
    status, body = control(cloud, "GET", "/_emulator/requests")
    assert status == 200
    assert body == {"requests": [cloud.journal[0].as_json()]}
    assert len(cloud.journal) == 1


def test_tokens_expire_on_demand() -> None:
    cloud = emulator()
    old = token(cloud)
    assert control(cloud, "POST", "/_emulator/tokens/expire") == (200, {"expired": 1})
    status, body = control(cloud, "GET", ELB_MEMBERS, X_Auth_Token=old)
    assert (status, body["error_code"]) == (401, "APIGW.0307")


def test_a_reset_makes_it_as_new() -> None:
    cloud = emulator()
    call(cloud, "POST", APIG_MEMBERS, {"members": [{"host": "10.0.0.1"}]})
    assert control(cloud, "POST", "/_emulator/reset") == (204, None)
    assert cloud.journal == []
    assert call(cloud, "GET", APIG_MEMBERS)[1]["total"] == 0


def test_a_fault_never_hits_a_control_route() -> None:
    cloud = emulator()
    cloud.faults.add(kind="drop")
    assert control(cloud, "GET", FAULTS)[0] == 200


def test_an_unknown_control_route_is_named_and_another_method_not_allowed() -> None:
    status, body = control(emulator(), "GET", "/_emulator/nothing")
    assert (status, "/_emulator/nothing" in body["error_msg"]) == (501, True)
    answer = send(emulator(), "PATCH", FAULTS)
    assert (answer.status, answer.headers["Allow"]) == (405, "POST, GET, DELETE")


def deep(levels: int) -> Any:
    value: Any = "bottom"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "spec",
    [
        {"status": 500, "body": deep(65)},
        {"status": 500, "delay_s": 10**400},
        {"delay_s": 3601},
        {"status": 500, "headers": {"a b:c": "d"}},
        {"status": 500, "headers": {"Transfer-Encoding": "chunked"}},
    ],
)
def test_a_fault_that_would_break_the_emulator_itself_is_refused(spec: dict[str, Any]) -> None:
    cloud = emulator()
    assert control(cloud, "POST", FAULTS, spec)[0] == 400
    assert control(cloud, "GET", FAULTS) == (200, {"faults": []})


@pytest.mark.parametrize("body", [deep(500), {"members": "x" * 20_000}])
def test_the_journal_keeps_no_body_that_is_deep_or_large(body: Any) -> None:
    cloud = emulator()
    send(cloud, "POST", APIG_MEMBERS, body, X_Auth_Token=token(cloud))
    status, answer = control(cloud, "GET", "/_emulator/requests")
    assert (status, answer["requests"][-1]["body"]) == (200, None)
