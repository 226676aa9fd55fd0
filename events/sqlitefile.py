"""One sqlite file that the processes of a machine share: opened, versioned, written in transactions, timed by a clock that cannot jump."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Seconds waited for another process that writes.
_BUSY_S = 5.0
# UPDATE ... RETURNING came with it (https://www.sqlite.org/releaselog/3_35_0.html).
_OLDEST = (3, 35, 0)
_TABLES = """
CREATE TABLE IF NOT EXISTS parts (name TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS clock (boot TEXT NOT NULL, since_boot REAL NOT NULL, at REAL NOT NULL, wall REAL NOT NULL);
"""


class SqliteFile:
    """A part of a sqlite file (several parts may share one): its tables, and transactions on them; threads may share it.

    `failure` is raised, with a text, for whatever sqlite or the file system refuses.
    """

    def __init__(self, path: str, part: str, version: int, tables: str, failure: type[Exception]) -> None:
        """Open or make the file, readable by its owner only, and the part's tables. Raises `failure`."""
        self._lock = threading.Lock()
        self._failure = failure
        self._path = path
        with self._told():
            if sqlite3.sqlite_version_info < _OLDEST:
                raise failure(f"sqlite {sqlite3.sqlite_version} is too old: at least 3.35 is needed")
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            # Autocommit: each transaction below says where it begins and ends.
            self._file = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
            # An application that is thrown away closes it, too.
            self._end = weakref.finalize(self, self._file.close)
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute("PRAGMA synchronous=NORMAL")
        with self.transaction() as file:
            for statement in filter(str.strip, (_TABLES + tables).split(";")):
                file.execute(statement)
            self._check(file, part, version)
            self._offset = _offset(file)

    def now(self) -> float:
        """Return the file's time in seconds: near those since 1970, the same for all processes, and never set by whoever sets the clock.

        Across a restart of the machine it goes on by what the clock says.
        """
        return since_boot() + self._offset

    def close(self) -> None:
        """Close the file."""
        self._end()

    @contextlib.contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """Write in one transaction; `durable`: once it is over, not even a power failure undoes it. Raises `failure`, with nothing done."""
        with self._lock, self._told():
            if durable:
                self._file.execute("PRAGMA synchronous=FULL")
            try:
                self._file.execute("BEGIN IMMEDIATE")
                try:
                    yield self._file
                    self._file.execute("COMMIT")
                except BaseException:
                    if self._file.in_transaction:  # A full disk may have rolled it back already.
                        self._file.execute("ROLLBACK")
                    raise
            finally:
                if durable:
                    self._file.execute("PRAGMA synchronous=NORMAL")

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a query finds. Raises `failure`."""
        with self._lock, self._told():
            return self._file.execute(query, values).fetchall()

    def _check(self, file: sqlite3.Connection, part: str, version: int) -> None:
        row = file.execute("SELECT version FROM parts WHERE name = ?", (part,)).fetchone()
        if row and row[0] != version:
            raise self._failure(
                f"{self._path}: its {part} has format {row[0]}, and this version of Hongyan reads {version}"
            )
        file.execute("INSERT OR IGNORE INTO parts VALUES (?, ?)", (part, version))

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            told = error.strerror if isinstance(error, OSError) else str(error)
            raise self._failure(f"{self._path}: {told}") from error


def since_boot() -> float:
    """Return the seconds since the machine started, with those that it slept where the system counts them."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def _boot() -> str:
    """Return what tells one start of the machine from the next, "" where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _offset(file: sqlite3.Connection) -> float:
    """Return what the file's time is ahead of the time since boot; the first process after a restart settles it for all."""
    boot, now, wall = _boot(), since_boot(), time.time()
    row = file.execute("SELECT boot, since_boot, at, wall FROM clock").fetchone()
    if row and row[0] == boot and row[1] <= now:
        return float(row[2] - row[1])
    at = wall if row is None else row[2] + max(0.0, wall - row[3])
    file.execute("DELETE FROM clock")
    file.execute("INSERT INTO clock VALUES (?, ?, ?, ?)", (boot, now, at, wall))
    return float(at - now)
