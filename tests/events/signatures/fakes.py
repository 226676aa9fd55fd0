"""A scheme that signs with a word, and senders with it, for tests of what stands around the schemes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

from events.senders import Rate, Sender
from events.signatures import BadSecret, Fresh, Scheme, Secret, Secrets, Signed, same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.signatures import Delivery, Verified


class Fake(Scheme):
    name: ClassVar[str] = "fake"
    headers: ClassVar[tuple[str, ...]] = ("x-fake",)
    secret_headers: ClassVar[tuple[str, ...]] = ("x-fake-token",)
    secret_fields: ClassVar[tuple[str, ...]] = ("token",)

    def key(self, parts: Mapping[str, str]) -> Any:
        if not parts["secret"]:
            raise BadSecret("it is empty")
        return parts["secret"]

    def read(self, delivery: Delivery) -> Signed:
        said, _, when = delivery.header("x-fake").partition("@")
        return Signed((said,), None, delivery.headers.get("x-fake-id"), float(when) if when else None)

    def matches(self, key: Any, signed: Signed) -> bool:
        return same(signed.signatures[0], key)

    def verified(self, delivery: Delivery, signed: Signed, secret: Secret, sender: str) -> Verified:
        found = super().verified(delivery, signed, secret, sender)
        return dataclasses.replace(found, fingerprint=delivery.header("x-fake"))

    def sign(self, key: Any, body: bytes, now: float, id: str) -> Fresh:  # noqa: A002
        return Fresh(body, {"X-Fake": f"{key}@{now}", "X-Fake-Id": id})


def sender(**changes: Any) -> Sender:
    known: dict[str, Any] = {
        "name": "monitoring",
        "scheme": Fake(),
        "secrets": Secrets("monitoring", (Secret("word", "env WORD"),)),
        "operations": frozenset({"elb.list_members"}),
        "projects": frozenset(),
        "rate": Rate(600, 60.0),
        "operation": "elb.list_members",
        "payload": None,
        "origins": (),
        "https": False,
    }
    return Sender(**known | changes)
