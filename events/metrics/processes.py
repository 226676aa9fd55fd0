"""Counts over all processes of one server: a folder in which each keeps its own and every one reads those of all; for gunicorn."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import MutableMapping

log = logging.getLogger("hongyan.events")

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Where prometheus_client is told of the folder; it looks once, when it is imported."""

_OURS = "hongyan-metrics-"
# The kinds of its files, named <kind>_<process id>.db, and the size of a new one in bytes.
_KINDS, _SIZE = ("counter", "histogram"), 65_536


class Unwritable(Exception):
    """The folder that the server's processes share is gone or full: this process cannot count, and has logged it."""


def share(environ: MutableMapping[str, str], uid: int, gid: int) -> None:
    """Make the folder for processes to come, which run as that user and group. Raises ConfigurationError.

    A folder that was chosen is kept, and what earlier servers counted in it is counted on; one of ours belongs to another server.
    """
    chosen = environ.get(VARIABLE, "")
    if chosen and not Path(chosen).name.startswith(_OURS):
        if not os.access(chosen, os.W_OK | os.X_OK) or not Path(chosen).is_dir():
            raise ConfigurationError(f"{VARIABLE} must be a folder that can be written to; without it one is made")
        return
    made = tempfile.mkdtemp(prefix=_OURS)  # For its owner only.
    os.chown(made, uid, gid)
    environ[VARIABLE] = made


def remove(environ: MutableMapping[str, str]) -> None:
    """Remove the folder that `share` made, and nothing that was chosen."""
    made = Path(environ.get(VARIABLE, ""))
    if made.name.startswith(_OURS) and made.parent == Path(tempfile.gettempdir()):
        shutil.rmtree(made, ignore_errors=True)


def folder() -> str:
    """Return the folder that this process shares with others, "" when it counts for itself, with room in it for its own counts.

    Raises ConfigurationError for one that was chosen and cannot be used, Unwritable for one of ours: a server goes on without its counts.
    """
    shared = os.environ.get(VARIABLE)
    if shared is None:
        return ""
    try:
        for kind in _KINDS:
            _reserve(Path(shared, f"{kind}_{os.getpid()}.db"))
    except OSError as error:
        if not Path(shared).name.startswith(_OURS):
            raise ConfigurationError(f"{VARIABLE} must be a folder that can be written to") from None
        log.error("metrics.unwritable", extra={"facts": {"variable": VARIABLE, "detail": error.strerror}})  # noqa: TRY400
        raise Unwritable from None
    return shared


def _reserve(file: Path) -> None:
    """Take the room on the disk now, where its lack is an error; the library maps files, and writing to one without room ends a process."""
    if file.exists():  # A process that has died had the same id; what it counted still counts.
        return
    new = file.with_suffix(".new")
    try:
        new.write_bytes(bytes(_SIZE))
        new.rename(file)  # Nobody reads one that is still empty.
    except OSError:
        new.unlink(missing_ok=True)
        raise
