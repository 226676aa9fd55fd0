"""Captures of refused requests, for whoever must find out why: kept on this machine, without what would let another send."""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from events import strictjson
from events.deliveries import Deliveries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from events.senders import Sender
    from events.signatures import Refused, Scheme
    from events.triggers.http import HttpRequest

log = logging.getLogger("hongyan.events")

MOST_FILES = 500
MOST_BYTES = 64 * 1_048_576
"""So many files, and so many bytes of them, are kept; the oldest go first."""

MOST_A_MINUTE = 60
"""So many are kept in a minute by one process: a flood of refused requests must not become one of writing."""

# What may be told of a request: how it was sent, and what is signed. Any other header or parameter may hold a token that went astray.
_TOLD = re.compile(
    r"accept.*|ce-.*|connection|content-.*|date|expect|forwarded|host|idempotency-key|sign|svix-.*|timestamp|trace(parent|state)|transfer-encoding"
    r"|user-agent|via|webhook-.*|x-forwarded-(for|host|proto)|x-github-.*|x-hub-signature.*|x-lark-.*|x-real-ip|x-slack-.*|x-smn-.*"
)
_TOLD_PARAMETERS = frozenset({"echostr", "msg_signature", "nonce", "sign", "timestamp"})
_REDACTED = "[redacted]"


_NAME = re.compile(r"[0-9]+-[a-z0-9-]+-[a-z_]+-[0-9a-f]{6}\.json")


class NotACapture(ValueError):
    """The file is no capture; the text says why."""


@dataclass(frozen=True, slots=True)
class Capture:
    """A request that was refused: `time` in seconds since 1970, header names in lower case, `body` as it came.

    Values that may be secrets read `[redacted 43 characters]`; `redacted` tells that the body is not as it came for the same reason.
    """

    time: float
    sender: str
    scheme: str
    reason: str
    detail: str
    method: str
    headers: Mapping[str, str] = field(repr=False)
    query: Mapping[str, Sequence[str]] = field(repr=False)
    body: bytes = field(repr=False)
    client: str = ""
    redacted: bool = False

    def to_json(self) -> bytes:
        """Return the capture as a file holds it."""
        facts = {
            name: getattr(self, name)
            for name in ("sender", "scheme", "reason", "detail", "method", "client", "redacted")
        }
        moment = (
            datetime.fromtimestamp(self.time, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        )
        sent = {"headers": dict(self.headers), "query": dict(self.query), "body": base64.b64encode(self.body).decode()}
        return json.dumps({"hongyan": "capture/1", "time": moment, **facts, **sent}, indent=2).encode() + b"\n"

    @classmethod
    def from_json(cls, raw: bytes) -> Capture:
        """Read a capture. Raises NotACapture."""
        try:
            said: Any = strictjson.loads(raw)
        except strictjson.NotJSON as error:
            raise NotACapture(f"this is no capture of Hongyan: {error}") from None
        if not isinstance(said, dict) or said.pop("hongyan", None) != "capture/1":
            raise NotACapture("this is no capture of Hongyan: it has no hongyan = capture/1")
        try:
            time = datetime.fromisoformat(said.pop("time").replace("Z", "+00:00")).timestamp()
            return cls(time=time, body=base64.b64decode(said.pop("body"), validate=True), **_typed(said))
        except NotACapture:
            raise
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise NotACapture(f"this is no capture of Hongyan: {type(error).__name__} {error}") from None


class Captures:
    """Keeps captures in a folder that only this user can read; processes may share it, and threads."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        # This process alone asks: what it counts is kept in memory.
        self._kept = Deliveries()

    def keep(self, sender: Sender, request: HttpRequest, refused: Refused, now: float) -> None:
        """Keep a refused request. A folder that cannot be written is logged: the request is refused all the same."""
        if self._kept.wait("captures", MOST_A_MINUTE, 60.0, now):
            return
        capture = redacted(sender.name, sender.scheme, request, refused, now)
        name = f"{now * 1000:.0f}-{sender.name}-{refused.reason}-{secrets.token_hex(3)}.json"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make_room()
            descriptor = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "wb") as file:  # noqa: PTH123 - opened above, for nobody else to read
                file.write(capture.to_json())
        except OSError as error:
            log.warning("capture.failed", extra={"facts": {"error_type": type(error).__name__, "errno": error.errno}})

    def _make_room(self) -> None:
        # Only our own: whatever else is in the folder is not ours to remove.
        files = sorted(file for file in self._folder.glob("*.json") if _NAME.fullmatch(file.name))
        sizes = [_size(file) for file in files]
        total = sum(sizes)
        for number, (file, size) in enumerate(zip(files, sizes, strict=True)):
            if len(files) - number < MOST_FILES and total <= MOST_BYTES:
                break
            file.unlink(missing_ok=True)
            total -= size


def redacted(sender: str, scheme: Scheme, request: HttpRequest, refused: Refused, now: float) -> Capture:
    """Return a request as it may be kept: signatures stay; tokens, cookies and whatever else could be a secret go."""
    body = _body(request.body, scheme.secret_fields)
    return Capture(
        time=now,
        sender=sender,
        scheme=scheme.name,
        reason=refused.reason,
        detail=refused.detail,
        method=request.method,
        headers={
            name: value if _may_be_told(name, scheme) else _hidden(value) for name, value in request.lower().items()
        },
        query={
            name: list(values) if name in _TOLD_PARAMETERS else [_hidden(value) for value in values]
            for name, values in request.query.items()
        },
        body=body,
        client=request.client,
        redacted=body != request.body,
    )


def _may_be_told(name: str, scheme: Scheme) -> bool:
    return name not in scheme.secret_headers and (name in scheme.headers or bool(_TOLD.fullmatch(name)))


def _body(body: bytes, fields: Sequence[str]) -> bytes:
    """Return a body without the values of these fields, as it came when it has none of them."""
    if not fields or not body:
        return body
    try:
        said = strictjson.loads(body)
    except strictjson.NotJSON:
        return f"[redacted {len(body)} bytes that are not JSON]".encode()
    told = _without(said, fields)
    return body if told == said else strictjson.dumps(told)


def _without(value: Any, fields: Sequence[str]) -> Any:
    if isinstance(value, dict):
        return {name: _REDACTED if name in fields else _without(inner, fields) for name, inner in value.items()}
    return [_without(inner, fields) for inner in value] if isinstance(value, list) else value


def _hidden(value: str) -> str:
    """Return what may be told of a secret: how long it is, which tells a cut or a padded one, and the word before it."""
    word, _, rest = value.partition(" ")
    shown = word + " " if word.lower() == "bearer" and rest else ""
    return f"{shown}[redacted {len(value) - len(shown)} characters]"


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # Another process made room at the same moment.
        return 0


def _typed(said: dict[str, Any]) -> dict[str, Any]:
    texts = ("sender", "scheme", "reason", "detail", "method", "client")
    good = all(isinstance(said[name], str) for name in texts) and isinstance(said["redacted"], bool)
    good = (
        good and isinstance(said["headers"], dict) and all(isinstance(value, str) for value in said["headers"].values())
    )
    values = list(said["query"].values()) if isinstance(said["query"], dict) else [None]
    if not good or not all(isinstance(each, list) and all(isinstance(value, str) for value in each) for each in values):
        raise NotACapture("a field of the capture has the wrong type")
    return said
