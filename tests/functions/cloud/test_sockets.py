"""Connections over TLS and through a proxy: the same deadline byte by byte, the same truth about what was sent."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from functions.cloud.deadline import Deadline
from functions.cloud.errors import NoAnswer, NotSent
from functions.cloud.transport import Transport
from tests.support import http, says, scripted, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from functions.cloud.answers import Answer


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    return {"REQUESTS_CA_BUNDLE": str(file)}


def over_tls(authority: trustme.CA, step: Callable[[ssl.SSLSocket], None]) -> Callable[[socket.socket], None]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def shake_hands(connection: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
            while b"\r\n\r\n" not in secure.recv(65_536):
                pass
            step(secure)

    return shake_hands


@contextmanager
def listening(step: Callable[[socket.socket], None], connections: int = 1) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def play() -> None:
            with suppress(OSError):
                for _ in range(connections):
                    connection, _ = listener.accept()
                    with connection:
                        step(connection)

        thread = threading.Thread(target=play)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def get(base: str, environ: dict[str, str], deadline: Deadline | None = None, **changes: Any) -> Answer:
    return Transport(settings(base, **changes), environ).send(
        "GET", base + "/x", {}, b"", base, deadline or Deadline.after(20)
    )


def test_an_answer_over_tls(authority: trustme.CA, trusted: dict[str, str]) -> None:
    with listening(over_tls(authority, lambda secure: secure.sendall(http(200, b"[1]")))) as address:
        assert get(f"https://{address}", trusted).body == b"[1]"


def test_an_answer_that_drips_over_tls_ends_with_the_deadline(authority: trustme.CA, trusted: dict[str, str]) -> None:
    over = threading.Event()

    def drip(secure: ssl.SSLSocket) -> None:
        secure.sendall(http(200, b"[", length=100_000))
        while not over.wait(0.02):
            secure.sendall(b"1")

    with listening(over_tls(authority, drip)) as address:
        with pytest.raises(NoAnswer) as caught:
            get(f"https://{address}", trusted, Deadline.after(0.5))
        over.set()
    assert caught.value.kind == "deadline_exceeded"


def test_a_certificate_that_nobody_vouches_for_sends_nothing(authority: trustme.CA) -> None:
    step = over_tls(authority, lambda secure: secure.sendall(http(200, b"[1]")))
    with listening(step) as address, pytest.raises(NotSent, match="REQUESTS_CA_BUNDLE") as caught:
        get(f"https://{address}", {})
    assert (caught.value.kind, caught.value.refused) == ("internal", True)


def through(proxy: str, monkeypatch: pytest.MonkeyPatch, base: str, environ: dict[str, str], **changes: Any) -> Any:
    monkeypatch.setenv("https_proxy", f"http://{proxy}")
    monkeypatch.setenv("http_proxy", f"http://{proxy}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setattr("functions.cloud.transport.is_loopback", lambda _: False)
    return get(base, environ, **changes)


def test_a_tunnel_through_a_proxy(
    authority: trustme.CA, trusted: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []

    def tunnel(connection: socket.socket) -> None:
        asked.append(connection.recv(65_536))
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        over_tls(authority, lambda secure: secure.sendall(http(200, b"[1]")))(connection)

    with listening(tunnel) as proxy:
        assert through(proxy, monkeypatch, "https://127.0.0.1:9", trusted).body == b"[1]"
    assert asked[0].startswith(b"CONNECT 127.0.0.1:9 HTTP/1.")


def test_an_answer_that_is_lost_in_a_tunnel_leaves_a_doubt(
    authority: trustme.CA, trusted: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def tunnel(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        over_tls(authority, lambda _: None)(connection)

    with listening(tunnel) as proxy, pytest.raises(NoAnswer) as caught:
        through(proxy, monkeypatch, "https://127.0.0.1:9", trusted)
    assert caught.value.in_doubt


def test_a_proxy_that_is_silent_is_given_up_on_as_in_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted("hang") as proxy, pytest.raises(NotSent):
        through(proxy.url.removeprefix("http://"), monkeypatch, "https://127.0.0.1:9", {}, connect_timeout_s=0.2)


def test_a_proxy_that_refuses_the_tunnel_has_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(says(407, b"")) as proxy, pytest.raises(NotSent, match="no connection"):
        through(proxy.url.removeprefix("http://"), monkeypatch, "https://127.0.0.1:9", {})
