"""Which addresses a server of ours may listen on while nobody is told apart, for the command line and the production server alike."""

from __future__ import annotations

from functions.cloud.endpoints import LOOPBACK

REASON = "without senders that are verified (HONGYAN_SENDERS), the server listens on its own machine only"
"""Why every other address is refused."""


def is_own_machine(host: object) -> bool:
    """Tell whether a host to listen on is this machine alone; the path or the descriptor of a socket is no host."""
    return host in LOOPBACK
