"""What is stored for later over real sockets: the production server, its processes and how they die, brokers that are away or hang."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from events.samples import sample
from events.settings import EventSettings
from events.triggers.webhook import create_app
from functions.cloud.emulator.server import serving_app
from functions.cloud.settings import CloudSettings
from tests.events.triggers.queued import asked, stored_in, until, url_of
from tests.events.triggers.served import TOKEN, Served, problem_of, served, signed

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
BODY = sample("elb.list_members")
HOOK, ASYNC = "/hooks/monitoring", {"Prefer": "respond-async"}
NEXT = iter(range(10**9))
SENDERS = """
[senders.monitoring]
scheme = "standard"
secrets = [{ env = "MONITORING" }]
operations = ["elb.list_members"]
rate = "100000/minute"

[senders.patient]
scheme = "standard"
secrets = [{ env = "MONITORING" }]
operations = ["elb.list_members"]
rate = "100000/minute"
async = true
"""


def new_id() -> str:
    return f"msg_{next(NEXT)}"


def stored(server: Served, path: str = HOOK, id_: str | None = None) -> str:
    """Send a request to be stored, and return the id that its sender was told."""
    status, headers, body = server.send(path, BODY, signed(BODY, id_ or new_id()) | ASYNC)
    assert (status, headers["content-type"]) == (202, "application/json"), body
    return str(json.loads(body)["id"])


@pytest.mark.parametrize(
    "lines",
    [
        ["respond-async"],
        ["wait=5", "Respond-Async; x=y"],
        ['a="b, c"', "return=minimal, respond-async", "handling=lenient"],
    ],
)
def test_a_preference_may_stand_in_any_of_several_headers(lines: list[str], tmp_path: Path) -> None:
    app = create_app(CloudSettings.from_env({"HONGYAN_EMULATOR": "local"}), EventSettings(queue=url_of(tmp_path)))
    with serving_app(app) as url:
        connection = HTTPConnection(url.removeprefix("http://"), timeout=20)
        connection.putrequest("POST", "/functions/elb.list_members")
        for name, value in [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]:
            connection.putheader(name, value)
        for line in lines:
            connection.putheader("Prefer", line)
        connection.endheaders(BODY)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        connection.close()
    assert (answer.status, answer.headers["Preference-Applied"]) == (202, "respond-async")
    assert [message.id for message in stored_in(tmp_path)] == [told["id"]]


WITHOUT = """
import sys
for name in ("redis", "kombu", "amqp"):
    sys.modules[name] = None
from events.settings import EventSettings
from events.triggers.webhook import create_app
from functions.cloud.errors import ConfigurationError
from functions.cloud.settings import CloudSettings

cloud = CloudSettings.from_env({"HONGYAN_EMULATOR": "local"})
print(create_app(cloud, EventSettings(queue="")).name)
for url in ("redis://127.0.0.1/0", "amqp://127.0.0.1/"):
    try:
        create_app(cloud, EventSettings(queue=url))
    except ConfigurationError as error:
        print(error.message)
"""


def test_without_the_extras_a_server_without_a_queue_starts_and_others_say_what_they_need() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    name, redis, amqp = ran.stdout.splitlines()
    assert name == "hongyan"
    assert "HONGYAN_QUEUE needs the extra `redis`" in redis
    assert "HONGYAN_QUEUE needs the extra `amqp`" in amqp


# The production server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Served]:
    with served(folder, senders=SENDERS, HONGYAN_QUEUE=url_of(folder)) as running:
        yield running
        assert "Traceback" not in "".join(running.logged)


@pytest.mark.slow
def test_what_its_processes_answer_is_in_the_queue_once(server: Served, folder: Path) -> None:
    before = [message.id for message in stored_in(folder)]
    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(lambda path: stored(server, path), [HOOK, "/hooks/patient"] * 40))
    after = [message.id for message in stored_in(folder)]
    assert sorted(after[len(before) :]) == sorted(told)
    calls = [asked(message) for message in stored_in(folder)][len(before) :]
    assert {call.sender for call in calls} == {"monitoring", "patient"}
    assert {call.projects for call in calls} == {frozenset()}


@pytest.mark.slow
def test_a_retry_is_told_that_it_was_stored_whichever_process_it_meets(server: Served, folder: Path) -> None:
    its_id = new_id()
    assert stored(server, id_=its_id) == its_id
    for more in range(1, 7):
        moment = time.time() + more
        status, headers, body = server.send(HOOK, BODY, signed(BODY, its_id, at=moment) | ASYNC)
        assert (status, headers["idempotent-replayed"], body) == (200, "true", b"")
    assert [message.id for message in stored_in(folder)].count(its_id) == 1


@pytest.mark.slow
def test_what_was_answered_is_there_whichever_process_is_killed(tmp_path: Path) -> None:
    told: list[str] = []
    with served(tmp_path, senders=SENDERS, HONGYAN_QUEUE=url_of(tmp_path)) as server:

        def send() -> None:
            its_id = new_id()
            try:
                stored(server, id_=its_id)
            except (OSError, ValueError, IndexError):  # Its process was killed, so it heard nothing.
                return
            told.append(its_id)

        with ThreadPoolExecutor(8) as threads:
            sent = [threads.submit(send) for _ in range(400)]
            for killed in range(3):
                until(lambda killed=killed: len(told) > 60 * (killed + 1) and len(booted(server)) > killed + 1)  # type: ignore[misc]
                os.kill(booted(server)[killed], signal.SIGKILL)
            for each in sent:
                each.result(60)
    there = [message.id for message in stored_in(tmp_path)]
    assert len(told) > 180
    assert set(told) <= set(there)
    assert len(there) == len(set(there))


def booted(server: Served) -> list[int]:
    """Return the processes that the server has started so far."""
    return [int(pid) for line in server.logged for pid in re.findall(r"Booting worker with pid: (\d+)", line)]


@pytest.mark.slow
def test_a_broker_that_is_away_may_come_later(tmp_path: Path) -> None:
    pytest.importorskip("redis", reason="the extra `redis` is not installed")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with served(tmp_path, senders=SENDERS, HONGYAN_QUEUE=f"redis://:hunter2@127.0.0.1:{port}/0") as server:
        id_ = new_id()
        for _ in range(2):  # Nothing came of it: the very same request may be sent again.
            headers = signed(BODY, id_)
            refused = server.send(HOOK, BODY, headers | ASYNC)
            assert (refused[0], refused[1]["retry-after"]) == (503, "5")
            assert problem_of(refused)["kind"] == "unavailable"
        assert server.send(HOOK, BODY, signed(BODY, id_))[0] == 200
    logged = "".join(server.logged)
    assert "queue.unavailable" in logged
    assert "hunter2" not in logged


@pytest.mark.slow
def test_a_broker_that_hangs_holds_nobody_longer_than_a_call_may_take(tmp_path: Path) -> None:
    pytest.importorskip("redis", reason="the extra `redis` is not installed")
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        with served(tmp_path, senders=SENDERS, HONGYAN_QUEUE=url, HONGYAN_DEADLINE_S="2") as server:

            def send(prefer: dict[str, str]) -> tuple[int, float]:
                started = time.monotonic()
                status = server.send(HOOK, BODY, signed(BODY, new_id()) | prefer)[0]
                return status, time.monotonic() - started

            with ThreadPoolExecutor(12) as threads:
                answers = list(threads.map(send, [ASYNC] * 10 + [{}] * 2))
    assert [status for status, _ in answers] == [503] * 10 + [200] * 2
    assert max(took for _, took in answers) < 10
    assert TOKEN not in "".join(server.logged)
