"""The doors of senders, /hooks/<name>: who sent it is proved before anything is parsed, then it may do what its sender was granted."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from events.deliveries import Seen, Unavailable
from events.problems import HttpAnswer, problem
from events.signatures import Refusal, Refused
from events.triggers.granted import granted, is_for_later, seed
from events.triggers.handshake import handshake
from events.triggers.http import NotTaken, refuse_compressed
from events.triggers.preferences import no_queue

if TYPE_CHECKING:
    from collections.abc import Callable

    from events.captures import Captures
    from events.deliveries import Claim, Deliveries
    from events.dispatch import Dispatcher, Result
    from events.senders import Sender, Senders
    from events.settings import EventSettings
    from events.signatures import Verified
    from events.triggers.http import HttpRequest
    from events.triggers.later import Later

log = logging.getLogger("hongyan.events")

_UNDECIDED = 0
_STORED = 202
# Seconds beyond a call's deadline after which whoever handled it has died.
_DEAD_S = 60.0
# Seconds after which a sender may ask again for what is still under way, or when our own memory is out of reach.
_SOON = {"Retry-After": "5"}


class HookDoor:
    """Turns signed requests into calls and results into answers, for any web framework or none.

    `later` stores what is not to be waited for, None where nothing can.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        settings: EventSettings,
        senders: Senders,
        deliveries: Deliveries,
        *,
        captures: Captures | None = None,
        later: Later | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._dispatcher = dispatcher
        self._settings = settings
        self._senders = senders
        self._deliveries = deliveries
        self._captures = captures
        self._later = later
        self._clock = clock

    def answer(self, name: str, request: HttpRequest, read: Callable[[], bytes]) -> HttpAnswer:
        """Answer a request to /hooks/<name>; its body is `read` only when everything before it is right."""
        sender = self._senders.get(name)
        if sender is None:
            return problem(404, "not_found", "there is no such sender")
        allowed = _methods(sender)
        if request.method not in allowed:
            return problem(405, "invalid_argument", "send a POST", {"Allow": ", ".join(allowed)})
        if request.method == "OPTIONS":
            return handshake(sender, request, allowed)
        if sender.https and not request.https:
            told = "it came in the clear, or through a proxy that HONGYAN_PROXIES does not name"
            return self._refused(sender, request, Refused("https_required", told), 403)
        try:
            refuse_compressed(request)
            return self._verified(sender, replace(request, body=read() if request.method == "POST" else b""))
        except NotTaken as refused:
            return refused.answer
        except Unavailable:
            log.exception("deliveries.unavailable", extra={"facts": {"sender": name}})
            return problem(503, "unavailable", "this server cannot tell at the moment whether this is new", _SOON)

    def _verified(self, sender: Sender, request: HttpRequest) -> HttpAnswer:
        now = self._clock()
        found = sender.scheme.verify(request.body, request.lower(), request.query, sender.secrets, now)
        if isinstance(found, Refused):
            return self._refused(sender, request, found)
        if found.answer and not found.confirm:
            return found.answer
        # As long as its signature is good it is remembered, and never less than handling it takes; a signed time may be in the future.
        until = max(max(now, found.time or now) + sender.scheme.window_s, now + self._settings.deadline_s + _DEAD_S)
        dead_s = self._settings.deadline_s + _DEAD_S if is_for_later(sender, request) else None
        claim = self._deliveries.claim(sender.name, found.fingerprint, found.id, until, now, storing_s=dead_s)
        if isinstance(claim, Seen):
            return self._again(sender, request, claim)
        # Only what is new counts: whoever replays a captured request must not use up its sender's rate.
        if wait := self._deliveries.wait(sender.name, sender.rate.count, sender.rate.per_s, now):
            self._deliveries.release(claim)
            log.warning("sender.limited", extra={"facts": {"sender": sender.name}})
            after = {"Retry-After": str(max(1, math.ceil(wait)))}
            return problem(429, "resource_exhausted", "this sender is over its rate", after)
        return self._once(sender, request, found, claim)

    def _once(self, sender: Sender, request: HttpRequest, verified: Verified, claim: Claim) -> HttpAnswer:
        """Do what a new request asks for; when nothing came of it, forget it, so that it may be sent again."""
        keep: int | None = None
        try:
            if verified.confirm:
                answer = self._confirmed(sender, verified)
                keep = 200 if answer.status == 200 else None
                return answer
            later = is_for_later(sender, request)
            if later and self._later is None:
                return no_queue()
            calls = granted(sender, request, verified, self._settings)
            # From here on something may be done: should this process end now, it is not taken for undone.
            keep = _UNDECIDED
            if later and self._later:
                taken = self._later.take(calls, request, quiet=sender.scheme.quiet, seed=seed(verified))
                keep = _STORED if taken.stored else None
                return taken.answer
            results = calls.run(self._dispatcher)
            answer = calls.answer(results, request.header("accept"))
            keep = _kept(results)
            return answer
        finally:
            self._settle(sender, claim, keep)

    def _settle(self, sender: Sender, claim: Claim, keep: int | None) -> None:
        """Remember a claim's status, or forget it (None). The sender is told what became of its request even if that fails."""
        try:
            if keep is None:
                self._deliveries.release(claim)
            elif keep != _UNDECIDED:
                self._deliveries.finish(claim, keep)
        except Unavailable:
            log.exception("deliveries.unavailable", extra={"facts": {"sender": sender.name}})

    def _confirmed(self, sender: Sender, verified: Verified) -> HttpAnswer:
        try:
            sender.scheme.confirm(verified.confirm or "")
        except Refusal as refusal:
            facts = {"sender": sender.name, "reason": refusal.refused.reason, "detail": refusal.refused.detail}
            log.warning("sender.unconfirmed", extra={"facts": facts})
            return problem(503, "unavailable", "the subscription could not be confirmed", _SOON)
        log.info("sender.confirmed", extra={"facts": {"sender": sender.name}})
        return verified.answer or HttpAnswer(200)

    def _again(self, sender: Sender, request: HttpRequest, seen: Seen) -> HttpAnswer:
        """Answer a request that is not new."""
        if seen.replayed:
            return self._refused(sender, request, Refused("replayed", "this very request was received before"))
        dead = self._clock() - seen.since > self._settings.deadline_s + _DEAD_S
        if seen.status is None and not dead:
            detail = "a request with this id is being handled"
            return problem(409, "aborted", detail, _SOON, reason="under_way")
        log.info("sender.repeated", extra={"facts": {"sender": sender.name, "status": seen.status}})
        if seen.status is None or seen.status >= 300:
            detail = "a request with this id was handled, and it is not known whether it took effect"
            return problem(409, "already_exists", detail, reason="already_handled")
        # The sender did not hear us the first time. It was done, so it must not try again: every scheme takes 200 for that.
        return HttpAnswer(200, {"Idempotent-Replayed": "true"})

    def _refused(self, sender: Sender, request: HttpRequest, refused: Refused, status: int = 401) -> HttpAnswer:
        facts = {
            "sender": sender.name,
            "reason": refused.reason,
            "detail": refused.detail,
            "client": request.client or None,
        }
        log.warning("sender.refused", extra={"facts": facts})
        if self._captures:
            self._captures.keep(sender, request, refused, self._clock())
        if status == 403:
            return problem(403, "permission_denied", "this sender is taken over https only", reason=refused.reason)
        if refused.reason == "try_later":
            return problem(503, "unavailable", "this cannot be verified at the moment", _SOON, reason=refused.reason)
        # A stable code and nothing else: what was wrong in particular is for whoever runs the server.
        detail = "this request is not verified to be its sender's; the log of the server says why"
        challenge = {"WWW-Authenticate": f'{sender.scheme.name.capitalize()} realm="hooks"'}
        return problem(401, "unauthenticated", detail, challenge, reason=refused.reason)


def _methods(sender: Sender) -> list[str]:
    get = ["GET"] if sender.scheme.reads_get else []
    return ["POST", *get, *(["OPTIONS"] if sender.origins else [])]


def _kept(results: list[Result]) -> int | None:
    """Return the status to remember, None when the sender may send it again: nothing was done, or a repeat is safe and was asked for."""
    if any(result.outcome == "unknown" and not (result.error and result.error.retryable) for result in results):
        return 500
    return 200 if any(result.outcome in ("succeeded", "partial") for result in results) else None
