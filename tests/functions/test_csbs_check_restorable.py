"""csbs.check_restorable: what it asks, and which verdict answers which question."""

from __future__ import annotations

from typing import Any

import pytest

from functions.cloud.errors import UnreadableAnswer
from functions.csbs_check_restorable import csbs_check_restorable
from tests.functions.support import Ran, run
from tests.schemas.pages import CSBS_ANSWER, CSBS_REQUEST

PROVIDER = "fc4d5750-22e7-4798-8a46-f48f62c4c1da"


def question(server: str) -> dict[str, Any]:
    target = {"resource_id": server, "resource_type": "OS::Nova::Server", "volumes": []}
    return {"checkpoint_item_id": f"backup-of-{server}", "target": target}


def checked(servers: str, *verdicts: Any) -> Ran:
    payload = {"check_restorable": [question(server) for server in servers.split()]}
    return run(csbs_check_restorable, payload, {"restorable": list(verdicts)})


def yes(server: str) -> dict[str, Any]:
    return {"resource_id": server, "resource_type": "OS::Nova::Server", "result": True}


def no(server: str) -> dict[str, Any]:
    return {**yes(server), "result": False, "error_code": "CSBS.6014", "error_msg": "It has no such volume."}


def backups(ran: Ran) -> list[tuple[str | None, str | None]]:
    return [(item["resource_id"], item["checkpoint_item_id"]) for item in ran.result["items"]]


def test_it_asks_as_the_page_says() -> None:
    (asked,) = run(csbs_check_restorable, CSBS_REQUEST, CSBS_ANSWER).asked
    assert (asked.method, asked.service, asked.expect, asked.returns) == ("POST", "csbs", 200, dict)
    assert asked.template == "/v1/{project_id}/providers/{provider_id}/resources/action"
    assert asked.path["provider_id"] == PROVIDER
    assert asked.json == CSBS_REQUEST
    assert asked.query == {}


def test_it_only_reads() -> None:
    assert csbs_check_restorable.reads


def test_another_provider_is_asked_when_it_is_named() -> None:
    ran = run(csbs_check_restorable, {**CSBS_REQUEST, "provider_id": "another"}, CSBS_ANSWER)
    assert ran.asked[0].path["provider_id"] == "another"


def test_the_pages_answer_names_another_server_and_still_answers_the_one_question() -> None:
    ran = run(csbs_check_restorable, CSBS_REQUEST, CSBS_ANSWER)
    assert not ran.partial
    assert ran.result == {
        "all_restorable": True,
        "missing": [],
        "items": [
            {
                "checkpoint_item_id": "8986ce68-3da7-4d29-9cc2-1921e9504975",
                "resource_id": "6507cb66-90dc-4a12-a573-c9f3398f899d",
                "resource_type": "OS::Nova::Server",
                "restorable": True,
                "code": None,
                "message": None,
            }
        ],
    }


def test_no_is_an_answer() -> None:
    ran = checked("a", no("a"))
    assert not ran.partial
    assert not ran.result["all_restorable"]
    assert ran.result["items"][0]["restorable"] is False
    assert ran.result["items"][0]["code"] == "CSBS.6014"
    assert ran.result["items"][0]["message"] == "It has no such volume."


@pytest.mark.parametrize("said", [{}, {"error_code": "", "error_msg": ""}, {"error_code": None, "error_msg": None}])
def test_no_reason_is_null_however_it_is_said(said: dict[str, Any]) -> None:
    item = checked("a", {**yes("a"), **said}).result["items"][0]
    assert (item["code"], item["message"]) == (None, None)


def test_verdicts_in_another_order_find_their_questions() -> None:
    ran = checked("a b c", no("c"), yes("A"), yes("b"))
    assert not ran.partial
    assert backups(ran) == [("c", "backup-of-c"), ("A", "backup-of-a"), ("b", "backup-of-b")]
    assert ran.result["missing"] == []


def test_a_question_without_a_verdict_is_missing() -> None:
    ran = checked("a B", yes("a"))
    assert ran.partial
    assert ran.result["missing"] == ["B"]
    assert not ran.result["all_restorable"]


def test_one_verdict_to_two_questions_answers_only_the_server_that_it_names() -> None:
    ran = checked("a b", yes("another"))
    assert ran.partial
    assert backups(ran) == [("another", None)]
    assert ran.result["missing"] == ["a", "b"]


def test_two_verdicts_to_one_question_answer_only_by_the_server_that_they_name() -> None:
    ran = checked("a", yes("another"), yes("a"))
    assert not ran.partial
    assert backups(ran) == [("another", None), ("a", "backup-of-a")]


def test_a_second_verdict_about_a_server_has_no_question() -> None:
    ran = checked("a", yes("a"), no("a"))
    assert backups(ran) == [("a", "backup-of-a"), ("a", None)]
    assert not ran.result["all_restorable"]


def test_no_verdicts_miss_every_question() -> None:
    ran = checked("a b")
    assert ran.partial
    assert (ran.result["all_restorable"], ran.result["items"], ran.result["missing"]) == (False, [], ["a", "b"])


@pytest.mark.parametrize(
    ("results", "all_restorable"),
    [
        ((True, True), True),
        ((True, "true"), True),
        ((True, False), False),
        ((True, "false"), False),
        ((True, None), False),
        ((True, 1), False),
    ],
)
def test_all_are_restorable_only_when_each_is(results: tuple[Any, Any], all_restorable: bool) -> None:
    ran = checked("a b", *({**yes(server), "result": said} for server, said in zip("ab", results, strict=True)))
    assert ran.result["all_restorable"] is all_restorable
    assert all_restorable == all(item["restorable"] for item in ran.result["items"])


def test_a_verdict_that_names_no_server_is_no_server_called_none() -> None:
    ran = checked("none other", {"result": True}, {"resource_id": None, "result": True})
    assert backups(ran) == [(None, None), (None, None)]
    assert ran.result["missing"] == ["none", "other"]


@pytest.mark.parametrize("answer", [{}, {"restorable": None}, {"restorable": {}}, {"restorable": [True]}])
def test_an_answer_without_an_array_of_verdicts_cannot_be_read(answer: dict[str, Any]) -> None:
    with pytest.raises(UnreadableAnswer, match="restorable"):
        run(csbs_check_restorable, CSBS_REQUEST, answer)
