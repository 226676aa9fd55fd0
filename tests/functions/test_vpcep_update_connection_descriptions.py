"""vpcep.update_connection_descriptions: what it asks, and which connections failed or are missing."""

from __future__ import annotations

from typing import Any

import pytest

from functions.cloud.errors import UnreadableAnswer
from functions.vpcep_update_connection_descriptions import vpcep_update_connection_descriptions
from tests.functions.support import Ran, run
from tests.schemas.pages import FIRST, SECOND, SERVICE, VPCEP_ANSWER, VPCEP_REQUEST


def updated(*connections: Any) -> Ran:
    return run(vpcep_update_connection_descriptions, VPCEP_REQUEST, {"connections": list(connections)})


def test_it_asks_as_the_page_says() -> None:
    (asked,) = run(vpcep_update_connection_descriptions, VPCEP_REQUEST, VPCEP_ANSWER).asked
    assert (asked.method, asked.service, asked.expect, asked.returns) == ("PUT", "vpcep", 200, dict)
    assert asked.template == "/v1/{project_id}/vpc-endpoint-services/{vpc_endpoint_service_id}/connections/description"
    assert asked.path["vpc_endpoint_service_id"] == SERVICE
    assert asked.json == {"connections": VPCEP_REQUEST["connections"]}
    assert asked.query == {}


def test_it_may_be_repeated_but_is_no_reader() -> None:
    operation = vpcep_update_connection_descriptions
    assert (operation.reads, operation.idempotent) == (False, True)


def test_the_pages_answer_in_reversed_order_misses_none() -> None:
    ran = run(vpcep_update_connection_descriptions, VPCEP_REQUEST, VPCEP_ANSWER)
    assert not ran.partial
    assert [connection["id"] for connection in ran.result["connections"]] == [SECOND, FIRST]
    assert (ran.result["failed"], ran.result["missing"]) == ([], [])


def test_a_connection_that_failed_makes_it_partial() -> None:
    error = [{"error_code": "EndPoint.3045", "error_message": "The connection is in a wrong state."}]
    ran = updated({"id": SECOND, "status": "failed", "error": error}, {"id": FIRST, "status": "accepted"})
    assert ran.partial
    assert (ran.result["failed"], ran.result["missing"]) == ([SECOND], [])
    assert ran.result["connections"][0]["errors"] == [
        {"code": "EndPoint.3045", "message": "The connection is in a wrong state."}
    ]
    assert ran.result["connections"][1]["errors"] == []


@pytest.mark.parametrize("said", [{"status": "failed"}, {"status": "accepted", "error": [{"error_code": "a"}]}])
def test_either_the_status_or_an_error_tells_that_it_failed(said: dict[str, Any]) -> None:
    assert updated({"id": FIRST, **said}, {"id": SECOND}).result["failed"] == [FIRST]


@pytest.mark.parametrize("error", [[], None, ""])
def test_no_error_is_none_however_it_is_said(error: Any) -> None:
    assert not updated({"id": FIRST, "error": error}, {"id": SECOND, "error": error}).partial


def test_a_connection_that_the_answer_leaves_out_is_missing() -> None:
    ran = updated({"id": SECOND, "status": "accepted"})
    assert ran.partial
    assert (ran.result["failed"], ran.result["missing"]) == ([], [FIRST])


def test_an_id_without_hyphens_is_the_id_with_them() -> None:
    ran = updated({"id": FIRST.replace("-", "")}, {"id": SECOND.upper()})
    assert not ran.partial
    assert [connection["id"] for connection in ran.result["connections"]] == [FIRST.replace("-", ""), SECOND.upper()]


def test_a_connection_that_was_not_asked_for_is_told_and_answers_nothing() -> None:
    ran = updated({"id": FIRST}, {"id": SECOND}, {"id": SERVICE})
    assert not ran.partial
    assert len(ran.result["connections"]) == 3


@pytest.mark.parametrize("said", [{}, {"id": None}, {"id": ["a"]}])
def test_a_failed_connection_without_an_id_is_no_connection_called_none(said: dict[str, Any]) -> None:
    ran = updated({**said, "status": "failed"}, {"id": SECOND})
    assert ran.partial
    assert (ran.result["failed"], ran.result["missing"]) == ([], [FIRST])


def test_a_failed_connection_that_was_not_asked_for_fails_nothing() -> None:
    ran = updated({"id": FIRST}, {"id": SECOND}, {"id": SERVICE, "status": "failed"})
    assert (ran.partial, ran.result["failed"]) == (False, [])


@pytest.mark.parametrize("answer", [{}, {"connections": None}, {"connections": {}}, {"connections": [FIRST]}])
def test_an_answer_without_an_array_of_connections_cannot_be_read(answer: dict[str, Any]) -> None:
    with pytest.raises(UnreadableAnswer, match="connections"):
        run(vpcep_update_connection_descriptions, VPCEP_REQUEST, answer)
