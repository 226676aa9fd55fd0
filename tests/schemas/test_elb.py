"""Classic ELB v1.0, members of a listener: payload and result against the API page."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.elb import INTMAX, PAGE_SIZE, ListMembers, Members
from tests.schemas import support
from tests.schemas.pages import ELB_ANSWER, ELB_REQUEST, LISTENER, OTHER_LISTENER, PROJECT
from tests.schemas.payloads import LIST_MEMBERS
from tests.schemas.support import JSON, TEXT, assert_loads_as_sent, changed, patient, refusal, same_json

SCHEMA = ListMembers()
RESULT = Members()
# Every element of the page's answer but listeners, server_name, update_time and create_time.
FILTERS = {"id", "server_id", "server_address", "address", "status", "health_status"}
TEXTS = FILTERS | {"project_id", "listener_id", "marker"}


def test_the_pages_request_comes_back_as_sent() -> None:
    loaded = assert_loads_as_sent(SCHEMA, ELB_REQUEST)
    assert loaded == {**ELB_REQUEST, "follow_pages": True, "max_items": 1000}


def test_the_fields_are_the_pages_and_two_of_ours() -> None:
    assert set(SCHEMA.fields) == {"project_id", "listener_id", "limit", "marker", *FILTERS, "follow_pages", "max_items"}


def test_only_the_listener_is_required() -> None:
    assert SCHEMA.load({"listener_id": LISTENER}) == {
        "listener_id": LISTENER,
        "follow_pages": True,
        "max_items": 1000,
    }
    assert refusal(SCHEMA, {}) == {("listener_id",): ["Missing data for required field."]}


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("limit", [0, 1, PAGE_SIZE, INTMAX, 2147483647]),
        ("max_items", [1, 1000, 100_000]),
        ("follow_pages", [True, False]),
        ("marker", ["", "0", "4ac8777333bc20777147ab160ea61baf", "a" * 64]),
        ("project_id", ["a", PROJECT, "a" * 64]),
        ("listener_id", ["a", "a" * 64]),
        ("id", ["a", "a" * 64]),
        ("server_id", ["97444148-7afb-47cc-b4a3-6e1c94d1ade4"]),
        ("server_address", ["172.16.0.16", "fd00::1"]),
        ("address", ["100.64.27.96"]),
        ("status", ["ACTIVE", "PENDING", "ERROR"]),
        ("health_status", ["NORMAL", "ABNORMAL", "UNAVAILABLE"]),
    ],
)
def test_values_within_the_limits(field: str, values: list[Any]) -> None:
    for value in values:
        assert_loads_as_sent(SCHEMA, changed(ELB_REQUEST, (field,), value))


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("limit", [-1, 2147483648, *support.WRONG_FOR_WHOLE]),
        ("max_items", [0, 100_001, *support.WRONG_FOR_WHOLE]),
        ("follow_pages", support.WRONG_FOR_FLAG),
        ("marker", ["a" * 65, "a b", "a\n"]),
        ("project_id", ["", "a" * 65]),
        ("listener_id", ["", "a" * 65, "..", "a/b"]),
        ("id", ["", "a" * 65]),
        ("server_id", ["", "a" * 65]),
        ("server_address", ["172.16.0.256", "172.16.0.0/16", ""]),
        ("address", ["listener.example", "::1%eth0"]),
        ("status", ["active", "UP", ""]),
        ("health_status", ["normal", "HEALTHY", ""]),
        *[(field, [*support.WRONG_FOR_TEXT, *support.UNPRINTABLE]) for field in sorted(TEXTS)],
    ],
)
def test_values_beyond_the_limits_are_refused_by_name(field: str, values: list[Any]) -> None:
    for value in values:
        assert list(refusal(SCHEMA, changed(ELB_REQUEST, (field,), value))) == [(field,)], value


@pytest.mark.parametrize("field", ["listeners", "server_name", "update_time", "create_time", "offset", "Limit"])
def test_what_the_page_allows_no_filter_on_is_an_unknown_field(field: str) -> None:
    messages = refusal(SCHEMA, {**ELB_REQUEST, field: "a"})
    assert messages == {(field,): ["Unknown field: remove it or correct its name."]}


@given(LIST_MEMBERS)
@patient
def test_every_valid_payload_loads(payload: dict[str, Any]) -> None:
    assert_loads_as_sent(SCHEMA, payload)


@given(JSON | support.with_a_fault(LIST_MEMBERS))
@patient
def test_any_other_json_loads_or_is_refused(value: Any) -> None:
    support.assert_loads_or_refuses(SCHEMA, value)


def test_the_pages_answer_is_normalised() -> None:
    common = {
        "server_name": None,
        "port": None,
        "weight": None,
        "state": "active",
        "listener_ids": [LISTENER, OTHER_LISTENER],
        "channel_id": None,
        "created_at": "2015-12-28T10:35:50Z",
        "updated_at": "2015-12-28T10:35:51Z",
        "is_backup": None,
        "member_group_id": None,
        "member_group_name": None,
    }
    returned = {
        "count": 2,
        "health": {"healthy": 1, "unhealthy": 1, "unknown": 0},
        "truncated": False,
        "next_marker": None,
        "members": ELB_ANSWER,
    }
    assert RESULT.dump(returned) == {
        "count": 2,
        "health": {"healthy": 1, "unhealthy": 1, "unknown": 0},
        "truncated": False,
        "next_marker": None,
        "members": [
            {
                **common,
                "id": "4ac8777333bc20777147ab160ea61baf",
                "address": "172.16.0.16",
                "public_address": "100.64.27.96",
                "server_id": "97444148-7afb-47cc-b4a3-6e1c94d1ade4",
                "health": "healthy",
            },
            {
                **common,
                "id": "d8a21f107a19d7bd1d05a1f764eb623a",
                "address": "172.16.0.15",
                "public_address": "100.64.27.95",
                "server_id": "05b731db-d457-41dc-a824-862daba91a59",
                "health": "unhealthy",
            },
        ],
    }


def member(**said: Any) -> dict[str, Any]:
    told: dict[str, Any] = RESULT.dump({"members": [said]})["members"][0]
    return told


def test_a_member_that_says_nothing_is_all_null_and_of_unknown_health() -> None:
    told = member()
    assert told.pop("health") == "unknown"
    assert set(told.values()) == {None}
    assert set(told) | {"health"} == set(member(**ELB_ANSWER[0]))


@pytest.mark.parametrize(
    ("said", "name", "told"),
    [
        ({"status": "ACTIVE"}, "state", "active"),
        ({"status": "PENDING"}, "state", "pending"),
        ({"status": "ERROR"}, "state", "error"),
        ({"status": "DREAMING"}, "state", None),
        ({"status": 1}, "state", None),
        ({"health_status": "NORMAL"}, "health", "healthy"),
        ({"health_status": "ABNORMAL"}, "health", "unhealthy"),
        ({"health_status": "UNAVAILABLE"}, "health", "unknown"),
        ({"health_status": "SLEEPY"}, "health", "unknown"),
        ({"health_status": None}, "health", "unknown"),
        ({"listeners": []}, "listener_ids", []),
        ({"listeners": [{"id": "a\ud800"}, {"name": "b"}, 3]}, "listener_ids", ["a?"]),
        ({"listeners": None}, "listener_ids", None),
        ({"listeners": "a"}, "listener_ids", None),
        ({"update_time": "never"}, "updated_at", None),
        ({"weight": "7", "port": 80.0}, "weight", 7),
        ({"weight": "7", "port": 80.0}, "port", None),
        ({"new_in_this_version": {"a": 1}}, "id", None),
    ],
)
def test_what_a_member_says_is_told_in_our_words(said: dict[str, Any], name: str, told: Any) -> None:
    assert same_json(member(**said)[name], told)


@given(st.lists(st.dictionaries(st.sampled_from(sorted(ELB_ANSWER[0])) | TEXT, JSON, max_size=6), max_size=3), JSON)
@patient
def test_no_answer_breaks_the_result(members: list[dict[str, Any]], marker: Any) -> None:
    support.assert_utf8_json(RESULT.dump({"members": members, "next_marker": marker}))
