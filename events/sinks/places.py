"""What makes two URLs of sinks or queues the same one, however they are written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from functions.cloud.endpoints import LOOPBACK

if TYPE_CHECKING:
    from events.queues.urls import QueueUrl

_PORTS = {"http": 80, "https": 443, "redis": 6379, "rediss": 6379, "amqp": 5672, "amqps": 5671}
# What an empty path stands for: the database of Redis, the virtual host of RabbitMQ.
_PATHS = {"redis": "0", "amqp": "/"}


def of_queue(url: QueueUrl) -> tuple[str, ...]:
    """Return what the URLs of one queue have in common: all but users, passwords and options."""
    if url.transport == "sqlite":
        file = Path(url.path)
        # A hard link is the same file, too.
        where = f"{file.stat().st_dev}:{file.stat().st_ino}" if file.exists() else str(file.resolve())
        return ("sqlite", where, url.name)
    path = unquote(urlsplit(url.address).path[1:]) or _PATHS[url.transport]
    if url.transport == "redis" and path.isdecimal():
        path = str(int(path))
    return (url.transport, *_host(url.address), path, url.name)


def of_receiver(url: str) -> tuple[str, ...]:
    """Return what the URLs of one receiver have in common: all but users, passwords and fragments. Raises ValueError for a bad port."""
    parts = urlsplit(url)
    return (parts.scheme, *_host(url), parts.path or "/", parts.query)


def _host(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return "localhost" if host in LOOPBACK else host, str(parts.port or _PORTS[parts.scheme])
