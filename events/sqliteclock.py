"""A clock that all processes of a sqlite file share and nobody sets: it goes on by the time since boot, for leases and delays."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

TABLE = """
CREATE TABLE IF NOT EXISTS clock (boot TEXT NOT NULL, since_boot REAL NOT NULL, at REAL NOT NULL, wall REAL NOT NULL)
"""
NOTE_S = 60.0
"""Seconds between two notes of the time: what the clock may lose when the machine restarts with a wrong date."""

_CLOCK = getattr(time, "CLOCK_BOOTTIME", None)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def since_boot() -> float:
    """Return the seconds since the machine started, with those that it slept where the system counts them."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


def boot() -> str:
    """Return what tells one start of the machine from the next, "" where the system does not say."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def offset(file: sqlite3.Connection) -> float:
    """Return what the file's time is ahead of the time since boot; the first process after a restart settles it for all.

    Over a restart the time goes on by what the system's date says, and never back behind its last note. In a transaction.
    """
    its_boot, now, wall = boot(), since_boot(), time.time()
    row = file.execute("SELECT boot, since_boot, at, wall FROM clock").fetchone()
    if row and row[0] == its_boot and row[1] <= now:
        return float(row[2] - row[1])
    at = wall if row is None else row[2] + max(0.0, wall - row[3])
    file.execute("DELETE FROM clock")
    file.execute("INSERT INTO clock VALUES (?, ?, ?, ?)", (its_boot, now, at, wall))
    return float(at - now)


def note(file: sqlite3.Connection, ahead: float) -> None:
    """Write down what time it is; `ahead` is the offset. In a transaction."""
    now = since_boot()
    file.execute("UPDATE clock SET since_boot = ?, at = ?, wall = ?", (now, now + ahead, time.time()))
