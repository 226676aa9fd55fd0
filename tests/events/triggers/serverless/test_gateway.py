"""A gateway's event as a request, and our answer as the object that every gateway takes."""

from __future__ import annotations

import base64
import json
import threading
from typing import Any

import pytest

from events.dispatch import Dispatcher
from events.problems import HttpAnswer
from events.samples import sample
from events.triggers.serverless import gateway
from events.triggers.serverless.shapes import EventRefused
from functions.cloud.deadline import Deadline
from tests.events.triggers.serverless.support import emulated

BODY = sample("elb.list_members").decode()


def ask(
    body: str = BODY, *, encoded: bool = False, limit: int = 1024, seconds: float = 20, **changes: Any
) -> dict[str, Any]:
    known: dict[str, Any] = {
        "kind": "test",
        "method": "POST",
        "path": "/functions/elb.list_members",
        "headers": {"Content-Type": "application/json"},
        "query": {},
        "client": "",
        "https": True,
        "authenticated": True,
    }
    incoming = gateway.Incoming(body=body, encoded=encoded, **known | changes)
    return gateway.answer(incoming, emulated({"HONGYAN_BODY_LIMIT": str(limit)})[0], Deadline.after(seconds))


@pytest.mark.parametrize(("body", "encoded"), [(BODY, False), (base64.b64encode(BODY.encode()).decode(), True)])
def test_a_body_is_text_or_base64(body: str, encoded: bool) -> None:
    answer = ask(body, encoded=encoded)
    assert set(answer) == {"statusCode", "headers", "body", "isBase64Encoded"}
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, False)
    assert answer["headers"]["Content-Type"] == "application/cloudevents+json"
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert json.loads(answer["body"])["data"]["outcome"] == "succeeded"


@pytest.mark.parametrize(
    ("body", "encoded", "status", "told"),
    [
        ("x" * 1025, False, 413, "larger than 1024 bytes"),
        ("鸿" * 400, False, 413, "larger than 1024 bytes"),
        ("A" * 2000, True, 413, "larger than 1024 bytes"),
        (base64.b64encode(b"x" * 1025).decode(), True, 413, "larger than 1024 bytes"),
        ('{"a": 1}', True, 400, "isBase64Encoded"),
        ("YQ=", True, 400, "isBase64Encoded"),
        ("YQ==鸿", True, 400, "isBase64Encoded"),
        ("\ud800", False, 400, "lone surrogate"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(body: str, encoded: bool, status: int, told: str) -> None:
    answer = ask(body, encoded=encoded)
    said = json.loads(answer["body"])
    assert (answer["statusCode"], said["kind"]) == (status, "invalid_argument")
    assert told in said["detail"]


def test_a_body_at_the_limit_is_read() -> None:
    whole = BODY + " " * (1024 - len(BODY))
    assert ask(whole)["statusCode"] == 200
    assert ask(base64.b64encode(whole.encode()).decode(), encoded=True)["statusCode"] == 200


def test_an_answer_that_is_no_text_is_base64() -> None:
    answer = gateway.proxied(HttpAnswer(200, {}, b"\xff"))
    assert (answer["body"], answer["isBase64Encoded"]) == ("/w==", True)


def test_repeated_headers_are_joined() -> None:
    assert gateway.joined({"A": ["1", "2"], "B": ["3"]}) == {"A": "1,2", "B": "3"}


def test_a_query_has_its_limits() -> None:
    assert gateway.parsed_query("a=1&a=2&b=") == {"a": ["1", "2"], "b": [""]}
    with pytest.raises(EventRefused, match="too many parameters"):
        gateway.parsed_query("&".join(["a=1"] * 101))


def test_an_event_that_cannot_be_read_is_answered() -> None:
    answer = gateway.refused(EventRefused("headers must be an object"))
    assert (answer["statusCode"], json.loads(answer["body"])["detail"]) == (400, "headers must be an object")


def test_a_request_that_hangs_is_answered_before_the_platform_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(Dispatcher, "dispatch", lambda *_: released.wait(timeout=20))
    answer = ask(seconds=0.1)
    assert (answer["statusCode"], json.loads(answer["body"])["kind"]) == (500, "unknown")
    released.set()
