"""The small server of its own: what it answers on a real socket, to whom, where it listens, and that it ends."""

from __future__ import annotations

import http.client
import json
import socket
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from events.metrics import Metrics, serving
from events.metrics.counted import Counted
from events.metrics.exposition import OPENMETRICS, TEXT
from events.metrics.serving import DEFAULT_BIND, MetricsServer, serve
from functions.cloud.errors import ConfigurationError
from tests.events.metrics.support import value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPResponse

HERE = "127.0.0.1:0"


def place(server: MetricsServer) -> tuple[str, int]:
    host, _, port = server.url.removeprefix("http://").removesuffix("/metrics").rpartition(":")
    return host.strip("[]"), int(port)


@contextmanager
def asked(
    server: MetricsServer, method: str = "GET", path: str = "/metrics", **headers: str
) -> Iterator[tuple[HTTPResponse, bytes]]:
    connection = http.client.HTTPConnection(*place(server), timeout=20)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): said for name, said in headers.items()})
        response = connection.getresponse()
        yield response, response.read()
    finally:
        connection.close()


def raw(server: MetricsServer, sent: bytes) -> bytes:
    with socket.create_connection(place(server), timeout=20) as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.fixture
def counted() -> Counted:
    counted = Counted("local")
    counted.settled("dead")
    return counted


@pytest.fixture
def server(counted: Counted) -> Iterator[MetricsServer]:
    with serve(counted, HERE) as server:
        yield server


def test_it_tells_what_was_counted_and_what_is_counted_then(counted: Counted, server: MetricsServer) -> None:
    for dead in (1, 2):
        with asked(server) as (response, body):
            assert (response.status, response.getheader("Content-Type")) == (200, TEXT)
            assert response.getheader("Cache-Control") == "no-store"
            assert response.getheader("Content-Length") == str(len(body))
            assert value(body.decode(), "hongyan_messages_total", end="dead") == dead
        counted.settled("dead")


def test_openmetrics_is_answered_where_it_is_accepted(server: MetricsServer) -> None:
    with asked(server, Accept="application/openmetrics-text") as (response, body):
        assert response.getheader("Content-Type") == OPENMETRICS
        assert body.endswith(b"# EOF\n")


def test_head_is_the_same_without_its_body(server: MetricsServer) -> None:
    with asked(server, "HEAD") as (response, body):
        assert (response.status, body) == (200, b"")
        assert response.getheader("Content-Type") == TEXT
        assert int(response.getheader("Content-Length") or 0) > 100


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/", 404, "not_found"),
        ("GET", "/metrics/", 404, "not_found"),
        ("GET", "/favicon.ico", 404, "not_found"),
        ("POST", "/metrics", 405, "invalid_argument"),
        ("DELETE", "/metrics", 405, "invalid_argument"),
    ],
)
def test_nothing_else_is_there(server: MetricsServer, method: str, path: str, status: int, kind: str) -> None:
    with asked(server, method, path) as (response, body):
        assert (response.status, response.getheader("Content-Type")) == (status, "application/problem+json")
        assert json.loads(body)["kind"] == kind
        assert response.getheader("Allow") == ("GET, HEAD" if status == 405 else None)


@pytest.mark.parametrize("query", ["?", "?name[]=hongyan_events_total", "?%ff"])
def test_a_query_changes_nothing(server: MetricsServer, query: str) -> None:
    with asked(server, path="/metrics" + query) as (response, body):
        assert response.status == 200
        assert b"python_info" in body


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "metrics.example"},
        {"Host": "127.0.0.1.example:9464"},
        {"X_Forwarded_For": "192.0.2.1"},
        {"Via": "1.1 proxy"},
    ],
)
def test_local_is_not_for_other_names_nor_for_what_came_through_a_proxy(
    server: MetricsServer, headers: dict[str, str]
) -> None:
    with asked(server, **headers) as (response, body):
        assert (response.status, response.getheader("Content-Type")) == (403, "application/problem+json")
        assert b"hongyan_messages" not in body
    with serve(Counted("any"), HERE) as everybody, asked(everybody, **headers) as (response, _):
        assert response.status == 200


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01 \r\n\r\n", b"GET\r\n\r\n", b"GET /metrics HTTP/9.9\r\n\r\n", b"G" * 70_000]
)
def test_what_is_no_http_is_told_so_without_a_page_or_a_trace(
    server: MetricsServer, sent: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert b"<" not in raw(server, sent)
    with asked(server) as (response, _):
        assert response.status == 200
    assert capsys.readouterr() == ("", "")


def test_it_says_nothing_of_the_python_that_it_runs_on(server: MetricsServer) -> None:
    assert b"Python" not in raw(server, b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")


def test_who_drips_its_request_is_hung_up_on(counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "_MOST_S", 0.2)
    with serve(counted, HERE) as server:
        assert raw(server, b"GET /metrics HTTP/1.1\r\nHost: local") == b""


def test_too_many_at_once_are_hung_up_on_and_the_server_goes_on(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_MOST_AT_ONCE", 1)
    with serve(counted, HERE) as server:
        with socket.create_connection(place(server), timeout=20) as first:
            # Connections are accepted in their order: this one has the only place.
            with socket.create_connection(place(server), timeout=20) as second:
                assert second.recv(10) == b""
            first.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"".join(iter(lambda: first.recv(65_536), b"")).startswith(b"HTTP/1.0 200 ")
        assert answers_soon(server)


def answers_soon(server: MetricsServer) -> bool:
    """Whether it answers before 20 s are over: the place is free as soon as the thread that had it has ended."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with suppress(ConnectionError), asked(server) as (response, _):
            return response.status == 200
    return False


def test_closed_it_listens_no_more_and_may_be_closed_again(counted: Counted) -> None:
    server = serve(counted, HERE)
    where = place(server)
    server.close()
    server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(where, timeout=5)
    with serve(counted, f"127.0.0.1:{where[1]}") as again, asked(again) as (response, _):
        assert response.status == 200


def test_a_port_that_is_taken_is_an_error_that_names_the_variable(counted: Counted, server: MetricsServer) -> None:
    taken = f"127.0.0.1:{place(server)[1]}"
    with pytest.raises(
        ConfigurationError, match=rf"HONGYAN_METRICS_BIND: cannot listen at {taken}: Address already in use"
    ):
        serve(counted, taken)


def test_ipv6_is_listened_at_too(counted: Counted) -> None:
    with serve(counted, "[::1]:0") as server:
        assert server.url.startswith("http://[::1]:")
        with asked(server, Host="[::1]:9464") as (response, _):
            assert response.status == 200


@pytest.mark.parametrize(
    "bind", ["", "9464", ":9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:9464", "a b:1", "/tmp/x"]
)
def test_what_is_no_address_is_refused(counted: Counted, bind: str) -> None:
    with pytest.raises(ConfigurationError, match=r"HONGYAN_METRICS_BIND must be like 127\.0\.0\.1:9464"):
        serve(counted, bind)


@pytest.mark.parametrize("bind", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"])
def test_local_listens_on_its_own_machine_only(counted: Counted, bind: str) -> None:
    with pytest.raises(ConfigurationError, match=r"must be on this machine, .* unless HONGYAN_METRICS is any"):
        serve(counted, bind)


def test_any_may_listen_everywhere() -> None:
    with serve(Counted("any"), "0.0.0.0:0") as server:
        assert server.url.startswith("http://0.0.0.0:")


def test_the_default_is_this_machine() -> None:
    assert DEFAULT_BIND == "127.0.0.1:9464"


def test_where_nothing_is_counted_it_says_so() -> None:
    with serve(Metrics(), HERE) as server, asked(server) as (response, _):
        assert response.status == 404
