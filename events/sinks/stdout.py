"""Result events on standard output, one JSON line each: what the platforms collect as a function's log, and what a pipe reads."""

from __future__ import annotations

import json
import sys
import threading
from typing import TYPE_CHECKING

from events import strictjson
from events.cloudevents.json import to_envelope
from events.sinks import SinkGone, SinkUnavailable

if TYPE_CHECKING:
    from typing import TextIO

    from events.cloudevents import CloudEvent


_UTF_8 = ("utf-8", "utf8")


class Stdout:
    """Writes events in the JSON format of CloudEvents; a line is never broken by another thread's."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Write to `stream`, to whatever is standard output at the time when it is None."""
        self._stream = stream
        self._lock = threading.Lock()

    def emit(self, event: CloudEvent) -> None:
        """As the contract says."""
        stream = self._stream or sys.stdout
        if stream is None:  # It was closed before Python began.
            raise SinkGone("there is no standard output")
        text = strictjson.dumps(to_envelope(event)).decode()
        if (stream.encoding or "utf-8").lower() not in _UTF_8:
            text = json.dumps(json.loads(text))
        line = text + "\n"
        try:
            with self._lock:
                stream.write(line)
                stream.flush()
        except BrokenPipeError as error:
            raise SinkGone("nobody reads standard output any more") from error
        except (OSError, ValueError) as error:  # ValueError: the stream is closed.
            raise SinkUnavailable(f"standard output takes nothing: {type(error).__name__}") from error
