"""What a function that is deployed without a server must know, read once when it starts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from events import strictjson
from functions.cloud.errors import ConfigurationError, UnknownOperation
from functions.registry import find

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
        payload = _payload(env["HONGYAN_PAYLOAD"])
        if payload is not None and not env["HONGYAN_OPERATION"]:
            raise ConfigurationError(
                "HONGYAN_PAYLOAD needs HONGYAN_OPERATION: what it finds is that operation's payload"
            )
        return cls(
            operation=_operation(env["HONGYAN_OPERATION"]),
            payload=payload,
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


def _operation(name: str) -> str:
    try:
        return find(name).name if name else ""
    except UnknownOperation as error:
        raise ConfigurationError(f"HONGYAN_OPERATION: {error.message}") from None


def _payload(written: str) -> Payload:
    if not written:
        return None
    value: Any = written
    if not written.startswith("/"):
        try:
            value = strictjson.loads(written)
        except strictjson.NotJSON as error:
            told = 'a JSON pointer, like /detail/payload, or a JSON object of fields, like {"id": {"at": "/detail/id"}}'
            raise ConfigurationError(f"HONGYAN_PAYLOAD must be {told}: {error}") from None
    # Imported here since few need it, and every function's start would pay for it.
    from events.senders.lines import Lines
    from events.senders.mistakes import Notes, Place
    from events.senders.payload import judge

    notes = Notes(Lines(""))
    found = judge(value, Place(notes))
    for mistake in notes.mistakes:
        where = f"HONGYAN_PAYLOAD.{mistake.where}".rstrip(".")
        raise ConfigurationError(f"{where}: {mistake.told}")
    return found


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
