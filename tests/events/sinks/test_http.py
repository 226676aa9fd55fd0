"""The http sink against real sockets: what is sent, how it is signed, what each answer means, and that no receiver holds it up."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from events.cloudevents import CloudEvent
from events.cloudevents.http import from_http
from events.sinks import SinkGone, SinkRefused, SinkUnavailable
from events.sinks.http import MOST_WAIT_S, Http
from functions.cloud.errors import ConfigurationError
from tests.events.sinks.support import EVENT, event, receiving
from tests.support import http, resets, says, scripted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support import Scripted

SECRETS = ("hunter2", "t0ken", "secret-path")


@contextmanager
def sink(url: str, environ: dict[str, str] | None = None, **options: Any) -> Iterator[Http]:
    with closing(Http(url, environ or {}, **{"timeout_s": 5.0} | options)) as made:
        yield made


def refusal(served: Scripted, **options: Any) -> SinkUnavailable:
    """Return what emitting to a scripted receiver raises, under a URL full of secrets that its text must not tell."""
    url = served.url.replace("://", f"://user:{SECRETS[0]}@") + f"/{SECRETS[2]}?key={SECRETS[1]}"
    with sink(url, **options) as made, pytest.raises(SinkUnavailable) as caught:
        made.emit(EVENT)
    assert not [secret for secret in SECRETS if secret in str(caught.value)]
    assert served.url in str(caught.value)
    return caught.value


class TestWhatIsSent:
    def test_structured(self) -> None:
        with receiving() as receiver, sink(f"{receiver.url}/results?a=1#never") as made:
            made.emit(EVENT)
        (post,) = receiver.posts
        assert (post.path, post.headers["content-type"]) == ("/results?a=1", "application/cloudevents+json")
        assert from_http(post.headers, post.body) == EVENT

    def test_binary(self) -> None:
        with receiving() as receiver, sink(receiver.url, mode="binary") as made:
            made.emit(EVENT)
        (post,) = receiver.posts
        assert (post.path, post.headers["content-type"]) == ("/", "application/json")
        assert from_http(post.headers, post.body) == EVENT

    def test_an_event_without_data(self) -> None:
        with receiving() as receiver, sink(receiver.url, mode="binary") as made:
            made.emit(CloudEvent("1", "/a", "b"))
        assert (receiver.posts[0].body, receiver.posts[0].headers["content-length"]) == (b"", "0")

    def test_a_user_and_a_password_go_into_a_header(self) -> None:
        with receiving() as receiver, sink(receiver.url.replace("://", "://user:pass%20word@")) as made:
            made.emit(EVENT)
        assert receiver.posts[0].headers["authorization"] == "Basic dXNlcjpwYXNzIHdvcmQ="
        assert receiver.posts[0].path == "/"
        assert receiver.posts[0].headers["host"] == receiver.url.removeprefix("http://")

    def test_an_event_that_cannot_be_written_is_refused(self) -> None:
        broken = CloudEvent("1", "/a", "b", "é", datacontenttype="text/plain; charset=us-ascii")
        with sink("http://localhost:1", mode="binary") as made, pytest.raises(SinkRefused, match="us-ascii"):
            made.emit(broken)

    def test_connections_are_kept(self) -> None:
        with receiving(lambda number: [200, 204, 503][number % 3]) as receiver, sink(receiver.url) as made:
            for number in range(6):
                with suppress(SinkUnavailable):
                    made.emit(event(number))
        assert len(receiver.posts) == 6
        assert len({post.client for post in receiver.posts}) == 1

    def test_threads_share_it(self) -> None:
        with receiving() as receiver, sink(receiver.url) as made, ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: made.emit(event(number)), range(200)))
        assert sorted(post.body for post in receiver.posts) == sorted(
            b'{"specversion":"1.0","id":"e%d","source":"/a","type":"b","data":{"number":%d}}' % (number, number)
            for number in range(200)
        )


class TestAnswers:
    @pytest.mark.parametrize("status", [200, 201, 202, 204, 206])
    def test_taken(self, status: int) -> None:
        with scripted(says(status)) as served, sink(served.url) as made:
            made.emit(EVENT)
        assert len(served.asked) == 1

    def test_an_interim_answer_is_not_the_answer(self) -> None:
        early = b"HTTP/1.1 103 Early Hints\r\n\r\n"
        with scripted(lambda connection: connection.sendall(early + http(410))) as served:
            assert isinstance(refusal(served), SinkGone)

    @pytest.mark.parametrize("status", [400, 413, 415, 422])
    def test_this_very_event_is_refused(self, status: int) -> None:
        with scripted(says(status)) as served:
            error = refusal(served)
        assert isinstance(error, SinkRefused)
        assert f"HTTP {status}" in str(error)
        assert EVENT.id in str(error)

    def test_gone(self) -> None:
        with scripted(says(410)) as served:
            error = refusal(served)
        assert isinstance(error, SinkGone)
        assert "take it out of the settings" in str(error)

    @pytest.mark.parametrize(
        ("status", "told"),
        [
            (101, "only 2xx"),
            (301, "redirects"),
            (307, "redirects"),
            (401, "secret"),
            (403, "secret"),
            (404, "path"),
            (405, "path"),
            (408, "only 2xx"),
            (409, "only 2xx"),
            (429, "fewer"),
            (500, "log"),
            (502, "log"),
            (503, "log"),
            (504, "log"),
        ],
    )
    def test_anything_else_may_be_otherwise_later(self, status: int, told: str) -> None:
        with scripted(says(status)) as served:
            error = refusal(served)
        assert (type(error), error.retry_after_s) == (SinkUnavailable, None)
        assert f"HTTP {status}" in str(error)
        assert told in str(error)

    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    @pytest.mark.parametrize(
        ("header", "wait_s"), [("7", 7.0), ("0", 0.0), ("999999999", MOST_WAIT_S), ("soon", None), ("-1", None)]
    )
    def test_a_wait_that_is_asked_for(self, status: int, header: str, wait_s: float | None) -> None:
        with scripted(says(status, b"", f"Retry-After: {header}")) as served:
            assert refusal(served).retry_after_s == wait_s

    def test_a_wait_until_a_date(self) -> None:
        date = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=100), usegmt=True)
        with scripted(says(503, b"", f"Retry-After: {date}")) as served:
            wait_s = refusal(served).retry_after_s
        assert wait_s is not None
        assert 60 < wait_s <= 100

    @pytest.mark.parametrize("status", [301, 404])
    def test_others_do_not_ask_for_a_wait(self, status: int) -> None:
        with scripted(says(status, b"", "Retry-After: 7")) as served:
            assert refusal(served).retry_after_s is None

    def test_a_redirect_is_not_followed(self) -> None:
        with receiving() as other, scripted(says(307, b"", f"Location: {other.url}/")) as served:
            refusal(served)
        assert (len(served.asked), other.posts) == (1, [])


class TestNoAnswer:
    def test_nobody_is_there(self) -> None:
        with scripted() as served:
            pass
        error = refusal(served)
        assert "check that it runs" in str(error)
        assert (error.__cause__, error.__suppress_context__) == (None, True)

    @pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 2", b"no http at all\r\n\r\n", b"HTTP/1.1 20x OK\r\n\r\n"])
    def test_it_breaks_off(self, sent: bytes) -> None:
        with scripted(resets(sent)) as served:
            assert "broke before it answered" in str(refusal(served))

    def test_it_never_answers(self) -> None:
        with scripted("hang") as served:
            began = time.monotonic()
            assert "within 0.3 s" in str(refusal(served, timeout_s=0.3))
            assert time.monotonic() - began < 2

    @pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nX-Long: "])
    def test_it_drips_its_answer(self, head: bytes) -> None:
        with scripted(drips(head)) as served:
            began = time.monotonic()
            assert "within 0.4 s" in str(refusal(served, timeout_s=0.4))
            assert time.monotonic() - began < 2

    @pytest.mark.parametrize(
        "head",
        [
            b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n",
        ],
    )
    def test_what_it_drips_after_its_status_counts_for_nothing(self, head: bytes) -> None:
        with scripted(drips(head)) as served, sink(served.url, timeout_s=0.4) as made:
            began = time.monotonic()
            made.emit(EVENT)
            assert time.monotonic() - began < 2

    @pytest.mark.parametrize("status", [200, 503])
    def test_a_huge_answer_is_not_read(self, status: int) -> None:
        sent: list[int] = []

        def floods(connection: socket.socket) -> None:
            connection.sendall(f"HTTP/1.1 {status} X\r\n\r\n".encode())
            with suppress(OSError):
                while sum(sent) < 500_000_000:
                    sent.append(connection.send(b"x" * 65_536))

        with scripted(floods) as served, sink(served.url, timeout_s=20.0) as made, suppress(SinkUnavailable):
            made.emit(EVENT)
        assert sum(sent) < 100_000_000

    def test_an_answer_that_breaks_off_after_its_status_has_counted(self) -> None:
        with scripted(resets(http(200, "ok", length=10))) as served, sink(served.url) as made:
            made.emit(EVENT)

    def test_it_reads_slowly(self) -> None:
        over = threading.Event()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)

            def reads() -> None:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    while connection.recv(16_384) and not over.wait(0.005):
                        pass

            thread = threading.Thread(target=reads)
            thread.start()
            big = CloudEvent("1", "/a", "b", "x" * 20_000_000)
            began = time.monotonic()
            with sink(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_s=0.5) as made:
                with pytest.raises(SinkUnavailable, match="within"):
                    made.emit(big)
                assert time.monotonic() - began < 3
            over.set()
            thread.join()

    def test_the_next_event_is_not_answered_by_what_was_left_of_the_last(self) -> None:
        with (
            scripted(says(200, b"x" * 9000 + http(410)), says(204)) as served,
            sink(served.url) as made,
        ):
            made.emit(EVENT)
            made.emit(EVENT)
        assert len(served.asked) == 2


def drips(head: bytes) -> Any:
    """Return a step that sends these bytes and then one more every now and then, for longer than any test waits."""

    def step(connection: socket.socket) -> None:
        pause = threading.Event()
        with suppress(OSError):
            connection.sendall(head)
            for _ in range(400):
                pause.wait(0.05)
                connection.sendall(b"1")

    return step


class TestTheWay:
    @pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY"])
    def test_a_proxy_is_read_once_at_start(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        clean(monkeypatch)
        with scripted(says(204), says(204)) as proxy:
            monkeypatch.setenv(name, proxy.url)
            with sink("http://receiver.example/path") as made:
                monkeypatch.setenv(name, "http://127.0.0.1:1")
                made.emit(EVENT)
                made.emit(EVENT)
        assert [asked.partition(b"\r\n")[0] for asked in proxy.asked] == [
            b"POST http://receiver.example/path HTTP/1.1"
        ] * 2

    def test_none_where_none_is_wanted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clean(monkeypatch)
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        with scripted(says(204)) as served, sink(served.url) as made:
            made.emit(EVENT)  # This machine is never behind a proxy.
        monkeypatch.setenv("NO_PROXY", "receiver.example")
        look_up = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", lambda host, *args: look_up("127.0.0.1", *args))
        with scripted(says(204)) as served, sink(served.url.replace("127.0.0.1", "receiver.example")) as made:
            made.emit(EVENT)
        assert len(served.asked) == 1

    def test_a_proxy_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clean(monkeypatch)
        monkeypatch.setenv("HTTP_PROXY", "http://user:hunter2@127.0.0.1:1")
        with sink("http://receiver.example") as made, pytest.raises(SinkUnavailable) as caught:
            made.emit(EVENT)
        assert "or to the proxy before it" in str(caught.value)
        assert "hunter2" not in str(caught.value)

    def test_a_netrc_file_is_not_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "netrc").write_text("machine localhost login a password b\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        with receiving() as receiver, sink(receiver.url) as made:
            made.emit(EVENT)
        assert "authorization" not in receiver.posts[0].headers

    def test_certificates(self, tmp_path: Path) -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        with receiving(tls=context) as receiver:
            for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
                with sink(receiver.url, {name: str(tmp_path / "ca.pem")}) as made:
                    made.emit(EVENT)
            with sink(receiver.url) as made, pytest.raises(SinkUnavailable, match="REQUESTS_CA_BUNDLE") as caught:
                made.emit(EVENT)
        assert receiver.url in str(caught.value)
        assert [post.body for post in receiver.posts] == [receiver.posts[0].body] * 2

    def test_authorities_that_are_not_there(self) -> None:
        with pytest.raises(ConfigurationError, match="REQUESTS_CA_BUNDLE"):
            Http("https://localhost", {"REQUESTS_CA_BUNDLE": "/no/such.pem"})

    @pytest.mark.parametrize("url", ["https://", "receiver", "https://exa mple/", "https://é\u0080.example"])
    def test_what_is_no_url(self, url: str) -> None:
        with pytest.raises(ConfigurationError, match="https://host/path"):
            Http(url, {})


def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
