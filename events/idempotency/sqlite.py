"""The embedded store: one sqlite file that the workers of a machine share, perhaps the queue's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.idempotency import ANNOUNCED_KEEP_S, EFFECTIVE, Busy, Claim, Finished, LeaseLost, StoreUnavailable
from events.sqlitefile import SqliteFile
from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    import sqlite3

_FORMAT = 1
# `ends`: when the claim's lease ends, or when the result need not be kept any more. A result may go then, a claim a day later, since
# its losses are still counted; but never one that was announced and has not ended: nobody knows yet what became of it.
_TABLES = """
CREATE TABLE IF NOT EXISTS calls (
    key BLOB PRIMARY KEY, token INTEGER NOT NULL, ends REAL NOT NULL, announced INTEGER NOT NULL, run INTEGER NOT NULL,
    losses INTEGER NOT NULL, outcome TEXT, event BLOB
);
CREATE INDEX IF NOT EXISTS calls_gone ON calls (ends + 86400 * (outcome IS NULL)) WHERE (announced = 0 OR outcome IS NOT NULL)
"""
_FIND = "SELECT token, ends, announced, run, losses, outcome, event FROM calls WHERE key = ?"
_CLAIM = """
INSERT INTO calls (key, token, ends, announced, run, losses) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET token = excluded.token, ends = excluded.ends, announced = excluded.announced, run = excluded.run,
    losses = excluded.losses, outcome = NULL, event = NULL
"""
_ANNOUNCE = "UPDATE calls SET announced = 1 WHERE key = ? AND token = ? AND outcome IS NULL AND ends > ?"
_IS_ANNOUNCED = "SELECT 1 FROM calls WHERE key = ? AND token = ? AND announced"
_FINISH = """
UPDATE calls SET ends = ? + max(?, announced * ?), run = ?, outcome = ?, event = ? WHERE key = ? AND token = ? AND outcome IS NULL
"""
_IS_FINISHED = "SELECT 1 FROM calls WHERE key = ? AND token = ? AND outcome = ? AND event = ?"
_RELEASE = "DELETE FROM calls WHERE key = ? AND token = ? AND outcome IS NULL"
_FORGET = """
DELETE FROM calls WHERE key IN (
    SELECT key FROM calls WHERE (announced = 0 OR outcome IS NOT NULL) AND ends + 86400 * (outcome IS NULL) < ?
    ORDER BY ends + 86400 * (outcome IS NULL) LIMIT ?
)
"""

# Once in so many claims, at most so many rows are forgotten: twice what came in, so that the file does not grow for ever.
_SWEEP_EVERY, _SWEEP_MOST = 100, 200

_LOST = "the claim has ended, or somebody else holds it by now"


class SqliteStore:
    """Calls in a sqlite file; times are the file's (`SqliteFile.now`).

    What was announced, and how it ended, survives a power failure. Any other call may be forgotten by one, and is then run again.
    """

    def __init__(self, path: str) -> None:
        """Open or make the file. Raises StoreUnavailable."""
        self._file = SqliteFile(path, "store", _FORMAT, _TABLES, StoreUnavailable)
        self._claims = 0

    @classmethod
    def opened(cls, path: str, variable: str) -> SqliteStore:
        """Open or make the file that a setting names. Raises ConfigurationError."""
        try:
            return cls(path)
        except StoreUnavailable as error:
            raise ConfigurationError(f"{variable} cannot be used: {error}") from None

    def claim(self, key: bytes, lease_s: float, run: int = 0) -> Claim | Finished | Busy:
        """See `Store`."""
        with self._file.transaction() as file:
            now = self._file.now()
            row = file.execute(_FIND, (key,)).fetchone()
            token, ends, announced, its_run, losses, outcome, event = row or (0, now, 0, 0, -1, None, b"")
            if outcome is not None and now < ends and (outcome in EFFECTIVE or its_run >= run):
                return Finished(outcome, event)
            if outcome is None and now < ends:
                return Busy(ends - now)
            in_doubt = bool(announced) and outcome is None
            # Microseconds: larger than that of any claim before, also of one that is forgotten by now.
            token = max(token + 1, int(now * 1e6))
            losses = losses + 1 if outcome is None else 0
            file.execute(_CLAIM, (key, token, now + lease_s, in_doubt, run, losses))
            self._sweep(file, now)
        return Claim(key, token, in_doubt, losses)

    def announce(self, claim: Claim) -> None:
        """See `Store`: on the disk when it returns."""
        with self._file.transaction(durable=True) as file:
            if not file.execute(_ANNOUNCE, (claim.key, claim.token, self._file.now())).rowcount:
                raise LeaseLost(_LOST)

    def finish(self, claim: Claim, end: Finished, keep_s: float, run: int = 0) -> None:
        """See `Store`: on the disk when it returns, if it was announced."""
        which = (claim.key, claim.token)
        # What was not announced is harmless to run again: not worth waiting for the disk. Asked before, since sqlite does not take that
        # decision within a transaction; only the claim's holder, who is here, can change the answer.
        durable = bool(self._file.rows(_IS_ANNOUNCED, which))
        with self._file.transaction(durable=durable) as file:
            keeps = (self._file.now(), keep_s, ANNOUNCED_KEEP_S)
            if file.execute(_FINISH, (*keeps, run, end.outcome, end.event, *which)).rowcount:
                return
            if not file.execute(_IS_FINISHED, (*which, end.outcome, end.event)).fetchone():
                raise LeaseLost(_LOST)

    def release(self, claim: Claim) -> None:
        """See `Store`."""
        with self._file.transaction() as file:
            file.execute(_RELEASE, (claim.key, claim.token))

    def close(self) -> None:
        """See `Store`."""
        self._file.close()

    def _sweep(self, file: sqlite3.Connection, now: float) -> None:
        if self._claims % _SWEEP_EVERY == 0:
            file.execute(_FORGET, (now, _SWEEP_MOST))
        self._claims += 1
