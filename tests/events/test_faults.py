"""Whatever the cloud or the network does, a call gives one result event with the right outcome, kind and number of attempts."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests
import responses

from events.dispatch import Call, Dispatcher, Result
from events.samples import sample
from events.settings import EventSettings
from functions.cloud.client import Client
from functions.cloud.deadline import Deadline
from functions.cloud.retry import Retry
from tests.support import http, resets, says, scripted, settings

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

READ, PUT, WRITE = "elb.list_members", "vpcep.update_connection_descriptions", "apig.add_members"
STATUS = {READ: 200, PUT: 200, WRITE: 201}


def run(operation: str, url: str, deadline: Deadline | None = None) -> Result:
    client = Client(settings(url), retry=Retry(sleep=lambda _: None))
    call = Call(operation, json.loads(sample(operation)), deadline or Deadline.after(20), "/test", "test", id="1")
    return Dispatcher(client, EventSettings()).dispatch(call)


def told(result: Result) -> tuple[Any, ...]:
    data = result.event.data
    assert result.event.type == f"hongyan.{data['operation']}.{data['outcome']}"
    return data["outcome"], data["error"]["kind"], data["upstream"]["attempts"], data["error"]["retryable"]


@dataclass
class Fault:
    """A fault on the wire and what it means for a read, for a write that may be repeated, and for one that may not."""

    step: Callable[[int], Any]
    read: tuple[str, str, int, bool]
    put: tuple[str, str, int, bool]
    write: tuple[str, str, int, bool]


def shape(status: int, code: str) -> Callable[[int], Any]:
    return lambda _: says(status, {"error_code": code, "error_msg": "m"}, "X-Request-Id: r")


LOST = Fault(
    lambda _: resets(),
    ("failed", "unavailable", 4, True),
    ("unknown", "unavailable", 4, True),
    ("unknown", "unknown", 1, False),
)
UNREADABLE = (
    ("failed", "internal", 1, False),
    ("unknown", "unknown", 1, False),
    ("unknown", "unknown", 1, False),
)
# The service answered that it failed for now. Whether it did half of it nobody knows, so a write is not repeated, by us or by the sender.
UNAVAILABLE = (
    ("failed", "unavailable", 4, True),
    ("failed", "unavailable", 4, True),
    ("unknown", "unknown", 1, False),
)
THROTTLED = (("failed", "resource_exhausted", 4, True),) * 3
FAULTS = {
    "reset before an answer": LOST,
    "reset in mid-body": Fault(
        lambda status: resets(http(status, b'{"mem', length=99)), LOST.read, LOST.put, LOST.write
    ),
    "closed in mid-body": Fault(lambda status: says(status, b'{"mem', length=99), LOST.read, LOST.put, LOST.write),
    "closed without an answer": Fault(lambda _: lambda _: None, LOST.read, LOST.put, LOST.write),
    "truncated JSON": Fault(lambda status: says(status, b'{"members": ['), *UNREADABLE),
    "empty success": Fault(lambda status: says(status, b""), *UNREADABLE),
    "JSON of the wrong type": Fault(lambda status: says(status, b'"text"'), *UNREADABLE),
    "JSON without its array": Fault(lambda status: says(status, b"[1]" if status == 200 else b"{}"), *UNREADABLE),
    "another success than promised": Fault(lambda _: says(202, {}), *UNREADABLE),
    "HTML 502": Fault(
        lambda _: says(502, b"<html>Bad Gateway</html>"),
        ("failed", "unavailable", 4, True),
        ("unknown", "unavailable", 4, True),
        ("unknown", "unknown", 1, False),
    ),
    "gateway timeout": Fault(
        shape(504, "APIG.0201"),
        ("failed", "deadline_exceeded", 4, True),
        ("unknown", "deadline_exceeded", 4, True),
        ("unknown", "unknown", 1, False),
    ),
    "throttled as 429": Fault(shape(429, "APIGW.0308"), *THROTTLED),
    "throttled as 400": Fault(shape(400, "EndPoint.0022"), *THROTTLED),
    "throttled as 500": Fault(shape(500, "APIG.9008"), *THROTTLED),
    "no backend": Fault(shape(502, "APIG.0610"), *(("failed", "unavailable", 4, True),) * 3),
    "IAM down before the service": Fault(shape(503, "APIG.0613"), *(("failed", "unavailable", 4, True),) * 3),
    "service unavailable, it says itself": Fault(shape(503, "X.1"), *UNAVAILABLE),
    "upstream of the service away": Fault(shape(500, "APIG.9005"), *UNAVAILABLE),
    "service unavailable, a proxy says": Fault(
        lambda _: says(503, b"upstream connect error or disconnect/reset before headers"),
        LOST.read,
        LOST.put,
        LOST.write,
    ),
    "a redirect": Fault(lambda _: says(303, b"", "Location: /"), *UNREADABLE),
    "a redirect that leads nowhere": Fault(lambda _: says(302, b"x", "Location: http://[bad"), *UNREADABLE),
    "a status that nobody knows": Fault(
        lambda _: says(999, {}),
        ("failed", "unknown", 1, False),
        ("unknown", "unknown", 1, False),
        ("unknown", "unknown", 1, False),
    ),
    "error of the service": Fault(shape(500, "APIG.9999"), *(("failed", "internal", 1, False),) * 3),
    "a null body, said as 504": Fault(shape(504, "EndPoint.0011"), *(("failed", "invalid_argument", 1, False),) * 3),
    "refused signature": Fault(shape(401, "APIGW.0301"), *(("failed", "unauthenticated", 1, False),) * 3),
}


@pytest.mark.parametrize("operation", [READ, PUT, WRITE])
@pytest.mark.parametrize("name", FAULTS)
def test_over_a_real_socket(name: str, operation: str) -> None:
    fault = FAULTS[name]
    expected = {READ: fault.read, PUT: fault.put, WRITE: fault.write}[operation]
    with scripted(*[fault.step(STATUS[operation])] * 5) as server:
        assert told(run(operation, server.url)) == expected
        assert len(server.asked) == expected[2]


@pytest.mark.parametrize("operation", [READ, PUT, WRITE])
def test_refused_is_sent_again_by_all_for_nothing_was_sent(operation: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert told(run(operation, f"http://127.0.0.1:{port}")) == ("failed", "unavailable", 4, True)


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (READ, ("failed", "deadline_exceeded", 1, True)),
        (PUT, ("unknown", "deadline_exceeded", 1, True)),
        (WRITE, ("unknown", "unknown", 1, False)),
    ],
)
def test_an_answer_after_ten_seconds_against_a_deadline_of_two(operation: str, expected: tuple[Any, ...]) -> None:
    def late(connection: socket.socket) -> None:
        server.released.wait(10)
        connection.sendall(http(STATUS[operation], b"{}"))

    with scripted(late) as server:
        assert told(run(operation, server.url, Deadline.after(2))) == expected


def test_a_write_is_not_begun_with_too_little_time_to_hear_its_answer() -> None:
    with scripted(says(201, {})) as server:
        result = run(WRITE, server.url, Deadline.after(0.9))
    assert server.asked == []
    assert (result.outcome, result.event.data["error"]["kind"], result.event.data["error"]["retryable"]) == (
        "failed",
        "deadline_exceeded",
        True,
    )


def test_no_time_at_all_sends_nothing() -> None:
    with scripted(says(200)) as server:
        result = run(WRITE, server.url, Deadline.after(0))
    assert server.asked == []
    assert (result.outcome, result.event.data["error"]["kind"]) == ("failed", "deadline_exceeded")


def test_a_fault_that_passes_is_not_seen() -> None:
    fine = says(201, {"size": 1, "total": 1, "members": [{"host": "192.168.2.25"}]})
    with scripted(says(429, {}), fine) as server:
        result = run(WRITE, server.url)
    assert (result.outcome, result.event.data["upstream"]["attempts"]) == ("succeeded", 2)


@pytest.mark.parametrize("operation", [READ, PUT, WRITE])
@pytest.mark.parametrize(
    ("error", "sent"),
    [
        (requests.ConnectTimeout("before sending"), False),
        (requests.ReadTimeout("after sending"), True),
        (requests.exceptions.ChunkedEncodingError("in mid-body"), True),
    ],
)
def test_faults_of_the_library(error: Exception, sent: bool, operation: str) -> None:
    with responses.RequestsMock() as fake:
        fake.add({READ: "GET", PUT: "PUT", WRITE: "POST"}[operation], re.compile("http://127.0.0.1:9/.*"), body=error)
        result = run(operation, "http://127.0.0.1:9")
        attempts = len(fake.calls)
    assert result.outcome == ("unknown" if sent and operation != READ else "failed")
    assert attempts == (1 if sent and operation == WRITE else 4)
    assert result.event.data["error"]["retryable"] is not (sent and operation == WRITE)
