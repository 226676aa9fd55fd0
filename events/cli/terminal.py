"""Writing for a person or for a pipe: width, colour, tables and a sign of life, for every command."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import threading
import time
import unicodedata
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from events import strictjson

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

_GAP = 2
_NARROWEST = 8


def for_people(*, as_json: bool) -> bool:
    """Tell whether to write for a person: standard output is a terminal and JSON was not asked for."""
    return not as_json and sys.stdout.isatty()


def width() -> int:
    """Return the columns to write in: the terminal's, from 40 to 110."""
    return max(40, min(110, shutil.get_terminal_size((80, 24)).columns))


def say(text: str = "", *, err: bool = False) -> None:
    """Write a line with its colours: none in a pipe or with NO_COLOR, and `?` for what the terminal's encoding lacks."""
    stream = sys.stderr if err else sys.stdout
    if stream is None:  # It was closed before Python began: nobody reads it.
        return
    encoding = stream.encoding or "utf-8"
    plain = text.encode(encoding, "replace").decode(encoding)
    click.echo(plain, err=err, color=False if os.environ.get("NO_COLOR") else None)


def say_json(value: Any) -> None:
    """Write one line of JSON in UTF-8, as it goes over the wire."""
    click.echo(strictjson.dumps(value))


def clean(text: str) -> str:
    """Return text without control characters: what a server said must not steer the terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def columns(text: str) -> int:
    """Return how many columns a text takes: Chinese characters take two, combining marks none."""
    return sum(0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF") for char in text)


def clipped(text: str, most: int) -> str:
    """Return a text in at most so many columns, with `…` where it was cut."""
    if columns(text) <= most:
        return text
    kept = ""
    while columns(kept + text[len(kept)]) < most:
        kept += text[len(kept)]
    return kept + "…"


def padded(text: str, size: int) -> str:
    """Return a text with blanks up to so many columns."""
    return text + " " * (size - columns(text))


def wrapped(text: str, indent: str = "", following: str | None = None) -> list[str]:
    """Return a text's lines in the terminal's width; `following` indents all but the first."""
    rest = indent if following is None else following
    return textwrap.wrap(
        text, width(), initial_indent=indent, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    ) or [indent.rstrip()]


def table(names: Sequence[str], rows: Sequence[Sequence[str]], indent: str = "", most: int = 40) -> list[str]:
    """Return the lines of a table, cells of at most `most` columns.

    From the first column on that has no room any more, columns are left out; only prose is cut to fit.
    """
    room = width() - len(indent)
    kept: list[list[str]] = []
    for cells in zip(names, *rows, strict=True):
        size = min(most, max(map(columns, cells)))
        prose = room >= _NARROWEST and any(" " in cell for cell in cells)
        if kept and room < size and not prose:
            break
        size = min(size, room)
        kept.append([padded(clipped(cell, size), size) for cell in cells])
        room -= size + _GAP
    lines = [indent + (" " * _GAP).join(cells).rstrip() for cells in zip(*kept, strict=True)]
    return [click.style(lines[0], dim=True), *lines[1:]]


def unfolded(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    """Yield rows whose last cells fit beside the others: what they hold more goes on below, in rows of its own."""
    others = list(zip(names, *rows, strict=True))[:-1]
    room = width() - sum(max(map(columns, cells)) + _GAP for cells in others)
    for *cells, last in rows:
        first, *more = textwrap.wrap(last, max(room, 2 * _NARROWEST)) or [""]
        yield [*cells, first]
        yield from ([*[""] * len(cells), line] for line in more)


def flask_command() -> str:
    """Return how `flask` is started here: by its name when the shell finds this one, else by its path."""
    ours = Path(sys.executable).parent / "flask"
    found = shutil.which("flask")
    return "flask" if found and Path(found) == ours else os.path.relpath(ours)


@contextmanager
def waiting(text: str, *, after_s: float = 1.0) -> Iterator[None]:
    """Show on a terminal's standard error that the block still runs, and for how long, from `after_s` seconds on."""
    if not sys.stderr.isatty():
        yield
        return
    done = threading.Event()
    thread = threading.Thread(target=_tick, args=(text, after_s, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _tick(text: str, pause_s: float, done: threading.Event) -> None:
    started = time.monotonic()
    shown = 0
    while not done.wait(pause_s):
        line = f"{text} {time.monotonic() - started:.0f} s"
        click.echo("\r" + clipped(line, width() - 1), nl=False, err=True)
        shown, pause_s = len(line), 1.0
    if shown:
        click.echo("\r" + " " * min(shown, width() - 1) + "\r", nl=False, err=True)
