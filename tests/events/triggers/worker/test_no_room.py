"""A disk or a server takes nothing more, in mid-run: work stops, says why, and goes on when there is room; nothing is lost or doubled."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import time
from collections import Counter
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from events.idempotency import Claim, Finished, StoreUnavailable
from events.idempotency.urls import open_store
from events.triggers.worker.app import make
from tests.events.queues.brokers import PrivateRabbit, running
from tests.events.queues.support import until
from tests.events.redisservers import own
from tests.events.triggers.worker.scene import WITHIN_S, Scene, at_work, facts_of, said_by, scene
from tests.torture.options import Options
from tests.torture.table import faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.torture.crew import Worker

    Record = Callable[[str, object], None]
    Trouble = Callable[[Sequence[Worker]], AbstractContextManager[object]]

pytestmark = pytest.mark.long

_MESSAGES = 200
_HOLD_S = 1.5
# What tells that work has stopped, and why.
_STOPS = ("queue.unavailable", "store.unavailable")
_DISK_BYTES = 32_000_000


def goes_on(each: Scene, trouble: Trouble, says: str, record: Record) -> None:
    """Let there be trouble until both workers say so; they must bring everything to its end afterwards."""
    workers = [each.start(), each.start()]
    until(lambda: all(said_by(one)["worker.started"] for one in workers), WITHIN_S)
    each.publish()
    until(lambda: each.told(0.1), WITHIN_S)
    with trouble(workers):
        until(lambda: all(says in reasons(one) for one in workers), WITHIN_S)
        said_at, taken = time.monotonic(), len(each.sink.taken)
        until(lambda: time.monotonic() > said_at + _HOLD_S)
        # What had begun may come to its end.
        assert len(each.sink.taken) <= taken + len(workers) * Options().threads
        assert not each.told(1.0)
    each.finish()
    verdict = each.verdict()
    assert faults(verdict) == []
    assert [end[:2] for end in each.ends][:2] == [(one.name, 0) for one in workers]
    record("said", [{name: count for name, count in said_by(one).items() if "available" in name} for one in workers])
    record("figures", {name: count for name, count in verdict.figures.items() if count})


def reasons(worker: Worker) -> str:
    """Return why a worker says that it does nothing, "" when it says nothing of the kind."""
    return " ".join(said["error"] for event in _STOPS for _, said in facts_of(worker, event))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Give a small disk of its own, which only root can."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("to mount a small disk needs root and the capability to mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Leave no room on a disk."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1024))
    yield
    ballast.unlink()


def test_a_disk_that_is_full(disk: Path, tmp_path: Path, record_property: Record) -> None:
    with scene("sqlite", tmp_path, _MESSAGES, f"sqlite:///{disk}/queue.sqlite") as each:
        goes_on(each, lambda _: filled(disk), "database or disk is full", record_property)


def test_files_that_must_not_grow(tmp_path: Path, record_property: Record) -> None:
    @contextmanager
    def limited(workers: Sequence[Worker]) -> Iterator[None]:
        size = (tmp_path / "queue.sqlite-wal").stat().st_size
        for one in workers:
            resource.prlimit(one.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        yield
        for one in workers:
            resource.prlimit(one.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)

    with scene("sqlite", tmp_path, _MESSAGES) as each:
        goes_on(each, limited, "disk I/O error", record_property)


@pytest.mark.parametrize(
    ("trouble", "end", "says"),
    [
        (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0"), "maxmemory"),
        (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE"), "read only replica"),
    ],
)
def test_redis_that_is_full_or_read_only(
    trouble: Sequence[str], end: Sequence[str], says: str, tmp_path: Path, record_property: Record
) -> None:
    with own(tmp_path / "server") as server, scene("redis", tmp_path, _MESSAGES, server.url) as each:

        @contextmanager
        def troubled(_: object) -> Iterator[None]:
            server.client.execute_command(*trouble)  # type: ignore[no-untyped-call]
            yield
            server.client.execute_command(*end)  # type: ignore[no-untyped-call]

        goes_on(each, troubled, says, record_property)


def test_what_redis_that_is_full_has_claimed_still_ends(tmp_path: Path) -> None:
    with own(tmp_path) as server, closing(open_store(server.url, "HONGYAN_STORE")) as store:
        write, read = store.claim(b"1", 30.0), store.claim(b"2", 30.0)
        assert isinstance(write, Claim)
        assert isinstance(read, Claim)
        server.client.config_set("maxmemory", 1)
        for step in (lambda: store.claim(b"3", 30.0), lambda: store.announce(write)):
            with pytest.raises(StoreUnavailable, match="maxmemory"):
                step()
        store.finish(read, Finished("succeeded", b"{}"), 60.0)
        server.client.config_set("maxmemory", 0)
        assert store.claim(b"2", 30.0) == Finished("succeeded", b"{}")
        assert isinstance(store.claim(b"3", 30.0), Claim)
        store.announce(write)


def test_rabbitmq_that_is_short_of_memory(tmp_path: Path, record_property: Record) -> None:
    if not PrivateRabbit.found() and os.environ.get("CI") != "true":
        pytest.skip("rabbitmq-server is not installed")
    with running(PrivateRabbit(tmp_path / "server")) as server, scene("amqp", tmp_path, _MESSAGES, server.url) as each:

        @contextmanager
        def alarmed(_: object) -> Iterator[None]:
            # The broker holds up whoever publishes: for later what fails now.
            each.faults.add(status=503, times=100_000)
            server.evaluate("rabbit_alarm:set_alarm({{resource_limit, memory, node()}, []})")
            yield
            server.evaluate("rabbit_alarm:clear_alarm({resource_limit, memory, node()})")
            each.faults.clear()

        goes_on(each, alarmed, "it may be short of memory or disk", record_property)


class Files:
    """Every sqlite file that this process opens; `limit` puts a setting on all of them, also those that are opened later."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._made: list[sqlite3.Connection] = []
        self._setting = ""
        self._connect = sqlite3.connect
        monkeypatch.setattr(sqlite3, "connect", self._opened)

    @contextmanager
    def limited(self, setting: str, none: str) -> Iterator[None]:
        self._set(setting)
        yield
        self._set(none)

    def _set(self, setting: str) -> None:
        self._setting = setting
        for file in self._made:
            with suppress(sqlite3.ProgrammingError):  # It was closed.
                file.execute(f"PRAGMA {setting}")

    def _opened(self, *args: Any, **options: Any) -> sqlite3.Connection:
        file: sqlite3.Connection = self._connect(*args, **options)
        self._made.append(file)
        if self._setting:
            file.execute(f"PRAGMA {self._setting}")
        return file


def test_a_file_that_is_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with scene("sqlite", tmp_path, 100) as each, caplog.at_level("INFO", "hongyan.events"):
        files = Files(monkeypatch)
        each.publish()
        worker = make(each.environ("worker"))
        with at_work(worker):
            until(lambda: each.told(0.1), WITHIN_S)
            with files.limited("query_only=1", "query_only=0"):
                until(lambda: {*_STOPS} <= {*said(caplog)}, WITHIN_S)
                assert not each.told(1.0)
            until(lambda: each.told(1.0) and each.is_empty(), WITHIN_S)
        each.finish()
        assert faults(each.verdict(said(caplog))) == []
    told = [record.__dict__["facts"]["error"] for record in caplog.records if record.getMessage() in _STOPS]
    assert set(told) == {f"{tmp_path}/queue.sqlite: attempt to write a readonly database"}


def said(caplog: pytest.LogCaptureFixture) -> Counter[str]:
    """Return how often each event was logged."""
    return Counter(record.getMessage() for record in caplog.records)
