"""VPCEP v1, descriptions of connections: payload and result against the API page."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.vpcep import Connections, UpdateDescriptions, same_id
from tests.schemas import support
from tests.schemas.pages import FIRST, PROJECT, SECOND, SERVICE, VPCEP_ANSWER, VPCEP_REQUEST
from tests.schemas.payloads import UPDATE_DESCRIPTIONS
from tests.schemas.support import JSON, TEXT, Path, assert_loads_as_sent, changed, patient, refusal, same_json, without

SCHEMA = UpdateDescriptions()
RESULT = Connections()
ID: Path = ("connections", 0, "id")
DESCRIPTION: Path = ("connections", 0, "description")


def test_the_pages_request_comes_back_as_sent() -> None:
    assert assert_loads_as_sent(SCHEMA, VPCEP_REQUEST) == VPCEP_REQUEST


@pytest.mark.parametrize(
    ("path", "values"),
    [
        (("project_id",), ["a", PROJECT, "a" * 36, "a" * 64]),
        (("vpc_endpoint_service_id",), [SERVICE, SERVICE.replace("-", ""), "a" * 32, "a" * 36, "a" * 64]),
        (ID, [FIRST, FIRST.upper(), FIRST.replace("-", "")]),
        (DESCRIPTION, ["", "a", "描述 2", "🦢", "&lt;", '"\\', "one\ttwo\r\nthree", "长" * 10_000]),
    ],
)
def test_values_within_the_limits_are_kept_as_sent(path: Path, values: list[Any]) -> None:
    for value in values:
        assert_loads_as_sent(SCHEMA, changed(VPCEP_REQUEST, path, value))


@pytest.mark.parametrize(
    ("path", "values"),
    [
        (("project_id",), ["", "a" * 65]),
        (("vpc_endpoint_service_id",), ["", "a" * 31, "a" * 65, "服" * 36, "a/" * 16]),
        (ID, ["", "a", FIRST[:-1], FIRST + "0", FIRST.replace("d", "g"), f"{{{FIRST}}}", FIRST + "\n"]),
        (DESCRIPTION, ["<", ">", "a<b", "<b>", "多<"]),
        *[
            (path, [*support.WRONG_FOR_TEXT, *support.UNPRINTABLE])
            for path in [("project_id",), ("vpc_endpoint_service_id",), ID, DESCRIPTION]
        ],
    ],
)
def test_values_beyond_the_limits_are_refused_by_name(path: Path, values: list[Any]) -> None:
    for value in values:
        assert list(refusal(SCHEMA, changed(VPCEP_REQUEST, path, value))) == [path], value


@pytest.mark.parametrize("path", [("vpc_endpoint_service_id",), ("connections",), ID, DESCRIPTION])
def test_what_the_page_requires_is_required(path: Path) -> None:
    assert refusal(SCHEMA, without(VPCEP_REQUEST, path)) == {path: ["Missing data for required field."]}


@pytest.mark.parametrize("connections", [[], *support.WRONG_FOR_LIST])
def test_connections_are_a_list_of_at_least_one(connections: Any) -> None:
    assert list(refusal(SCHEMA, {**VPCEP_REQUEST, "connections": connections})) == [("connections",)]


@pytest.mark.parametrize("connection", support.WRONG_FOR_OBJECT)
def test_a_connection_is_an_object(connection: Any) -> None:
    messages = refusal(SCHEMA, changed(VPCEP_REQUEST, ("connections", 1), connection))
    assert list(messages) == [("connections", 1)]


@pytest.mark.parametrize("path", [("endpoints",), ("connections", 0, "status")])
def test_unknown_fields_are_refused_by_name(path: Path) -> None:
    assert list(refusal(SCHEMA, changed(VPCEP_REQUEST, path, "a"))) == [path]


@pytest.mark.parametrize("again", [FIRST, FIRST.upper(), FIRST.replace("-", ""), FIRST.replace("-", "").upper()])
def test_a_connection_stands_once_in_whatever_spelling(again: str) -> None:
    messages = refusal(SCHEMA, changed(VPCEP_REQUEST, ("connections", 1, "id"), again))
    assert list(messages) == [("connections",)]
    assert FIRST in messages[("connections",)][0]
    assert again in messages[("connections",)][0]
    assert same_id(FIRST) == same_id(again)


def test_one_wrong_connection_hides_no_other() -> None:
    messages = refusal(SCHEMA, {**VPCEP_REQUEST, "connections": [{}, *VPCEP_REQUEST["connections"], {"id": FIRST}]})
    assert set(messages) == {
        ("connections", 0, "id"),
        ("connections", 0, "description"),
        ("connections", 3, "description"),
    }


@given(UPDATE_DESCRIPTIONS)
@patient
def test_every_valid_payload_loads(payload: dict[str, Any]) -> None:
    assert_loads_as_sent(SCHEMA, payload)


@given(JSON | support.with_a_fault(UPDATE_DESCRIPTIONS))
@patient
def test_any_other_json_loads_or_is_refused(value: Any) -> None:
    support.assert_loads_or_refuses(SCHEMA, value)


def test_the_pages_answer_is_normalised() -> None:
    assert RESULT.dump({**VPCEP_ANSWER, "failed": [], "missing": []}) == {
        "failed": [],
        "missing": [],
        "connections": [
            {
                "id": SECOND,
                "status": "accepted",
                "description": "终端节点节点2, 属于账户[0605767a3300d5762fb7c0186d9e1779]iaas_commonnet_odin_26",
                "marker_id": 302008767,
                "domain_id": "05b5408a0a80d2b10f06c0184a774460",
                "created_at": "2022-04-14T02:09:08Z",
                "updated_at": "2022-04-14T07:55:40Z",
                "errors": [],
            },
            {
                "id": FIRST,
                "status": "accepted",
                "description": "终端节点节点1, 属于账户[0605767a3300d5762fb7c0186d9e1779]iaas_commonnet_odin_26",
                "marker_id": 302001833,
                "domain_id": "05b5408a0a80d2b10f06c0184a774460",
                "created_at": "2022-04-14T01:59:31Z",
                "updated_at": "2022-04-14T07:57:39Z",
                "errors": [],
            },
        ],
    }


def test_a_connection_that_says_nothing_is_null_and_without_errors() -> None:
    told = RESULT.dump({"connections": [{}]})["connections"][0]
    assert told.pop("errors") == []
    assert set(told.values()) == {None}


@pytest.mark.parametrize(
    ("said", "name", "told"),
    [
        ({"marker_id": 422321321312321321}, "marker_id", 422321321312321321),
        ({"marker_id": "422321321312321321"}, "marker_id", 422321321312321321),
        ({"marker_id": 4.2}, "marker_id", None),
        ({"created_at": "2018-01-30T07:42:01.174"}, "created_at", "2018-01-30T07:42:01.174Z"),
        ({"updated_at": "YYYY-MMDDTHH:MM:SSZ"}, "updated_at", None),
        ({"description": ""}, "description", ""),
        ({"description": ["a"]}, "description", None),
        ({"status": "pendingAcceptance"}, "status", "pendingAcceptance"),
        (
            {"error": [{"error_code": "EndPoint.2013", "error_message": "no"}, {}, "x", None]},
            "errors",
            [{"code": "EndPoint.2013", "message": "no"}, {"code": None, "message": None}],
        ),
        ({"error": {"code": "EndPoint.2013"}}, "errors", []),
        ({"error": None}, "errors", []),
        ({"error": "no"}, "errors", []),
        ({"new_in_this_version": 1}, "id", None),
    ],
)
def test_what_a_connection_says_is_told_in_our_words(said: dict[str, Any], name: str, told: Any) -> None:
    assert same_json(RESULT.dump({"connections": [said]})["connections"][0][name], told)


SAID = st.sampled_from([*VPCEP_ANSWER["connections"][0], "error"])


@given(st.lists(st.dictionaries(SAID | TEXT, JSON, max_size=6), max_size=3), st.lists(JSON, max_size=3))
@patient
def test_no_answer_breaks_the_result(connections: list[dict[str, Any]], failed: list[Any]) -> None:
    support.assert_utf8_json(RESULT.dump({"connections": connections, "failed": failed}))
