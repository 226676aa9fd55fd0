"""What `flask replay` is about to send, in a few lines: for a person who must see what is signed in a sender's name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from events.cli.composing import prefix
from events.cli.terminal import clean, clipped
from events.cloudevents import CloudEvent, InvalidEvent, UnsupportedFormat
from events.cloudevents.http import from_http, mode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from events.explain.texts import SecretText
    from events.senders import Sender

_SHOWN = 300  # Characters of a payload.
_READ = 4_096  # Bytes that these are taken from.
_EVENTS = 5  # Operations of a batch that are named.
_MASK = "[redacted]"


def about(
    sender: Sender, headers: Mapping[str, str], body: bytes, texts: Sequence[SecretText], cause: str
) -> Iterator[str]:
    """Yield the sender, the operation where it is known, the body's size and its first characters, cleaned and without secrets.

    `cause` is what `events.explain.proof.proved` gave; `body` is as it is before it is encrypted.
    """
    asked = operation(sender, headers, body)
    known = f"operation {asked}" if asked else "operation not known"
    yield clean(f"sender {sender.name} · {known} · {len(body)} bytes · as captured: {cause}")
    if body:
        yield preview(sender, body, texts)


def operation(sender: Sender, headers: Mapping[str, str], body: bytes) -> str:
    """Return what a request asks for as its door reads it, "" when that cannot be told; not cleaned. Raises click.ClickException."""
    if sender.payload is not None or mode(headers) is None:
        return sender.operation or ""
    try:
        found = from_http(headers, body)
    except (InvalidEvent, UnsupportedFormat):
        return ""
    events = [found] if isinstance(found, CloudEvent) else found
    ours = f"{prefix()}."
    types = list(dict.fromkeys(clipped(event.type.removeprefix(ours), 60) for event in events))
    more = f" and {len(types) - _EVENTS} more" if len(types) > _EVENTS else ""
    return ", ".join(types[:_EVENTS]) + more


def preview(sender: Sender, body: bytes, texts: Sequence[SecretText]) -> str:
    """Return the first characters of a body, cleaned; secrets of the sender, and fields that hold such, are masked."""
    text = body[:_READ].decode("utf-8", "replace")
    for secret in {part for each in texts for part in each.parts.values() if part}:
        text = text.replace(secret, _MASK)
    for name in sender.scheme.secret_fields:
        text = re.sub(rf'("{re.escape(name)}"\s*:\s*")(?:[^"\\]|\\.)*"?', rf'\1{_MASK}"', text)
    cut = len(text) > _SHOWN or len(body) > _READ
    return clean(text[:_SHOWN]) + ("…" if cut else "")
