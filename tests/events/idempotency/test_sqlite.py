"""The embedded store: the contract of all, and what is particular to a file."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from events import sqliteclock
from events.idempotency import Busy, Claim, Finished, LeaseLost, StoreUnavailable
from events.idempotency.sqlite import _FORGET, SqliteStore
from functions.cloud.errors import ConfigurationError
from tests.events.idempotency.contract import DONE, FAILED, StoreContract, claimed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.events.idempotency.contract import Open

ROOT = Path(__file__).parents[3]
KEY = b"k" * 32


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


@pytest.fixture
def opened(path: Path) -> Iterator[Callable[[], SqliteStore]]:
    """Yield what opens the test's file."""
    with ExitStack() as stack:

        def open_store() -> SqliteStore:
            store = SqliteStore(str(path))
            stack.callback(store.close)
            return store

        yield open_store


@pytest.fixture
def sqlite(opened: Callable[[], SqliteStore]) -> SqliteStore:
    return opened()


class TestSqlite(StoreContract):
    @pytest.fixture
    def open(self, opened: Callable[[], SqliteStore]) -> Open:
        return opened


def rows(store: SqliteStore) -> int:
    ((count,),) = store._file.rows("SELECT count(*) FROM calls")
    return int(count)


class Time:
    """Time that a test sets, in seconds after it began."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.began, self.passed = sqliteclock.since_boot(), 0.0
        monkeypatch.setattr(sqliteclock, "since_boot", lambda: self.began + self.passed)


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> Time:
    return Time(monkeypatch)


# Time


def test_a_lease_and_a_result_end_to_the_second(moment: Time, sqlite: SqliteStore) -> None:
    first = claimed(sqlite, KEY, 30.0)
    moment.passed = 29.9
    found = sqlite.claim(KEY, 30.0)
    assert isinstance(found, Busy)
    assert found.wait_s == pytest.approx(0.1, abs=1e-3)
    moment.passed = 30.01
    second = claimed(sqlite, KEY, 30.0)
    with pytest.raises(LeaseLost, match="somebody else holds it"):
        sqlite.finish(first, FAILED, 100.0)
    sqlite.finish(second, DONE, 100.0)
    moment.passed = 129.8
    assert sqlite.claim(KEY, 30.0, run=1) == DONE
    moment.passed = 130.1
    claimed(sqlite, KEY)


def test_a_lease_that_has_ended_is_still_its_holders_to_finish_until_another_has_it(
    moment: Time, sqlite: SqliteStore
) -> None:
    first = claimed(sqlite, KEY, 30.0)
    moment.passed = 1000.0
    sqlite.finish(first, DONE, 60.0)
    assert sqlite.claim(KEY, 30.0) == DONE


def test_a_claim_announces_up_to_the_end_of_its_lease(moment: Time, sqlite: SqliteStore) -> None:
    first = claimed(sqlite, KEY, 30.0)
    moment.passed = 29.9
    sqlite.announce(first)
    moment.passed = 30.01
    with pytest.raises(LeaseLost):
        sqlite.announce(first)
    sqlite.finish(first, DONE, 60.0)


def test_what_was_announced_is_remembered_for_thirty_days_at_least(moment: Time, sqlite: SqliteStore) -> None:
    for key, keep_s in ((b"short", 60.0), (b"long", 40 * 86_400.0)):
        found = claimed(sqlite, key)
        sqlite.announce(found)
        sqlite.finish(found, DONE, keep_s)
    for days, known in ((29.9, 2), (30.1, 1), (39.9, 1), (40.1, 0)):
        moment.passed = days * 86_400.0
        # Enough for a sweep.
        for number in range(101):
            sqlite.release(claimed(sqlite, b"%d" % number))
        assert rows(sqlite) == known


@pytest.mark.parametrize("by_s", [365 * 86_400.0, -365 * 86_400.0])
def test_a_clock_that_is_set_ends_no_lease_and_forgets_nothing(
    opened: Callable[[], SqliteStore], monkeypatch: pytest.MonkeyPatch, by_s: float
) -> None:
    store, real = opened(), time.time
    store.finish(claimed(store, b"done"), DONE, 600.0)
    claimed(store, b"busy", 600.0)
    monkeypatch.setattr(time, "time", lambda: real() + by_s)
    for each in (store, opened()):
        assert each.claim(b"done", 30.0) == DONE
        assert isinstance(each.claim(b"busy", 30.0), Busy)


@pytest.mark.parametrize(("wall_s", "kept"), [(100.0, True), (1000.0, False), (-1e9, True)])
def test_a_restart_of_the_machine_forgets_what_is_past_its_time(
    opened: Callable[[], SqliteStore], monkeypatch: pytest.MonkeyPatch, wall_s: float, kept: bool
) -> None:
    store, now = opened(), time.time()
    store.finish(claimed(store, KEY), DONE, 600.0)
    store.close()
    monkeypatch.setattr(sqliteclock, "boot", lambda: "another start")
    monkeypatch.setattr(sqliteclock, "since_boot", lambda: 5.0)
    monkeypatch.setattr(time, "time", lambda: now + wall_s)
    again = opened()
    assert (again.claim(KEY, 30.0) == DONE) is kept


# What is kept


def test_the_file_does_not_grow_for_ever(moment: Time, sqlite: SqliteStore) -> None:
    most = 0
    for number in range(3000):
        moment.passed = number / 10
        sqlite.finish(claimed(sqlite, b"%d" % number), DONE, 50.0)
        most = max(most, rows(sqlite))
    # 500 of them are in their time at any moment.
    assert most < 800


def test_what_came_to_nothing_is_forgotten_and_what_was_announced_never(moment: Time, sqlite: SqliteStore) -> None:
    sqlite.announce(claimed(sqlite, b"announced"))
    claimed(sqlite, b"lost")
    sqlite.release(claimed(sqlite, b"released"))
    assert rows(sqlite) == 2
    moment.passed = 400 * 86_400.0
    for number in range(101):
        claimed(sqlite, b"%d" % number)
    assert rows(sqlite) == 102
    assert claimed(sqlite, b"announced").in_doubt
    assert not claimed(sqlite, b"lost").in_doubt


def test_losses_are_counted_for_a_day(moment: Time, sqlite: SqliteStore) -> None:
    claimed(sqlite, KEY, 10.0)
    moment.passed = 80_000.0
    for number in range(101):
        claimed(sqlite, b"%d" % number)
    assert claimed(sqlite, KEY, 10.0).losses == 1
    moment.passed = 80_010.0 + 90_000.0
    for number in range(101):
        claimed(sqlite, b"%d later" % number)
    assert claimed(sqlite, KEY).losses == 0


def test_a_sweep_finds_what_it_forgets_without_looking_for_it(sqlite: SqliteStore) -> None:
    plan = " ".join(str(row) for row in sqlite._file.rows(f"EXPLAIN QUERY PLAN {_FORGET}", (1.0, 10)))
    assert "USING INDEX calls_gone" in plan or "USING COVERING INDEX calls_gone" in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan


def test_a_sweep_does_no_more_than_so_much(moment: Time, sqlite: SqliteStore) -> None:
    for number in range(900):
        sqlite.finish(claimed(sqlite, b"%d" % number), DONE, 50.0)
    moment.passed = 60.0
    claimed(sqlite, b"x")
    assert rows(sqlite) == 701


def test_no_token_comes_twice_also_when_its_claim_is_forgotten(moment: Time, sqlite: SqliteStore) -> None:
    tokens = []
    for number in range(5):
        moment.passed = number * 1000.0
        tokens.append(claimed(sqlite, KEY, 1.0).token)
        sqlite._file._file.execute("DELETE FROM calls")
    assert tokens == sorted(set(tokens))


# The disk


def pragmas(store: SqliteStore, does: Callable[[], object]) -> list[str]:
    seen: list[str] = []
    store._file._file.set_trace_callback(seen.append)
    does()
    store._file._file.set_trace_callback(None)
    return [said for said in seen if said.startswith("PRAGMA")]


def test_only_what_tells_of_writes_waits_for_the_disk(sqlite: SqliteStore) -> None:
    found: list[Claim] = []
    assert pragmas(sqlite, lambda: found.append(claimed(sqlite, b"a"))) == []
    waits = ["PRAGMA synchronous=FULL", "PRAGMA synchronous=NORMAL"]
    assert pragmas(sqlite, lambda: sqlite.announce(found[0])) == waits
    assert pragmas(sqlite, lambda: sqlite.finish(found[0], DONE, 60.0)) == waits
    read = claimed(sqlite, b"b")
    assert pragmas(sqlite, lambda: sqlite.finish(read, DONE, 60.0)) == []


def test_what_another_process_announced_waits_for_the_disk_as_well(opened: Callable[[], SqliteStore]) -> None:
    found = claimed(opened(), KEY)
    opened().announce(found)
    third = opened()
    assert len(pragmas(third, lambda: third.finish(found, DONE, 60.0))) == 2


def test_what_a_predecessor_announced_waits_for_the_disk_as_well(moment: Time, sqlite: SqliteStore) -> None:
    sqlite.announce(claimed(sqlite, KEY, 1.0))
    moment.passed = 2.0
    second = claimed(sqlite, KEY)
    assert second.in_doubt
    assert len(pragmas(sqlite, lambda: sqlite.finish(second, DONE, 60.0))) == 2


def test_a_full_disk_is_told_and_the_claim_stays(sqlite: SqliteStore, path: Path) -> None:
    found = claimed(sqlite, KEY)
    sqlite.announce(found)
    (pages,) = sqlite._file._file.execute("PRAGMA page_count").fetchone()
    sqlite._file._file.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable, match=f"^{path}: database or disk is full$"):
        sqlite.finish(found, Finished("succeeded", b"x" * 100_000), 60.0)
    assert isinstance(sqlite.claim(KEY, 30.0), Busy)
    sqlite._file._file.execute("PRAGMA max_page_count = 1000000")
    assert len(pragmas(sqlite, lambda: sqlite.finish(found, DONE, 60.0))) == 2
    assert sqlite.claim(KEY, 30.0) == DONE


def test_a_read_only_file_is_told(sqlite: SqliteStore) -> None:
    found = claimed(sqlite, KEY)
    sqlite._file._file.execute("PRAGMA query_only = 1")
    for does in (
        lambda: sqlite.claim(b"x", 30.0),
        lambda: sqlite.announce(found),
        lambda: sqlite.finish(found, DONE, 60.0),
        lambda: sqlite.release(found),
    ):
        with pytest.raises(StoreUnavailable, match="readonly"):
            does()


def test_another_format_is_told(opened: Callable[[], SqliteStore], path: Path) -> None:
    opened()._file._file.execute("UPDATE parts SET version = 2 WHERE name = 'store'")
    with pytest.raises(StoreUnavailable, match="its store has format 2, and this version of Hongyan reads 1"):
        opened()
    with pytest.raises(ConfigurationError, match=f"^HONGYAN_STORE cannot be used: {path}: its store has format 2"):
        SqliteStore.opened(str(path), "HONGYAN_STORE")


def test_a_process_that_is_killed_after_it_announced_leaves_a_doubt(
    opened: Callable[[], SqliteStore], path: Path
) -> None:
    code = """
import sys
from events.idempotency import Finished
from events.idempotency.sqlite import _FORGET, SqliteStore
store = SqliteStore(sys.argv[1])
store.claim(b"claimed", 0.1)
store.announce(store.claim(b"announced", 0.1))
ended = store.claim(b"ended", 0.1)
store.announce(ended)
store.finish(ended, Finished("succeeded", b"{}"), 600.0)
print("done", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"done\n"
        process.send_signal(signal.SIGKILL)
    store = opened()
    found: dict[bytes, Claim | Finished] = {}
    end = time.monotonic() + 20
    while len(found) < 3:
        assert time.monotonic() < end
        for key in {b"claimed", b"announced", b"ended"} - found.keys():
            one = store.claim(key, 30.0)
            if not isinstance(one, Busy):
                found[key] = one
    assert found[b"ended"] == Finished("succeeded", b"{}")
    assert {key: one.in_doubt for key, one in found.items() if isinstance(one, Claim)} == {
        b"claimed": False,
        b"announced": True,
    }
