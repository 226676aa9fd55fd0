"""Which store a URL names: a sqlite file, or Redis; for the worker."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from events.idempotency.sqlite import SqliteStore
from events.queues.urls import read
from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from events.idempotency import Store


def open_store(url: str, variable: str) -> Store:
    """Return the store that a URL names: `sqlite:///relative.sqlite`, `sqlite:////absolute.sqlite`, `redis://host:6379/0`.

    A file is opened, a server not reached yet. Raises ConfigurationError that names the variable, never a password.
    """
    if url.strip().partition(":")[0] not in ("sqlite", "redis", "rediss"):
        raise ConfigurationError(f"{variable} must be a URL that begins with sqlite:/// or redis://, or none")
    found = read(url, variable)
    if found.transport == "sqlite":
        for option in sorted(found.options):
            raise ConfigurationError(f"{variable}: sqlite has no option {option!r:.40}")
        return SqliteStore.opened(found.path, variable)
    try:
        module = importlib.import_module("events.idempotency.redis")
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("events."):
            raise
        raise ConfigurationError(f"{variable} needs the extra `redis`: pip install '.[redis]'") from None
    store: Store = module.connect(url.strip())
    return store
