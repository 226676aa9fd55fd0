"""Requests through APIG: fields that are null or absent, a body that is base64 or says so, and answers in the shape that APIG takes."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from events.triggers.functiongraph import apig
from tests.events.triggers.functiongraph.support import Deployed, deployed, sample

AUTHENTICATED = {"HONGYAN_GATEWAY_AUTHENTICATES": "true"}


def requested(function: Deployed | None = None, **changes: Any) -> tuple[int, Any]:
    """Return the status and the JSON of the answer to the sample request, changed."""
    event = {name: value for name, value in {**sample("apig"), **changes}.items() if value is not ...}
    answer = (function or deployed(AUTHENTICATED)).answer(event)
    assert set(answer) == {"statusCode", "headers", "body", "isBase64Encoded"}
    assert isinstance(answer["body"], str)
    assert answer["isBase64Encoded"] is False
    assert json.loads(json.dumps(answer)) == answer
    return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None


def incoming(**changes: Any) -> Any:
    return apig._incoming({**sample("apig"), **changes}, authenticated=False)


def test_a_request_runs_and_is_answered_with_its_event() -> None:
    function = deployed(AUTHENTICATED)
    status, event = requested(function)
    assert (status, event["type"]) == (200, "hongyan.elb.list_members.succeeded")
    assert event["data"]["trigger"] == {"kind": "functiongraph.apig", "id": "letter-1", "sender": None}
    assert function.sink.events == []


def test_a_get_as_the_documentation_shows_it() -> None:
    event = sample("apig") | {"httpMethod": "GET", "path": "/", "body": "eyJuYW1lIjogImdvb3NlIn0="}
    assert deployed(AUTHENTICATED).answer(event)["statusCode"] == 404
    assert deployed(AUTHENTICATED | {"HONGYAN_OPERATION": "elb.list_members"}).answer(event)["statusCode"] == 405


@pytest.mark.parametrize("context", [{}, {"authorizer": {"user": "goose"}}])
def test_a_request_that_nobody_vouches_for_is_refused(context: dict[str, Any]) -> None:
    assert requested(deployed(), requestContext=context)[0] == 403


@pytest.mark.parametrize("nothing", [None, ...])
@pytest.mark.parametrize("field", ["queryStringParameters", "pathParameters", "isBase64Encoded"])
def test_a_field_that_is_null_or_absent_is_empty(field: str, nothing: Any) -> None:
    assert requested(**{field: nothing})[0] == 200


@pytest.mark.parametrize("nothing", [None, ..., ""])
def test_no_body_is_an_empty_one(nothing: Any) -> None:
    assert requested(body=nothing)[0] == 400


@pytest.mark.parametrize("nothing", [None, {}])
def test_no_headers_no_path_and_no_context(nothing: Any) -> None:
    assert requested(headers=nothing)[0] == 415
    assert requested(path=nothing or None)[0] == 404
    assert requested(requestContext=nothing)[0] == 200


def test_a_body_in_the_clear_must_say_so() -> None:
    text = '{"listener_id": "65093734fb966b3d70f6af26cc63e125"}'
    assert requested(body=text, isBase64Encoded=False)[0] == 200
    status, told = requested(body=text)
    assert (status, told["kind"]) == (400, "invalid_argument")
    assert "isBase64Encoded" in told["detail"]
    # "test" is base64 by chance: it is decoded, and what comes of it is no JSON.
    assert requested(body="test")[0] == 400


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"body": {"a": 1}}, "body must be a string"),
        ({"isBase64Encoded": "true"}, "isBase64Encoded must be true or false"),
        ({"headers": []}, "headers must be an object"),
        ({"headers": {"accept": 5}}, "headers must hold strings"),
        ({"headers": {"accept": ["a", None]}}, "headers must hold strings"),
        ({"queryStringParameters": {"a": {}}}, "queryStringParameters must hold strings"),
        ({"httpMethod": None}, "httpMethod must be a string"),
        ({"path": 5}, "path must be a string"),
        ({"requestContext": "RELEASE"}, "requestContext must be an object"),
    ],
)
def test_what_cannot_be_a_request_is_named(changes: dict[str, Any], told: str) -> None:
    status, problem = requested(**changes)
    assert status == 400
    assert told in problem["detail"]


def test_headers_and_query_come_once_or_several_times() -> None:
    found = incoming(
        httpMethod="post",
        headers={"X-A": "1", "x-a": ["2", "3"], "x-b": None, "x-c": []},
        queryStringParameters={"a": "1", "b": ["2", "3"], "c": None, "D": ""},
    )
    assert found.method == "POST"
    assert found.headers == {"x-a": "1,2,3"}
    assert found.query == {"a": ["1"], "b": ["2", "3"], "D": [""]}


@pytest.mark.parametrize(
    ("said", "https"),
    [("https", True), ("http, HTTPS", True), ("https, http", False), ("http", False), ("", False), (None, False)],
)
def test_the_gateways_word_on_the_way_here_is_the_last(said: str | None, https: bool) -> None:
    assert incoming(headers={"x-forwarded-proto": said}).https is https


@pytest.mark.parametrize(
    ("forwarded", "real", "client"),
    [
        ("203.0.113.7", "203.0.113.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", "198.51.100.1", "203.0.113.7"),
        (None, "203.0.113.7", "203.0.113.7"),
        ("unknown", "2001:db8::1", "2001:db8::1"),
        ("203.0.113.7,", "x", ""),
        (None, None, ""),
    ],
)
def test_the_client_is_whom_the_gateway_saw(forwarded: str | None, real: str | None, client: str) -> None:
    assert incoming(headers={"x-forwarded-for": forwarded, "x-real-ip": real}).client == client


def test_a_body_over_the_limit() -> None:
    function = deployed(AUTHENTICATED | {"HONGYAN_BODY_LIMIT": "1024"})
    assert requested(function, body=base64.b64encode(b" " * 2000).decode())[0] == 413


def test_health_needs_nobody_to_vouch() -> None:
    assert requested(deployed(), httpMethod="GET", path="/goose/health/live")[1] == {"status": "live"}
