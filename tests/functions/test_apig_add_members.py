"""apig.add_members: what it asks, and which addresses it finds missing in the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from functions.apig_add_members import apig_add_members
from functions.cloud.errors import UnreadableAnswer
from functions.registry import Undecided
from tests.functions.support import FakeCloud, Ran, run
from tests.schemas.pages import (
    APIG_HOST_ANSWER,
    APIG_HOST_REQUEST,
    APIG_SERVER_ANSWER,
    APIG_SERVER_REQUEST,
    INSTANCE,
    IP_CHANNEL,
)

if TYPE_CHECKING:
    from functions.cloud.client import Cloud


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


def became(members: list[dict[str, Any]], *pages: list[dict[str, Any]], total: int | None = 0) -> dict[str, Any] | None:
    """Return what reading the channel tells of an earlier call, each page an answer of the cloud."""
    total = sum(map(len, pages)) if total == 0 else total
    cloud = FakeCloud([{"size": len(page), "total": total, "members": page} for page in pages])
    payload = apig_add_members.payload.load({**APIG_HOST_REQUEST, "members": members})
    assert apig_add_members.reconcile is not None
    answer = apig_add_members.reconcile(payload, cast("Cloud", cloud))
    assert not cloud.answers
    assert {asked.method for asked in cloud.asked} == {"GET"}
    sizes = [len(page) for page in pages]
    assert [asked.query["offset"] for asked in cloud.asked] == [sum(sizes[:index]) for index in range(len(pages))]
    return None if answer is None else dict(answer)


ASKED = {"host": "10.0.0.1", "weight": 5, "port": 80}
OTHER = {"id": "o", "host": "10.9.9.9", "weight": 1}


def test_members_that_are_there_as_they_were_asked_for_were_added() -> None:
    there = [OTHER, {"id": "m", **ASKED, "status": 1}]
    assert became([ASKED], there) == {"size": 2, "total": 2, "members": there, "missing": []}


@pytest.mark.parametrize("there", [[], [OTHER]])
def test_members_of_whom_none_is_there_were_not_added(there: list[dict[str, Any]]) -> None:
    assert became([ASKED, {"host": "10.0.0.2"}], there) is None


@pytest.mark.parametrize(
    "there",
    [
        [{"host": "10.0.0.1", "weight": 6, "port": 80}],
        [{"host": "10.0.0.1", "weight": 5}],
        [{"host": "10.0.0.1", "weight": None, "port": 80}],
    ],
)
def test_members_with_other_values_may_be_anybodys(there: list[dict[str, Any]]) -> None:
    with pytest.raises(Undecided, match="not with these values"):
        became([ASKED], there)


def test_half_of_the_members_tells_nothing() -> None:
    with pytest.raises(Undecided, match="others are not"):
        became([ASKED, {"host": "10.0.0.2"}], [ASKED])


def test_numbers_that_come_as_text_and_other_spellings_of_an_address_are_the_same() -> None:
    asked = {"host": "2001:DB8::1", "weight": 5, "is_backup": True, "status": 1}
    there = {"host": "2001:db8:0::1", "weight": "5", "is_backup": "true", "status": "1"}
    assert became([asked], [there]) is not None


def test_a_server_is_known_by_its_id_and_a_name_that_the_channel_keeps() -> None:
    asked = {"ecs_id": "e-1", "ecs_name": "web", "weight": 1}
    assert became([asked], [{"host": "10.0.0.7", **asked}]) is not None
    # A channel of addresses keeps no names of servers.
    assert became([{**asked, "host": "10.0.0.7"}], [{"host": "10.0.0.7", "weight": 1}]) is not None
    with pytest.raises(Undecided):
        became([asked], [{"host": "10.0.0.7", **asked, "ecs_name": "db"}])


def test_every_page_of_the_channel_is_read() -> None:
    page = [{"id": str(number), "host": f"10.1.{number // 250}.{number % 250}"} for number in range(500)]
    assert became([ASKED], page, page, [ASKED]) is not None


@pytest.mark.parametrize("total", [10**6, None])
def test_a_channel_without_an_end_tells_nothing(total: int | None) -> None:
    page = [{"id": "x", "host": "10.1.1.1"}] * 500
    with pytest.raises(Undecided, match="more than 20 pages"):
        became([ASKED], *[page] * 20, total=total)


def test_a_gateway_with_smaller_pages_than_asked_for_is_read_to_its_end() -> None:
    assert became([ASKED], [OTHER], [ASKED]) is not None
    assert became([ASKED], [OTHER], total=None) is None


def test_a_channel_that_shows_less_than_it_counts_tells_nothing() -> None:
    with pytest.raises(Undecided, match="counts 3 members and shows 1"):
        became([ASKED], [OTHER], [], total=3)
