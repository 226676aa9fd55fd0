"""A sqlite file of several processes: opened by many at once, refused where it cannot be used, written whole or not at all, timed."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from events import sqliteclock
from events.sqlitefile import SqliteFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
TABLES = "CREATE TABLE IF NOT EXISTS things (name TEXT PRIMARY KEY)"


class Away(Exception):
    pass


class Wrong(Exception):
    pass


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.sqlite"


@pytest.fixture
def opened(path: Path) -> Iterator[Callable[..., SqliteFile]]:
    """Yield what opens the test's file."""
    with contextlib.ExitStack() as stack:

        def open_file(part: str = "things", version: int = 1, tables: str = TABLES) -> SqliteFile:
            file = SqliteFile(str(path), part, version, tables, Away, refused=Wrong)
            stack.callback(file.close)
            return file

        yield open_file


def put(file: SqliteFile, name: str) -> None:
    with file.transaction() as written:
        written.execute("INSERT INTO things VALUES (?)", (name,))


def names(file: SqliteFile) -> list[str]:
    return [name for (name,) in file.rows("SELECT name FROM things ORDER BY name")]


# Opening


def test_what_one_writes_another_reads(opened: Callable[..., SqliteFile]) -> None:
    first, second = opened(), opened()
    put(first, "a")
    assert names(second) == ["a"]


def test_only_its_owner_reads_it(opened: Callable[..., SqliteFile], path: Path) -> None:
    put(opened(), "a")
    assert {stat.S_IMODE(Path(f"{path}{end}").stat().st_mode) for end in ("", "-wal", "-shm")} == {0o600}


def test_parts_share_a_file_and_have_versions_of_their_own(opened: Callable[..., SqliteFile]) -> None:
    put(opened(), "a")
    opened("others", 7, "CREATE TABLE IF NOT EXISTS others (name TEXT); CREATE INDEX IF NOT EXISTS o ON others (name);")
    assert names(opened()) == ["a"]
    assert opened("others", 7, "").rows("SELECT name, version FROM parts ORDER BY name") == [
        ("others", 7),
        ("things", 1),
    ]


@pytest.mark.parametrize("version", [0, 2])
def test_another_format_is_refused_and_left_alone(opened: Callable[..., SqliteFile], path: Path, version: int) -> None:
    put(opened(), "a")
    told = f"^{path}: its things has format 1, and this version of Hongyan reads {version}$"
    with pytest.raises(Wrong, match=told):
        opened(version=version, tables="CREATE TABLE more (name TEXT); CREATE INDEX i ON things (new)")
    assert opened().rows("SELECT count(*) FROM sqlite_master WHERE name = 'more'") == [(0,)]


def test_a_file_of_something_else_is_refused(opened: Callable[..., SqliteFile], path: Path) -> None:
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(Wrong, match=f"^{path}: file is not a database$"):
        opened()
    assert path.read_bytes() == b"not a database" * 1000


def test_a_broken_file_is_refused(opened: Callable[..., SqliteFile], path: Path) -> None:
    file = opened()
    for number in range(500):
        put(file, f"{number:0100}")
    file.close()
    raw = path.read_bytes()
    path.write_bytes(raw[:100] + b"\xff" * (len(raw) - 100))
    with pytest.raises(Wrong, match="malformed"):
        opened()


@pytest.mark.parametrize(
    ("made", "told"),
    [("directory", "Is a directory"), ("nowhere", "No such file or directory"), ("below_a_file", "Not a directory")],
)
def test_a_path_that_cannot_be_a_file_is_told(tmp_path: Path, made: str, told: str) -> None:
    (tmp_path / "plain").write_bytes(b"")
    where = {"directory": tmp_path, "nowhere": tmp_path / "no" / "f", "below_a_file": tmp_path / "plain" / "f"}[made]
    with pytest.raises(Away, match=f"^{where}: {told}$"):
        SqliteFile(str(where), "things", 1, TABLES, Away)


@contextlib.contextmanager
def unwritable(path: Path) -> Iterator[None]:
    """Make a file one that this user cannot write: root can write whatever has no attribute against it."""
    root = os.geteuid() == 0
    if root:
        made = subprocess.run(["chattr", "+i", str(path)], capture_output=True, check=False)
        if made.returncode:
            pytest.skip("root writes every file here: this file system has no immutable ones")
    else:
        path.chmod(0o400)
    try:
        yield
    finally:
        if root:
            subprocess.run(["chattr", "-i", str(path)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="chattr is Linux's")
def test_a_file_that_must_not_be_written_is_told(opened: Callable[..., SqliteFile], path: Path) -> None:
    put(opened(), "a")
    with unwritable(path), pytest.raises(Away, match=f"^{path}: (Operation not permitted|Permission denied)$"):
        opened()


def test_a_place_without_wal_is_refused(opened: Callable[..., SqliteFile], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqliteFile, "_wal", lambda self: "delete")
    with pytest.raises(Wrong, match="no WAL there: put it on a disk of this machine"):
        opened()


def test_an_old_sqlite_is_refused(opened: Callable[..., SqliteFile], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(Wrong, match="is too old"):
        opened()


def test_without_a_kind_of_its_own_a_refusal_is_a_failure(path: Path) -> None:
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(Away, match="not a database"):
        SqliteFile(str(path), "things", 1, TABLES, Away)


def test_many_threads_may_open_a_new_file_at_once(opened: Callable[..., SqliteFile]) -> None:
    with ThreadPoolExecutor(8) as pool:
        files = list(pool.map(lambda _: opened(), range(24)))
        list(pool.map(lambda pair: put(pair[1], str(pair[0])), enumerate(files)))
    assert len(names(files[0])) == 24
    assert len({round(file._offset, 3) for file in files}) == 1


def test_many_processes_may_open_a_new_file_at_once(path: Path) -> None:
    code = (
        "import sys; from events.sqlitefile import SqliteFile\n"
        "file = SqliteFile(sys.argv[1], 'things', 1, sys.argv[2], OSError)\n"
        "with file.transaction() as written: written.execute('INSERT INTO things VALUES (?)', (sys.argv[3],))\n"
        "file.close()"
    )
    ran = [
        subprocess.Popen([sys.executable, "-c", code, str(path), TABLES, str(number)], cwd=ROOT) for number in range(6)
    ]
    assert [process.wait(60) for process in ran] == [0] * 6


# Writing


@pytest.mark.parametrize("durable", [False, True])
def test_a_transaction_that_fails_changes_nothing(opened: Callable[..., SqliteFile], durable: bool) -> None:
    file = opened()

    def write(second: str) -> None:
        with file.transaction(durable=durable) as written:
            written.execute("INSERT INTO things VALUES ('a')")
            written.execute("INSERT INTO things VALUES (?)", (second,))
            raise KeyError

    with pytest.raises(Away, match="UNIQUE"):
        write("a")
    with pytest.raises(KeyError):
        write("b")
    assert names(file) == []
    put(file, "c")
    assert names(file) == ["c"]


def test_an_error_of_the_system_in_between_is_told(opened: Callable[..., SqliteFile], path: Path) -> None:
    file = opened()
    with pytest.raises(Away, match=f"^{path}: No such file"), file.transaction():
        Path("/nowhere/at/all").read_bytes()
    put(file, "a")


def test_after_a_commit_that_fails_the_next_one_goes(opened: Callable[..., SqliteFile]) -> None:
    file = opened()
    (pages,) = file._file.execute("PRAGMA page_count").fetchone()
    file._file.execute(f"PRAGMA max_page_count = {pages}")
    for durable in (False, True):
        with pytest.raises(Away, match="full"), file.transaction(durable=durable) as written:
            written.executemany("INSERT INTO things VALUES (?)", [(f"{number:01000}",) for number in range(100)])
    put(file, "a")
    assert names(file) == ["a"]
    assert file._file.execute("PRAGMA synchronous").fetchone() == (1,)


def test_threads_take_turns(opened: Callable[..., SqliteFile]) -> None:
    file = opened()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: put(file, str(number)), range(200)))
    assert len(names(file)) == 200


def test_what_is_durable_is_waited_for(opened: Callable[..., SqliteFile]) -> None:
    file = opened()
    inside = []
    for durable in (True, False):
        with file.transaction(durable=durable) as written:
            inside.append(written.execute("PRAGMA synchronous").fetchone()[0])
    assert inside == [2, 1]


def test_a_writer_that_takes_too_long_is_told(
    opened: Callable[..., SqliteFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("events.sqlitefile._BUSY_S", 0.01)
    first, second = opened(), opened()
    with first.transaction() as written:
        written.execute("INSERT INTO things VALUES ('a')")
        with pytest.raises(Away, match="locked"):
            put(second, "b")
        assert names(second) == []
    put(second, "b")


def test_closed_it_says_so(opened: Callable[..., SqliteFile]) -> None:
    file = opened()
    file.close()
    file.close()
    with pytest.raises(Away, match="closed"):
        put(file, "a")
    with pytest.raises(Away, match="closed"):
        names(file)


def test_thrown_away_it_is_closed(path: Path) -> None:
    file = SqliteFile(str(path), "things", 1, TABLES, Away)
    kept = file._file
    del file
    with pytest.raises(sqlite3.ProgrammingError):
        kept.execute("SELECT 1")


@pytest.mark.parametrize("again", [False, True], ids=["deleted", "replaced"])
def test_a_file_that_is_not_there_any_more_is_not_written(
    opened: Callable[..., SqliteFile], path: Path, again: bool
) -> None:
    file = opened()
    put(file, "a")
    path.unlink()
    if again:
        put(opened(), "b")
    for durable in (False, True):
        with (
            pytest.raises(Away, match="another file is there now" if again else "No such file"),
            file.transaction(durable=durable),
        ):
            pass
    put(opened(), "c")
    assert names(opened()) == (["b", "c"] if again else ["c"])


def test_a_relative_path_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = SqliteFile("file.sqlite", "things", 1, TABLES, Away)
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    put(file, "a")
    file.close()
    assert list((tmp_path / "below").iterdir()) == []


# Time


def test_its_time_is_near_the_clocks_and_one_for_all(opened: Callable[..., SqliteFile]) -> None:
    first, second = opened(), opened()
    assert first.now() == pytest.approx(time.time(), abs=5)
    assert first.now() <= second.now() + 1e-4 <= first.now() + 5


@pytest.mark.parametrize("by_s", [1e8, -1e8])
def test_setting_the_clock_does_not_set_it(
    opened: Callable[..., SqliteFile], monkeypatch: pytest.MonkeyPatch, by_s: float
) -> None:
    first, wall = opened(), time.time()
    monkeypatch.setattr(time, "time", lambda: wall + by_s)
    assert first.now() == pytest.approx(wall, abs=5)
    assert opened().now() == pytest.approx(wall, abs=5)


def restart(monkeypatch: pytest.MonkeyPatch, wall: float, boot: str = "another", since_boot: float = 3.0) -> None:
    monkeypatch.setattr(sqliteclock, "boot", lambda: boot)
    monkeypatch.setattr(sqliteclock, "since_boot", lambda: since_boot)
    monkeypatch.setattr(time, "time", lambda: wall)


def test_after_a_restart_it_goes_on_by_the_clock(
    opened: Callable[..., SqliteFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, wall = opened().now(), time.time()
    restart(monkeypatch, wall + 500)
    assert opened().now() == pytest.approx(before + 500, abs=5)
    # Whoever comes second has the first one's word.
    restart(monkeypatch, wall + 1e8, since_boot=13.0)
    assert opened().now() == pytest.approx(before + 510, abs=5)


def test_after_a_restart_with_a_wrong_date_it_does_not_go_back(
    opened: Callable[..., SqliteFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, real = opened(), sqliteclock.since_boot
    # It has run for a year, and noted the time when it last wrote.
    monkeypatch.setattr(sqliteclock, "since_boot", lambda: real() + 365 * 86_400)
    file._note_at = 0.0
    put(file, "a")
    before = file.now()
    restart(monkeypatch, 0.0)
    assert opened().now() == pytest.approx(before, abs=5)


def test_time_is_noted_now_and_then_only(opened: Callable[..., SqliteFile]) -> None:
    file = opened()
    seen: list[str] = []
    file._file.set_trace_callback(seen.append)
    put(file, "a")
    assert not [said for said in seen if "clock" in said]
    file._note_at = 0.0
    put(file, "b")
    put(file, "c")
    file._file.set_trace_callback(None)
    assert len([said for said in seen if "clock" in said]) == 1
    assert opened()._offset == pytest.approx(file._offset, abs=1e-5)


def test_where_the_system_does_not_tell_its_starts_time_goes_on(
    opened: Callable[..., SqliteFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    restart(monkeypatch, 1e9, boot="", since_boot=100.0)
    assert opened().now() == pytest.approx(1e9)
    restart(monkeypatch, 5e9, boot="", since_boot=130.0)
    assert opened().now() == pytest.approx(1e9 + 30)
    restart(monkeypatch, 1e9 + 90, boot="", since_boot=2.0)
    assert opened().now() == pytest.approx(1e9 + 90)


def test_a_start_has_a_name_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqliteclock, "_BOOT_ID", tmp_path / "none")
    assert sqliteclock.boot() == ""
    (tmp_path / "some").write_text("7c1b\n")
    monkeypatch.setattr(sqliteclock, "_BOOT_ID", tmp_path / "some")
    assert sqliteclock.boot() == "7c1b"


def test_without_a_clock_that_counts_sleep_the_next_best_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqliteclock, "_CLOCK", None)
    assert sqliteclock.since_boot() == pytest.approx(time.monotonic(), abs=5)


# Closing


def test_a_file_is_not_closed_under_a_thread_that_is_in_it(opened: Callable[..., SqliteFile]) -> None:
    file, inside, go_on = opened(), threading.Event(), threading.Event()

    def write() -> None:
        with file.transaction() as written:
            inside.set()
            assert go_on.wait(20)
            written.execute("INSERT INTO things VALUES ('late')")

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        assert inside.wait(20)
        file.close()  # Comes back, and leaves the file to the thread.
        go_on.set()
        writing.result(20)
    assert names(opened()) == ["late"]
    with pytest.raises(Away, match="closed"):
        put(file, "x")
    with pytest.raises(Away, match="closed"):
        names(file)
    file._file.close()


def test_who_waits_for_a_file_that_is_closed_meanwhile_is_told(opened: Callable[..., SqliteFile]) -> None:
    file = opened()
    file.close()
    with pytest.raises(Away, match="closed"), file.transaction():
        pass
    file.close()
