import re
from typing import Any

import pytest

from tests.functions.cloud.emulator.support import (
    APIG_MEMBERS,
    ECS_CHANNEL,
    INSTANCE,
    IP_CHANNEL,
    PROJECT,
    Clock,
    call,
    emulator,
    send,
    token,
)

ECS_MEMBERS = APIG_MEMBERS.replace(IP_CHANNEL, ECS_CHANNEL)
SUFFIX = ". Please refer to the support documentation"
TEST02 = {"ecs_id": "1082720c-3c15-409c-9ae3-4983ddfb6a9d", "ecs_name": "APIGtest02", "weight": 2}


def at(moment: float) -> Clock:
    return Clock(moment)


def test_example_1_of_the_page() -> None:
    status, body = call(
        emulator(at(1595495604)), "POST", APIG_MEMBERS, {"members": [{"host": "192.168.2.25", "weight": 1}]}
    )
    new_id = body["members"][0].pop("id")
    assert re.fullmatch("[0-9a-f]{32}", new_id)
    expected = {
        "create_time": "2020-07-23T09:13:24Z",
        "host": "192.168.2.25",
        "status": 1,
        "vpc_channel_id": "56a7d7358e1b42459c9d730d65b14e59",
        "weight": 1,
    }
    assert (status, body) == (201, {"total": 1, "size": 1, "members": [expected]})


def test_example_2_of_the_page() -> None:
    status, body = call(emulator(at(1595495033)), "POST", ECS_MEMBERS, {"members": [TEST02]})
    assert body["members"][0].pop("id") != body["members"][1]["id"]
    expected = [
        {
            "create_time": "2020-07-23T09:03:53Z",
            "host": "192.168.0.17",
            "ecs_id": "1082720c-3c15-409c-9ae3-4983ddfb6a9d",
            "ecs_name": "APIGtest02",
            "status": 1,
            "vpc_channel_id": "105c6902457144a4820dff8b1ad63331",
            "weight": 2,
        },
        {
            "create_time": "2020-07-23T07:24:34Z",
            "host": "192.168.0.39",
            "id": "33ac0e39d005492eb1f4683e66d1a0d1",
            "ecs_id": "ebe1104f-1254-4ac6-8ed7-366bec84f36e",
            "ecs_name": "APIGtest01",
            "status": 1,
            "vpc_channel_id": "105c6902457144a4820dff8b1ad63331",
            "weight": 1,
        },
    ]
    assert (status, body) == (201, {"total": 2, "size": 2, "members": expected})


def test_a_known_address_is_updated_and_keeps_its_id_and_time() -> None:
    clock = Clock()
    cloud = emulator(clock)
    first = {"host": "10.0.0.1", "weight": 7, "port": 8080}
    _, before = call(cloud, "POST", APIG_MEMBERS, {"members": [first, {"host": "10.0.0.2"}]})
    clock.now += 60
    status, after = call(cloud, "POST", APIG_MEMBERS, {"members": [{"host": "10.0.0.1", "weight": 9}]})
    assert (status, after["total"]) == (201, 2)
    assert after["members"][0] == {**before["members"][0], "weight": 9}
    assert after["members"][1] == before["members"][1]


def test_the_first_of_a_repeated_address_counts_and_new_members_come_first() -> None:
    cloud = emulator()
    call(cloud, "POST", APIG_MEMBERS, {"members": [{"host": "10.0.0.9"}]})
    members = [{"host": "10.0.0.1", "weight": 5}, {"host": "10.0.0.1", "weight": 6}, {"host": "10.0.0.2"}]
    _, body = call(cloud, "POST", APIG_MEMBERS, {"members": members})
    seen = [(one["host"], one["weight"]) for one in body["members"]]
    assert seen == [("10.0.0.1", 5), ("10.0.0.2", 1), ("10.0.0.9", 1)]


def test_the_newer_fields_are_taken_and_given_back() -> None:
    newer = {"port": 8080, "is_backup": True, "member_group_name": "blue-1", "status": 2}
    member = {"host": "2001:db8::1", "weight": 0, **newer, "ecs_id": "left-out", "ecs_name": None, "color": "red"}
    _, body = call(emulator(), "POST", APIG_MEMBERS, {"members": [member]})
    kept = {name: value for name, value in body["members"][0].items() if name not in ("id", "create_time")}
    assert kept == {"host": "2001:db8::1", "weight": 0, "vpc_channel_id": IP_CHANNEL, **newer}


@pytest.mark.parametrize(
    ("member", "code", "text"),
    [
        ({"weight": 101}, "APIG.2004", "The parameter value is outside the allowable range,parameterName:weight"),
        ({"weight": -1}, "APIG.2004", "The parameter value is outside the allowable range,parameterName:weight"),
        ({"weight": "1"}, "APIG.2011", "Invalid parameter value,parameterName:weight"),
        ({"weight": True}, "APIG.2011", "Invalid parameter value,parameterName:weight"),
        ({"weight": 1.5}, "APIG.2011", "Invalid parameter value,parameterName:weight"),
        ({"host": None}, "APIG.2001", "The request parameters must be specified,parameterName:host"),
        ({"host": "10.0.0.256"}, "APIG.2015", "Invalid IP address,parameterName:host"),
        ({"host": "10.0.0.0/8"}, "APIG.2015", "Invalid IP address,parameterName:host"),
        ({"host": 1}, "APIG.2015", "Invalid IP address,parameterName:host"),
        ({"port": 0}, "APIG.2025", "Invalid backend port number,parameterName:port"),
        ({"port": 65536}, "APIG.2025", "Invalid backend port number,parameterName:port"),
        ({"status": 3}, "APIG.2004", "The parameter value is outside the allowable range,parameterName:status"),
        ({"is_backup": 1}, "APIG.2011", "Invalid parameter value,parameterName:is_backup"),
        ({"member_group_name": "ab"}, "APIG.2005", "The parameter is too short,parameterName:member_group_name"),
        ({"member_group_name": "1ab"}, "APIG.2012", "Invalid parameter value,parameterName:member_group_name"),
        ({"member_group_name": ["abc"]}, "APIG.2011", "Invalid parameter value,parameterName:member_group_name"),
    ],
)
def test_a_wrong_member_is_refused_and_named(member: dict[str, Any], code: str, text: str) -> None:
    cloud = emulator()
    members = [{"host": "10.0.0.2"}, {"host": "10.0.0.1", **member}]
    expected = {"error_code": code, "error_msg": text + SUFFIX}
    assert call(cloud, "POST", APIG_MEMBERS, {"members": members}) == (400, expected)
    assert call(cloud, "GET", APIG_MEMBERS) == (200, {"total": 0, "size": 0, "members": []})


@pytest.mark.parametrize(
    ("member", "status", "code"),
    [
        ({"ecs_id": None}, 400, "APIG.2001"),
        ({"ecs_name": None}, 400, "APIG.2001"),
        ({"ecs_id": ""}, 400, "APIG.2005"),
        ({"ecs_id": "a" * 65}, 400, "APIG.2006"),
        ({"ecs_id": "a.b"}, 400, "APIG.2013"),
        ({"ecs_name": "a b"}, 400, "APIG.2012"),
        ({"ecs_name": "a\n"}, 400, "APIG.2012"),
        ({"ecs_name": "x" * 65}, 400, "APIG.2006"),
        ({"ecs_id": "no-such-server"}, 404, "APIG.3092"),
    ],
)
def test_a_wrong_cloud_server_is_refused(member: dict[str, Any], status: int, code: str) -> None:
    got, body = call(emulator(), "POST", ECS_MEMBERS, {"members": [{**TEST02, **member}]})
    assert (got, body["error_code"]) == (status, code)


def test_a_name_may_be_chinese() -> None:
    status, _ = call(emulator(), "POST", ECS_MEMBERS, {"members": [{**TEST02, "ecs_name": "云服务器-1_a.b"}]})
    assert status == 201


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (None, "APIG.2001"),
        ({}, "APIG.2001"),
        ({"members": []}, "APIG.2001"),
        ({"members": {}}, "APIG.2000"),
        ({"members": ["10.0.0.1"]}, "APIG.2000"),
        ([], "APIG.2000"),
        (b"{", "APIG.2000"),
        (b'{"members": NaN}', "APIG.2000"),
        (b"\xff", "APIG.2000"),
        (b"[" * 100_000, "APIG.2000"),
    ],
)
def test_a_malformed_body_is_refused(body: Any, code: str) -> None:
    status, answer = call(emulator(), "POST", APIG_MEMBERS, body)
    assert (status, answer["error_code"]) == (400, code)


def test_a_body_that_is_not_declared_as_json_is_refused() -> None:
    cloud = emulator()
    response = send(cloud, "POST", APIG_MEMBERS, b"{}", X_Auth_Token=token(cloud), Content_Type="text/plain")
    assert response.status == 415


def test_an_unknown_channel_or_instance_is_not_found() -> None:
    missing = "0" * 32
    status, body = call(emulator(), "POST", APIG_MEMBERS.replace(IP_CHANNEL, missing), {})
    assert (status, body) == (
        404,
        {"error_code": "APIG.3023", "error_msg": f"The VPC channel does not exist,id:{missing}"},
    )
    status, body = call(emulator(), "GET", APIG_MEMBERS.replace(INSTANCE, missing))
    assert (status, body) == (
        404,
        {"error_code": "APIG.3030", "error_msg": f"The instance does not exist,id:{missing}"},
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", list(range(24, 4, -1))),
        ("?limit=3", [24, 23, 22]),
        ("?limit=3&offset=2", [22, 21, 20]),
        ("?limit=0", list(range(24, 4, -1))),
        ("?limit=501&offset=-1", list(range(24, -1, -1))),
        ("?offset=25", []),
    ],
)
def test_a_listing_has_pages(query: str, expected: list[int]) -> None:
    cloud = emulator()
    for number in range(25):
        call(cloud, "POST", APIG_MEMBERS, {"members": [{"host": f"10.0.0.{number}"}]})
    status, body = call(cloud, "GET", APIG_MEMBERS + query)
    assert (status, body["total"], body["size"]) == (200, 25, len(expected))
    assert [one["host"] for one in body["members"]] == [f"10.0.0.{number}" for number in expected]


def test_a_listing_refuses_a_limit_that_is_no_number() -> None:
    status, body = call(emulator(), "GET", f"{APIG_MEMBERS}?limit=ten")
    assert (status, body["error_code"]) == (400, "APIG.2011")


def test_the_path_of_another_project_is_not_looked_at() -> None:
    status, body = call(emulator(), "GET", APIG_MEMBERS.replace(PROJECT, "0" * 32))
    assert (status, body["error_code"]) == (403, "APIGW.0302")
