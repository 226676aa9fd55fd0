"""apig.add_members: what it asks, and which addresses it finds missing in the answer."""

from __future__ import annotations

from typing import Any

import pytest

from functions.apig_add_members import apig_add_members
from functions.cloud.errors import UnreadableAnswer
from tests.functions.support import Ran, run
from tests.schemas.pages import (
    APIG_HOST_ANSWER,
    APIG_HOST_REQUEST,
    APIG_SERVER_ANSWER,
    APIG_SERVER_REQUEST,
    INSTANCE,
    IP_CHANNEL,
)


def added(members: list[dict[str, Any]], answered: list[Any]) -> Ran:
    answer = {"size": len(answered), "total": 99, "members": answered}
    return run(apig_add_members, {**APIG_HOST_REQUEST, "members": members}, answer)


def test_it_asks_as_the_page_says() -> None:
    (asked,) = run(apig_add_members, APIG_HOST_REQUEST, APIG_HOST_ANSWER).asked
    assert (asked.method, asked.service, asked.expect, asked.returns) == ("POST", "apig", 201, dict)
    assert asked.template == "/v2/{project_id}/apigw/instances/{instance_id}/vpc-channels/{vpc_channel_id}/members"
    assert (asked.path["instance_id"], asked.path["vpc_channel_id"]) == (INSTANCE, IP_CHANNEL)
    assert asked.json == {"members": [{"host": "192.168.2.25", "weight": 1}]}
    assert asked.query == {}


def test_it_is_neither_a_reader_nor_known_to_be_repeatable() -> None:
    assert (apig_add_members.reads, apig_add_members.idempotent) == (False, False)


def test_the_answer_for_a_host() -> None:
    ran = run(apig_add_members, APIG_HOST_REQUEST, APIG_HOST_ANSWER)
    assert not ran.partial
    assert (ran.result["size"], ran.result["total"], ran.result["missing"]) == (1, 1, [])
    assert ran.result["members"][0]["address"] == "192.168.2.25"


def test_an_answer_with_more_members_than_asked_for_misses_none() -> None:
    ran = run(apig_add_members, APIG_SERVER_REQUEST, APIG_SERVER_ANSWER)
    assert not ran.partial
    assert len(ran.result["members"]) == 2
    assert ran.result["missing"] == []


def test_an_address_that_the_answer_leaves_out_is_missing() -> None:
    ran = added([{"host": "10.0.0.1"}, {"host": "10.0.0.2"}], [{"host": "10.0.0.2"}])
    assert ran.partial
    assert ran.result["missing"] == ["10.0.0.1"]


def test_a_server_that_the_answer_leaves_out_is_missing() -> None:
    ran = added([{"ecs_id": "A-1", "ecs_name": "a"}, {"ecs_id": "B-2", "ecs_name": "b"}], [{"ecs_id": "a-1"}])
    assert ran.partial
    assert ran.result["missing"] == ["B-2"]


def test_an_answer_without_members_misses_all() -> None:
    ran = added([{"host": "10.0.0.1"}, {"host": "Backend.example"}], [])
    assert ran.partial
    assert ran.result["missing"] == ["10.0.0.1", "Backend.example"]


def test_hosts_are_compared_without_case() -> None:
    assert not added([{"host": "Backend.Example"}], [{"host": "backend.example"}]).partial
    assert not added([{"host": "2001:db8::a"}], [{"host": "2001:DB8::A"}]).partial


def test_a_member_with_host_and_server_is_found_by_either() -> None:
    both = [{"host": "10.0.0.1", "ecs_id": "a", "ecs_name": "one"}]
    assert not added(both, [{"host": "10.0.0.1"}]).partial
    assert not added(both, [{"ecs_id": "a", "host": "192.168.0.17"}]).partial
    assert added(both, [{"host": "10.0.0.3"}]).result["missing"] == ["10.0.0.1"]


def test_members_that_name_nothing_are_told_and_match_nothing() -> None:
    ran = added([{"host": "none"}], [{"host": None, "ecs_id": ""}, {"weight": 1}])
    assert ran.result["missing"] == ["none"]
    assert len(ran.result["members"]) == 2


@pytest.mark.parametrize("answer", [{}, {"members": None}, {"members": {}}, {"members": ["a"]}])
def test_an_answer_without_an_array_of_members_cannot_be_read(answer: dict[str, Any]) -> None:
    with pytest.raises(UnreadableAnswer, match="members") as caught:
        run(apig_add_members, APIG_HOST_REQUEST, answer)
    assert caught.value.in_doubt
