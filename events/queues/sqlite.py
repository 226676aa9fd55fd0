"""The embedded transport: one sqlite file that the processes of a machine share, with nothing installed."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING, Any

from events.queues import Counts, QueueRefused, QueueUnavailable, wire
from events.queues import sqlitetables as tables
from events.sqlitefile import SqliteFile

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from events.queues import Delivery, Letter, Message
    from events.queues.urls import QueueUrl

OPTIONS: tuple[str, ...] = ()
"""What a URL of sqlite may say besides the queue and its lease."""

# Seconds between two looks at an empty queue: the first, and the most that they grow to.
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.002, 0.05
# Bytes of bodies after which a batch is full: a few large ones must not fill the memory.
_BATCH_BYTES = 32 * 1024 * 1024


class SqliteQueue:
    """A queue in a sqlite file, which other queues and the store of calls may share.

    What was published survives a power failure; what else was done may be undone by one, and is done again.
    """

    transport = "sqlite"

    def __init__(self, url: QueueUrl) -> None:
        """Open or make the file. Raises QueueUnavailable, QueueRefused."""
        self.name = url.name
        self.lease_s = url.lease_s
        self._path = url.path
        # Receipts of what is held, and when each was due.
        self._held: dict[tuple[int, int], float] = {}
        self._file = self._opened()

    def publish(self, messages: Sequence[Message]) -> None:
        """See `Queue`: in one transaction, on the disk when it returns."""
        rows = [tables.to_row(message) for message in messages]
        if rows:
            with self._file.transaction(durable=True) as file:
                self._put(file, rows)

    def receive(self, most: int, wait_s: float) -> list[Delivery]:
        """See `Queue`. An empty queue is looked at every few milliseconds, up to 50."""
        end, pause_s = time.monotonic() + wait_s, _FIRST_PAUSE_S
        found = self._take(most)
        while not found and (left_s := end - time.monotonic()) > 0:
            time.sleep(min(pause_s, left_s))
            pause_s = min(pause_s * 1.5, _LAST_PAUSE_S)
            # Looking locks nobody out, taking does.
            if self._any():
                found = self._take(most)
        return found

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """See `Queue`."""
        if deliveries:
            receipts = [delivery.receipt for delivery in deliveries]
            with self._file.transaction() as file:
                file.executemany(tables.END, receipts)
                self._promote(file, deliveries)
            self._forget(receipts)

    def give_back(self, delivery: Delivery, delay_s: float = 0.0, *, failed: bool) -> None:
        """See `Queue`: one that neither failed nor is delayed gets its old place, any other the place of one that comes when it is due."""
        with self._file.transaction() as file:
            now = self._file.now()
            due = now + delay_s if failed or delay_s > 0 else self._held.get(delivery.receipt, now)
            file.execute(tables.RETURN, (due, failed, *delivery.receipt))
        self._forget([delivery.receipt])

    def dead_letter(self, delivery: Delivery, letter: Letter) -> None:
        """See `Queue`: in one transaction."""
        raw = wire.to_json(letter)
        with self._file.transaction() as file:
            if file.execute(tables.END, delivery.receipt).rowcount:
                file.execute(tables.BURY, (self.name, letter.id, raw))
            self._promote(file, [delivery])
        self._forget([delivery.receipt])

    def extend(self, deliveries: Sequence[Delivery]) -> None:
        """See `Queue`."""
        if deliveries:
            with self._file.transaction() as file:
                end = self._file.now() + self.lease_s
                file.executemany(tables.EXTEND, [(end, *delivery.receipt) for delivery in deliveries])

    def counts(self) -> Counts:
        """See `Queue`: what waits behind its group counts as ready; the oldest is the one that is delivered next."""
        said = {"queue": self.name, "now": self._file.now()}
        ((ready, dead, delayed, in_flight, sent),) = self._file.rows(tables.COUNTS, said)
        return Counts(
            ready, dead, delayed, in_flight, max(0.0, time.time() - sent) if isinstance(sent, float) else None
        )

    def letters(self, most: int = 1000) -> list[Letter]:
        """See `Queue`."""
        return [tables.to_letter(row) for row in self._file.rows(tables.LETTERS, (self.name, most))]

    def redrive(self, ids: Collection[str]) -> int:
        """See `Queue`: in one transaction, in the order of the letters."""
        with self._file.transaction() as file:
            letters = self._taken(file, ids)
            self._put(file, [tables.to_row(wire.again(letter)) for letter in letters])
        return len(letters)

    def drop(self, ids: Collection[str]) -> int:
        """See `Queue`: in one transaction."""
        with self._file.transaction() as file:
            return len(self._taken(file, ids))

    def reconnect(self) -> None:
        """See `Queue`: what this consumer holds stays its own until its lease ends."""
        self._file.close()
        self._file = self._opened()

    def close(self) -> None:
        """See `Queue`."""
        held, self._held = self._held, {}
        try:
            if held:
                with self._file.transaction() as file:
                    file.executemany(tables.RETURN, [(due, 0, *receipt) for receipt, due in held.items()])
        finally:
            self._file.close()

    def _opened(self) -> SqliteFile:
        return SqliteFile(self._path, "queue", tables.FORMAT, tables.TABLES, QueueUnavailable, refused=QueueRefused)

    def _put(self, file: sqlite3.Connection, rows: Iterable[dict[str, Any]]) -> None:
        due = self._file.now()
        file.executemany(tables.PUT, [{"queue": self.name, "due": due, **row} for row in rows])

    def _any(self) -> bool:
        return bool(self._file.rows(tables.ANY, (self.name, self._file.now())))

    def _take(self, most: int) -> list[Delivery]:
        with self._file.transaction() as file:
            now = self._file.now()
            try:
                rows = _rows(file, (self.name, now, most))
            except sqlite3.OperationalError as error:
                if "decode" not in str(error):
                    raise
                # Somebody else wrote text that is not UTF-8: it is read as far as it can be, more slowly from now on.
                file.text_factory = lambda raw: raw.decode("utf-8", "replace")
                rows = _rows(file, (self.name, now, most))
            file.executemany(tables.HOLD, [(now + self.lease_s, row[0]) for row in rows])
        self._held.update({(row[0], row[1]): row[2] for row in rows})
        return tables.to_deliveries(rows)

    def _forget(self, receipts: Iterable[tuple[int, int]]) -> None:
        for receipt in receipts:
            self._held.pop(receipt, None)

    def _promote(self, file: sqlite3.Connection, deliveries: Iterable[Delivery]) -> None:
        groups = {delivery.message.group for delivery in deliveries}
        if groups != {None}:
            file.executemany(tables.PROMOTE, [(self.name, group) * 2 for group in groups])

    def _taken(self, file: sqlite3.Connection, ids: Collection[str]) -> list[Letter]:
        """Take letters out, and return them in their order."""
        rows = sorted(row for its_id in set(ids) for row in file.execute(tables.LETTER, (self.name, its_id)))
        file.executemany(tables.UNBURY, [(seq,) for seq, *_ in rows])
        return [tables.to_letter(row) for _, *row in rows]


def _rows(file: sqlite3.Connection, wanted: tuple[str, float, int]) -> list[tuple[Any, ...]]:
    """Return the next rows, but not too many bytes of them."""
    rows, size = [], 0
    found = file.execute(tables.NEXT, wanted)
    try:
        for row in found:
            rows.append(row)
            size += len(row[-1]) if isinstance(row[-1], (bytes, str)) else 0
            if size > _BATCH_BYTES:
                break
    finally:
        found.close()
    return rows


def connect(url: QueueUrl) -> SqliteQueue:
    """Return the queue that a URL names. Raises QueueUnavailable, QueueRefused."""
    return SqliteQueue(url)
