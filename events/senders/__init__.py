"""Who may send, read once at start from the senders file, for every HTTP door and the command line."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from events.senders import reader
from events.senders.mistakes import Mistake, SendersRefused
from events.senders.sender import Payload, Rate, Sender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["Mistake", "Payload", "Rate", "Sender", "Senders", "SendersRefused"]


class Senders(Mapping[str, Sender]):
    """The senders by name, in the order of the file; immutable. `warnings` are what its operator should know, in the order of lines."""

    def __init__(self, senders: Iterable[Sender] = (), warnings: Iterable[Mistake] = ()) -> None:
        self._each = MappingProxyType({sender.name: sender for sender in senders})
        self.warnings = tuple(warnings)

    @classmethod
    def read(
        cls, path: str, environ: Mapping[str, str], *, allowed: Callable[[str], bool], now: float | None = None
    ) -> Senders:
        """Read a senders file (`events/samples/senders.toml` explains its form) and the secrets that it names.

        `allowed` tells whether the server may use a project. `now` is in seconds since 1970, by default the clock's. Raises SendersRefused,
        which tells every mistake.
        """
        return cls(*reader.read(path, environ, allowed, time.time() if now is None else now))

    def __getitem__(self, name: str) -> Sender:
        return self._each[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._each)

    def __len__(self) -> int:
        return len(self._each)
