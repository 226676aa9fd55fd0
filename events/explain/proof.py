"""Whether a captured request was made by its sender, whatever else it was refused for: asked before it is signed afresh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.explain import explain, hidden
from events.signatures import Delivery
from events.triggers.http import HttpRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from events.captures import Capture
    from events.explain.texts import SecretText
    from events.senders import Sender

PROVING = frozenset({"ok", "clock_off", "older_secret", "secret_of_another_kind", "body_reserialised"})
"""Causes that only a request has whose signature or token is that of a configured secret, also an ended one or one read otherwise."""

# A door refuses for these only what it has found to be its sender's: the signature comes before its time.
_RECORDED = frozenset({"too_old", "too_new", "replayed", "already_handled", "under_way"})


def proved(sender: Sender, kept: Capture, texts: Sequence[SecretText] = ()) -> tuple[bool, str]:
    """Return whether a configured secret of the sender made a captured request, and the cause (of `CAUSES`) or recorded reason it rests on.

    Judged anew as of when it came, and as if over https, since what is in the clear may be right. Where the token or signed body was not
    kept, the capture's own reason tells. `texts` are those of the sender's secrets, for reading them otherwise. Never raises.
    """
    request = HttpRequest(kept.headers, kept.body, kept.method, kept.query, kept.client, https=True)
    delivery = Delivery(request.body, request.lower(), request.query)
    if hidden.is_hidden(sender.scheme, delivery, kept):
        return kept.reason in _RECORDED and kept.scheme == sender.scheme.name, kept.reason
    if not sender.scheme.parts:  # Its signatures are not checked here.
        return False, "not_judged"
    found = explain(sender, request, kept.time, texts=texts)
    return found.cause in PROVING, found.cause
