"""The embedded transport: the contract of all, and what is particular to a file."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from events import sqliteclock
from events.idempotency import Claim
from events.idempotency.sqlite import SqliteStore
from events.queues import Delivery, Message, QueueRefused, QueueUnavailable, lean, sqlitetables, urls
from events.queues.sqlite import SqliteQueue
from tests.events.queues.contract import QueueContract
from tests.events.queues.support import Consumers, has_none, ids, letter, message, take, take_one

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from events.queues import Queue

ROOT = Path(__file__).parents[3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queue.sqlite"


@pytest.fixture
def opened(path: Path) -> Iterator[Callable[..., SqliteQueue]]:
    """Yield what opens a queue of the test's file by name."""
    made = []

    def open_queue(name: str = "hongyan", lease_s: float = 30.0) -> SqliteQueue:
        url = urls.read(f"sqlite:///{path}?queue={name}&lease_s={lease_s}", "HONGYAN_QUEUE")
        queue = urls.connect(url, "HONGYAN_QUEUE")
        assert isinstance(queue, SqliteQueue)
        made.append(queue)
        return queue

    yield open_queue
    for queue in made:
        queue.close()


@pytest.fixture
def queue(opened: Callable[..., SqliteQueue]) -> SqliteQueue:
    return opened()


class TestSqlite(QueueContract):
    transport = "sqlite"

    @pytest.fixture
    def connect(self, path: Path) -> Iterator[Consumers]:
        url = urls.read(f"sqlite:///{path}?queue=q{uuid.uuid4().hex}", "HONGYAN_QUEUE")
        consumers = Consumers(lambda lease_s: urls.connect(replace(url, lease_s=lease_s), "HONGYAN_QUEUE"))
        yield consumers
        consumers.close()

    def cut(self, queue: Queue) -> None:
        assert isinstance(queue, SqliteQueue)
        queue._file.close()


# One file for all


def test_queues_of_one_file_do_not_mix(opened: Callable[..., SqliteQueue]) -> None:
    one, other = opened("one"), opened("other")
    one.publish([message(1, "g"), message(2)])
    other.publish([message(3, "g")])
    assert ids(take(other)) == ["m3"]
    for found in take(one, 2):
        one.dead_letter(found, letter(found, id=found.message.id))
    assert has_none(other)
    assert (one.counts().dead, other.counts().dead) == (2, 0)
    assert (other.letters(), other.redrive(["m1", "m2"]), other.drop(["m1", "m2"])) == ([], 0, 0)
    assert one.drop(["m1", "m2"]) == 2


def test_the_store_may_be_in_the_same_file(queue: SqliteQueue, path: Path) -> None:
    store = SqliteStore(str(path))
    queue.publish([message(1)])
    claim = store.claim(b"1", 30.0)
    assert isinstance(claim, Claim)
    queue.acknowledge(take(queue))
    store.release(claim)
    store.close()


def test_nobody_else_can_read_it(queue: SqliteQueue, path: Path) -> None:
    queue.publish([message(1)])
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}


def test_one_of_many_processes_gets_each(queue: SqliteQueue, path: Path) -> None:
    queue.publish([message(number, f"g{number % 5}" if number % 2 else None) for number in range(300)])
    code = """
import sys
from events.queues import urls
queue = urls.connect(urls.read(sys.argv[1], "Q"), "Q")
while found := queue.receive(5, 0.3):
    print(*(delivery.message.id for delivery in found))
    queue.acknowledge(found)
queue.close()
"""
    with processes(4, code, path) as ran:
        said = [process.communicate(timeout=60)[0].split() for process in ran]
    assert sorted(its_id for each in said for its_id in each) == sorted(f"m{number}" for number in range(300))
    assert queue.counts().ready == 0


def test_what_a_killed_process_had_comes_again_and_what_it_confirmed_is_there(queue: SqliteQueue, path: Path) -> None:
    code = """
import sys
from events.queues import Message, urls
queue = urls.connect(urls.read(sys.argv[1] + "?lease_s=0.5", "Q"), "Q")
number = 0
while True:
    queue.publish([Message(b"x" * 5000, f"m{number}")])
    print(f"m{number}", *(found.message.id for found in queue.receive(1, 0)), flush=True)
    number += 1
"""
    with processes(1, code, path) as (process,):
        assert process.stdout
        said = [process.stdout.readline().split() for _ in range(50)]
        process.send_signal(signal.SIGKILL)
    found = take(queue, 50)
    assert {pair[0] for pair in said} <= set(ids(found) + [pair[1] for pair in said])
    held = {pair[1] for pair in said}
    assert {delivery.losses for delivery in found if delivery.message.id in held} == {1}
    assert held <= set(ids(found))


class processes:  # noqa: N801 - used as a function
    """Run code in processes, killed at the latest when the block ends."""

    def __init__(self, count: int, code: str, path: Path) -> None:
        command = [sys.executable, "-c", code, f"sqlite:///{path}"]
        self.ran = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(count)]

    def __enter__(self) -> list[subprocess.Popen[str]]:
        return self.ran

    def __exit__(self, *_: object) -> None:
        for process in self.ran:
            process.kill()
            process.wait(10)
            if process.stdout:
                process.stdout.close()


# Order and place


def test_what_neither_failed_nor_waits_gets_its_old_place(queue: SqliteQueue) -> None:
    queue.publish([message(number) for number in range(4)])
    first, second = take(queue, 2)
    queue.give_back(second, failed=False)
    queue.give_back(first, failed=False)
    assert ids(take(queue, 4)) == ["m0", "m1", "m2", "m3"]


def test_what_failed_goes_behind_what_waits(queue: SqliteQueue) -> None:
    queue.publish([message(number) for number in range(3)])
    queue.give_back(take_one(queue), failed=True)
    assert ids(take(queue, 3)) == ["m1", "m2", "m0"]


def test_what_closing_gives_back_gets_its_old_place(opened: Callable[..., SqliteQueue]) -> None:
    first, second = opened(), opened()
    first.publish([message(number) for number in range(4)])
    take(first, 3)
    first.close()
    assert ids(take(second, 4)) == ["m0", "m1", "m2", "m3"]


def test_after_its_lease_it_is_still_its_holders_until_another_has_it(
    opened: Callable[..., SqliteQueue], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = opened(), opened()
    first.publish([message(1)])
    found = take(first)
    now = sqliteclock.since_boot()
    monkeypatch.setattr(sqliteclock, "since_boot", lambda: now + 31)
    first.extend(found)
    assert has_none(second, 0.0)
    first.acknowledge(found)
    assert second.counts().in_flight == 0


def test_a_few_large_messages_are_a_batch(queue: SqliteQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.queues.sqlite._BATCH_BYTES", 1000)
    queue.publish([Message(b"x" * 400, f"m{number}") for number in range(5)])
    assert ids(queue.receive(5, 0.0)) == ["m0", "m1", "m2"]
    assert ids(queue.receive(5, 0.0)) == ["m3", "m4"]


# Cost: what one step takes must not grow with what waits


def steps(queue: SqliteQueue, does: Callable[[], Any]) -> int:
    """Count the steps of sqlite's machine that something takes, by the hundred."""
    seen: list[None] = []
    queue._file._file.set_progress_handler(lambda: seen.append(None), 100)
    does()
    queue._file._file.set_progress_handler(None, 0)
    return len(seen)


def fill(queue: SqliteQueue, count: int, group: str | None) -> None:
    with queue._file.transaction() as file:
        file.execute(
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)"
            " INSERT INTO messages (queue, head, due, fence, received, tries, runs, version, sent, id, grp, meta, body)"
            " SELECT ?, ? IS NULL, ?, 0, 0, 0, 0, 1, 1.0, 'n' || n, ?, '', x'31' FROM n",
            (count, queue.name, group, queue._file.now(), group),
        )


@pytest.mark.parametrize("group", [None, "g"], ids=["waiting", "behind_one_of_their_group"])
def test_a_step_costs_the_same_however_many_wait(queue: SqliteQueue, group: str | None) -> None:
    def cycle() -> None:
        queue.publish([message(number, uuid.uuid4().hex) for number in range(10)])
        found = queue.receive(10, 0.0)
        assert len(found) == 10
        queue.give_back(found[0], 1000.0, failed=True)
        queue.dead_letter(found[1], letter(found[1]))
        queue.extend(found[2:])
        queue.acknowledge(found[2:])

    queue.publish([message(0, group)])
    queue.give_back(take_one(queue), 1000.0, failed=True)
    few = steps(queue, cycle)
    fill(queue, 50_000, group)
    many = steps(queue, cycle)
    assert few > 0
    assert many <= few + 2
    assert queue.counts().ready >= 50_000


def test_an_empty_queue_is_waited_for_without_locking_others_out(opened: Callable[..., SqliteQueue]) -> None:
    here, there = opened(), opened()
    seen: list[str] = []
    here._file._file.set_trace_callback(seen.append)
    assert has_none(here, 0.3)
    here._file._file.set_trace_callback(None)
    assert seen.count("BEGIN IMMEDIATE") == 1
    assert 5 <= len([said for said in seen if said.startswith("SELECT 1")]) < 30
    there.publish([message(1)])
    assert ids(take(here)) == ["m1"]


def test_only_publishing_waits_for_the_disk(queue: SqliteQueue) -> None:
    seen: list[str] = []
    queue._file._file.set_trace_callback(seen.append)
    queue.publish([message(1)])
    full, begun, normal = (seen.index(f) for f in ("PRAGMA synchronous=FULL", "COMMIT", "PRAGMA synchronous=NORMAL"))
    assert full < begun < normal
    seen.clear()
    (found,) = take(queue)
    queue.give_back(found, failed=False)
    queue.acknowledge(take(queue))
    queue._file._file.set_trace_callback(None)
    assert not [said for said in seen if said.startswith("PRAGMA")]


# The clock


def kill(queue: SqliteQueue) -> None:
    """Have a queue forgotten as if its process had been killed."""
    queue._held.clear()
    queue._file.close()


@pytest.mark.parametrize("by_s", [365 * 86_400.0, -365 * 86_400.0])
def test_a_clock_that_is_set_ends_no_lease_and_no_delay(
    opened: Callable[..., SqliteQueue], monkeypatch: pytest.MonkeyPatch, by_s: float
) -> None:
    first = opened(lease_s=0.5)
    first.publish([message(1), message(2), message(3)])
    take(first, 1)
    queue = opened()
    queue.give_back(take_one(queue), 60.0, failed=True)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + by_s)
    other = opened()
    # What waits still comes, what is delayed or held does not, and a lease still ends.
    assert ids(take(other)) == ["m3"]
    assert has_none(other, 0.0)
    assert ids(take(other)) == ["m1"]
    assert has_none(opened(), 0.0)
    age = other.counts().oldest_s
    assert age is None or age >= 0


@pytest.mark.parametrize(
    ("wall_s", "comes"), [(100.0, True), (10.0, False), (-1e9, False)], ids=["later", "sooner", "wrong"]
)
def test_after_a_restart_of_the_machine_time_goes_on_by_the_clock(
    opened: Callable[..., SqliteQueue], monkeypatch: pytest.MonkeyPatch, wall_s: float, comes: bool
) -> None:
    queue = opened(lease_s=50.0)
    queue.publish([message(1), message(2)])
    take(queue, 1)
    kill(queue)
    now, began = time.time() + wall_s, time.monotonic()
    monkeypatch.setattr(sqliteclock, "boot", lambda: "another start")
    monkeypatch.setattr(sqliteclock, "since_boot", lambda: 5.0 + time.monotonic() - began)
    monkeypatch.setattr(time, "time", lambda: now + time.monotonic() - began)
    again = opened(lease_s=50.0)
    assert ids(take(again)) == ["m2"]
    assert [found.losses for found in again.receive(1, 0.0)] == ([1] if comes else [])


# What a file cannot do


def test_a_full_disk_is_told_and_nothing_is_lost(queue: SqliteQueue, path: Path) -> None:
    queue.publish([message(1), message(2)])
    (pages,) = queue._file._file.execute("PRAGMA page_count").fetchone()
    queue._file._file.execute(f"PRAGMA max_page_count = {pages + 3}")
    with pytest.raises(QueueUnavailable, match=rf"{path}: database or disk is full"):
        queue.publish([message(3), Message(b"x" * 100_000)])
    found = take(queue, 2)
    assert ids(found) == ["m1", "m2"]
    queue.acknowledge(found)
    queue._file._file.execute("PRAGMA max_page_count = 1000000")
    queue.publish([message(4)])
    assert ids(take(queue)) == ["m4"]


def test_a_read_only_file_is_told(queue: SqliteQueue) -> None:
    queue.publish([message(1)])
    queue._file._file.execute("PRAGMA query_only = 1")
    with pytest.raises(QueueUnavailable, match="readonly"):
        queue.publish([message(2)])
    with pytest.raises(QueueUnavailable, match="readonly"):
        queue.receive(1, 0.0)
    queue.reconnect()
    assert ids(take(queue)) == ["m1"]


def test_what_another_process_holds_is_told(
    opened: Callable[..., SqliteQueue], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("events.sqlitefile._BUSY_S", 0.01)
    first, second = opened(), opened()
    with first._file.transaction(), pytest.raises(QueueUnavailable, match="locked"):
        second.publish([message(1)])
    second.publish([message(1)])


@pytest.mark.parametrize(
    "meta", ["[1]", "{", '{"projects": 1}', "x" * 100_001, b"{}", 1], ids=lambda said: repr(said)[:20]
)
def test_a_row_whose_meta_cannot_be_read_allows_nothing(queue: SqliteQueue, meta: object) -> None:
    queue.publish([message(1, "g", meta={"projects": "p"}), message(2, meta={"projects": "p"})])
    with queue._file.transaction() as file:
        file.execute("UPDATE messages SET meta = ? WHERE id = 'm1'", (meta,))
    spoiled, other = take(queue, 2)
    assert spoiled.message == message(1, "g", version=0)
    assert other.message == message(2, meta={"projects": "p"})
    queue.dead_letter(spoiled, letter(spoiled, id="l"))
    assert queue.redrive(["l"]) == 1
    assert take_one(queue).message == message(1, "g", version=0, runs=1)


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (Message(b"1", "\ud800"), "surrogates"),
        (Message(b"1", group="\ud800"), "surrogates"),
        (Message(b"1", meta={"a": "\ud800"}), "surrogates"),
        (Message(b"1", group="g" * 50_000, meta={"a": "x" * 50_000}), "must not be longer"),
        (Message(b"1", tries=2**63), "tries"),
        (Message(b"1", version=-1), "version"),
        (Message(b"1", sent_at=float("nan")), "sent_at"),
        (Message(b"x" * 2000), "2000 bytes"),
    ],
)
def test_what_cannot_be_stored_is_refused_and_nothing_with_it(
    queue: SqliteQueue, monkeypatch: pytest.MonkeyPatch, sent: Message, told: str
) -> None:
    monkeypatch.setattr(sqlitetables, "MOST_BODY", 1000)
    with pytest.raises(QueueRefused, match=told):
        queue.publish([message(1), sent])
    assert has_none(queue, 0.0)


@pytest.mark.parametrize(
    "sent",
    [
        Message(b"1", group="a\0b", meta={"a\0": "\0"}),
        Message(b"1", group=""),
        Message(b"1", "'; DROP TABLE messages;"),
    ],
)
def test_odd_text_is_only_text(queue: SqliteQueue, sent: Message) -> None:
    queue.publish([sent])
    assert take_one(queue).message == replace(sent, group=sent.group or None)


def test_a_connection_that_cannot_be_made_may_be_tried_again(queue: SqliteQueue, path: Path) -> None:
    queue.publish([message(1)])
    held = take(queue)
    away = path.with_suffix(".away")
    queue._file.close()
    path.rename(away)
    path.mkdir()
    for _ in range(2):
        with pytest.raises(QueueUnavailable, match="directory"):
            queue.reconnect()
        with pytest.raises(QueueUnavailable, match="closed"):
            queue.receive(1, 0.0)
    path.rmdir()
    away.rename(path)
    queue.reconnect()
    # The lease outlives the connection.
    queue.acknowledge(held)
    assert (queue.counts().ready, queue.counts().in_flight) == (0, 0)


def test_many_connections_may_open_a_new_file_at_once(opened: Callable[..., SqliteQueue]) -> None:
    with ThreadPoolExecutor(8) as pool:
        queues = list(pool.map(lambda _: opened(), range(16)))
    queues[0].publish([message(1)])
    assert ids(take(queues[-1])) == ["m1"]


# Made fast


def test_what_is_made_fast_is_the_same() -> None:
    sent = Message(b"1", "m", "g", 1.5, 2, 3, 4, {"a": "b"})
    made = lean.message_of(*(getattr(sent, field.name) for field in fields(Message)))
    assert (made, repr(made), hash(made.id)) == (sent, repr(sent), hash(sent.id))
    delivery = Delivery(sent, 5, (6, 7))
    assert lean.delivery_of(sent, 5, (6, 7)) == delivery
    with pytest.raises(AttributeError):
        made.body = b""  # type: ignore[misc]


ODD = {
    "body of text": ("body", '{"a": 1}'),
    "body of a number": ("body", 5),
    "id of bytes": ("id", b"\xff\xfe"),
    "group of bytes": ("grp", b"\xff"),
    "time of text": ("sent", "abc"),
    "tries of text": ("tries", "many"),
    "version of text": ("version", "x"),
    "meta of bytes": ("meta", b"\xff"),
}


@pytest.mark.parametrize("case", ODD)
def test_a_row_of_somebody_elses_is_delivered_refused_and_holds_nobody_up(case: str, queue: SqliteQueue) -> None:
    column, value = ODD[case]
    queue.publish([message(1), message(2)])
    with queue._file.transaction() as file:
        file.execute(f"UPDATE messages SET {column} = ? WHERE id = 'm1'", (value,))
    assert queue.counts().ready == 2
    first, second = take(queue, 2)
    assert isinstance(first.message.body, bytes)
    assert isinstance(first.message.id, str)
    assert first.message.version == 0
    assert second.message == message(2)
    queue.dead_letter(first, letter(first))
    queue.acknowledge([second])
    assert queue.counts().dead == 1


def test_text_that_is_not_utf_8_or_no_id_holds_nobody_up(queue: SqliteQueue) -> None:
    queue.publish([message(1), message(2), message(3)])
    with queue._file.transaction() as file:
        file.execute("UPDATE messages SET id = CAST(x'fffe' AS TEXT) WHERE id = 'm1'")
        file.execute("UPDATE messages SET id = 'a' || char(10) WHERE id = 'm2'")
    found = take(queue, 3)
    assert [each.message.id[:4] for each in found] == ["row-", "row-", "m3"]
    queue.acknowledge(found)
