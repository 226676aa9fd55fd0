"""The CloudEvents WebHook handshake: a sender asks by OPTIONS whether it may send, before it does (http-webhook.md, section 4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from events.problems import HttpAnswer, problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from events.senders import Sender
    from events.triggers.http import HttpRequest

_ORIGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})(?::[0-9]{1,5})?")
_RATE = re.compile(r"[1-9][0-9]{0,8}|\*")


def handshake(sender: Sender, request: HttpRequest, methods: Sequence[str]) -> HttpAnswer:
    """Answer OPTIONS: consent in the headers for an origin of the sender's `origins`, silence for another, which is no consent.

    `methods` are those of the sender's door. WebHook-Request-Callback is never asked: consent is given at once or
    not at all, so no address that a stranger names is called.
    """
    allow = {"Allow": ", ".join(methods)}
    origin = request.header("webhook-request-origin").strip()
    if not origin:
        return problem(
            405, "invalid_argument", "WebHook-Request-Origin is missing: this is no CloudEvents handshake", allow
        )
    rate = request.header("webhook-request-rate").strip()
    if not _ORIGIN.fullmatch(origin) or (rate and not _RATE.fullmatch(rate)):
        told = "WebHook-Request-Origin must be a host name, WebHook-Request-Rate a whole number of requests per minute or *"
        return problem(400, "invalid_argument", told)
    if "*" not in sender.origins and origin.lower() not in (known.lower() for known in sender.origins):
        return HttpAnswer(204, allow)
    most = max(1, int(sender.rate.count * 60 / sender.rate.per_s))
    allowed = most if rate in ("", "*") else min(most, int(rate))
    return HttpAnswer(204, {**allow, "WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": str(allowed)})
