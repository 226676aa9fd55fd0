"""Logs of the process: JSON lines for machines, short lines on a terminal, for every server of ours.

A record is an event name and its facts: `log.info("call.finished", extra={"facts": {"operation": …}})`. Nothing else of
a record is written but its exception, so a body or a secret would have to be named as a fact to get here.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Protocol

from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

LOGGER = "hongyan"
"""The logger above all of ours."""

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_COLOURS = {"WARNING": "33", "ERROR": "31", "CRITICAL": "31"}


class Stream(Protocol):
    """What a log is written to."""

    def write(self, text: str, /) -> object:
        """Write a piece of text."""

    def flush(self) -> object:
        """Write out what is kept."""

    def isatty(self) -> bool:
        """Tell whether a person reads it."""


def configure(
    stream: Stream | None = None, *, people: bool | None = None, environ: Mapping[str, str] | None = None
) -> None:
    """Write our logs to `stream` (standard error when None); calling it again replaces what the call before set up.

    `people` chooses short lines (True) or JSON lines (False); None asks whether the stream is a terminal. The level is
    HONGYAN_LOG_LEVEL, INFO when it is not set. Raises ConfigurationError when that is no level.
    """
    env = os.environ if environ is None else environ
    level = env.get("HONGYAN_LOG_LEVEL", "").strip().upper() or "INFO"
    chosen: Stream | None = stream or sys.stderr
    short = bool(chosen and chosen.isatty()) if people is None else people
    # Without standard error, since it was closed before Python began, nobody can be told.
    handler = logging.NullHandler() if chosen is None else logging.StreamHandler(chosen)
    handler.setFormatter(ShortLines(colours=not os.environ.get("NO_COLOR")) if short else JsonLines())
    logger = logging.getLogger(LOGGER)
    logger.handlers[:] = [handler]
    logger.propagate = False
    logger.setLevel(level if level in _LEVELS else "INFO")
    if level not in _LEVELS:  # Only now: whoever is told can write it to the log.
        raise ConfigurationError(f"HONGYAN_LOG_LEVEL must be one of {', '.join(_LEVELS)}")


class JsonLines(logging.Formatter):
    """`{"time", "level", "event", …facts, "error", "trace"}` on one line of ASCII; a fact that is None is left out."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; `time` is RFC 3339 in UTC with milliseconds, `level` in lower case."""
        moment = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")
        head = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        tail = _exception(record)
        facts = {name: value for name, value in _facts(record).items() if name not in {*head, *tail}}
        return json.dumps({**head, **facts, **tail})


class ShortLines(logging.Formatter):
    """`12:03:04 call.finished operation=elb.list_members …` for a person; warnings are yellow, errors red."""

    def __init__(self, *, colours: bool) -> None:
        super().__init__(datefmt="%H:%M:%S")
        self._colours = colours

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and below it the traceback if there is one; the time is this machine's."""
        facts = (f"{name}={_word(value)}" for name, value in _facts(record).items())
        event = self._painted(_COLOURS.get(record.levelname, "1"), record.getMessage())
        line = " ".join((self._painted("2", self.formatTime(record, self.datefmt)), event, *facts))
        return "\n".join([line, *filter(None, [_exception(record).get("trace")])])

    def _painted(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colours else text


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    facts: Mapping[Any, Any] = getattr(record, "facts", None) or {}
    return {str(name): _writable(value) for name, value in facts.items() if value is not None}


def _writable(value: Any) -> Any:
    """Return a fact as JSON can carry it; what cannot be written is named by its type, for its text may be anything."""
    if type(value) in (str, int, bool):  # Nearly all of them, and none of these fails.
        return value
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return f"<{type(value).__name__}>"
    return value


def _word(value: Any) -> str:
    plain = isinstance(value, str) and value.isprintable() and value != "" and " " not in value
    return value if plain else json.dumps(value)


def _exception(record: logging.LogRecord) -> dict[str, str]:
    if not record.exc_info or record.exc_info[0] is None:
        return {}
    # The frames and the type, not the exception's own text: that may quote a payload, a header or a key.
    frames = "".join(traceback.format_tb(record.exc_info[2]))
    return {"error": record.exc_info[0].__name__, "trace": frames.rstrip()}
