"""Why a signed request was refused, and what to do about it: told from the request and its sender's settings, without asking anybody."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from events.explain import clock, headers, hidden, keys, mismatch
from events.explain.bodies import Work
from events.explain.words import CAUSES, WORDS, Words, answered, moment, reason_of
from events.signatures import Delivery, Refusal, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from events.captures import Capture
    from events.deliveries import Seen
    from events.explain.texts import SecretText
    from events.senders import Sender
    from events.triggers.http import HttpRequest

__all__ = ["CAUSES", "Explanation", "explain"]

_MISMATCHES = ("signature_mismatch", "token_mismatch")
_TIMES = ("too_old", "too_new")
_AGAIN = ("replayed", "already_handled", "under_way")


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a request is refused: `cause` is one of `CAUSES`; `told` is what it means, `fix` what to do, `notes` what else was found.

    `reason` is the code of `events.signatures.REASONS` that the sender is told, None for a request that is right.
    """

    cause: str
    told: str
    fix: str
    reason: str | None
    notes: tuple[str, ...] = ()


def explain(
    sender: Sender,
    request: HttpRequest,
    now: float,
    *,
    texts: Sequence[SecretText] = (),
    seen: Seen | None = None,
    received: Capture | None = None,
    others: Iterable[Sender] = (),
) -> Explanation:
    """Return why a request to a sender's door is refused at `now` (seconds since 1970), or that it is right. Never raises, never asks.

    `texts` are those of the sender's secrets, for reading them otherwise; `seen` is what is remembered of the request; `received` is the
    capture that it is from; `others` are senders that the request may have been meant for.
    """
    case = _Case(sender, request, now, tuple(texts), seen, received, tuple(others))
    found = case.explained()
    return replace(found, notes=(*found.notes, *case.at_its_time(found.reason)))


@dataclass(frozen=True, slots=True)
class _Case:
    sender: Sender
    request: HttpRequest
    now: float
    texts: tuple[SecretText, ...]
    seen: Seen | None
    received: Capture | None
    others: tuple[Sender, ...]

    @property
    def delivery(self) -> Delivery:
        return Delivery(self.request.body, self.request.lower(), self.request.query)

    def explained(self) -> Explanation:
        """Return the explanation, in the order in which a door looks."""
        scheme = self.sender.scheme
        is_hidden = hidden.is_hidden(scheme, self.delivery, self.received)
        if self.sender.https and not self.request.https:
            return _plain("https_required", *(() if is_hidden else self._over_https()))
        if self.received and is_hidden:
            return self._as_recorded(self.received, hidden.notes(scheme, self.delivery, self.texts))
        if not scheme.parts:
            return self._without_secrets()
        found = scheme.verify(
            self.delivery.body, self.delivery.headers, self.delivery.query, self.sender.secrets, self.now
        )
        return self._refused(found) if isinstance(found, Refused) else self._right()

    def at_its_time(self, reason: str | None) -> Iterator[str]:
        """Yield how what is found here differs from what was found when the request came."""
        was, scheme = self.received, self.sender.scheme
        if was and was.scheme != scheme.name:
            yield f"When it came the sender's scheme was another; now it is {scheme.name}."
        if was and reason not in (None, was.reason):
            yield f"When it came, at {moment(was.time)}, it was refused as {was.reason}: {was.detail}."

    def _over_https(self) -> Iterator[str]:
        """Yield what would be refused besides."""
        rest = replace(self, request=replace(self.request, https=True), received=None).explained()
        if rest.cause not in ("ok", "not_judged"):
            yield f"Over https it would be refused too ({rest.cause}): {rest.told}"

    def _as_recorded(self, received: Capture, notes: Iterable[str]) -> Explanation:
        if received.reason not in WORDS:
            return Explanation("not_judged", f"It was refused as {received.reason!r:.100}.", "", received.reason)
        words = hidden.as_recorded(received)
        if words.cause == "header_lost":
            words = headers.lost(self.sender.scheme, self.delivery, received.detail)
            notes = (*notes, *headers.notes(self.sender.scheme, self.delivery))
        return Explanation(*words, received.reason, tuple(notes))

    def _without_secrets(self) -> Explanation:
        """Explain a request of a scheme that asks others (SMN): by what was found when it came, else by what the request itself tells."""
        asked = "Certificates are not fetched here: whether the message is signed rightly only a server tells."
        if self.received:
            return self._as_recorded(self.received, (asked,))
        scheme = self.sender.scheme
        try:
            signed = scheme.read(self.delivery)
            scheme.in_window(signed.time, self.now)
        except Refusal as refusal:
            return replace(self._refused(refusal.refused), notes=(asked,))
        told = f"The message is of its form and its time is right. {asked}"
        return Explanation("not_judged", told, "Send it to a server, and look at its log.", None)

    def _right(self) -> Explanation:
        """Explain a request that its scheme takes: it may have come before."""
        if self.received is None:
            if self.seen is None:
                return Explanation("ok", "The request is right.", "Nothing is to be done.", None)
            return _plain(reason_of(self.seen), *answered(self.seen))
        before = self.received.reason
        since = tuple(answered(self.seen)) if self.seen else ()
        if before in _AGAIN:
            return _plain(before, *since)
        told = (
            f"The request is right as of {moment(self.now)}, with the senders file and the secrets as they are here;"
            f" it was refused as {before}."
        )
        fix = "If the server that refused it has other settings, give it these and start it anew; then let it be sent again."
        return Explanation("ok", told, fix, None, since)

    def _refused(self, refused: Refused) -> Explanation:
        """Explain a request that its scheme refuses."""
        scheme, delivery, reason = self.sender.scheme, self.delivery, refused.reason
        if reason in _MISMATCHES:
            return self._mismatch(refused)
        if reason in ("header_missing", "header_malformed"):
            return Explanation(
                *headers.lost(scheme, delivery, refused.detail), reason, tuple(headers.notes(scheme, delivery))
            )
        if reason in _TIMES and (late := self._late()):
            return Explanation(*late, reason, tuple(self._clock()))
        words = WORDS[reason]
        return Explanation(words.cause, f"{words.told} The scheme says: {refused.detail}.", words.fix, reason)

    def _mismatch(self, refused: Refused) -> Explanation:
        scheme, delivery = self.sender.scheme, self.delivery
        known = keys.candidates(self.sender, self.texts, self.now)
        work = Work(keys=len(known))
        match = keys.find(scheme, delivery, known, self.now, work)
        if match:
            late = self._late()
            found = [*mismatch.matched(self.sender, match, self.now, refused), *([late] if late else [])]
            also = [f"{words.told} {words.fix}" for words in found[1:]]
            return Explanation(*found[0], refused.reason, (*also, *self._clock()))
        if self._is_of_headers(refused):
            lost = headers.lost(scheme, delivery, refused.detail)
            return Explanation(*lost, refused.reason, tuple(headers.notes(scheme, delivery)))
        notes = (*mismatch.of_others(self.sender, delivery, self.others), mismatch.tried(known, work))
        return Explanation(*WORDS[refused.reason], refused.reason, notes)

    def _is_of_headers(self, refused: Refused) -> bool:
        """Whether there is nothing of a form that could be compared, or a header came twice."""
        scheme, delivery = self.sender.scheme, self.delivery
        try:
            scheme.read(delivery)
        except Refusal as refusal:
            return refusal.refused.reason == refused.reason
        once = headers.once(scheme, delivery)
        return once != delivery and any(keys.made(scheme, once, each.key) for each in self.sender.secrets.each)

    def _time(self) -> float | None:
        """Return the time that a request says it was signed at, None where it says none that can be read."""
        try:
            return self.sender.scheme.read(self.delivery).time
        except Refusal:
            return None

    def _late(self) -> Words | None:
        time = self._time()
        return None if time is None else clock.off(self.sender.scheme, time, self.now)

    def _clock(self) -> Iterator[str]:
        time = self._time()
        if time is not None and self._late():
            yield from clock.notes(time, self.now, self.received.time if self.received else None)


def _plain(reason: str, *notes: str) -> Explanation:
    return Explanation(*WORDS[reason], reason, notes)
