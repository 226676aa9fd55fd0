"""Messages and deliveries made at a third of the usual cost, for transports whose own part is as cheap as that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.queues import Delivery, Message

if TYPE_CHECKING:
    from collections.abc import Mapping

# A frozen dataclass sets its fields through object.__setattr__, which looks every one up; their slots can be set without.
_new = object.__new__
_body, _id, _group, _sent_at, _tries, _runs, _version, _meta = (
    Message.__dict__[name].__set__ for name in ("body", "id", "group", "sent_at", "tries", "runs", "version", "meta")
)
_message, _losses, _receipt = (Delivery.__dict__[name].__set__ for name in ("message", "losses", "receipt"))


def message_of(
    body: bytes,
    id: str,  # noqa: A002 - the field's name
    group: str | None,
    sent_at: float,
    tries: int,
    runs: int,
    version: int,
    meta: Mapping[str, str],
) -> Message:
    """Return `Message(...)` of all its fields."""
    made = _new(Message)
    _body(made, body)
    _id(made, id)
    _group(made, group)
    _sent_at(made, sent_at)
    _tries(made, tries)
    _runs(made, runs)
    _version(made, version)
    _meta(made, meta)
    return made


def delivery_of(message: Message, losses: int, receipt: Any) -> Delivery:
    """Return `Delivery(...)` of all its fields."""
    made = _new(Delivery)
    _message(made, message)
    _losses(made, losses)
    _receipt(made, receipt)
    return made
