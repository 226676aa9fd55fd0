"""APIG v2, adding backends to a VPC channel: the payload against the API page; the result is in test_apig_result."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from schemas.apig import AddMembers
from tests.schemas import support
from tests.schemas.pages import APIG_HOST_REQUEST, APIG_SERVER_REQUEST, PROJECT
from tests.schemas.payloads import ADD_MEMBERS
from tests.schemas.support import JSON, assert_loads_as_sent, changed, patient, refusal, without

SCHEMA = AddMembers()
MEMBER_TEXTS = ["host", "ecs_id", "ecs_name", "member_group_name"]
SERVER = {
    **APIG_SERVER_REQUEST,
    "members": [
        {
            **APIG_SERVER_REQUEST["members"][0],
            "host": "192.168.2.25",
            "port": 8080,
            "is_backup": False,
            "member_group_name": "blue",
            "status": 1,
        }
    ],
}


@pytest.mark.parametrize("payload", [APIG_HOST_REQUEST, APIG_SERVER_REQUEST, SERVER], ids=["host", "server", "both"])
def test_the_pages_requests_come_back_as_sent(payload: dict[str, Any]) -> None:
    assert assert_loads_as_sent(SCHEMA, payload) == payload


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("weight", [0, 1, 99, 100]),
        ("host", ["192.168.2.25", "2001:db8::1", "backend-1.example", "a", "a" * 255]),
        ("ecs_id", ["a", "A-z_0", "a" * 64]),
        ("ecs_name", ["a", "云服务器-01_a.b", "〇", "㐀䶿一鿿", "云" * 64]),
        ("port", [1, 65_535]),
        ("is_backup", [True, False]),
        ("member_group_name", ["abc", "蓝组一", "a" * 64, "b-1"]),
        ("status", [1, 2]),
    ],
)
def test_values_within_the_limits_of_a_member(field: str, values: list[Any]) -> None:
    for value in values:
        assert_loads_as_sent(SCHEMA, changed(SERVER, ("members", 0, field), value))


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("weight", [-1, 101, *support.WRONG_FOR_WHOLE]),
        ("host", ["", "a" * 256, "a b", "http://a", "a/b", "主机"]),
        ("ecs_id", ["", "a" * 65, "a.b", "a b", "云", "a\n"]),
        ("ecs_name", ["", "a" * 65, "云" * 65, "a b", "a/b", "a,b", "🦢", "a\n"]),
        ("port", [0, 65_536, *support.WRONG_FOR_WHOLE]),
        ("is_backup", support.WRONG_FOR_FLAG),
        ("member_group_name", ["", "ab", "a" * 65, "1ab", "-ab", "a b"]),
        ("status", [0, 3, *support.WRONG_FOR_WHOLE]),
        *[(field, [*support.WRONG_FOR_TEXT, *support.UNPRINTABLE]) for field in MEMBER_TEXTS],
    ],
)
def test_values_beyond_the_limits_of_a_member_are_refused_by_name(field: str, values: list[Any]) -> None:
    for value in values:
        assert list(refusal(SCHEMA, changed(SERVER, ("members", 0, field), value))) == [("members", 0, field)], value


@pytest.mark.parametrize("field", ["project_id", "instance_id", "vpc_channel_id"])
def test_ids_of_the_path(field: str) -> None:
    for value in ["a", PROJECT, "a" * 64]:
        assert_loads_as_sent(SCHEMA, {**SERVER, field: value})
    for value in ["", "a" * 65, "..", "a/b", *support.WRONG_FOR_TEXT, *support.UNPRINTABLE]:
        assert list(refusal(SCHEMA, {**SERVER, field: value})) == [(field,)], value


@pytest.mark.parametrize("field", ["instance_id", "vpc_channel_id", "members"])
def test_what_the_page_requires_is_required(field: str) -> None:
    assert refusal(SCHEMA, without(SERVER, (field,))) == {(field,): ["Missing data for required field."]}


@pytest.mark.parametrize("members", support.WRONG_FOR_LIST)
def test_members_are_a_list(members: Any) -> None:
    assert list(refusal(SCHEMA, {**SERVER, "members": members})) == [("members",)]


def test_members_are_at_least_one() -> None:
    assert list(refusal(SCHEMA, {**SERVER, "members": []})) == [("members",)]


@pytest.mark.parametrize("member", support.WRONG_FOR_OBJECT)
def test_a_member_is_an_object(member: Any) -> None:
    assert list(refusal(SCHEMA, {**SERVER, "members": [SERVER["members"][0], member]})) == [("members", 1)]


@pytest.mark.parametrize(
    ("member", "field"),
    [
        ({}, "host"),
        ({"weight": 1}, "host"),
        ({"ecs_name": "a"}, "host"),
        ({"ecs_id": "a"}, "ecs_name"),
        ({"host": "a", "ecs_id": "b"}, "ecs_name"),
        ({"host": "a", "ecs_name": "b"}, "ecs_id"),
    ],
)
def test_a_member_has_an_address(member: dict[str, Any], field: str) -> None:
    assert list(refusal(SCHEMA, {**SERVER, "members": [member]})) == [("members", 0, field)]


@pytest.mark.parametrize("path", [("id",), ("members", 0, "id"), ("members", 0, "health_status")])
def test_unknown_fields_are_refused_by_name(path: support.Path) -> None:
    messages = refusal(SCHEMA, changed(SERVER, path, "a"))
    assert messages == {path: ["Unknown field: remove it or correct its name."]}


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ([{"host": "10.0.0.1"}, {"host": "10.0.0.1"}], "host"),
        ([{"host": "A.example"}, {"host": "b.example"}, {"host": "a.EXAMPLE"}], "host"),
        ([{"host": "10.0.0.1", "port": 80}, {"host": "10.0.0.1", "port": 81}], "host"),
        ([{"ecs_id": "a", "ecs_name": "one"}, {"ecs_id": "A", "ecs_name": "two"}], "ecs_id"),
        ([{"ecs_id": "a", "ecs_name": "one"}, {"host": "h", "ecs_id": "a", "ecs_name": "one"}], "ecs_id"),
    ],
)
def test_an_address_stands_once(members: list[dict[str, Any]], named: str) -> None:
    messages = refusal(SCHEMA, {**SERVER, "members": members})
    assert list(messages) == [("members",)]
    assert f"The same {named} stands here more than once" in messages[("members",)][0]


def test_a_host_may_look_like_a_server() -> None:
    assert_loads_as_sent(SCHEMA, {**SERVER, "members": [{"host": "same"}, {"ecs_id": "same", "ecs_name": "same"}]})


@given(ADD_MEMBERS)
@patient
def test_every_valid_payload_loads(payload: dict[str, Any]) -> None:
    assert_loads_as_sent(SCHEMA, payload)


@given(JSON | support.with_a_fault(ADD_MEMBERS))
@patient
def test_any_other_json_loads_or_is_refused(value: Any) -> None:
    support.assert_loads_or_refuses(SCHEMA, value)
