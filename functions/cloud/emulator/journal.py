"""What reached the emulator, for tests and for people who wonder: never a credential, a token or a signature."""

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

KEPT = 10_000
"""Entries kept; older ones fall out."""


@dataclass(frozen=True)
class Entry:
    """One request and its fate.

    `path` and `query` are as on the wire. `service`: None for an unknown path. `status`: None when the connection was
    dropped. `body`: the JSON value sent, None when it was not JSON, large, deep, when the path is unknown or when it may hold a
    password. `auth`: `aksk`, `token` or None. `fault`: the kind of the fault that was used, or None.
    """

    method: str
    path: str
    query: str
    service: str | None
    status: int | None
    request_id: str
    body: Any
    auth: str | None
    fault: str | None

    def as_json(self) -> dict[str, Any]:
        """Return the same as a JSON object."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


class Journal:
    """The newest entries, oldest first; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=KEPT)

    def add(self, entry: Entry) -> None:
        """Append an entry."""
        with self._lock:
            self._entries.append(entry)

    def entries(self) -> list[Entry]:
        """Return what is kept, oldest first."""
        with self._lock:
            return list(self._entries)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
