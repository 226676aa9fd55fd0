"""APIG v2, adding backends to a VPC channel: the result against the API page."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.apig import BackendMembers
from tests.schemas import support
from tests.schemas.pages import APIG_HOST_ANSWER, APIG_SERVER_ANSWER, ECS_CHANNEL, IP_CHANNEL
from tests.schemas.support import JSON, TEXT, patient, same_json

RESULT = BackendMembers()
COMMON = {
    "public_address": None,
    "port": None,
    "state": "active",
    "health": "unknown",
    "listener_ids": None,
    "updated_at": None,
    "is_backup": None,
    "member_group_id": None,
    "member_group_name": None,
}


def test_the_pages_answer_for_a_host_is_normalised() -> None:
    assert RESULT.dump({**APIG_HOST_ANSWER, "missing": []}) == {
        "size": 1,
        "total": 1,
        "missing": [],
        "members": [
            {
                **COMMON,
                "id": "683b6807cad54122a6777ad047a6178e",
                "address": "192.168.2.25",
                "server_id": None,
                "server_name": None,
                "weight": 1,
                "channel_id": IP_CHANNEL,
                "created_at": "2020-07-23T09:13:24Z",
            }
        ],
    }


def test_the_pages_answer_for_servers_is_normalised() -> None:
    assert RESULT.dump({**APIG_SERVER_ANSWER, "missing": ["a"]}) == {
        "size": 2,
        "total": 2,
        "missing": ["a"],
        "members": [
            {
                **COMMON,
                "id": "5c868f0224084710a1e188b7d3057c52",
                "address": "192.168.0.17",
                "server_id": "1082720c-3c15-409c-9ae3-4983ddfb6a9d",
                "server_name": "APIGtest02",
                "weight": 2,
                "channel_id": ECS_CHANNEL,
                "created_at": "2020-07-23T09:03:53Z",
            },
            {
                **COMMON,
                "id": "33ac0e39d005492eb1f4683e66d1a0d1",
                "address": "192.168.0.39",
                "server_id": "ebe1104f-1254-4ac6-8ed7-366bec84f36e",
                "server_name": "APIGtest01",
                "weight": 1,
                "channel_id": ECS_CHANNEL,
                "created_at": "2020-07-23T07:24:34Z",
            },
        ],
    }


@pytest.mark.parametrize(
    ("said", "name", "told"),
    [
        ({"status": 1}, "state", "active"),
        ({"status": 2}, "state", "inactive"),
        ({"status": "2"}, "state", "inactive"),
        ({"status": 3}, "state", None),
        ({"status": True}, "state", None),
        ({"health_status": "healthy"}, "health", "healthy"),
        ({"health_status": "UNHEALTHY"}, "health", "unhealthy"),
        ({"health_status": "unknown"}, "health", "unknown"),
        ({"health_status": 7}, "health", "unknown"),
        ({"is_backup": "true"}, "is_backup", True),
        ({"is_backup": 1}, "is_backup", None),
        ({"port": 443}, "port", 443),
        ({"member_group_id": "g"}, "member_group_id", "g"),
        ({"member_group_name": "blue"}, "member_group_name", "blue"),
        ({"weight": "heavy"}, "weight", None),
        ({"create_time": 0}, "created_at", None),
        ({"host": {"a": 1}}, "address", None),
        ({"listener_ids": 5}, "listener_ids", None),
        ({"new_in_this_version": [1]}, "id", None),
    ],
)
def test_what_a_member_says_is_told_in_our_words(said: dict[str, Any], name: str, told: Any) -> None:
    assert same_json(RESULT.dump({"members": [said]})["members"][0][name], told)


@pytest.mark.parametrize(
    ("said", "told"), [(2**53 + 1, 2**53 + 1), ("9007199254740993", 2**53 + 1), (1.5, None), (None, None), ([], None)]
)
def test_counts_stay_integers(said: Any, told: int | None) -> None:
    assert same_json(
        RESULT.dump({"size": said, "total": said, "members": []}), {"size": told, "total": told, "members": []}
    )


SAID = st.sampled_from(
    [*APIG_SERVER_ANSWER["members"][0], "health_status", "is_backup", "port", "listener_ids", "items"]
)


@given(st.lists(st.dictionaries(SAID | TEXT, JSON, max_size=6), max_size=3), JSON, JSON)
@patient
def test_no_answer_breaks_the_result(members: list[dict[str, Any]], size: Any, total: Any) -> None:
    support.assert_utf8_json(RESULT.dump({"members": members, "size": size, "total": total}))
