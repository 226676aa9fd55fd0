"""One line of progress at the bottom of a terminal, with the log above it; for commands that work through many messages."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from events.cli.terminal import clipped, width

if TYPE_CHECKING:
    from typing import TextIO

    from events.triggers.worker.summary import Summary

_EACH_S = 0.1
_BAR = 24


class Progress:
    """Shows a summary on a terminal's stream, at most ten times a second; a stream itself, so that a log can be written through it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._started = time.monotonic()
        self._shown_at = 0.0
        self._line = ""
        self._expected: int | None = None
        # The log is written by every thread.
        self._lock = threading.RLock()

    @property
    def encoding(self) -> str:
        """The stream's."""
        return self._stream.encoding or "utf-8"

    def isatty(self) -> bool:
        """Tell that it is one."""
        return True

    def expect(self, total: int | None) -> None:
        """Show a bar towards so many messages."""
        self._expected = total

    def show(self, summary: Summary) -> None:
        """Show how far the work has come."""
        now = time.monotonic()
        if now - self._shown_at < _EACH_S:
            return
        self._shown_at = now
        with self._lock:
            self._draw(self._text(summary, now - self._started))

    def write(self, text: str) -> int:
        """Write a line of the log above the line of progress."""
        with self._lock:
            line = self._line
            self._draw("")
            self._stream.write(text)
            if text.endswith("\n"):
                self._draw(line)
        return len(text)

    def flush(self) -> None:
        """Write out what is kept."""
        self._stream.flush()

    def end(self) -> None:
        """Take the line away."""
        self._draw("")

    def _text(self, summary: Summary, seconds: float) -> str:
        parts = [f"{summary.ended} ended", f"{summary.ended / max(seconds, 0.001):.0f}/s"]
        parts += [f"{summary.dead} dead"] if summary.dead else []
        parts += [f"{sum(summary.returned.values())} returned"] if summary.returned else []
        if not self._expected:
            return " · ".join(parts)
        done = min(1.0, summary.ended / self._expected)
        full = round(done * _BAR)
        return f"[{'#' * full}{'.' * (_BAR - full)}] {done:4.0%} " + " · ".join(parts)

    def _draw(self, line: str) -> None:
        shown = clipped(line, width() - 1)
        # Erase the line (ECMA-48, EL), then write it anew.
        self._stream.write(f"\r\x1b[2K{shown}" if line or self._line else "")
        self._stream.flush()
        self._line = line
