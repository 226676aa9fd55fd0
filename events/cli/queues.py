"""Queues on the command line: opened by their URLs, with times and ages in words; for the commands that take a queue."""

from __future__ import annotations

import sys
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from events.cli.terminal import clean
from events.queues import QueueRefused, QueueUnavailable, urls
from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from events.queues import Queue

VARIABLE = "HONGYAN_QUEUE"
"""Holds the queue's URL where --queue does not."""

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_MOST_DAYS = 9_999

queue_option = click.option(
    "--queue", "url", envvar=VARIABLE, help=f"The queue's URL, by default the one that {VARIABLE} holds."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON lines, as when piped.")


@contextmanager
def opened(url: str | None, *, make: bool = False) -> Iterator[tuple[Queue, str]]:
    """Give a queue and its URL without user and password, and close it; a file that is not there is made only if `make` says so.

    Raises click.UsageError without a URL, click.ClickException for whatever the queue refuses, also within the block.
    """
    if not url or not url.strip():
        raise click.UsageError(f"name the queue: --queue URL, or {VARIABLE}; as sqlite:///queue.sqlite")
    variable = _variable()
    try:
        found = urls.read(url, variable)
        if found.transport == "sqlite":
            _check(Path(found.path), make=make)
        with closing(urls.connect(found, variable)) as queue:
            yield queue, found.shown
    except ConfigurationError as error:
        raise click.ClickException(clean(error.message)) from None
    except (QueueUnavailable, QueueRefused) as error:
        raise click.ClickException(clean(str(error))) from None


def confirmed(question: str, *, yes: bool) -> None:
    """Ask on the terminal, and end the command unless the answer is yes; `yes`: it was given beforehand.

    Raises click.UsageError where there is nobody to ask.
    """
    check_asking(yes=yes)
    if not yes:
        click.confirm(question, abort=True, err=True)


def check_asking(*, yes: bool) -> None:
    """Raise click.UsageError where a question could not be asked, and its answer was not given beforehand."""
    if not yes and not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr)):
        raise click.UsageError("there is no terminal to ask on: say --yes if that is what you want")


def age(seconds: float) -> str:
    """Return an age for a person: `42 s`, `3 min`, `5 h`, `12 days`."""
    if seconds >= _MOST_DAYS * _DAY:
        return f"over {_MOST_DAYS} days"
    for size, unit in ((_DAY, "days"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def moment(at: float) -> str | None:
    """Return a time in seconds since 1970 as RFC 3339 has it, in UTC; None for one that no calendar has."""
    try:
        return datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (OverflowError, OSError, ValueError):
        return None


def counted(number: int, what: str) -> str:
    """Return a number and what it counts, in the plural where it is not one."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def _variable() -> str:
    """Return how the URL was given, for the errors that name it."""
    context = click.get_current_context()
    return VARIABLE if context.get_parameter_source("url") is ParameterSource.ENVIRONMENT else "--queue"


def _check(file: Path, *, make: bool) -> None:
    """Raise click.ClickException for a file that cannot be looked at, or that is not there and is not to be made."""
    try:
        file.stat()
    except FileNotFoundError:
        if not make:
            told = f"there is no file {file.absolute()}: nothing was published there yet, or the queue's URL is another"
            raise click.ClickException(clean(told)) from None
    except OSError as error:
        raise click.ClickException(clean(f"{file}: {error.strerror}")) from None
