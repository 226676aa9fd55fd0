"""The contract of all schemes, and what they have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from events.signatures.delivery import Delivery
from events.signatures.outcomes import REASONS, Refusal, Verified

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from events.signatures.delivery import Fresh, Headers, Query, Secret, Secrets, Signed
    from events.signatures.outcomes import Refused


class Scheme(ABC):
    """One way to prove who sent a request. Made once per sender, shared between threads, without state of its own.

    Subclasses say what their requests look like (`read`) and what a key makes of them (`matches`); the rest is here. Those that do not fit
    (SMN) override `check`.
    """

    name: ClassVar[str]
    """As the senders file has it."""
    default_window_s: ClassVar[float] = 300.0
    """How far a signature's time may be from now, both ways; for a scheme that signs no time, how long a request is remembered."""
    parts: ClassVar[tuple[str, ...]] = ("secret",)
    """What a secret consists of; () for a scheme that has none."""
    optional_parts: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[tuple[str, ...]] = ()
    """Names of further options that the senders file may set, as keyword arguments of the constructor."""
    files: ClassVar[tuple[str, ...]] = ()
    """Those of `options` that the senders file gives as the path of a file: the constructor gets the file's bytes."""
    takes_headers: ClassVar[bool] = False
    """Whether a CloudEvent's attributes may come in headers: no scheme signs those, so only one that signs nothing anyway."""
    headers: ClassVar[tuple[str, ...]] = ()
    """Headers it reads, lower case: for explaining what was lost."""
    secret_headers: ClassVar[tuple[str, ...]] = ()
    """Headers whose values are secrets themselves: never written anywhere."""
    secret_fields: ClassVar[tuple[str, ...]] = ()
    """Fields of a JSON body that is not encrypted whose values are secrets: never written anywhere."""
    needs_https: ClassVar[bool] = False
    """Whether what is sent is good for another request by whoever reads it on its way."""
    reads_get: ClassVar[bool] = False
    """Whether the handshake is a GET."""
    answer_within_s: ClassVar[float | None] = None
    """How long the sender waits for an answer, in seconds; None when it is not known to hurry."""
    quiet: ClassVar[bool] = False
    """Whether what was stored for later is answered 200 without a body: to these senders a body is a reply, or 202 is no success."""

    def __init__(self, *, window_s: float | None = None) -> None:
        """Make a scheme with the sender's options. Raises BadOption."""
        self.window_s = self.default_window_s if window_s is None else window_s

    def verify(
        self, raw_body: bytes, headers: Headers, query: Query, secrets: Secrets, now: float
    ) -> Verified | Refused:
        """Tell who sent a request; `now` is in seconds since 1970. Never raises for anything that a sender does."""
        try:
            return self.check(Delivery(raw_body, headers, query), secrets, now)
        except Refusal as refusal:
            return refusal.refused

    def check(self, delivery: Delivery, secrets: Secrets, now: float) -> Verified:
        """Return who sent a request, or raise Refusal. The signature comes before its time: a stranger learns nothing of our clock."""
        signed = self.read(delivery)
        # Every secret is tried, so that the time taken does not tell which one it was.
        found = [secret for secret in secrets.each if secret.counts(now) and self.matches(secret.key, signed)]
        if not found:
            raise Refusal(self.mismatch, REASONS[self.mismatch])
        self.in_window(signed.time, now)
        return self.verified(delivery, signed, found[0], secrets.sender)

    mismatch: ClassVar[str] = "signature_mismatch"

    @abstractmethod
    def key(self, parts: Mapping[str, str]) -> Any:
        """Return the key that a secret's texts, by part, stand for; white space around them is already gone.

        Raises BadSecret for one that cannot be a secret of this scheme, CryptoMissing.
        """

    @abstractmethod
    def read(self, delivery: Delivery) -> Signed:
        """Return what a request says of its signing. Raises Refusal."""

    @abstractmethod
    def matches(self, key: Any, signed: Signed) -> bool:
        """Whether this key made one of the signatures; compared with `same`. Never raises."""

    @abstractmethod
    def sign(self, key: Any, body: bytes, now: float, id: str) -> Fresh:  # noqa: A002 - the field's term
        """Return a request with this body signed afresh, for trying out. Raises BadSecret when the key cannot sign."""

    def verified(self, delivery: Delivery, signed: Signed, secret: Secret, sender: str) -> Verified:  # noqa: ARG002
        """Return what is known of a request whose signature is right. Raises Refusal (a body that cannot be decrypted)."""
        return Verified(sender, signed.id, signed.time, signed.signatures[0], delivery.body)

    def confirm(self, url: str) -> None:  # noqa: ARG002
        """Ask the URL that `Verified.confirm` names, through the scheme's own guard. Raises Refusal when it is refused or fails."""
        raise Refusal("body_malformed", f"{self.name} has no such handshake")

    def readings(self, parts: Mapping[str, str]) -> Iterable[tuple[str, Any]]:  # noqa: ARG002
        """Yield other keys that a secret's texts could have been meant as, each with what went wrong in words: for explaining."""
        return ()

    def in_window(self, time: float | None, now: float) -> None:
        """Raise Refusal when a signature's time is further from now than the window."""
        if time is None:
            return
        if time < now - self.window_s:
            raise Refusal("too_old", f"signed {now - time:.0f} s ago; the window is {self.window_s:.0f} s")
        if time > now + self.window_s:
            raise Refusal("too_new", f"signed {time - now:.0f} s in the future; the window is {self.window_s:.0f} s")
