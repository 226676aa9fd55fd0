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

from events import sqliteclock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType

# Seconds waited for another process that writes.
_BUSY_S = 5.0
# On the disk at once only what is said to be `durable`; the log copied into the file (and that waited for) every 16 MB, not every 4, and
# cut off after what was larger.
_SETTINGS = ("synchronous=NORMAL", "wal_autocheckpoint=4000", "journal_size_limit=67108864")
# Seconds between two attempts to share a file that another process is making.
_RETRY_S = 0.01
# What sqlite calls a file that is none of its own, or not any more.
_FORMS = ("file is not a database", "database disk image is malformed")
# Seconds that a file which is closed waits for the thread that is using it.
_CLOSE_S = 1.0
# UPDATE ... RETURNING came with it (https://www.sqlite.org/releaselog/3_35_0.html).
_OLDEST = (3, 35, 0)
_PARTS = "CREATE TABLE IF NOT EXISTS parts (name TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID"


class SqliteFile:
    """A part of a sqlite file (several parts may share one): its tables, and transactions on them; threads may share it.

    `failure` is raised, with a text, for whatever sqlite or the file system refuses; `refused` where only somebody who changes the file
    or the setting can help.
    """

    def __init__(
        self,
        path: str,
        part: str,
        version: int,
        tables: str,
        failure: type[Exception],
        *,
        refused: type[Exception] | None = None,
    ) -> None:
        """Open or make the file, readable by its owner only, and the part's tables. Raises `failure`, `refused`."""
        self._lock = threading.Lock()
        self._closed = False
        self._failure = failure
        self._refused = refused or failure
        self._path = path
        self._absolute = str(Path(path).absolute())
        self._note_at = time.monotonic() + sqliteclock.NOTE_S
        with self._told():
            if sqlite3.sqlite_version_info < _OLDEST:
                raise self._refused(f"sqlite {sqlite3.sqlite_version} is too old: at least 3.35 is needed")
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._inode = Path(path).stat().st_ino
            # Autocommit: each transaction below says where it begins and ends.
            self._file = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
            # An application that is thrown away closes it, too.
            self._end = weakref.finalize(self, self._file.close)
            self._share()
            for setting in _SETTINGS:
                self._file.execute(f"PRAGMA {setting}")
        with self.transaction() as file:
            file.execute(_PARTS)
            self._check(file, part, version)
            for statement in filter(str.strip, (sqliteclock.TABLE, *tables.split(";"))):
                file.execute(statement)
            self._offset = sqliteclock.offset(file)

    def now(self) -> float:
        """Return the file's time in seconds: near those since 1970, the same for all processes, and never set by whoever sets the clock.

        Across a restart of the machine it goes on by what the clock says.
        """
        return sqliteclock.since_boot() + self._offset

    def close(self) -> None:
        """Close the file; one that another thread is using, and does not leave soon, is left to the end of the process."""
        self._closed = True
        # sqlite does not survive that a connection is closed under a thread that is in it.
        if self._lock.acquire(timeout=_CLOSE_S):
            self._end()
            self._lock.release()
        else:
            self._end.detach()

    def transaction(self, *, durable: bool = False) -> AbstractContextManager[sqlite3.Connection]:
        """Write in one transaction; `durable`: once it is over, not even a power failure undoes it. Raises `failure`, with nothing done."""
        return _Transaction(self, durable)

    def rows(self, query: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a query finds. Raises `failure`."""
        with self._lock, self._told():
            self._check_open()
            return self._file.execute(query, values).fetchall()

    def _check_open(self) -> None:
        if self._closed:
            raise self._failure(f"{self._path}: closed")

    def _share(self) -> None:
        """Let several processes read and write at once (https://www.sqlite.org/wal.html)."""
        end = time.monotonic() + _BUSY_S
        while not (mode := self._wal()):
            # sqlite does not wait where two processes make the same file.
            if time.monotonic() > end:
                raise self._failure(f"{self._path}: another process holds it")
            time.sleep(_RETRY_S)
        if mode != "wal":
            raise self._refused(f"{self._path}: sqlite has no WAL there: put it on a disk of this machine")

    def _wal(self) -> str:
        try:
            return str(self._file.execute("PRAGMA journal_mode=WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            return ""

    def _check(self, file: sqlite3.Connection, part: str, version: int) -> None:
        row = file.execute("SELECT version FROM parts WHERE name = ?", (part,)).fetchone()
        if row and row[0] != version:
            raise self._refused(
                f"{self._path}: its {part} has format {row[0]}, and this version of Hongyan reads {version}"
            )
        file.execute("INSERT OR IGNORE INTO parts VALUES (?, ?)", (part, version))

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise self._translated(error) from error

    def _translated(self, error: sqlite3.Error | OSError) -> Exception:
        told = error.strerror if isinstance(error, OSError) else str(error)
        kind = self._refused if told in _FORMS else self._failure
        return kind(f"{self._path}: {told}")


class _Transaction:
    """A transaction on a file: a class, because a generator would cost a tenth of what is written in it."""

    __slots__ = ("_durable", "_of")

    def __init__(self, of: SqliteFile, durable: bool) -> None:
        self._of = of
        self._durable = durable

    def __enter__(self) -> sqlite3.Connection:
        of = self._of
        of._lock.acquire()
        if of._closed:
            of._lock.release()
            of._check_open()
        try:
            if self._durable:
                of._file.execute("PRAGMA synchronous=FULL")
            of._file.execute("BEGIN IMMEDIATE")
            # What is written into a file that was deleted is gone when the last process closes it.
            if os.stat(of._absolute).st_ino != of._inode:  # noqa: PTH116 - a third of what Path.stat takes
                raise of._failure(f"{of._path}: another file is there now")  # noqa: TRY301 - undone as any other
            if time.monotonic() > of._note_at:
                sqliteclock.note(of._file, of._offset)
                of._note_at = time.monotonic() + sqliteclock.NOTE_S
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return of._file

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        of = self._of
        try:
            if error is None:
                of._file.execute("COMMIT")
        except sqlite3.Error as late:
            error = late
        try:
            if error is not None and of._file.in_transaction:  # A full disk may have rolled it back already.
                of._file.execute("ROLLBACK")
            if self._durable:
                of._file.execute("PRAGMA synchronous=NORMAL")
        except sqlite3.Error as late:
            error = error or late
        of._lock.release()
        if isinstance(error, (sqlite3.Error, OSError)):
            raise of._translated(error) from error
