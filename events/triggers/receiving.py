"""How long a request may take to arrive: a sender that drips it byte by byte must not keep a thread, for every server of ours."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Watch:
    """One request that is arriving; `expired` once it took too long."""

    def __init__(self, connection: Callable[[], socket.socket], ends: float) -> None:
        self.connection = connection
        self.ends = ends
        self.expired = False


class Reaper:
    """Ends connections that take longer than `seconds`; one thread for a whole process, started when first needed.

    A socket's own timeout starts afresh with every byte, and servers read until they have what was announced: neither ends a drip.
    """

    def __init__(self, seconds: float, how: int = socket.SHUT_RD, clock: Callable[[], float] = time.monotonic) -> None:
        """Make a reaper; `how` is what it ends: reading (the sender can still be answered), or everything (SHUT_RDWR)."""
        self.seconds = seconds
        self._how = how
        self._clock = clock
        self._changed = threading.Condition()
        # In order of their ends, since all are given the same time.
        self._watches: dict[int, Watch] = {}
        self._thread: threading.Thread | None = None

    @contextmanager
    def watching(self, connection: Callable[[], socket.socket]) -> Iterator[Watch]:
        """Watch a request while the block runs, or until `stop`; `connection` gives its socket when it is to be ended."""
        watch = Watch(connection, self._clock() + self.seconds)
        with self._changed:
            self._watches[id(watch)] = watch
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="reaper", daemon=True)
                self._thread.start()
            elif len(self._watches) == 1:
                self._changed.notify()
        try:
            yield watch
        finally:
            self.stop(watch)

    def stop(self, watch: Watch) -> None:
        """Watch a request no longer: it has arrived."""
        with self._changed:
            self._watches.pop(id(watch), None)

    def _run(self) -> None:
        with self._changed:
            while True:
                first = next(iter(self._watches.values()), None)
                if first is None:
                    self._changed.wait()
                elif (left := first.ends - self._clock()) > 0:
                    self._changed.wait(left)
                else:
                    del self._watches[id(first)]
                    first.expired = True
                    with suppress(OSError):  # It is closed already.
                        # Not SSLSocket.shutdown, which would take the TLS state from under the thread that reads.
                        socket.socket.shutdown(first.connection(), self._how)
