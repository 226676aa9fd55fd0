"""One Redis server: what its errors mean, that no secret is told, TLS, scripts that it does not know, connections that have ended."""

from __future__ import annotations

import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from events import redisserver
from events.redisserver import NoGroup, RedisServer, Script
from functions.cloud.errors import ConfigurationError
from tests.events.queues.relay import Relay
from tests.events.queues.support import until
from tests.events.redisservers import answering, own
from tests.events.tls import authority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.events.redisservers import OwnRedis


class Away(Exception):
    pass


class Wrong(Exception):
    pass


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    with own(tmp_path_factory.mktemp("redis")) as server:
        yield server


def at(port: int, *, connections: int = 1, user: str = "", **options: str) -> RedisServer:
    scheme = "rediss" if options else "redis"
    return RedisServer(f"{scheme}://{user}127.0.0.1:{port}/0", options, Away, Wrong, connections=connections)


def relayed(port: int) -> tuple[Relay, RedisServer]:
    relay = Relay(port)
    return relay, at(relay.port)


# What it says


@pytest.mark.parametrize(
    "answer",
    [
        "-OOM command not allowed when used memory > 'maxmemory'.",
        "-READONLY You can't write against a read only replica.",
        "-LOADING Redis is loading the dataset in memory",
        "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "-CLUSTERDOWN The cluster is down",
        "-TRYAGAIN Multiple keys request during rehashing of slot",
        "-NOREPLICAS Not enough good replicas to write.",
        "-MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
        "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        "-ERR max number of clients reached",
        "-ERR Error running script (call to f_1): @user_script:7: @user_script: 7: -OOM command not allowed when used memory",
    ],
)
def test_what_passes_is_unavailable(answer: str) -> None:
    with answering(answer) as port:
        server = at(port)
        # Without the word that tells what it is: redis-py may keep it for itself.
        with pytest.raises(Away, match=rf"^redis://127\.0\.0\.1:{port}/0: .*{answer[-12:-3]}"):
            server.command("GET", "key")
        server.close()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("-WRONGTYPE Operation against a key holding the wrong kind of value", "wrong kind of value"),
        ("-NOPERM this user has no permissions to run the 'get' command", "no permissions"),
        ("-NOAUTH Authentication required.", "Authentication required"),
        ("-MOVED 1 127.0.0.1:1", "127.0.0.1:1 is another node of its cluster"),
        ("-ERR unknown command 'XAUTOCLAIM', with args beginning with: ", "Redis 6.2 or newer is needed"),
        ("-ERR syntax error", "Redis 6.2 or newer is needed"),
        ("HTTP/1.1 400 Bad Request", "HTTP"),
    ],
)
def test_what_does_not_pass_is_refused(answer: str, told: str) -> None:
    with answering(answer) as port:
        server = at(port)
        with pytest.raises(Wrong, match=told):
            server.command("GET", "key")
        server.close()


@pytest.mark.parametrize("answer", ["-NOGROUP No such key 'x'", "-UNBLOCKED the stream key no longer exists"])
def test_a_group_that_is_not_there_is_told_from_the_rest(answer: str) -> None:
    with answering(answer) as port:
        server = at(port)
        with pytest.raises(NoGroup):
            server.command("XREADGROUP")
        server.close()


def test_where_in_a_script_is_nobodys_concern(server: OwnRedis) -> None:
    script = Script("return redis.call('LPUSH', KEYS[1], 'x')")
    server.client.set("text", "1")
    asked = at(server.port)
    with pytest.raises(Wrong, match=r"wrong kind of value$"):
        asked.run(script, ("text",))
    asked.close()


def test_no_server() -> None:
    server = at(1)
    for uses in (lambda: server.command("PING"), server.reconnect):
        with pytest.raises(Away, match=r"^redis://127\.0\.0\.1:1/0: .*(refused|connecting)"):
            uses()
    server.close()


# What nobody is told


def test_a_password_is_never_told(server: OwnRedis) -> None:
    wrong = at(server.port, user="user:secret@")
    with pytest.raises(Wrong) as told:
        wrong.command("PING")
    assert "secret" not in f"{told.value} {wrong.shown}"
    away = at(1, user=":secret@")
    with pytest.raises(Away) as told_away:
        away.command("PING")
    assert "secret" not in str(told_away.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:secret@host:port/0",
        "redis://:secret@host:70000/0",
        "redis://:secret@host/zero",
        "redis://:sec/ret@host/0",
        "redis://:secret@/0",
        "redis://:secret@[::1/0",
        "redis://:secret@host:0/0",
        "http://:secret@host/0",
        "secret",
    ],
)
def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"like redis://host:6379/0") as told:
        RedisServer(url, {}, Away, Wrong, connections=1)
    assert "sec" not in str(told.value)


def test_certificates_are_for_tls() -> None:
    with pytest.raises(ConfigurationError, match="ssl_ca_certs needs rediss://"):
        RedisServer("redis://host/0", {"ssl_ca_certs": "ca.pem"}, Away, Wrong, connections=1)


# How it is reached


def certified(name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(name).configure_cert(context)
    return context


def test_tls(tmp_path: Path, server: OwnRedis) -> None:
    trusted = tmp_path / "ca.pem"
    authority().cert_pem.write_to_path(str(trusted))
    relay = Relay(server.port, certified("127.0.0.1"))
    good, bad = at(relay.port, ssl_ca_certs=str(trusted)), at(relay.port, ssl_ca_certs=str(tmp_path / "none.pem"))
    assert good.command("ECHO", "x") == b"x"
    with pytest.raises(Away, match="No such file"):
        bad.command("PING")
    good.close()
    relay.close()


def test_tls_with_the_certificate_of_somebody_else(tmp_path: Path, server: OwnRedis) -> None:
    trusted = tmp_path / "ca.pem"
    authority().cert_pem.write_to_path(str(trusted))
    relay = Relay(server.port, certified("elsewhere.example"))
    asked = at(relay.port, ssl_ca_certs=str(trusted))
    with pytest.raises(Away, match="certificate"):
        asked.command("PING")
    relay.close()


def test_a_script_that_the_server_has_forgotten_is_sent_again(server: OwnRedis) -> None:
    script, asked = Script("return {KEYS[1], ARGV[1]}"), at(server.port)
    assert asked.run(script, ("key",), 7) == [b"key", b"7"]
    server.client.script_flush()
    assert asked.run(script, ("key",), b"\xff") == [b"key", b"\xff"]
    asked.close()


def test_a_connection_that_ended_while_nobody_used_it_is_made_anew(
    server: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redisserver, "_FRESH_S", 0.0)
    relay, asked = relayed(server.port)
    assert asked.command("INCR", "ended") == 1
    relay.cut()
    assert asked.command("INCR", "ended") == 2
    asked.close()
    relay.close()


def test_what_got_no_answer_is_not_sent_again(server: OwnRedis) -> None:
    relay, asked = relayed(server.port)
    asked.command("PING")
    relay.cut_after(0, answers=True)
    with pytest.raises(Away):
        asked.command("INCR", "unanswered")
    assert server.client.get("unanswered") == b"1"
    asked.reconnect()
    assert asked.command("INCR", "unanswered") == 2
    asked.close()
    relay.close()


def test_a_network_that_swallows_all_is_noticed(server: OwnRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redisserver, "ANSWER_S", 0.3)
    relay, asked = relayed(server.port)
    asked.command("PING")
    relay.hold()
    began = time.monotonic()
    with pytest.raises(Away, match=r"[Tt]imeout"):
        asked.command("PING")
    with pytest.raises(Away):
        asked.reconnect()
    assert 0.5 <= time.monotonic() - began < 5
    relay.release()
    asked.reconnect()
    asked.close()
    relay.close()


def test_an_answer_that_came_too_late_is_not_taken_for_another(
    server: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redisserver, "ANSWER_S", 0.3)
    relay, asked = relayed(server.port)
    asked.command("PING")
    relay.hold()
    with pytest.raises(Away):
        asked.command("ECHO", "late")
    relay.release()
    assert asked.command("ECHO", "new") == b"new"
    asked.close()
    relay.close()


def test_threads_share_the_connections(server: OwnRedis) -> None:
    asked = at(server.port, connections=3)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: asked.command("ECHO", number), range(400)))
    assert found == [str(number).encode() for number in range(400)]
    asked.close()


def test_who_gets_no_connection_is_told(server: OwnRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    relay, asked = relayed(server.port)
    asked.command("PING")
    relay.hold()
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(asked.command, "ECHO", "1")
        monkeypatch.setattr(redisserver, "ANSWER_S", 0.2)
        until(lambda: asked._free.empty())
        with pytest.raises(Away, match="all 1 connections are busy"):
            asked.command("ECHO", "2")
        relay.release()
        assert waits.result() == b"1"
    asked.close()
    relay.close()
