"""The certificates that messages name: fetched through the guard, once for all who ask, and kept for a day; for the scheme `smn`."""

from __future__ import annotations

import math
import re
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from events.outward import OutwardFailed, OutwardRefused
from events.signatures import Refusal, Refused
from events.signatures.trust import Chain, parsed

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
MOST_AGAIN = 20
"""The same for those that more than one message named; those that only one did count here as well."""
MOST_WAITING = 1024
"""URLs that wait to be asked; beyond it, the one of the fewest messages that waits longest is forgotten."""
LONGEST_CHAIN = 8
"""Certificates in one answer."""

# An answer that is not good is final but for "come later" and a server's own errors (RFC 9110, 15.5.9 and 15.6; RFC 6585, 4). All else that
# can fail (the look-up of a name, the connection, TLS, the deadline) may do better the next time.
_FINAL = re.compile(r"(?:\S+ )?answered (?!408|429|5[0-9][0-9];)")


@dataclass(slots=True)
class _Entry:
    found: Future[Chain | Refused] = field(default_factory=Future)
    until: float = math.inf


class Certificates:
    """The certificates behind URLs, shared between threads. Those who ask for one at the same time share one fetch.

    Anybody can make up URLs, and no more than so many are asked. What tells the signer's is that its messages, and every retry of them,
    name it again: so URLs wait until they may be asked, and those that most messages named come first.
    """

    def __init__(self, outward: Outward, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._outward, self._clock = outward, clock
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._new: list[float] = []
        self._waiting: dict[str, int] = {}

    def chain(self, url: str) -> Chain:
        """Return what the URL gave within a day.

        Raises Refusal: `certificate_refused` when it may not be asked or gave no certificate within a minute, `try_later` when nobody
        answered, or too many other URLs are asked.
        """
        due = begun = None
        with self._lock:
            entry = self._entries.get(url)
            if entry is None or entry.until <= self._clock():
                due = self._due(url, entry)
                begun = self._begun(due) if due else None
                entry = begun if due == url else None
        if due and begun:
            self._fetch(due, begun)
        if entry is None:
            raise Refusal("try_later", "too many certificates were asked for within a minute that were not known")
        found = entry.found.result()
        if isinstance(found, Refused):
            raise Refusal(found.reason, found.detail)
        return found

    def _due(self, url: str, before: _Entry | None) -> str | None:
        """Return which URL is to be asked now that a message named this one, None when none may be: this one waits unless it is the one.

        It may be another. If only those who named it could have it asked, a stranger who never comes again would stand in everybody's way.
        """
        if before and isinstance(before.found.result(), Chain):
            return url
        now = self._clock()
        self._new = [then for then in self._new if now - then < FAILED_S]
        self._waiting[url] = self._waiting.get(url, 0) + 1
        if len(self._waiting) > MOST_WAITING:
            others = (known for known in self._waiting if known != url)
            del self._waiting[min(others, key=self._waiting.__getitem__)]
        most = max(self._waiting.values())
        if len(self._new) >= (MOST_AGAIN if most > 1 else MOST_NEW):
            return None
        self._new.append(now)
        return url if self._waiting[url] == most else max(self._waiting, key=self._waiting.__getitem__)

    def _begun(self, url: str) -> _Entry:
        """Return a new entry for a URL that is to be asked."""
        self._waiting.pop(url, None)
        entry = self._entries[url] = _Entry()
        if len(self._entries) > MOST:
            del self._entries[min(self._entries, key=lambda known: self._entries[known].until)]
        return entry

    def _fetch(self, url: str, entry: _Entry) -> None:
        found: Chain | Refused = Refused("try_later", "the certificate was not fetched")
        try:
            found = self._asked(url)
        finally:  # Whatever happened, whoever waits is told.
            entry.found.set_result(found)
            entry.until = self._clock() + (KEPT_S if isinstance(found, Chain) else FAILED_S)

    def _asked(self, url: str) -> Chain | Refused:
        try:
            leaf, *others = parsed(self._outward.get(url), LONGEST_CHAIN)
        except OutwardRefused as error:
            return Refused("certificate_refused", f"the certificate cannot be fetched: {error}")
        except OutwardFailed as error:
            reason = "certificate_refused" if _FINAL.match(str(error)) else "try_later"
            return Refused(reason, f"the certificate cannot be fetched: {error}")
        except ValueError as error:
            return Refused("certificate_refused", f"the certificate cannot be read: {error}")
        return Chain(leaf, tuple(others))
