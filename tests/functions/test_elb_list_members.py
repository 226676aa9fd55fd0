"""elb.list_members: what it asks, how it turns pages, how it counts."""

from __future__ import annotations

from typing import Any

import pytest

from functions.cloud.errors import UnreadableAnswer
from functions.elb_list_members import elb_list_members
from tests.functions.support import Ran, run
from tests.schemas.pages import ELB_ANSWER, ELB_REQUEST, LISTENER, PROJECT


def members(*ids: Any) -> list[dict[str, Any]]:
    return [{"id": known, "health_status": "NORMAL"} for known in ids]


def numbered(first: int, last: int) -> list[dict[str, Any]]:
    return members(*(f"m{number}" for number in range(first, last + 1)))


def listed(payload: dict[str, Any], *pages: Any) -> Ran:
    return run(elb_list_members, {"listener_id": LISTENER, **payload}, *pages)


def ids(ran: Ran) -> list[Any]:
    return [member["id"] for member in ran.result["members"]]


def queries(ran: Ran) -> list[dict[str, Any]]:
    return [asked.query for asked in ran.asked]


def ending(ran: Ran) -> tuple[int, bool, str | None]:
    return ran.result["count"], ran.result["truncated"], ran.result["next_marker"]


def test_it_asks_as_the_page_says() -> None:
    ran = run(elb_list_members, ELB_REQUEST, ELB_ANSWER)
    (asked,) = ran.asked
    assert (asked.method, asked.service, asked.expect, asked.returns) == ("GET", "elb", 200, list)
    assert asked.template == "/v1.0/{project_id}/elbaas/listeners/{listener_id}/members"
    assert asked.path["listener_id"] == LISTENER
    assert asked.query == {"limit": 10, "marker": "0"}
    assert asked.json is None


def test_the_pages_answer_is_counted_by_health() -> None:
    ran = run(elb_list_members, ELB_REQUEST, ELB_ANSWER)
    assert not ran.partial
    assert ran.result["health"] == {"healthy": 1, "unhealthy": 1, "unknown": 0}
    assert ending(ran) == (2, False, None)
    assert ids(ran) == [member["id"] for member in ELB_ANSWER]


def test_filters_are_sent_and_what_is_unset_is_not() -> None:
    filters = {
        "id": "a",
        "server_id": "b",
        "server_address": "172.16.0.16",
        "address": "100.64.27.96",
        "status": "ACTIVE",
        "health_status": "NORMAL",
    }
    assert queries(listed({**filters, "limit": 5, "project_id": PROJECT}, [])) == [{**filters, "limit": 5}]
    assert queries(listed({"status": "ERROR"}, [])) == [{"status": "ERROR", "limit": 100}]


def test_one_short_page_is_the_whole_list() -> None:
    ran = listed({}, numbered(1, 99))
    assert queries(ran) == [{"limit": 100}]
    assert ending(ran) == (99, False, None)


def test_no_members_at_all() -> None:
    ran = listed({}, [])
    assert ending(ran) == (0, False, None)
    assert ran.result["health"] == {"healthy": 0, "unhealthy": 0, "unknown": 0}


def test_full_pages_are_followed_by_the_last_members_id() -> None:
    ran = listed({"limit": 2, "status": "ACTIVE"}, numbered(1, 2), numbered(3, 4), numbered(5, 5))
    assert ids(ran) == ["m1", "m2", "m3", "m4", "m5"]
    assert queries(ran) == [
        {"status": "ACTIVE", "limit": 2},
        {"status": "ACTIVE", "limit": 2, "marker": "m2"},
        {"status": "ACTIVE", "limit": 2, "marker": "m4"},
    ]
    assert ending(ran) == (5, False, None)


def test_an_empty_page_ends_a_list_of_full_ones() -> None:
    assert ending(listed({"limit": 2}, numbered(1, 2), [])) == (2, False, None)


def test_a_marker_starts_where_it_says() -> None:
    assert queries(listed({"marker": "m2", "limit": 2}, numbered(3, 4), []))[0] == {"limit": 2, "marker": "m2"}
    assert queries(listed({"marker": ""}, []))[0] == {"limit": 100, "marker": ""}


def test_a_page_that_repeats_its_markers_member_does_not_list_it_twice() -> None:
    ran = listed({"limit": 2}, numbered(1, 2), numbered(2, 3), numbered(3, 3))
    assert ids(ran) == ["m1", "m2", "m3"]
    assert ending(ran) == (3, False, None)


def test_a_full_page_that_brings_nothing_new_ends_the_list_and_says_that_there_may_be_more() -> None:
    ran = listed({"limit": 2}, numbered(1, 2), numbered(1, 2))
    assert ids(ran) == ["m1", "m2"]
    assert ending(ran) == (2, True, "m2")


def test_pages_that_go_round_in_a_circle_come_to_an_end() -> None:
    ran = listed({"limit": 2}, numbered(1, 2), numbered(3, 4), numbered(1, 2))
    assert ending(ran) == (4, True, "m4")


def test_a_page_that_is_longer_than_asked_for_is_kept() -> None:
    assert ids(listed({"limit": 2}, numbered(1, 3), [])) == ["m1", "m2", "m3"]


def test_most_items_cut_the_list_and_say_where_it_goes_on() -> None:
    ran = listed({"limit": 2, "max_items": 3}, numbered(1, 2), numbered(3, 4))
    assert ids(ran) == ["m1", "m2", "m3"]
    assert ending(ran) == (3, True, "m3")
    assert ran.result["health"] == {"healthy": 3, "unhealthy": 0, "unknown": 0}


def test_most_items_cut_one_page_too() -> None:
    assert ending(listed({"max_items": 1}, numbered(1, 3))) == (1, True, "m1")


def test_exactly_as_many_as_most_items_and_no_more_are_a_whole_list() -> None:
    assert ending(listed({"limit": 2, "max_items": 2}, numbered(1, 2), [])) == (2, False, None)
    assert ending(listed({"max_items": 3}, numbered(1, 3))) == (3, False, None)


def test_without_following_pages_it_asks_once() -> None:
    ran = listed({"follow_pages": False, "limit": 2}, numbered(1, 2))
    assert ending(ran) == (2, True, "m2")
    assert ending(listed({"follow_pages": False, "limit": 2}, numbered(1, 1))) == (1, False, None)


def test_without_following_pages_the_page_size_is_the_clouds_unless_given() -> None:
    ran = listed({"follow_pages": False}, numbered(1, 150))
    assert queries(ran) == [{}]
    assert ending(ran) == (150, False, None)


def test_a_limit_of_none_asks_for_none_once() -> None:
    ran = listed({"limit": 0}, [])
    assert queries(ran) == [{"limit": 0}]
    assert ending(ran) == (0, False, None)


def test_members_without_an_id_are_all_kept_and_lead_no_further() -> None:
    ran = listed({"limit": 2}, [{"server_address": "10.0.0.1"}, {"id": None, "server_address": "10.0.0.2"}])
    assert [member["address"] for member in ran.result["members"]] == ["10.0.0.1", "10.0.0.2"]
    assert ending(ran) == (2, True, None)


def test_endless_pages_of_members_without_ids_are_cut_at_most_items() -> None:
    page = [{"server_address": "10.0.0.1"}, {"id": "m1"}]
    assert ending(listed({"limit": 2, "max_items": 3}, page, page, page))[:2] == (3, True)


@pytest.mark.parametrize(
    ("said", "health"),
    [("NORMAL", "healthy"), ("Abnormal", "unhealthy"), ("UNAVAILABLE", "unknown"), ("new", "unknown"), ([], "unknown")],
)
def test_the_counts_agree_with_the_members(said: Any, health: str) -> None:
    ran = listed({}, [{"id": "a", "health_status": said}])
    assert ran.result["health"] == {**dict.fromkeys(("healthy", "unhealthy", "unknown"), 0), health: 1}
    assert ran.result["members"][0]["health"] == health


@pytest.mark.parametrize("page", [[[]], ["a"], [None], [{"id": "a"}, 1]])
def test_an_answer_of_anything_but_objects_cannot_be_read(page: list[Any]) -> None:
    with pytest.raises(UnreadableAnswer, match="members"):
        listed({}, page)


@pytest.mark.parametrize("strange", ["\ud800", "a b", "x" * 65, "", 5, None])
def test_a_last_id_that_cannot_be_asked_for_ends_the_list(strange: Any) -> None:
    ran = listed({"limit": 1}, members(strange))
    assert (ran.result["count"], ran.result["truncated"]) == (1, True)
