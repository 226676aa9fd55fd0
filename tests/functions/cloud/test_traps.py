"""The twelve findings about this cloud that matter most, each as one test under its number; some point to where it is tested at length."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.cloud.answers import Answer, refusal
from functions.cloud.codes import classify
from functions.cloud.errors import RETRYABLE_KINDS
from functions.registry import find
from schemas.csbs import PROVIDER_ID
from tests.functions.cloud.emulator.official import (
    BasicCredentials,
    ConnectionsDesc,
    HttpConfig,
    ServerResponseException,
    UpdateEndpointConnectionsDescRequest,
    UpdateEndpointConnectionsDescRequestBody,
    VpcepClient,
)
from tests.functions.support import run
from tests.schemas.pages import (
    APIG_HOST_REQUEST,
    CSBS_ANSWER,
    CSBS_REQUEST,
    ELB_ANSWER,
    ELB_REQUEST,
    VPCEP_ANSWER,
    VPCEP_REQUEST,
)
from tests.support import says, scripted


def error(status: int, body: dict[str, Any]) -> Any:
    return refusal(Answer(status, {}, json.dumps(body).encode()))


def test_1_the_status_alone_does_not_tell_what_is_retryable() -> None:
    throttled = [(429, "APIGW.0308"), (429, "IAM.0012"), (429, "FSS.0429"), (400, "EndPoint.0022"), (500, "APIG.9008")]
    assert {classify(status, code) for status, code in throttled} == {"resource_exhausted"}
    permanent = [(504, "EndPoint.0011"), (504, "EndPoint.0012"), (503, "ELB.6002")]
    assert not {classify(status, code) for status, code in permanent} & RETRYABLE_KINDS


def test_2_a_token_failure_is_not_always_401_and_401_not_always_one() -> None:
    assert {classify(status, "ELB.1102") for status in (400, 401, 403)} == {"unauthenticated"}
    assert {classify(status, "APIG.1005") for status in (401, 403)} == {"permission_denied"}


def test_3_vpcep_writes_its_errors_in_two_ways_and_one_code_in_a_third() -> None:
    nested = error(400, {"error": {"message": "m", "code": "EndPoint.1018"}})
    flat = error(400, {"error_code": "Endpoint.1018", "error_msg": "m"})
    assert nested.kind == flat.kind == "failed_precondition"


def test_4_one_code_has_two_meanings() -> None:
    assert classify(403, "CSBS.9009") != classify(400, "CSBS.9009")
    assert len({classify(status, "APIG.0201") for status in (400, 500, 502, 504)}) == 4


def test_5_vpcep_does_not_answer_in_order() -> None:
    ran = run(find("vpcep.update_connection_descriptions"), VPCEP_REQUEST, VPCEP_ANSWER)
    asked = [connection["id"] for connection in VPCEP_REQUEST["connections"]]
    assert [connection["id"] for connection in ran.result["connections"]] == asked[::-1]
    assert (ran.partial, ran.result["missing"]) == (False, [])


def test_6_csbs_says_no_in_a_200_and_need_not_name_what_was_asked() -> None:
    verdict = CSBS_ANSWER["restorable"][0] | {"result": False, "error_code": "CSBS.6015"}
    ran = run(find("csbs.check_restorable"), CSBS_REQUEST, {"restorable": [verdict]})
    assert (ran.partial, ran.result["all_restorable"], ran.result["items"][0]["code"]) == (False, False, "CSBS.6015")
    assert ran.result["items"][0]["checkpoint_item_id"] == CSBS_REQUEST["check_restorable"][0]["checkpoint_item_id"]


def test_7_the_provider_of_csbs_is_a_constant() -> None:
    ran = run(find("csbs.check_restorable"), CSBS_REQUEST, CSBS_ANSWER)
    assert ran.asked[0].path["provider_id"] == PROVIDER_ID == "fc4d5750-22e7-4798-8a46-f48f62c4c1da"


def test_8_classic_elb_answers_with_a_bare_array_and_times_without_a_zone() -> None:
    member = run(find("elb.list_members"), ELB_REQUEST, ELB_ANSWER).result["members"][0]
    assert (member["created_at"], member["server_name"]) == ("2015-12-28T10:35:50Z", None)


def test_9_a_marker_id_exceeds_what_a_float_holds() -> None:
    connections = [
        VPCEP_ANSWER["connections"][0] | {"marker_id": 422_321_321_312_321_321},
        VPCEP_ANSWER["connections"][1],
    ]
    ran = run(find("vpcep.update_connection_descriptions"), VPCEP_REQUEST, {"connections": connections})
    assert '"marker_id": 422321321312321321' in json.dumps(ran.result)


def test_10_apig_adds_or_updates_and_its_members_have_grown() -> None:
    grown = {"host": "192.168.2.25", "port": 80, "is_backup": True, "member_group_name": "abc", "status": 2}
    answered = grown | {"id": "1", "member_group_id": "g", "health_status": "healthy", "something_new": {}}
    payload = APIG_HOST_REQUEST | {"members": [grown]}
    ran = run(find("apig.add_members"), payload, {"size": 1, "total": 1, "members": [answered]})
    member = ran.result["members"][0]
    assert ran.asked[0].json["members"] == [grown]
    assert (member["port"], member["state"], member["health"], member["is_backup"]) == (80, "inactive", "healthy", True)
    assert find("apig.add_members").idempotent is False


@pytest.mark.parametrize("operation", ["elb.list_members", "csbs.check_restorable"])
def test_11_no_official_client_has_these_so_ours_are_held_against_its_core(operation: str) -> None:
    # tests/functions/cloud/emulator/test_official_sdk.py drives both through the official core's signer, HTTP and errors.
    assert find(operation).reads


def test_12_the_official_client_does_not_retry_and_ours_does() -> None:
    away = says(503, {"error": {"code": "EndPoint.0001", "message": "m"}})
    with scripted(away, away) as server:
        keys = BasicCredentials("FAKEACCESSKEY", "fake-secret-key", "p")
        builder = VpcepClient.new_builder().with_credentials(keys).with_endpoint(server.url)
        client = builder.with_http_config(HttpConfig(timeout=(5, 5))).build()
        body = UpdateEndpointConnectionsDescRequestBody(connections=[ConnectionsDesc(id="i", description="d")])
        with pytest.raises(ServerResponseException):
            client.update_endpoint_connections_desc(UpdateEndpointConnectionsDescRequest("s", body))
        assert len(server.asked) == 1
    # Ours: tests/events/test_faults.py, four attempts for what may be repeated.
