from __future__ import annotations

import socket
from typing import Any

import pytest

from events import strictjson
from events.cli import post
from events.cli.post import NoReply, NoServer, Reply, ask, result_event
from tests.support import resets, says, scripted


def test_a_body_is_posted_and_its_answer_read() -> None:
    with scripted(says(200, {"a": 1}, "X-Other: b")) as server:
        reply = ask(f"{server.url}/path", {"Content-Type": "application/json"}, b"{}", timeout_s=5)
    assert (reply.status, reply.body, reply.headers["X-Other"]) == (200, b'{"a": 1}', "b")
    assert reply.seconds >= 0
    head = server.asked[0].lower()
    assert head.startswith(b"post /path http/1.1")
    assert b"content-type: application/json" in head
    assert head.endswith(b"{}")


def test_without_a_body_it_is_a_get() -> None:
    with scripted(says(200)) as server:
        ask(server.url, timeout_s=5)
    assert server.asked[0].startswith(b"GET ")


@pytest.mark.parametrize("status", [302, 404, 503])
def test_every_status_is_an_answer(status: int) -> None:
    with scripted(says(status, "no", "Location: http://example.invalid/")) as server:
        reply = ask(server.url, {}, b"{}", timeout_s=5)
    assert (reply.status, reply.body) == (status, b"no")


def test_no_proxy_stands_before_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with scripted(says(200)) as server:
        assert ask(server.url, timeout_s=5).status == 200


def test_a_proxy_is_used_for_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(says(200)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert ask("http://hongyan.invalid/x", timeout_s=5).status == 200
    assert proxy.asked[0].startswith(b"GET http://hongyan.invalid/x ")


def test_nobody_there_is_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NoServer, match=f"no server listens at http://127.0.0.1:{port}$"):
        ask(f"http://127.0.0.1:{port}/functions/x", {}, b"{}", timeout_s=5)


def test_patience_ends() -> None:
    with scripted("hang") as server, pytest.raises(NoReply, match=r"did not answer within 0\.05 s"):
        ask(server.url, {}, b"{}", timeout_s=0.05)


@pytest.mark.parametrize("step", [resets(), resets(b"HTTP/1.1 200 OK\r\n"), lambda c: c.sendall(b"nonsense\r\n\r\n")])
def test_a_broken_connection_is_no_reply(step: Any) -> None:
    with scripted(step) as server, pytest.raises(NoReply, match=r"the connection to http://127\.0\.0\.1:\d+ broke"):
        ask(server.url, {}, b"{}", timeout_s=5)


EVENT = {"specversion": "1.0", "id": "1", "source": "/s", "type": "hongyan.x.y.failed"}
DATA = {
    "operation": "x.y",
    "outcome": "failed",
    "target": {"region": "r", "project_id": "p"},
    "result": None,
    "error": None,
    "upstream": None,
    "trigger": {"kind": "webhook", "id": None},
}


@pytest.mark.parametrize(
    ("content_type", "body", "found"),
    [
        ("application/cloudevents+json", {**EVENT, "data": DATA}, True),
        ("application/cloudevents+json", {**EVENT, "data": {"outcome": "failed"}}, False),
        ("application/cloudevents+json", {**EVENT, "data": "text"}, False),
        ("application/cloudevents+json", {**EVENT, "data": DATA | {"upstream": "text"}}, False),
        ("application/cloudevents+json", {**EVENT, "data": DATA | {"outcome": ["failed"]}}, False),
        ("application/cloudevents+json", {"id": "1"}, False),
        ("application/cloudevents+xml", {}, False),
        ("application/cloudevents-batch+json", [{**EVENT, "data": DATA}], False),
        ("application/problem+json", {"detail": "no"}, False),
    ],
)
def test_only_a_result_event_is_one(content_type: str, body: Any, found: bool) -> None:
    event = result_event(Reply(200, {"Content-Type": content_type}, strictjson.dumps(body), 0.1))
    assert (event is not None) is found


def test_an_answer_that_does_not_end_is_no_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "MOST_REPLY", 1000)
    with scripted(says(200, b"1" * 1001)) as server, pytest.raises(NoReply, match="larger than 1000 bytes"):
        ask(server.url, {}, b"{}", timeout_s=5)


def test_what_a_server_says_that_speaks_no_http_is_quoted() -> None:
    with scripted(lambda c: c.sendall(b"\x1b[31mred\r\n\r\n")) as server, pytest.raises(NoReply) as caught:
        ask(server.url, {}, b"{}", timeout_s=5)
    assert str(caught.value).isprintable()
