"""What the way in and out must know, read once at start: limits, the event's prefix, the default deadline."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from events.proxies import Proxies
from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class EventSettings:
    """Settings of events.

    `prefix` of every event type, `deadline_s` (seconds a call may take), `body_limit` (bytes), `receive_s` (seconds in which a request must
    have arrived), `senders` (path of the senders file, "" when nobody but this machine may send), `state_file` (where processes remember
    what was received, "" for this process alone), `capture_dir` (where refused requests are kept, "" for nowhere), `proxies` (whose
    X-Forwarded headers are believed), `queue` (URL of the queue for what is stored for later, "" for none; it may hold a password).
    """

    prefix: str = "hongyan"
    deadline_s: float = 15.0
    body_limit: int = 1_048_576
    receive_s: float = 20.0
    senders: str = ""
    state_file: str = ""
    capture_dir: str = ""
    proxies: Proxies = field(default_factory=Proxies)
    queue: str = field(default="", repr=False)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> EventSettings:
        """Read the settings. Raises ConfigurationError that names the variable and what it must be."""
        env = os.environ if environ is None else environ
        prefix = env.get("HONGYAN_EVENT_PREFIX", "").strip() or "hongyan"
        if not _PREFIX.fullmatch(prefix):
            raise ConfigurationError(
                "HONGYAN_EVENT_PREFIX must be lower-case words joined by dots, like com.example.hongyan"
            )
        deadline = _number(env, "HONGYAN_DEADLINE_S", 15.0, 0.5, 900.0)
        return cls(
            prefix,
            deadline,
            body_limit=int(_number(env, "HONGYAN_BODY_LIMIT", 1_048_576, 1024, 64 * 1_048_576)),
            receive_s=_number(env, "HONGYAN_RECEIVE_S", 20.0, 1.0, 600.0),
            senders=env.get("HONGYAN_SENDERS", "").strip(),
            state_file=env.get("HONGYAN_STATE_FILE", "").strip(),
            capture_dir=env.get("HONGYAN_CAPTURE_DIR", "").strip(),
            proxies=Proxies.read(env.get("HONGYAN_PROXIES", "")),
            queue=env.get("HONGYAN_QUEUE", "").strip(),
        )


def _number(env: Mapping[str, str], name: str, default: float, least: float, most: float) -> float:
    text = env.get(name, "").strip()
    if not text:
        return default
    number = float(text) if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", text) else -1.0
    if not least <= number <= most:
        raise ConfigurationError(f"{name} must be a number from {least:g} to {most:g}")
    return number
