"""What a worker must know, read once when it starts: its queue, its sinks, its store, and how patient it is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from events.queues.urls import QueueUrl, read
from events.triggers.deployed import operation_of, payload_of
from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.senders.sender import Payload

NO_STORE = "none"


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """Settings of a worker; times are seconds.

    `store` is where ended calls are remembered (a URL, "" for nowhere), for `keep_s`. `sinks` is HONGYAN_SINKS as it stands. `operation`
    is the only one that is run, "" for any; `payload` is where it is in another system's body. `threads` run at once. A message that failed
    is tried `tries` times in all, the second after `retry_s`, then after twice as long each time, `retry_most_s` at most. A stop takes
    `stop_s` at most.
    """

    queue: QueueUrl
    store: str = field(default="", repr=False)
    sinks: str = field(default="", repr=False)
    operation: str = ""
    payload: Payload = None
    threads: int = 16
    tries: int = 5
    retry_s: float = 1.0
    retry_most_s: float = 300.0
    keep_s: float = 86_400.0
    stop_s: float = 30.0

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> WorkerSettings:
        """Read the settings. Raises ConfigurationError that names the variable and what it must be."""
        env = {name: environ.get(name, "").strip() for name in _NAMES}
        if not env["HONGYAN_QUEUE"]:
            raise ConfigurationError("missing settings: HONGYAN_QUEUE, as sqlite:///queue.sqlite, redis:// or amqp://")
        queue = read(env["HONGYAN_QUEUE"], "HONGYAN_QUEUE")
        return cls(
            queue,
            _store(env["HONGYAN_STORE"], queue),
            env["HONGYAN_SINKS"],
            operation_of(env["HONGYAN_OPERATION"]),
            payload_of(env["HONGYAN_PAYLOAD"], env["HONGYAN_OPERATION"]),
            int(_number(env, "HONGYAN_THREADS", 16, 1, 256, whole=True)),
            int(_number(env, "HONGYAN_TRIES", 5, 1, 100, whole=True)),
            _number(env, "HONGYAN_RETRY_S", 1.0, 0.01, 3600),
            _number(env, "HONGYAN_RETRY_MOST_S", 300.0, 0.01, 86_400),
            _number(env, "HONGYAN_KEEP_S", 86_400.0, 60, 31_536_000),
            _number(env, "HONGYAN_STOP_S", 30.0, 0.1, 3600),
        )


_NAMES = (
    "HONGYAN_QUEUE",
    "HONGYAN_STORE",
    "HONGYAN_SINKS",
    "HONGYAN_OPERATION",
    "HONGYAN_PAYLOAD",
    "HONGYAN_THREADS",
    "HONGYAN_TRIES",
    "HONGYAN_RETRY_S",
    "HONGYAN_RETRY_MOST_S",
    "HONGYAN_KEEP_S",
    "HONGYAN_STOP_S",
)


def _store(written: str, queue: QueueUrl) -> str:
    """Return the store's URL, "" for none: what is written, else the queue's own file or server. Raises ConfigurationError."""
    if written == NO_STORE:
        return ""
    if not written and queue.transport == "amqp":
        told = "a broker of messages remembers nothing: name a sqlite:/// file or a redis:// server, or none to run redeliveries again"
        raise ConfigurationError(f"missing settings: HONGYAN_STORE; {told}")
    if written:
        return written
    if queue.transport == "sqlite":
        return f"sqlite:///{quote(queue.path)}"
    return f"{queue.address}?{urlencode(queue.options)}" if queue.options else queue.address


def _number(
    env: Mapping[str, str], name: str, default: float, least: float, most: float, *, whole: bool = False
) -> float:
    text = env[name]
    if not text:
        return default
    shape, kind = (r"[0-9]{1,9}", "a whole number") if whole else (r"[0-9]{1,9}(\.[0-9]{1,6})?", "a number")
    number = float(text) if re.fullmatch(shape, text) else -1.0
    if not least <= number <= most:
        raise ConfigurationError(f"{name} must be {kind} from {least:g} to {most:g}")
    return number
