"""What kombu and its client raise, in the words of the contract of queues."""

from __future__ import annotations

import re

from amqp.exceptions import (  # type: ignore[import-untyped]
    AccessRefused,
    AMQPError,
    InvalidPath,
    NotAllowed,
)
from kombu.exceptions import KombuError

from events.queues import QueueRefused, QueueUnavailable

FAILURES = (AMQPError, KombuError, OSError)
"""Everything that a broken connection or an unwilling broker shows itself as."""

# The broker's words for what it will allow later on.
_PASSING = re.compile(r"is down$|connection limit \(\d+\) is reached")


def translated(error: Exception, shown: str) -> QueueUnavailable | QueueRefused:
    """Return what is raised instead; `shown` is the queue's URL without a password.

    A virtual host that is there, but starting or full, is unavailable: the broker says both of it and of one that is not there NOT_ALLOWED.
    """
    if isinstance(error, (AccessRefused, InvalidPath, NotAllowed)) and not _PASSING.search(said(error)):
        return QueueRefused(
            f"{shown}: {said(error)}; check the user, the password and the virtual host of its URL, and that the user may configure,"
            " write and read the queue and those whose names begin with its name and a dot"
        )
    return QueueUnavailable(f"{shown}: {said(error)}")


def said(error: Exception) -> str:
    """Return the broker's or the system's own words."""
    if isinstance(error, AMQPError) and error.reply_text:
        return str(error.reply_text)
    if isinstance(error, TimeoutError):
        return "the broker does not answer"
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
