"""What a function that is deployed without a server must know, read once when it starts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from events.triggers.deployed import operation_of, payload_of
from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.senders.sender import Payload

_FINAL = ("dead-letter", "acknowledge")


@dataclass(frozen=True, slots=True)
class ServerlessSettings:
    """Settings of a deployed function.

    `operation` is the only one that it runs, "" for any. `payload` says where in another system's body the payload is
    (`events.senders.payload`). `dead_letter`: a record that can never succeed is failed, for the platform's dead letters to take it.
    `max_receives` is how often the queue delivers a record, None when that is not known. `gateway_authenticates`: the gateway has proved
    who calls before we are asked. `margin_s` (seconds) of an invocation are kept for its answer.
    """

    operation: str = ""
    payload: Payload = None
    dead_letter: bool = True
    max_receives: int | None = None
    gateway_authenticates: bool = False
    margin_s: float = 0.5

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> ServerlessSettings:
        """Read the settings. Raises ConfigurationError that names the variable and what it must be."""
        env = {key: environ.get(key, "").strip() for key in _NAMES}
        if env["HONGYAN_ON_FINAL_FAILURE"] not in ("", *_FINAL):
            raise ConfigurationError(f"HONGYAN_ON_FINAL_FAILURE must be {' or '.join(_FINAL)}")
        if env["HONGYAN_GATEWAY_AUTHENTICATES"] not in ("", "true", "false"):
            raise ConfigurationError("HONGYAN_GATEWAY_AUTHENTICATES must be true or false")
        return cls(
            operation=operation_of(env["HONGYAN_OPERATION"]),
            payload=payload_of(env["HONGYAN_PAYLOAD"], env["HONGYAN_OPERATION"]),
            dead_letter=env["HONGYAN_ON_FINAL_FAILURE"] != "acknowledge",
            max_receives=_receives(env["HONGYAN_MAX_RECEIVES"]),
            gateway_authenticates=env["HONGYAN_GATEWAY_AUTHENTICATES"] == "true",
            margin_s=_margin(env["HONGYAN_MARGIN_S"]),
        )


_NAMES = (
    "HONGYAN_OPERATION",
    "HONGYAN_PAYLOAD",
    "HONGYAN_ON_FINAL_FAILURE",
    "HONGYAN_MAX_RECEIVES",
    "HONGYAN_GATEWAY_AUTHENTICATES",
    "HONGYAN_MARGIN_S",
)


def _receives(written: str) -> int | None:
    if not written:
        return None
    if not re.fullmatch(r"[0-9]{1,4}", written) or not 1 <= int(written) <= 1000:
        raise ConfigurationError(
            "HONGYAN_MAX_RECEIVES must be a whole number from 1 to 1000: the queue's maxReceiveCount"
        )
    return int(written)


def _margin(written: str) -> float:
    if not written:
        return 0.5
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,6})?", written) or not 0.05 <= float(written) <= 60.0:
        raise ConfigurationError("HONGYAN_MARGIN_S must be a number of seconds from 0.05 to 60")
    return float(written)
