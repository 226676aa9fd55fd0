"""The certificates that messages name: fetched through the guard, once for all who ask, and kept for a day; for the scheme `smn`."""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from events.outward import OutwardFailed, OutwardRefused
from events.signatures.trust import Chain, parsed, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from events.outward import Outward

KEPT_S = 86_400.0
"""How long a certificate is kept, in seconds; the official sample keeps it as long."""
FAILED_S = 60.0
"""How long a URL that gave none is not asked again, in seconds."""
MOST = 64
"""URLs remembered, with or without a certificate."""
MOST_NEW = 10
"""URLs within `FAILED_S` that are asked without having given a certificate before: a flood of them is not passed on."""
LONGEST_CHAIN = 8
"""Certificates in one answer."""


@dataclass(slots=True)
class _Entry:
    found: Future[Chain | str] = field(default_factory=Future)
    until: float = math.inf


class Certificates:
    """The certificates behind URLs, shared between threads. Those who ask for one at the same time share one fetch."""

    def __init__(self, outward: Outward, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._outward, self._clock = outward, clock
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._new: list[float] = []

    def chain(self, url: str) -> Chain:
        """Return what the URL gave within a day. Raises Refusal: it may not be asked, or gave no certificate within a minute."""
        with self._lock:
            entry, mine = self._entries.get(url), False
            if entry is None or entry.until <= self._clock():
                entry, mine = self._begun(url, entry), True
        if mine:
            self._fetch(url, entry)
        found = entry.found.result()
        if isinstance(found, str):
            raise refusal(found)
        return found

    def _begun(self, url: str, before: _Entry | None) -> _Entry:
        """Return a new entry for a URL that is to be asked. Raises Refusal when too many strange ones were."""
        now = self._clock()
        self._new = [then for then in self._new if now - then < FAILED_S]
        if before is None or isinstance(before.found.result(), str):
            if len(self._new) >= MOST_NEW:
                raise refusal("too many certificates were asked for within a minute that were not known")
            self._new.append(now)
        entry = self._entries[url] = _Entry()
        if len(self._entries) > MOST:
            del self._entries[min(self._entries, key=lambda known: self._entries[known].until)]
        return entry

    def _fetch(self, url: str, entry: _Entry) -> None:
        found: Chain | str = "the certificate was not fetched"
        try:
            found = self._asked(url)
        finally:  # Whatever happened, whoever waits is told.
            entry.found.set_result(found)
            entry.until = self._clock() + (KEPT_S if isinstance(found, Chain) else FAILED_S)

    def _asked(self, url: str) -> Chain | str:
        try:
            leaf, *others = parsed(self._outward.get(url), LONGEST_CHAIN)
        except (OutwardRefused, OutwardFailed) as error:
            return f"the certificate cannot be fetched: {error}"
        except ValueError as error:
            return f"the certificate cannot be read: {error}"
        return Chain(leaf, tuple(others))
