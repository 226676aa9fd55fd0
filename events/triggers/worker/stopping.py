"""Whether the worker has been asked to stop: set by a signal handler, looked at by the main thread."""

from __future__ import annotations

import time

_LOOK_S = 0.05


class Stopping:
    """A flag without a lock: a signal handler runs on the very thread that would hold one, between any two of its steps."""

    def __init__(self) -> None:
        self._asked = False

    def set(self) -> None:
        """Ask for the stop."""
        self._asked = True

    def is_set(self) -> bool:
        """Tell whether it was asked for."""
        return self._asked

    def wait(self, seconds: float) -> None:
        """Wait so long, or until it is asked for."""
        end = time.monotonic() + seconds
        while not self._asked and (left := end - time.monotonic()) > 0:
            time.sleep(min(_LOOK_S, left))
