"""Messages as the entries of the stream, and entries as deliveries; for the queue."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from events.queues import Delivery, Message, QueueRefused, wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Messages and bytes of one step: the server does nothing else meanwhile, and what is sent must get there within its timeout.
_MOST, _MOST_BYTES = 500, 8_000_000
# What Redis takes as one string (proto-max-bulk-len), less what a letter needs, which holds the body in base64.
_MOST_BODY = 380 * 1024 * 1024
# What the name of a body's field says after `hongyan`, blanks between; the id comes last, since it may have blanks.
_ABOUT = ("version", "sent_at", "runs", "id")
_BESIDE = ((b"group", "group"), (b"meta", "meta"), (b"tries", "tries"))
# What it is in most messages, which then need no more reading: `wire.from_fields` would find the same.
_USUAL = re.compile(rb"hongyan ([0-9]{1,9}) ([0-9]{1,12}\.[0-9]{1,9}) ([0-9]{1,9}) ([!-~](?:[ -~]{0,510}[!-~])?)")
_ENTRY = re.compile(rb"[0-9]{1,15}-[0-9]{1,20}")


def to_words(message: Message) -> list[Any]:
    """Return the fields of a message as names and values in turn. Raises QueueRefused."""
    if len(message.body) > _MOST_BODY:
        raise QueueRefused(f"the message {message.id} has {len(message.body)} bytes: Redis takes at most {_MOST_BODY}")
    fields = wire.to_fields(message)
    about = " ".join(("hongyan", *(fields.pop(name, "0") for name in _ABOUT)))
    words: list[Any] = [about, message.body]
    for field in fields.items():
        words += field
    return words


def batches(messages: Sequence[Message]) -> Iterator[list[Any]]:
    """Yield the words that publish messages, in steps of a bearable size; of each message its group, its number of fields, and those."""
    words: list[Any] = []
    count = size = 0
    for message in messages:
        if count and (count == _MOST or size + len(message.body) > _MOST_BYTES):
            yield words
            words, count, size = [], 0, 0
        its_words = to_words(message)
        words += (message.group or "", len(its_words) // 2)
        words += its_words
        count += 1
        size += len(message.body)
    if words:
        yield words


def to_delivery(entry: bytes, flat: list[bytes], count: int = 1) -> Delivery:
    """Return the delivery of an entry that has been delivered `count` times; its receipt is the entry, the count and the turn in its group.

    What somebody else added has the id and the time of its first entry, however often it was given back.
    """
    if len(flat) == 2 and (usual := _USUAL.fullmatch(flat[0])):
        version, sent_at, runs, its_id = usual.groups()
        message = Message(flat[1], its_id.decode(), None, float(sent_at), 0, int(runs), int(version))
        return Delivery(message, count - 1, (entry, count, b""))
    raw = dict(zip(flat[::2], flat[1::2], strict=True))
    # The body of ours comes first. Of what somebody else added, nothing else counts but what was noted when it was given back.
    ours = flat[0].startswith(b"hongyan ")
    first = raw.get(b"first", b"")
    known = _ENTRY.fullmatch(first)
    fields = dict(zip(_ABOUT, _text(flat[0]).split(" ", 4)[1:], strict=False)) if ours else {}
    beside = _BESIDE if ours else _BESIDE[2:] if known else ()
    fields.update((name, _text(raw[key])) for key, name in beside if key in raw)
    first = first if known else entry
    body = flat[1] if ours else raw.get(b"body", b"")
    message = wire.from_fields(body, fields, first.decode(), int(first.partition(b"-")[0]) / 1000)
    return Delivery(message, count - 1, (entry, count, raw.get(b"turn", b"") if ours else b""))


def _text(value: bytes) -> str:
    # `wire` then sees that it was no text.
    return value.decode("utf-8", "surrogateescape")
