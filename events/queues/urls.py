"""Which transport, where and which queue: read off one URL, as HONGYAN_QUEUE and the sinks give it."""

from __future__ import annotations

import importlib
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

    from events.queues import Queue

SCHEMES = {"sqlite": "sqlite", "redis": "redis", "rediss": "redis", "amqp": "amqp", "amqps": "amqp"}
"""The transport of each scheme of URL; a transport is a module of this folder."""
DEFAULT_NAME = "hongyan"
LEASE_S = 30.0
"""Seconds for which a delivery is a consumer's, unless the URL says `lease_s`."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# Where an extra of the project brings the library; the standard library has sqlite.
_EXTRAS = {"redis": "redis", "amqp": "amqp"}


@dataclass(frozen=True, slots=True)
class QueueUrl:
    """A queue's URL, read: `address` is the URL without our options, for the transport's own library, and may hold a password.

    `path` is a file's (sqlite), `name` the queue's, `lease_s` in seconds; `options` are those that one transport alone knows.
    """

    transport: str
    name: str
    lease_s: float
    address: str = field(repr=False)
    path: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """The URL for people and logs: no user, no password."""
        if self.transport == "sqlite":
            return f"sqlite:///{self.path}?queue={self.name}"
        parts = urlsplit(self.address)
        where = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, where, parts.path, urlencode({"queue": self.name}), ""))


def read(url: str, variable: str, *, name: str = DEFAULT_NAME) -> QueueUrl:
    """Read a URL; `name` is the queue's where the URL has no `queue`. Raises ConfigurationError that names the variable, never a password.

    `sqlite:///relative.sqlite`, `sqlite:////absolute.sqlite`, `redis://host:6379/0`, `amqp://user:password@host:5672/vhost`, each with
    `?queue=NAME&lease_s=30`.
    """
    parts = _split(url, variable)
    transport = SCHEMES.get(parts.scheme)
    if transport is None:
        raise ConfigurationError(f"{variable} must be a URL that begins with sqlite:///, redis:// or amqp://")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    chosen = options.pop("queue", name)
    if not _NAME.fullmatch(chosen):
        raise ConfigurationError(f"{variable}: queue must be 1 to 100 letters, digits, dots, hyphens and underscores")
    lease_s = _lease(options.pop("lease_s", ""), variable)
    path = unquote(parts.path[1:]) if transport == "sqlite" else ""
    if transport == "sqlite" and (parts.netloc or path in ("", ":memory:")):
        raise ConfigurationError(
            f"{variable} must name a file: sqlite:///queue.sqlite, or sqlite:////var/lib/queue.sqlite"
        )
    if transport != "sqlite" and not parts.hostname:
        raise ConfigurationError(f"{variable} must name a host: {parts.scheme}://host/")
    address = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
    return QueueUrl(transport, chosen, lease_s, address, path, options)


def connect(url: QueueUrl, variable: str) -> Queue:
    """Return the queue; nothing is reached before it is used, except a file. Raises ConfigurationError, QueueUnavailable, QueueRefused."""
    try:
        module = importlib.import_module(f"events.queues.{url.transport}")
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("events."):
            raise
        extra = _EXTRAS.get(url.transport, url.transport)
        raise ConfigurationError(f"{variable} needs the extra `{extra}`: pip install '.[{extra}]'") from None
    unknown = sorted(url.options.keys() - set(module.OPTIONS))
    if unknown:
        known = ", ".join(("queue", "lease_s", *module.OPTIONS))
        raise ConfigurationError(f"{variable}: {url.transport} has no option {unknown[0]!r:.40}; there are {known}")
    queue: Queue = module.connect(url)
    return queue


def _split(url: str, variable: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        raise ConfigurationError(f"{variable} is not a URL: look at its host and its port") from None
    if "\0" in unquote(parts.path):
        raise ConfigurationError(f"{variable} holds a character that no file and no host has")
    return parts


def _lease(text: str, variable: str) -> float:
    if not text:
        return LEASE_S
    number = float(text) if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text) else math.nan
    if not 0.2 <= number <= 86_400:
        raise ConfigurationError(f"{variable}: lease_s must be a number of seconds from 0.2 to 86400")
    return number
