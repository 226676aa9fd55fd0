from __future__ import annotations

import json
import logging
import os
import re
import socket
import stat
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from events import gunicorn_conf
from events.samples import sample
from events.senders import SendersRefused, kept
from tests.events.cli.support import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
GUNICORN = [sys.executable, "-m", "gunicorn", "-c", "events/gunicorn_conf.py", "events.triggers.webhook:create_app()"]


@contextmanager
def gunicorn(*args: str, **changes: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*GUNICORN, *args],
        cwd=ROOT,
        env=environment(**changes),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.terminate()


def ended(*args: str, **changes: str) -> tuple[int, str]:
    with gunicorn(*args, **changes) as process:
        _, said = process.communicate(timeout=30)
    return process.returncode, said


def test_it_serves_a_sample_and_logs_json() -> None:
    with gunicorn(HONGYAN_EMULATOR="local", HONGYAN_BIND="127.0.0.1:0", WEB_CONCURRENCY="1") as process:
        assert process.stderr
        url = next(found[1] for line in process.stderr if (found := re.search(r"Listening at: (http://\S+)", line)))
        request = urllib.request.Request(
            f"{url}/functions/elb.list_members", sample("elb.list_members"), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            event = json.load(answer)
            assert answer.headers["Server"] == "gunicorn"
        assert event["type"] == "hongyan.elb.list_members.succeeded"
        line = json.loads(next(line for line in process.stderr if line.startswith("{")))
        process.terminate()
        _, rest = process.communicate(timeout=20)
    assert (line["event"], line["event_id"]) == ("call.finished", event["id"])
    assert (process.returncode, "Traceback" in rest) == (0, False)


def test_an_address_that_others_reach_is_refused() -> None:
    code, said = ended(HONGYAN_EMULATOR="local", HONGYAN_BIND="0.0.0.0:0")
    assert code == 1
    assert "Error: 0.0.0.0:0 is refused: without senders that are verified" in said


def test_the_argument_of_the_command_line_is_looked_at_too() -> None:
    code, said = ended("-b", "127.0.0.1:0", "-b", "[::]:0", HONGYAN_EMULATOR="local")
    assert code == 1
    assert ":::0 is refused" in said


def test_the_emulator_is_chosen_by_nothing_but_a_variable() -> None:
    code, said = ended(HONGYAN_BIND="127.0.0.1:0")
    assert code == 1
    assert "Error: missing settings: HUAWEICLOUD_SDK_PROJECT_ID" in said
    assert "Traceback" not in said


def server(*addresses: object) -> SimpleNamespace:
    return SimpleNamespace(cfg=SimpleNamespace(address=list(addresses)))


@pytest.fixture(autouse=True)
def _emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_EMULATOR", "local")
    monkeypatch.setattr(gunicorn_conf, "configure", lambda *, people: None)


@pytest.mark.parametrize("address", [("127.0.0.1", 8000), ("localhost", 8000), ("::1", 8000)])
def test_its_own_machine_is_where_it_listens(address: object) -> None:
    gunicorn_conf.on_starting(server(address))


@pytest.mark.parametrize("address", [("0.0.0.0", 8000), ("192.168.0.1", 8000), ("", 8000), "/tmp/socket", 3])
def test_everything_else_is_refused_sockets_of_files_too(address: object) -> None:
    with pytest.raises(RuntimeError, match="is refused: without senders that are verified"):
        gunicorn_conf.on_starting(server(("127.0.0.1", 8000), address))


def test_wrong_settings_are_one_line_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_DEADLINE_S", "soon")
    with pytest.raises(RuntimeError, match="HONGYAN_DEADLINE_S"):
        gunicorn_conf.on_starting(server(("127.0.0.1", 8000)))


@pytest.mark.parametrize("url", ["http://broker/", "sqlite:////nowhere/queue.sqlite"])
def test_a_queue_that_cannot_be_is_one_line(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_QUEUE", url)
    with pytest.raises(RuntimeError, match="HONGYAN_QUEUE"):
        gunicorn_conf.on_starting(server(("127.0.0.1", 8000)))


def test_sockets_that_are_handed_over_open_are_looked_at() -> None:
    with socket.create_server(("127.0.0.1", 0)) as own, socket.socket() as other:
        gunicorn_conf.when_ready(SimpleNamespace(LISTENERS=[SimpleNamespace(sock=own)]))
        with pytest.raises(RuntimeError, match=r"0\.0\.0\.0:0 is refused"):
            gunicorn_conf.when_ready(SimpleNamespace(LISTENERS=[SimpleNamespace(sock=other)]))


@pytest.fixture
def senders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "senders.toml"
    file.write_text(
        '[senders.a]\nscheme = "bearer"\nsecrets = [{ env = "TOKEN_OF_A" }]\noperations = ["elb.list_members"]\n'
    )
    monkeypatch.setenv("TOKEN_OF_A", "fake-token-of-a-sender")
    monkeypatch.setenv("HONGYAN_SENDERS", str(file))
    monkeypatch.setenv("HONGYAN_STATE_FILE", "")
    return file


@pytest.mark.usefixtures("senders")
def test_with_senders_it_may_listen_anywhere_and_its_processes_share_what_they_remember() -> None:
    gunicorn_conf.on_starting(server(("0.0.0.0", 8000), "/tmp/socket"))
    shared = Path(os.environ["HONGYAN_STATE_FILE"])
    assert stat.S_IMODE(shared.parent.stat().st_mode) == 0o700
    with socket.socket() as other:
        gunicorn_conf.when_ready(SimpleNamespace(LISTENERS=[SimpleNamespace(sock=other)]))
    gunicorn_conf.on_exit(None)
    assert not shared.parent.exists()


@pytest.mark.usefixtures("senders")
def test_a_file_that_was_chosen_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_STATE_FILE", str(tmp_path / "mine.sqlite"))
    gunicorn_conf.on_starting(server(("0.0.0.0", 8000)))
    assert os.environ["HONGYAN_STATE_FILE"] == str(tmp_path / "mine.sqlite")
    gunicorn_conf.on_exit(None)
    assert (tmp_path / "mine.sqlite").exists()


@pytest.mark.usefixtures("senders")
def test_a_state_file_that_cannot_be_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_STATE_FILE", "/nowhere/file")
    with pytest.raises(RuntimeError, match="HONGYAN_STATE_FILE cannot be used"):
        gunicorn_conf.on_starting(server(("127.0.0.1", 8000)))


def test_a_mistake_made_while_it_runs_is_logged_and_the_senders_stay(
    senders: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gunicorn_conf.on_starting(server(("127.0.0.1", 8000)))
    good = senders.read_text()
    senders.write_text(good + "[senders.b]\n")
    with caplog.at_level(logging.ERROR, "hongyan"):
        gunicorn_conf.on_reload(None)
    assert [record.message for record in caplog.records] == ["senders.kept"]
    assert f"{senders}:" in caplog.records[0].__dict__["facts"]["mistakes"]
    assert sorted(kept.read(str(senders), os.environ, lambda _: True)) == ["a"]
    senders.write_text(good + good.replace("[senders.a]", "[senders.b]"))
    gunicorn_conf.on_reload(None)
    assert sorted(kept.read(str(senders), os.environ, lambda _: True)) == ["a", "b"]
    gunicorn_conf.on_exit(None)


def test_without_senders_a_reload_reads_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_SENDERS", "")
    gunicorn_conf.on_reload(None)


def test_a_file_that_was_never_good_is_refused(senders: Path) -> None:
    senders.write_text("")
    with pytest.raises(SendersRefused):
        kept.read(str(senders), os.environ, lambda _: True)


def test_a_mistake_in_the_senders_file_is_told_by_its_line(senders: Path) -> None:
    senders.write_text(senders.read_text().replace('"bearer"', '"baerer"'))
    code, said = ended(
        HONGYAN_EMULATOR="local",
        HONGYAN_BIND="0.0.0.0:0",
        HONGYAN_SENDERS=str(senders),
        TOKEN_OF_A="fake-token-of-a-sender",
    )
    assert code == 1
    assert "senders.toml:2: " in said
    assert "bearer" in said
    assert "fake-token" not in said


@pytest.mark.parametrize("count", ["0", "999"])
def test_a_number_of_workers_that_cannot_be_is_one_line(count: str) -> None:
    code, said = ended(HONGYAN_EMULATOR="local", HONGYAN_BIND="127.0.0.1:0", WEB_CONCURRENCY=count)
    assert code == 1
    assert "WEB_CONCURRENCY must be a whole number from 1 to 256" in said
    assert "Traceback" not in said


def test_requests_that_are_cut_or_malformed_are_told_so_and_run_nothing() -> None:
    head = "POST /functions/elb.list_members HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    whole = sample("elb.list_members").decode()
    with gunicorn(HONGYAN_EMULATOR="local", HONGYAN_BIND="127.0.0.1:0", WEB_CONCURRENCY="1") as process:
        assert process.stderr
        port = next(
            int(found[1]) for line in process.stderr if (found := re.search(r"Listening at: http://\S+:(\d+)", line))
        )
        for rest in (
            f"Content-Length: 500\r\n\r\n{whole}",
            "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\n2\r\n{}",
        ):
            with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
                connection.sendall((head + rest).encode())
                connection.shutdown(socket.SHUT_WR)
                answer = b"".join(iter(lambda: connection.recv(65_536), b"")).decode()
            assert answer.startswith("HTTP/1.1 400 "), (rest, answer[:200])
            assert "application/problem+json" in answer
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(
                (head + f"SCRIPT_NAME: /x\r\nConnection: close\r\nContent-Length: {len(whole)}\r\n\r\n{whole}").encode()
            )
            answer = b"".join(iter(lambda: connection.recv(65_536), b"")).decode()
        assert "<html" not in answer
