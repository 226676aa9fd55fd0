"""The tables of queues in a sqlite file, the statements on them, and what a row is of a message, for the embedded transport."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from events.calls import is_name
from events.queues import QueueRefused, wire
from events.queues.lean import delivery_of, message_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from events.queues import Delivery, Letter, Message

FORMAT = 1
"""The version of these tables."""
# `head`: no earlier message of its group is there. Only heads are in the index that deliveries come from, so that what waits behind a
# group costs nothing. `due`: when it may be delivered, or when the lease of whoever has it ends. `fence` grows with every delivery and
# return, so that it tells one holder from the next; `received` counts the deliveries since the last return.
# What changes stands before the body: of a long row sqlite writes only the pages that differ.
TABLES = """
CREATE TABLE IF NOT EXISTS messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, head INTEGER NOT NULL, due REAL NOT NULL, fence INTEGER NOT NULL,
    received INTEGER NOT NULL, tries INTEGER NOT NULL, runs INTEGER NOT NULL, version INTEGER NOT NULL, sent REAL NOT NULL,
    id TEXT NOT NULL, grp TEXT, meta TEXT NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_due ON messages (queue, due) WHERE head = 1;
CREATE INDEX IF NOT EXISTS messages_group ON messages (queue, grp, head) WHERE grp IS NOT NULL;
CREATE TABLE IF NOT EXISTS letters (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, id TEXT NOT NULL, letter BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS letters_queue ON letters (queue, seq);
CREATE INDEX IF NOT EXISTS letters_id ON letters (queue, id);
"""
PUT = """
INSERT INTO messages (queue, head, due, fence, received, tries, runs, version, sent, id, grp, meta, body)
SELECT :queue, NOT EXISTS (SELECT 1 FROM messages WHERE queue = :queue AND grp = :grp), :due, 0, 0,
    :tries, :runs, :version, :sent, :id, :grp, :meta, :body
"""
ANY = "SELECT 1 FROM messages WHERE queue = ? AND head = 1 AND due <= ? LIMIT 1"
NEXT = """
SELECT seq, fence + 1, due, received, id, grp, sent, tries, runs, version, meta, body FROM messages
WHERE queue = ? AND head = 1 AND due <= ? ORDER BY due, seq LIMIT ?
"""
HOLD = "UPDATE messages SET due = ?, fence = fence + 1, received = received + 1 WHERE seq = ?"
EXTEND = "UPDATE messages SET due = ? WHERE seq = ? AND fence = ?"
RETURN = "UPDATE messages SET due = ?, fence = fence + 1, received = 0, tries = tries + ? WHERE seq = ? AND fence = ?"
END = "DELETE FROM messages WHERE seq = ? AND fence = ?"
# Whoever deleted what: a group without a head gets one.
PROMOTE = """
UPDATE messages SET head = 1 WHERE seq = (SELECT min(seq) FROM messages WHERE queue = ? AND grp = ? AND head = 0)
AND NOT EXISTS (SELECT 1 FROM messages WHERE queue = ? AND grp = ? AND head = 1)
"""
COUNTS = """
SELECT (SELECT count(*) FROM messages WHERE queue = :queue AND head = 1 AND due <= :now)
    + (SELECT count(*) FROM messages WHERE queue = :queue AND grp IS NOT NULL AND head = 0),
(SELECT count(*) FROM letters WHERE queue = :queue),
(SELECT count(*) FROM messages WHERE queue = :queue AND head = 1 AND due > :now AND received = 0),
(SELECT count(*) FROM messages WHERE queue = :queue AND head = 1 AND due > :now AND received > 0),
(SELECT sent FROM messages WHERE queue = :queue AND head = 1 AND due <= :now ORDER BY due LIMIT 1)
"""
BURY = "INSERT INTO letters (queue, id, letter) VALUES (?, ?, ?)"
LETTERS = "SELECT letter, id FROM letters WHERE queue = ? ORDER BY seq LIMIT ?"
LETTER = "SELECT seq, letter, id FROM letters WHERE queue = ? AND id = ?"
UNBURY = "DELETE FROM letters WHERE seq = ?"

MOST_BODY = 700_000_000
"""Bytes of a body: sqlite's rows end at 1e9, and in a dead letter a body is a third longer."""
# Types of the columns of `NEXT` from `id` on: a group and meta may be missing.
_TYPES = {(str, group, float, int, int, int, meta, bytes) for group in (str, type(None)) for meta in (str, type(None))}
# The largest number that sqlite stores.
_MOST_COUNT = 2**63 - 1


def to_row(message: Message) -> dict[str, Any]:
    """Return what `PUT` takes of a message, but for the queue and when it is due. Raises QueueRefused."""
    if len(message.body) > MOST_BODY:
        raise QueueRefused(f"a body has {len(message.body)} bytes, and sqlite takes {MOST_BODY}")
    if not all(0 <= count <= _MOST_COUNT for count in (message.tries, message.runs, message.version)):
        raise QueueRefused("tries, runs and version of a message must be numbers from 0 to 2^63-1")
    if not math.isfinite(message.sent_at):
        raise QueueRefused("sent_at of a message must be a finite number")
    group, meta = wire.beside(message)
    return {
        "tries": message.tries,
        "runs": message.runs,
        "version": message.version,
        "sent": message.sent_at,
        "id": message.id,
        "grp": group or None,
        "meta": meta,
        "body": message.body,
    }


def to_deliveries(rows: Sequence[Sequence[Any]]) -> list[Delivery]:
    """Return the deliveries of rows of `NEXT`; a receipt is the row's number and the fence of this delivery."""
    found = []
    for row in rows:
        seq, fence, _, received, its_id, group, sent, tries, runs, version, said, body = row
        if tuple(map(type, row[4:])) not in _TYPES or not is_name(its_id):
            found.append(delivery_of(_odd(row), received, (seq, fence)))
            continue
        meta = wire.meta_of(said) if said else {}
        known = version if meta is not None else wire.UNREADABLE
        message = message_of(body, its_id, group, sent, tries, runs, known, meta or {})
        found.append(delivery_of(message, received, (seq, fence)))
    return found


def _odd(row: Sequence[Any]) -> Message:
    """Return the message of a row that somebody else wrote: with what can be read of it, and refused where what cannot might say more."""
    seq, _, _, _, its_id, group, sent, tries, runs, version, said, body = row
    known = {
        "id": its_id,
        "group": group,
        "sent_at": sent,
        "tries": tries,
        "runs": runs,
        "version": version,
        "meta": said,
    }
    fields = {name: str(value) for name, value in known.items() if value is not None}
    if tuple(map(type, row[4:])) not in _TYPES:
        fields["version"] = str(wire.UNREADABLE)
    raw = body if isinstance(body, bytes) else str(body).encode("utf-8", "replace")
    return wire.from_fields(raw, fields, f"row-{seq}", time.time())


def to_letter(row: Sequence[Any]) -> Letter:
    """Return the letter of a row of `LETTERS`."""
    raw, its_id = row
    return wire.from_json(raw, its_id, time.time())
