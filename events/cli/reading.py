"""Files that a command is given, read whole but never without end: a capture, a body, a payload; for the commands that take one."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from events.senders import files

MOST = 96 * 1_048_576
"""Bytes of the largest file that is read: a capture of the largest body that `HONGYAN_BODY_LIMIT` allows (64 MiB, in base64) fits."""


def whole(_context: click.Context, _parameter: click.Parameter, name: str | None) -> bytes | None:
    """Return the bytes of a regular file of at most `MOST` bytes, or of standard input for `-`. Raises click.BadParameter."""
    if name is None:
        return None
    if name != "-":
        try:
            return files.content(Path(name), MOST)[0]
        except files.Unreadable as error:
            raise click.BadParameter(f"{name!r}: {error}") from None
    raw = sys.stdin.buffer.read(MOST + 1)
    if len(raw) > MOST:
        raise click.BadParameter(f"{name!r}: it is larger than {MOST // 1024} KiB")
    return raw
