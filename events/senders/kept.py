"""The last senders file that could be read: a mistake that is made in it later must not stop a server that runs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from events.senders import Senders, SendersRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = logging.getLogger("hongyan.events")

# By path. gunicorn's processes are forked from the one that read it first, and inherit it.
_last: dict[str, Senders] = {}


def read(path: str, environ: Mapping[str, str], allowed: Callable[[str], bool]) -> Senders:
    """Read the senders file as `Senders.read` does; when it has mistakes now, log them and return what it was before.

    Raises SendersRefused when this process, and those it was forked from, never read it without mistakes.
    """
    try:
        _last[path] = Senders.read(path, environ, allowed=allowed)
    except SendersRefused as error:
        if path not in _last:
            raise
        log.error("senders.kept", extra={"facts": {"mistakes": error.message}})  # noqa: TRY400 - the mistakes say it all
    return _last[path]
