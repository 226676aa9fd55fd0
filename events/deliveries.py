"""What the processes of one machine remember of verified requests: which were received, how they ended, and how many there were lately."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import threading
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from events.settings import EventSettings

MEMORY = ":memory:"
"""The path with which nothing is shared with other processes or kept."""

_TABLES = """
CREATE TABLE IF NOT EXISTS received (key BLOB PRIMARY KEY, until REAL NOT NULL, since REAL NOT NULL, status INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS received_until ON received (until);
CREATE TABLE IF NOT EXISTS rates (sender TEXT PRIMARY KEY, due REAL NOT NULL) WITHOUT ROWID;
"""
# Seconds waited for another process that writes, between two sweeps of what need not be remembered any more, and for which it is kept
# nevertheless: a clock that ran ahead may be set right.
_BUSY_S = 2.0
_SWEEP_S = 60.0
_GRACE_S = 3600.0
# In the place of a status: it is being stored for later. Above every status, so that no reader takes it for a success.
_STORING = 999
IDS_S = 7 * 86_400.0
"""Seconds for which ids are remembered: senders repeat what was not heard for hours, some for days, each time signed afresh."""


class Unavailable(Exception):
    """The file cannot be read or written: nothing may be taken for new."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A request that is new; `Deliveries.finish` or `release` it."""

    keys: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that is not new: `replayed` when it is the very same one, else its id is known.

    `status` is that of the answer it got, None while it is under way (or when its process died); `since` is when it came, in seconds
    since 1970. `storing`: what is under way is storing it for later.
    """

    replayed: bool
    status: int | None
    since: float
    storing: bool = False


class Deliveries:
    """Remembers requests for as long as their signatures would be good, in one sqlite file for all processes; threads may share it."""

    def __init__(self, path: str = MEMORY) -> None:
        """Open or make the file. Raises Unavailable."""
        self._lock = threading.Lock()
        self._swept = 0.0
        with _told(path):
            if path != MEMORY:
                os.close(
                    os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
                )  # Nobody else learns who sends, or makes us forget it.
            # Autocommit: each transaction below says where it begins and ends.
            self._file = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
            # An application that is thrown away closes it, too.
            weakref.finalize(self, self._file.close)
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute("PRAGMA synchronous=NORMAL")
            self._file.executescript(_TABLES)

    @classmethod
    def of(cls, settings: EventSettings) -> Deliveries:
        """Open the file that the settings name. Raises ConfigurationError when it cannot be used."""
        try:
            return cls(settings.state_file or MEMORY)
        except Unavailable as error:
            raise ConfigurationError(f"HONGYAN_STATE_FILE cannot be used: {error}") from None

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def claim(
        self,
        sender: str,
        fingerprint: str,
        id: str | None,  # noqa: A002 - the field's term
        until: float,
        now: float,
        *,
        storing_s: float | None = None,
    ) -> Claim | Seen:
        """Remember a verified request, unless it is known: its fingerprint until `until`, its id for `IDS_S`; times are seconds since 1970.

        A `fingerprint` of "" and an `id` of None are not compared. `storing_s`: it is to be stored for later, None when it is not. One
        that was begun so longer than that ago (seconds), and has no end, is taken for new: whoever had it died, perhaps before it was
        stored, and if after, then what is stored once more has the same id. Raises Unavailable.
        """
        keys = _keys(sender, fingerprint, id)
        ends = {"fingerprint": until, "id": max(until, now + IDS_S)}
        with self._transaction(now) as file:
            known = _known(file, keys, now)
            lost = storing_s is not None and all(seen.storing and now - seen.since > storing_s for seen in known)
            if known and not lost:
                return known[0]
            status = None if storing_s is None else _STORING
            rows = [(key, ends[kind], now, status) for kind, key in keys.items()]
            file.executemany("REPLACE INTO received VALUES (?, ?, ?, ?)", rows)
        return Claim(tuple(keys.values()))

    def look(self, sender: str, fingerprint: str, id: str | None, now: float) -> Seen | None:  # noqa: A002 - the field's term
        """Return what is known of a request without remembering it. Raises Unavailable."""
        with self._transaction() as file:
            return next(iter(_known(file, _keys(sender, fingerprint, id), now)), None)

    def finish(self, claim: Claim, status: int) -> None:
        """Remember how a claimed request was answered. Raises Unavailable."""
        with self._transaction() as file:
            file.executemany("UPDATE received SET status = ? WHERE key = ?", [(status, key) for key in claim.keys])

    def release(self, claim: Claim) -> None:
        """Forget a claimed request: nothing came of it, so it may be sent again. Raises Unavailable."""
        with self._transaction() as file:
            file.executemany("DELETE FROM received WHERE key = ?", [(key,) for key in claim.keys])

    def wait(self, sender: str, count: int, per_s: float, now: float) -> float:
        """Count a request of a sender that may send `count` in `per_s` seconds.

        Return the seconds to wait when it was one too many, else 0. Raises Unavailable. The generic cell rate algorithm (ITU-T I.371):
        `due` is when the sender's requests, spread evenly, would be used up.
        """
        each = per_s / count
        with self._transaction(now) as file:
            row = file.execute("SELECT due FROM rates WHERE sender = ?", (sender,)).fetchone()
            # Further ahead than a whole burst is a clock that was set back: that must not lock a sender out.
            due = row[0] if row and now <= row[0] <= now + per_s + each else now
            if due + each - now > per_s * (1 + 1e-9):
                return due + each - now - per_s
            file.execute("REPLACE INTO rates VALUES (?, ?)", (sender, due + each))
        return 0.0

    @contextlib.contextmanager
    def _transaction(self, now: float | None = None) -> Iterator[sqlite3.Connection]:
        with self._lock, _told("the deliveries"):
            self._file.execute("BEGIN IMMEDIATE")
            try:
                if now is not None and now - self._swept > _SWEEP_S:
                    self._swept = now
                    self._file.execute("DELETE FROM received WHERE until < ?", (now - _GRACE_S,))
                yield self._file
            except BaseException:
                self._file.execute("ROLLBACK")
                raise
            self._file.execute("COMMIT")


def _keys(sender: str, fingerprint: str, id: str | None) -> dict[str, bytes]:  # noqa: A002
    named = {"fingerprint": fingerprint or None, "id": id}
    return {
        kind: hashlib.sha256("\0".join((sender, kind, value)).encode("utf-8", "surrogatepass")).digest()
        for kind, value in named.items()
        if value is not None
    }


def _known(file: sqlite3.Connection, keys: dict[str, bytes], now: float) -> list[Seen]:
    known = []
    for kind, key in keys.items():
        row = file.execute("SELECT status, since FROM received WHERE key = ? AND until >= ?", (key, now)).fetchone()
        if row:
            storing = row[0] == _STORING
            known.append(Seen(kind == "fingerprint", None if storing else row[0], row[1], storing))
    return known


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise Unavailable(f"{what}: {error}") from error
