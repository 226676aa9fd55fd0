"""Requests through gateways: what every field may be, who is taken for proved, and answers of the gateways' form."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from events.settings import EventSettings
from tests.events.triggers.aws_lambda.support import (
    EVENT,
    LIST,
    PAYLOAD,
    TRACE,
    Context,
    Function,
    body_of,
    http,
    rest,
    url,
    without,
)

PROVED = {"iam": {"userArn": "arn:aws:iam::123456789012:user/a"}}
USER = "arn:aws:sts::123456789012:assumed-role/a/b"
FORMATS = pytest.mark.parametrize("request_", [rest, http, url])


def with_context(event: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return event | {"requestContext": event["requestContext"] | changes}


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (rest(), "apigateway.rest"),
        (rest(version="1.0"), "apigateway.http"),
        (http(), "apigateway.http"),
        (url(), "lambda.url"),
    ],
)
def test_each_gateway_has_its_kind(event: dict[str, Any], kind: str) -> None:
    answer = Function()(event)
    body = body_of(answer)
    assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (200, "application/cloudevents+json")
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert (body["type"], body["data"]["trigger"]["kind"]) == (f"hongyan.{LIST}.succeeded", kind)


def test_nothing_goes_to_the_sink_that_was_answered() -> None:
    function = Function()
    assert function(http())["statusCode"] == 200
    assert function.sink.events == []


@FORMATS
@pytest.mark.parametrize("absent", [True, False])
def test_every_field_that_may_be_null_or_absent(request_: Any, absent: bool) -> None:
    fields = {"headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters", "body"}
    fields |= {"pathParameters", "stageVariables", "cookies", "rawQueryString", "isBase64Encoded", "resource"}
    event = request_()
    event = without(event, *fields) if absent else event | dict.fromkeys(fields)
    answer = Function()(event)
    assert (answer["statusCode"], body_of(answer)["kind"]) == (415, "invalid_argument")  # There is no Content-Type.
    typed = {"headers": {"Content-Type": "application/json"}}
    rejected = Function()(event | typed)
    assert (rejected["statusCode"], body_of(rejected)["data"]["outcome"]) == (400, "rejected")  # There is no body.
    assert Function()(event | typed | {"body": json.dumps(PAYLOAD)})["statusCode"] == 200


@FORMATS
def test_a_path_is_told_by_its_end(request_: Any) -> None:
    function = Function()
    for path in (
        f"/prod/v1/functions/{LIST}",
        f"functions/{LIST}",
        f"/functions/{LIST}/",
        "/functions/elb%2Elist_members",
    ):
        assert function(request_(path))["statusCode"] == 200
    for other in (None, "", "/", "/functions", f"/functions/{LIST}/more", "/hooks/nobody"):
        answer = function(request_(other))
        assert (answer["statusCode"], body_of(answer)["kind"]) == (404, "not_found")


def test_a_deployment_of_one_operation_has_any_path() -> None:
    answer = Function(operation=LIST)(http("/"))
    assert (answer["statusCode"], body_of(answer)["data"]["outcome"]) == (200, "succeeded")


def test_listed_values_win_over_single_ones_and_repeats_are_joined() -> None:
    function = Function()
    event = rest(
        headers={"Content-Type": "text/plain", "traceparent": "single"},
        multiValueHeaders={"CONTENT-TYPE": ["application/json"], "traceparent": [TRACE], "X": ["a", "b"], "x": ["c"]},
    )
    assert body_of(function(event))["traceparent"] == TRACE
    twice = rest(multiValueHeaders={"Content-Type": ["application/json"], "Idempotency-Key": ["a", "b"]})
    assert body_of(function(twice))["causationid"] == "a,b"
    cased = rest(
        multiValueHeaders={"Content-Type": ["application/json"], "Idempotency-Key": ["a"], "idempotency-key": ["b"]}
    )
    assert body_of(function(cased))["causationid"] == "a,b"


@pytest.mark.parametrize("empty", [None, {}])
def test_without_listed_values_the_single_ones_are_read(empty: Any) -> None:
    assert Function()(rest(multiValueHeaders=empty))["statusCode"] == 200


def test_a_body_in_base64() -> None:
    function = Function()
    packed = base64.b64encode(json.dumps(PAYLOAD).encode()).decode()
    assert function(http(body=packed, isBase64Encoded=True))["statusCode"] == 200
    for broken in ("abc", "a b c d", packed[:-1], "終端"):
        answer = function(http(body=broken, isBase64Encoded=True))
        assert (answer["statusCode"], "isBase64Encoded" in body_of(answer)["detail"]) == (400, True)
    assert function(http(body=packed))["statusCode"] == 400  # It is no JSON.


def test_a_body_over_the_limit() -> None:
    function = Function(events=EventSettings(body_limit=1024))
    for body, encoded in (("x" * 1025, False), ("終" * 400, False), (base64.b64encode(b"x" * 1025).decode(), True)):
        answer = function(http(body=body, isBase64Encoded=encoded))
        assert (answer["statusCode"], body_of(answer)["detail"]) == (413, "the body is larger than 1024 bytes")


def test_cloudevents_in_every_mode() -> None:
    function = Function()
    structured = http("/events", json.dumps(EVENT), headers={"content-type": "application/cloudevents+json"})
    assert body_of(function(structured))["causationid"] == "e1"
    ce = {"ce-specversion": "1.0", "ce-id": "e1", "ce-source": "/monitor", "ce-type": EVENT["type"]}
    assert body_of(function(http("/events", headers={"content-type": "application/json"} | ce)))["causationid"] == "e1"
    batched = http(
        "/events", json.dumps([EVENT, EVENT]), headers={"content-type": "application/cloudevents-batch+json"}
    )
    assert len(body_of(function(batched))) == 2
    accepting = {"content-type": "application/json", "accept": "application/json"}
    binary = function(http(headers=accepting))
    assert (binary["headers"]["ce-type"], body_of(binary)["outcome"]) == (f"hongyan.{LIST}.succeeded", "succeeded")
    none = function(http("/events", "[]", headers={"content-type": "application/cloudevents-batch+json"}))
    assert (none["statusCode"], none["body"]) == (204, "")


def test_health_needs_no_proof() -> None:
    live = Function()(with_context(http("/prod/health/live", method="GET"), authorizer=None))
    assert (live["statusCode"], body_of(live)) == (200, {"status": "live"})


# Who has proved to be somebody


@pytest.mark.parametrize(
    ("authorizer", "identity", "status"),
    [
        (None, {}, 403),
        ({}, None, 403),
        ({"claims": None, "scopes": None}, {}, 403),
        ({}, {"apiKey": "key", "apiKeyId": "id", "userArn": None, "sourceIp": "203.0.113.9"}, 403),
        ({}, {"userArn": ""}, 403),
        ({}, {"userArn": USER, "cognitoAuthenticationType": "unauthenticated"}, 403),
        ({}, {"userArn": USER, "cognitoAuthenticationType": "authenticated"}, 200),
        ({}, {"userArn": USER}, 200),
        ({"claims": {"sub": "a"}}, {}, 200),
        ({"principalId": "a", "integrationLatency": 9}, None, 200),
    ],
)
def test_who_is_proved_in_payload_format_1(authorizer: Any, identity: Any, status: int) -> None:
    event = with_context(rest(), authorizer=authorizer, identity=identity)
    assert Function()(event)["statusCode"] == status
    assert Function(gateway_authenticates=True)(event)["statusCode"] == 200


@pytest.mark.parametrize(
    ("authorizer", "status"),
    [
        (None, 403),
        ({}, 403),
        ({"jwt": None, "iam": None, "lambda": None}, 403),
        ({"jwt": {"claims": None, "scopes": None}}, 403),
        ({"iam": {"userArn": None, "accessKey": None}}, 403),
        ({"iam": {"userArn": USER, "cognitoIdentity": {"amr": ["unauthenticated"]}}}, 403),
        ({"lambda": {"who": None}}, 403),
        ({"custom": {"who": "a"}}, 403),
        ({"iam": {"userArn": USER, "cognitoIdentity": {"amr": ["authenticated", "graph.example"]}}}, 200),
        ({"iam": {"userArn": USER, "cognitoIdentity": None}}, 200),
        ({"jwt": {"claims": {"sub": "a"}}}, 200),
        ({"lambda": {"who": "a"}}, 200),
    ],
)
def test_who_is_proved_in_payload_format_2(authorizer: Any, status: int) -> None:
    for event in (http(), url()):
        event["requestContext"] |= {"authorizer": authorizer}
        assert Function()(event)["statusCode"] == status
        assert Function(gateway_authenticates=True)(event)["statusCode"] == 200
        del event["requestContext"]["authorizer"]
        assert Function()(event)["statusCode"] == 403


def test_what_a_client_writes_proves_nothing() -> None:
    function = Function()
    forged = {"content-type": "application/json", "x-authorizer": json.dumps(PROVED), "authorization": "Bearer a"}
    event = with_context(http(headers=forged, rawQueryString="authorizer=iam", authorizer=PROVED), authorizer=None)
    answer = function(event)
    assert (answer["statusCode"], body_of(answer)["kind"]) == (403, "permission_denied")
    assert not function.emulator.journal


# Events that no gateway sends


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"httpMethod": None}, "httpMethod must be a string"),
        ({"httpMethod": 1}, "httpMethod must be a string"),
        ({"path": 1}, "path must be a string"),
        ({"body": {}}, "body must be a string"),
        ({"isBase64Encoded": "true"}, "isBase64Encoded must be true or false"),
        ({"isBase64Encoded": 1}, "isBase64Encoded must be true or false"),
        ({"headers": [], "multiValueHeaders": None}, "headers must be an object"),
        ({"headers": {"a": 1}, "multiValueHeaders": None}, "headers must hold strings"),
        ({"multiValueHeaders": {"a": "b"}}, "multiValueHeaders must hold arrays of strings"),
        ({"multiValueHeaders": {"a": [None]}}, "multiValueHeaders must hold arrays of strings"),
        ({"queryStringParameters": {"a": ["b"]}}, "queryStringParameters must hold strings"),
        ({"multiValueQueryStringParameters": {"a": {}}}, "multiValueQueryStringParameters must hold arrays of strings"),
        ({"requestContext": None}, None),
        ({"requestContext": []}, "requestContext must be an object"),
        ({"requestContext": {"identity": 1}}, "requestContext.identity must be an object"),
        ({"requestContext": {"identity": {"sourceIp": 1}}}, "requestContext.identity.sourceIp must be a string"),
        ({"requestContext": {"authorizer": "me"}}, "requestContext.authorizer must be an object"),
        ({"requestContext": {"elb": {}}}, "load balancers are not read here"),
    ],
)
def test_what_payload_format_1_cannot_be(change: dict[str, Any], told: str | None) -> None:
    function = Function()
    answer = function(rest(**change))
    assert answer["statusCode"] == (400 if told else 403)
    assert body_of(answer)["detail"].startswith(told or "the gateway does not say who calls")
    assert not function.emulator.journal


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"http": None}, "requestContext.http.method must be a string"),
        ({"http": "POST"}, "requestContext.http must be an object"),
        ({"http": {"method": None}}, "requestContext.http.method must be a string"),
        ({"http": {"method": "POST", "sourceIp": []}}, "requestContext.http.sourceIp must be a string"),
        ({"domainName": {}}, "requestContext.domainName must be a string"),
        ({"authorizer": []}, "requestContext.authorizer must be an object"),
        ({"authorizer": {"iam": "me"}}, "requestContext.authorizer.iam must be an object"),
        ({"authorizer": {"jwt": {"claims": 1}}}, "requestContext.authorizer.jwt.claims must be an object"),
        (
            {"authorizer": {"iam": {"cognitoIdentity": {"amr": "unauthenticated"}}}},
            "requestContext.authorizer.iam.cognitoIdentity.amr must be an array",
        ),
    ],
)
def test_what_payload_format_2_cannot_be(change: dict[str, Any], told: str) -> None:
    answer = Function()(with_context(http(), **change))
    assert answer["statusCode"] == 400
    assert body_of(answer)["detail"].startswith(told)


def test_a_query_without_end() -> None:
    answer = Function()(http(rawQueryString="a=b&" * 101))
    assert (answer["statusCode"], body_of(answer)["detail"]) == (400, "the query has too many parameters")


def test_the_platforms_deadline_is_kept() -> None:
    function = Function()
    answer = function.lambda_.answer(http(), Context(remaining_ms=100))
    assert (answer["statusCode"], body_of(answer)["data"]["error"]["kind"]) == (503, "deadline_exceeded")
    assert answer["headers"]["Retry-After"] == "5"
    assert not function.emulator.journal
