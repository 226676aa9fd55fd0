"""One exchange over a real socket: what was certainly not sent, what may have been, what is too much."""

from __future__ import annotations

import gzip
import itertools
import socket
import ssl
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
import requests
import responses
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NameResolutionError, SSLError

from functions.cloud import transport
from functions.cloud.deadline import Deadline, Trail
from functions.cloud.errors import ConfigurationError, NoAnswer, NotSent, OutOfTime, UnreadableAnswer
from functions.cloud.transport import Transport
from tests.support import http, resets, says, scripted, settings

if TYPE_CHECKING:
    from pathlib import Path

    from functions.cloud.answers import Answer

BASE = "https://elb.cn-north-4.example.com"


def send(base: str, deadline: Deadline | None = None, **changes: Any) -> Answer:
    headers = {"accept": "application/json", "content-length": "2"}
    deadline = deadline or Deadline.after(20)
    return Transport(settings(base, **changes), {}).send("POST", base + "/a%7Eb?c=d", headers, b"{}", base, deadline)


def test_an_answer_comes_whole_with_its_headers() -> None:
    with scripted(says(201, {"a": "项目"}, "X-Request-Id: r1")) as server:
        answer = send(server.url)
    assert (answer.status, answer.request_id, answer.body) == (201, "r1", b'{"a": "\\u9879\\u76ee"}')
    assert server.asked[0].startswith(b"POST /a%7Eb?c=d HTTP/1.1\r\n")
    assert server.asked[0].endswith(b"\r\n\r\n{}")


def test_connections_are_kept_and_no_cookie_is() -> None:
    second: list[bytes] = []

    def twice(connection: socket.socket) -> None:
        connection.sendall(http(200, b"1", "Set-Cookie: a=b", "Connection: keep-alive"))
        second.append(connection.recv(65_536))
        connection.sendall(http(200, b"2"))

    with scripted(twice) as server:
        shared = Transport(settings(server.url), {})
        answers = [shared.send("GET", server.url, {}, b"", server.url, Deadline.after(20)) for _ in range(2)]
    assert [answer.body for answer in answers] == [b"1", b"2"]
    assert b"cookie" not in second[0].lower()


def test_a_chunked_answer_and_a_compressed_one() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n"
    packed = http(200, gzip.compress(b"[2]"), "Content-Encoding: gzip")
    with scripted(lambda c: c.sendall(chunked), lambda c: c.sendall(packed)) as server:
        assert send(server.url).body == b"[1]"
        assert send(server.url).body == b"[2]"


def test_a_redirect_is_not_followed() -> None:
    with scripted(says(302, b"", "Location: http://127.0.0.1:1/")) as server:
        assert send(server.url).status == 302


def test_interim_answers_are_skipped_and_the_next_call_gets_its_own() -> None:
    def interim_then_two(connection: socket.socket) -> None:
        early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(early + http(201, b"1", "Connection: keep-alive"))
        connection.recv(65_536)
        connection.sendall(http(404, b"2"))

    with scripted(interim_then_two) as server:
        shared = Transport(settings(server.url), {})
        answers = [shared.send("GET", server.url, {}, b"", server.url, Deadline.after(20)) for _ in range(2)]
    assert [(answer.status, answer.body) for answer in answers] == [(201, b"1"), (404, b"2")]


def test_a_switch_of_protocols_that_nobody_asked_for_ends_its_connection() -> None:
    def switch(connection: socket.socket) -> None:
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + http(200, b"of the first", "Connection: keep-alive")
        )
        # Held open: were it used again, the second call would read what belongs to the first.
        server.released.wait()

    with scripted(switch) as server, scripted(says(200, b"of the second")) as other:
        shared = Transport(settings(server.url), {})
        first = shared.send("GET", server.url, {}, b"", server.url, Deadline.after(20))
        pools = shared._session.get_adapter(server.url).poolmanager.pools  # type: ignore[attr-defined]
        keys = pools.keys()
        kept = [one for key in keys for one in pools[key].pool.queue if one is not None and one.sock is not None]
        second = shared.send("GET", other.url, {}, b"", other.url, Deadline.after(20))
    assert (first.status, kept, second.body) == (101, [], b"of the second")


def test_a_file_of_authorities_that_does_not_exist_is_an_error_at_start() -> None:
    with pytest.raises(ConfigurationError, match="REQUESTS_CA_BUNDLE"):
        Transport(settings(), {"REQUESTS_CA_BUNDLE": "/nonexistent/authorities.pem"})


def test_a_file_of_authorities_that_goes_away_sends_nothing(tmp_path: Path) -> None:
    file = tmp_path / "authorities.pem"
    file.touch()
    gone = Transport(settings(), {"REQUESTS_CA_BUNDLE": str(file)})
    file.unlink()
    with pytest.raises(NotSent, match="REQUESTS_CA_BUNDLE") as caught:
        gone.send("POST", "https://127.0.0.1:9/", {}, b"", "https://127.0.0.1:9", Deadline.after(20))
    assert caught.value.kind == "internal"


def test_a_proxy_of_a_kind_that_is_not_spoken_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(NotSent) as caught:
        Transport(settings(), {}).send("POST", BASE, {}, b"", BASE, Deadline.after(20))
    assert caught.value.kind == "internal"


def test_a_flood_of_interim_answers_ends_with_the_deadline() -> None:
    def flood(connection: socket.socket) -> None:
        with suppress(OSError):
            while not server.released.is_set():
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n")

    with scripted(flood) as server, pytest.raises(NoAnswer) as caught:
        send(server.url, Deadline.after(0.4))
    assert caught.value.kind == "deadline_exceeded"


@pytest.mark.parametrize("location", ["http://[bad", "\xff", "http://127.0.0.1:1/"])
def test_where_a_redirect_leads_and_what_it_holds_is_not_looked_at(
    location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MOST_ANSWER", 1000)
    step = (
        b"HTTP/1.1 302 X\r\nLocation: " + location.encode("latin-1") + b"\r\nContent-Length: 2000\r\n\r\n" + b"1" * 2000
    )
    with scripted(lambda c: c.sendall(step)) as server, pytest.raises(UnreadableAnswer, match="larger than 1000"):
        send(server.url)


def test_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(NotSent, match=f"no connection to http://127.0.0.1:{port}") as caught:
        send(f"http://127.0.0.1:{port}")
    assert (caught.value.kind, caught.value.refused, caught.value.in_doubt) == ("unavailable", True, False)


def test_a_connection_that_is_not_made_in_time() -> None:
    # A listener whose queue is full lets further connections wait.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        try:
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(("127.0.0.1", port))
            with pytest.raises(NotSent):
                send(f"http://127.0.0.1:{port}", connect_timeout_s=0.2)
        finally:
            for one in waiting:
                one.close()


def test_no_answer_in_time() -> None:
    with scripted("hang") as server, pytest.raises(NoAnswer, match="did not answer in time") as caught:
        send(server.url, Deadline.after(0.3))
    assert (caught.value.kind, caught.value.in_doubt, caught.value.refused) == ("deadline_exceeded", True, False)


HEAD = b"HTTP/1.1 200 OK\r\nX-A: "
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;"


@pytest.mark.parametrize(
    "start",
    [
        b"",
        HEAD,
        CHUNKED,
        http(200, b"[", "Connection: keep-alive", length=100_000),
        http(200, b"[", "Connection: close", length=100_000),
    ],
)
def test_an_answer_that_drips_past_the_deadline(start: bytes) -> None:
    def drip(connection: socket.socket) -> None:
        # A byte now and then, so that no single read ever times out, until the client has gone or the test is over.
        connection.sendall(start)
        with suppress(OSError):
            while not server.released.wait(0.02):
                connection.sendall(b"1")

    with scripted(drip) as server, pytest.raises(NoAnswer) as caught:
        send(server.url, Deadline.after(0.4))
    assert caught.value.kind == "deadline_exceeded"


def test_time_that_runs_out_while_connecting_sends_nothing() -> None:
    moments = iter([0.0, *[9.0] * 9])
    with scripted(says(200)) as server, pytest.raises(OutOfTime, match="connecting"):
        send(server.url, Deadline(5.0, lambda: next(moments)))


def test_tls_to_a_server_that_speaks_none_sends_nothing() -> None:
    with scripted(says(400)) as server, pytest.raises(NotSent):
        send(server.url.replace("http:", "https:"))


def test_an_address_that_is_none_sends_nothing() -> None:
    with pytest.raises(NotSent) as caught:
        send("https://a..b")
    assert caught.value.kind == "internal"


def test_no_time_left_sends_nothing() -> None:
    with scripted(says(200)) as server, pytest.raises(OutOfTime):
        send(server.url, Deadline.after(0))
    assert server.asked == []


@pytest.mark.parametrize("after", [b"", http(200, b"[1", length=100), http(200, b"[1", length=100)[:20]])
def test_reset_before_in_and_amid_the_answer(after: bytes) -> None:
    with scripted(resets(after)) as server, pytest.raises(NoAnswer, match="broke") as caught:
        send(server.url)
    assert (caught.value.kind, caught.value.in_doubt) == ("unavailable", True)


@pytest.mark.parametrize(
    "broken",
    [http(200, b"[1", length=100), b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"\0\0\r\n\r\n"],
)
def test_an_answer_that_ends_early_or_is_no_http(broken: bytes) -> None:
    with scripted(lambda c: c.sendall(broken)) as server, pytest.raises(NoAnswer):
        send(server.url)


def test_an_answer_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MOST_ANSWER", 1000)
    with scripted(says(200, b"1" * 1001)) as server, pytest.raises(UnreadableAnswer, match="larger than 1000 bytes"):
        send(server.url)


def test_a_body_that_is_not_what_its_encoding_says() -> None:
    with scripted(says(200, b"plain", "Content-Encoding: gzip")) as server, pytest.raises(NoAnswer):
        send(server.url)


def failing(error: Exception) -> Exception:
    with responses.RequestsMock() as fake:
        fake.post(BASE + "/a%7Eb", body=error)
        with pytest.raises((NotSent, NoAnswer)) as caught:
            Transport(settings(), {}).send("POST", BASE + "/a%7Eb?c=d", {}, b"", BASE, Deadline.after(20))
    return caught.value


def wrapped(reason: Exception) -> MaxRetryError:
    return MaxRetryError(None, "/", reason)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "kind", "in_doubt"),
    [
        (requests.ConnectTimeout(wrapped(ConnectTimeoutError("slow"))), "unavailable", False),
        (requests.ConnectionError(wrapped(NameResolutionError("h", None, socket.gaierror("x")))), "unavailable", False),  # type: ignore[arg-type]
        (requests.exceptions.ProxyError("no tunnel"), "unavailable", False),
        (
            requests.exceptions.SSLError(wrapped(SSLError(ssl.SSLCertVerificationError("self-signed")))),
            "internal",
            False,
        ),
        (requests.exceptions.SSLError(wrapped(SSLError("record layer"))), "unavailable", True),
        (requests.ReadTimeout("slow"), "deadline_exceeded", True),
        (requests.ConnectionError("aborted"), "unavailable", True),
        (requests.exceptions.ChunkedEncodingError("broken"), "unavailable", True),
    ],
)
def test_each_fault_of_requests_is_told_apart(error: Exception, kind: str, in_doubt: bool) -> None:
    told = failing(error)
    assert isinstance(told, (NotSent, NoAnswer))
    assert (told.kind, told.in_doubt, told.refused) == (kind, in_doubt, not in_doubt)


def test_a_certificate_that_fails_names_the_setting() -> None:
    reason = wrapped(SSLError(ssl.SSLCertVerificationError("self-signed")))
    assert "REQUESTS_CA_BUNDLE" in str(failing(requests.exceptions.SSLError(reason)))


def test_proxies_and_authorities_are_read_once_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    monkeypatch.setenv("NO_PROXY", "elb.cn-north-4.example.com")
    shared = Transport(settings(), {"REQUESTS_CA_BUNDLE": __file__})
    monkeypatch.delenv("HTTPS_PROXY")
    seen: list[dict[str, Any]] = []

    def note(_: requests.PreparedRequest, **options: Any) -> requests.Response:
        seen.append(options)
        raise requests.ConnectionError("stop here")

    monkeypatch.setattr(shared._session.get_adapter(BASE), "send", note)
    for base in ("https://apig.cn-north-4.example.com", BASE, "http://127.0.0.1:9"):
        with pytest.raises(NoAnswer):
            shared.send("GET", base, {}, b"", base, Deadline.after(20))
    assert [options["proxies"].get("https") for options in seen] == ["http://proxy.invalid:3128", None, None]
    assert {options["verify"] for options in seen} == {__file__}


def test_an_emulator_that_was_not_deployed_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "functions.cloud.emulator.adapter", None)
    with pytest.raises(ConfigurationError, match="not among the files that are deployed"):
        Transport(settings("local"), {})


def test_a_trail_is_true_while_a_request_is_under_way_and_not_before_it_can_be_sent() -> None:
    with scripted("hang") as server:
        trail = Trail()
        with pytest.raises(NoAnswer):
            Transport(settings(server.url), {}).send("GET", server.url, {}, b"", server.url, Deadline.after(0.3), trail)
        assert trail.sent
    unsent = Trail()
    with pytest.raises(NotSent):
        Transport(settings(server.url), {}).send("GET", server.url, {}, b"", server.url, Deadline.after(5), unsent)
    assert not unsent.sent


def test_nothing_is_sent_once_the_deadline_has_passed_while_connecting() -> None:
    moments = itertools.chain([0.0], itertools.repeat(9.0))
    with scripted("hang") as server:
        trail = Trail()
        deadline = Deadline(5.0, lambda: next(moments))
        with pytest.raises(OutOfTime):
            Transport(settings(server.url), {}).send("POST", server.url, {}, b"{}", server.url, deadline, trail)
        assert not trail.sent
    assert server.asked in ([], [b""])
