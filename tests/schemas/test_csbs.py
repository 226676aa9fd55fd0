"""CSBS v1, checking whether backups can be restored: payload and result against the API page."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.csbs import CheckRestorable, Verdicts
from tests.schemas import support
from tests.schemas.pages import CSBS_REQUEST, PROJECT, SERVER
from tests.schemas.payloads import CHECK_RESTORABLE
from tests.schemas.support import JSON, TEXT, Path, assert_loads_as_sent, changed, patient, refusal, same_json, without

SCHEMA = CheckRestorable()
RESULT = Verdicts()
QUESTION: Path = ("check_restorable", 0)
TARGET: Path = (*QUESTION, "target")
VOLUME: Path = (*TARGET, "volumes", 0)
IDS: list[Path] = [
    (*QUESTION, "checkpoint_item_id"),
    (*TARGET, "resource_id"),
    (*VOLUME, "backup_id"),
    (*VOLUME, "volume_id"),
]
REQUIRED: list[Path] = [("check_restorable",), TARGET, (*TARGET, "resource_type"), (*TARGET, "volumes"), *IDS]


def test_the_pages_request_comes_back_as_sent() -> None:
    loaded = assert_loads_as_sent(SCHEMA, CSBS_REQUEST)
    assert loaded == {**CSBS_REQUEST, "provider_id": "fc4d5750-22e7-4798-8a46-f48f62c4c1da"}


@pytest.mark.parametrize("path", REQUIRED, ids=lambda path: str(path[-1]))
def test_what_the_page_requires_is_required(path: Path) -> None:
    assert refusal(SCHEMA, without(CSBS_REQUEST, path)) == {path: ["Missing data for required field."]}


@pytest.mark.parametrize("path", IDS, ids=lambda path: str(path[-1]))
def test_ids_of_the_body(path: Path) -> None:
    for value in ["a", SERVER, "云", "a" * 64]:
        assert_loads_as_sent(SCHEMA, changed(CSBS_REQUEST, path, value))
    for value in ["", "a b", "a" * 65, "a\n", *support.WRONG_FOR_TEXT, *support.UNPRINTABLE]:
        assert list(refusal(SCHEMA, changed(CSBS_REQUEST, path, value))) == [path], value


@pytest.mark.parametrize("field", ["project_id", "provider_id"])
def test_ids_of_the_path(field: str) -> None:
    for value in ["a", PROJECT, "a" * 64]:
        assert_loads_as_sent(SCHEMA, {**CSBS_REQUEST, field: value})
    for value in ["", "a" * 65, "..", "a/b", *support.WRONG_FOR_TEXT, *support.UNPRINTABLE]:
        assert list(refusal(SCHEMA, {**CSBS_REQUEST, field: value})) == [(field,)], value


def test_the_two_types_of_resources() -> None:
    path = (*TARGET, "resource_type")
    for value in ["OS::Nova::Server", "OS::Ironic::BareMetalServer"]:
        assert_loads_as_sent(SCHEMA, changed(CSBS_REQUEST, path, value))
    for value in ["", "os::nova::server", "OS::Cinder::Volume", *support.WRONG_FOR_TEXT]:
        assert list(refusal(SCHEMA, changed(CSBS_REQUEST, path, value))) == [path], value


def test_volumes_may_be_none_and_questions_may_not() -> None:
    assert_loads_as_sent(SCHEMA, changed(CSBS_REQUEST, (*TARGET, "volumes"), []))
    assert list(refusal(SCHEMA, {"check_restorable": []})) == [("check_restorable",)]


@pytest.mark.parametrize("path", [("check_restorable",), (*TARGET, "volumes")], ids=["questions", "volumes"])
def test_lists_are_lists(path: Path) -> None:
    for value in support.WRONG_FOR_LIST:
        assert list(refusal(SCHEMA, changed(CSBS_REQUEST, path, value))) == [path], value


@pytest.mark.parametrize("path", [QUESTION, TARGET, VOLUME], ids=["question", "target", "volume"])
def test_objects_are_objects(path: Path) -> None:
    for value in support.WRONG_FOR_OBJECT:
        assert list(refusal(SCHEMA, changed(CSBS_REQUEST, path, value))) == [path], value


@pytest.mark.parametrize("path", [(), QUESTION, TARGET, VOLUME], ids=["payload", "question", "target", "volume"])
def test_unknown_fields_are_refused_by_name(path: Path) -> None:
    unknown = (*path, "check_protectable")
    assert list(refusal(SCHEMA, changed(CSBS_REQUEST, unknown, []))) == [unknown]


def test_a_server_is_asked_about_once() -> None:
    again = changed(CSBS_REQUEST, (*TARGET, "resource_id"), SERVER.upper())["check_restorable"][0]
    messages = refusal(SCHEMA, {"check_restorable": [*CSBS_REQUEST["check_restorable"], again]})
    assert list(messages) == [("check_restorable",)]
    assert SERVER in messages[("check_restorable",)][0]


def test_one_wrong_question_hides_no_other() -> None:
    messages = refusal(SCHEMA, {"check_restorable": [{}, *CSBS_REQUEST["check_restorable"], {"target": {}}]})
    assert {path[1] for path in messages} == {0, 2}


@given(CHECK_RESTORABLE)
@patient
def test_every_valid_payload_loads(payload: dict[str, Any]) -> None:
    assert_loads_as_sent(SCHEMA, payload)


@given(JSON | support.with_a_fault(CHECK_RESTORABLE))
@patient
def test_any_other_json_loads_or_is_refused(value: Any) -> None:
    support.assert_loads_or_refuses(SCHEMA, value)


def test_verdicts_are_normalised() -> None:
    said = {
        "all_restorable": False,
        "missing": ["c"],
        "items": [
            {"checkpoint_item_id": "one", "resource_id": "a", "resource_type": "OS::Nova::Server", "result": True},
            {
                "checkpoint_item_id": None,
                "resource_id": "b",
                "resource_type": "OS::Nova::Server",
                "result": False,
                "error_code": "CSBS.6014",
                "error_msg": "The volume is not attached.",
                "new_in_this_version": 1,
            },
        ],
    }
    assert RESULT.dump(said) == {
        "all_restorable": False,
        "missing": ["c"],
        "items": [
            {
                "checkpoint_item_id": "one",
                "resource_id": "a",
                "resource_type": "OS::Nova::Server",
                "restorable": True,
                "code": None,
                "message": None,
            },
            {
                "checkpoint_item_id": None,
                "resource_id": "b",
                "resource_type": "OS::Nova::Server",
                "restorable": False,
                "code": "CSBS.6014",
                "message": "The volume is not attached.",
            },
        ],
    }


@pytest.mark.parametrize(("said", "told"), [(True, True), ("false", False), (1, None), ("yes", None), (None, None)])
def test_a_verdict_is_yes_no_or_null(said: Any, told: bool | None) -> None:
    verdict = RESULT.dump({"items": [{"result": said}]})["items"][0]
    assert same_json(verdict["restorable"], told)


SAID = st.sampled_from(["checkpoint_item_id", "resource_id", "resource_type", "result", "error_code", "error_msg"])


@given(st.lists(st.dictionaries(SAID | TEXT, JSON, max_size=6), max_size=3))
@patient
def test_no_answer_breaks_the_result(verdicts: list[dict[str, Any]]) -> None:
    support.assert_utf8_json(RESULT.dump({"items": verdicts}))
