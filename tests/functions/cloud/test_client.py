"""What functions call: paths are encoded, queries signed as sent, facts of the call kept, incomplete settings refused."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from functions.cloud.client import Client, Cloud
from functions.cloud.deadline import Deadline
from functions.cloud.errors import CallError, CloudRefused, ConfigurationError, NoAnswer, PayloadRefused
from functions.cloud.retry import Retry
from functions.cloud.settings import CloudSettings
from tests.support import PROJECT, resets, says, scripted, settings

LONG = Deadline.after(3600)


def cloud(url: str, slept: list[float] | None = None, **options: Any) -> Cloud:
    retry = Retry(sleep=(slept if slept is not None else []).append, random=lambda _, most: most)
    return Client(settings(url), retry=retry).call(LONG, **options)


def test_a_path_is_filled_and_encoded_and_unset_query_left_out() -> None:
    with scripted(says(200, [])) as server:
        query = {"limit": 5, "marker": None, "名": "a b~&"}
        cloud(server.url).get(
            "elb", "/v1/{project_id}/x/{id}", path={"id": "a/../项", "other": 1}, query=query, returns=list
        )
    line = server.asked[0].split(b"\r\n")[0].decode()
    assert line == f"GET /v1/{PROJECT}/x/a%2F..%2F%E9%A1%B9?limit=5&%E5%90%8D=a%20b~%26 HTTP/1.1"
    assert b"content-length" not in server.asked[0].lower()
    assert b"transfer-encoding" not in server.asked[0].lower()


@pytest.mark.parametrize("strange", ["", ".", ".."])
def test_an_id_that_would_change_the_path_is_refused(strange: str) -> None:
    with scripted(says(200)) as server, pytest.raises(PayloadRefused, match="id is no id"):
        cloud(server.url).get("elb", "/v1/{id}", path={"id": strange})
    assert server.asked == []


def test_a_write_without_a_body_says_that_it_has_none() -> None:
    with scripted(says(200, {})) as server:
        cloud(server.url).put("x", "/", path={})
    assert b"\r\ncontent-length: 0\r\n" in server.asked[0].lower()
    assert b"transfer-encoding" not in server.asked[0].lower()


def test_another_project_stands_in_path_and_header() -> None:
    with scripted(says(200, {})) as server:
        cloud(server.url, project_id="other").get("elb", "/v1/{project_id}", path={"project_id": "payload's"})
    assert server.asked[0].startswith(b"GET /v1/other HTTP/1.1")
    assert b"\r\nx-project-id: other\r\n" in server.asked[0]


@pytest.mark.parametrize("method", ["post", "put"])
def test_a_body_is_utf_8_json(method: str) -> None:
    with scripted(says(200, {"ok": 1})) as server:
        assert getattr(cloud(server.url), method)("x", "/", path={}, json={"说明": "节点"}) == {"ok": 1}
    head, _, body = server.asked[0].partition(b"\r\n\r\n")
    assert body == '{"说明":"节点"}'.encode()
    assert b"application/json;charset=utf-8" in head
    assert head.startswith(method.upper().encode())


def test_the_facts_of_a_call() -> None:
    throttled = {"error_code": "APIGW.0308", "error_msg": "m"}
    slept: list[float] = []
    with scripted(says(429, throttled), says(200, {}, "X-Request-Id: r2"), says(200, {}, "X-Request-Id: r3")) as server:
        call = cloud(server.url, slept)
        call.get("elb", "/", path={})
        call.get("elb", "/", path={})
    facts = call.upstream
    assert (facts.service, facts.method, facts.status, facts.request_id) == ("elb", "GET", 200, "r3")
    assert (facts.attempts, facts.requests, slept) == (3, 2, [0.2])


def test_a_doubt_ends_with_an_answer_and_else_stays() -> None:
    with scripted(resets(), says(200, {})) as server:
        call = cloud(server.url, idempotent=True)
        call.put("vpcep", "/", path={})
    assert (call.in_doubt, call.upstream.attempts) == (False, 2)
    with scripted(resets(), says(400, {"error_code": "X", "error_msg": "m"})) as server:
        call = cloud(server.url, idempotent=True)
        with pytest.raises(CloudRefused):
            call.put("vpcep", "/", path={})
    assert call.in_doubt


def test_a_write_is_not_repeated_after_a_lost_answer() -> None:
    with scripted(resets(), says(200, {})) as server:
        with pytest.raises(NoAnswer):
            cloud(server.url).post("apig", "/", path={})
        assert len(server.asked) == 1


def test_attempts_are_bounded() -> None:
    with scripted(*[says(429, {})] * 4) as server, pytest.raises(CallError):
        cloud(server.url).get("elb", "/", path={})
    assert len(server.asked) == 4


def test_a_retry_is_logged_with_its_call_and_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.WARNING, "hongyan"),
        scripted(says(429, {}, "Retry-After: 1"), says(200, {})) as server,
    ):
        call = cloud(server.url)
        call.log_facts = {"operation": "elb.list_members", "correlation_id": "c"}
        call.get("elb", "/", path={})
    facts = caplog.records[0].__dict__["facts"]
    assert caplog.records[0].message == "call.retried"
    assert facts == {
        "operation": "elb.list_members",
        "correlation_id": "c",
        "attempt": 1,
        "kind": "resource_exhausted",
        "code": None,
        "wait_s": 1.0,
    }
    assert "fake-secret-key" not in json.dumps(facts)


def test_incomplete_settings_are_refused_before_anything_is_sent() -> None:
    with pytest.raises(ConfigurationError, match="HUAWEICLOUD_SDK_AK"):
        Client(CloudSettings()).call(LONG)
