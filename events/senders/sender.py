"""One sender as the server knows it: who it is, what it may run and how often, for every HTTP door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from events.signatures import Scheme, Secrets

Payload = str | Mapping[str, Any] | None
"""Where the payload is in a body: a JSON pointer (RFC 6901), a table of fields (see `events.senders.payload`), None for the whole body."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` requests in `per_s` seconds."""

    count: int
    per_s: float


DEFAULT_RATE = Rate(600, 60.0)
"""What a sender has that is given no rate."""


@dataclass(frozen=True, slots=True)
class Sender:
    """A sender, with every mistake in its configuration already told.

    `name`: its path is `/hooks/<name>`. `operations`: those it may run, each of which exists. `projects`: those it may act on, empty
    for the server's own alone. `operation`: what a bare payload runs when the path names none, None when it must be named. `origins`: whose
    CloudEvents webhook handshake is answered with consent, in lower case, `*` for all. `https`: taken over https only. `later`: what
    it sends is stored for later, as if each request preferred that.
    """

    name: str
    scheme: Scheme
    secrets: Secrets
    operations: frozenset[str]
    projects: frozenset[str]
    rate: Rate
    operation: str | None
    payload: Payload
    origins: tuple[str, ...]
    https: bool
    later: bool = False

    def may_run(self, operation: str) -> bool:
        """Whether this operation is granted."""
        return operation in self.operations
