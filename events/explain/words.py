"""What the reasons of refusals that need no searching mean for a person, and what to do; and times and spans in words."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from events.deliveries import Seen

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"))


class Words(NamedTuple):
    """A cause, what it means, and what to do."""

    cause: str
    told: str
    fix: str


CAUSES = {
    "ok": "the request is right",
    "wrong_secret": "no secret of the sender, however read, makes this signature or is this token",
    "secret_of_another_kind": "the sender uses the same secret, read in another way",
    "body_reserialised": "what was signed is another form of the same body",
    "clock_off": "the signature is right, its time is not",
    "older_secret": "signed with a secret that counts no longer",
    "header_lost": "a header or parameter is missing or not of its form",
    "already_handled": "a retry or a repetition of what was received before",
    "https_required": "it came in the clear",
    "body_malformed": "the body is not of the scheme's form",
    "decrypt_failed": "the body cannot be decrypted",
    "receiver_mismatch": "encrypted for another receiver",
    "certificate_refused": "the certificate is not trusted",
    "topic_refused": "the topic is another's",
    "not_judged": "what can be judged without asking anybody is right",
}
"""Stable codes, for scripts."""

_COMPARE = "Compare the secret of this sender with the one that the sending side shows, character by character."
_CLOCKS = "Set both clocks by NTP (`timedatectl` tells whether this one is); a request that waited must be signed when it is sent."
_ONCE = "Nothing is to be done: what the request asks for is done once."

WORDS = {
    "header_missing": Words("header_lost", "A header or parameter that the scheme needs did not arrive.", ""),
    "header_malformed": Words("header_lost", "A header or parameter of the scheme is not of its form.", ""),
    "body_malformed": Words(
        "body_malformed",
        "The body is not of the scheme's form.",
        "See that this sender posts to its own path, and that nothing on the way changes the body.",
    ),
    "signature_mismatch": Words("wrong_secret", "No secret of this sender makes this signature.", _COMPARE),
    "token_mismatch": Words("wrong_secret", "No secret of this sender is the token that came.", _COMPARE),
    "too_old": Words("clock_off", "It was signed too long ago.", _CLOCKS),
    "too_new": Words("clock_off", "It was signed in the future.", _CLOCKS),
    "decrypt_failed": Words(
        "decrypt_failed",
        "The signature may be right, but the body cannot be decrypted with the sender's key.",
        "Compare the encryption key of this sender (encrypt_key, aes_key) with the one that the sending side shows.",
    ),
    "receiver_mismatch": Words(
        "receiver_mismatch",
        "The signature is right, but the message is for another receiver.",
        "Set receive_id to the id of the corp or suite that it is sent to, if that is yours.",
    ),
    "certificate_refused": Words(
        "certificate_refused",
        "The certificate that the message names is not trusted.",
        "See that this server reaches the cloud's host over https; name other hosts in `hosts`, other authorities in `roots`.",
    ),
    "topic_refused": Words(
        "topic_refused",
        "The topic is not one of this sender's.",
        "Add its URN to `topics` if the topic is yours, else let its subscription end.",
    ),
    "try_later": Words(
        "not_judged",
        "Whether it is its sender's could not be told at that moment.",
        "Let the sender try again later; if it stays so, look at the server's log.",
    ),
    "replayed": Words(
        "already_handled",
        "This very request was received before: its signature is right, and it was sent a second time.",
        "A sender that tries again signs afresh. If this one does not, nothing is to be done; else somebody repeats what they saw.",
    ),
    "already_handled": Words("already_handled", "A request with this id was handled before: this is a retry.", _ONCE),
    "under_way": Words(
        "already_handled",
        "A request with this id is being handled, or was when the server ended.",
        "Let the sender try again later: by then it is known what became of it.",
    ),
    "https_required": Words(
        "https_required",
        "It came in the clear, and this sender is taken over https only.",
        "Send to https://. Behind a proxy: name the proxy in HONGYAN_PROXIES and let it set X-Forwarded-Proto.",
    ),
}
"""By the reasons of `events.signatures.REASONS`; a fix of "" is said with what was found."""


def moment(seconds: float) -> str:
    """Return a time (seconds since 1970) in RFC 3339, or how far it is from then when a calendar does not reach it."""
    try:
        return (_EPOCH + timedelta(seconds=round(seconds))).isoformat().replace("+00:00", "Z")
    except (OverflowError, ValueError):
        return f"{seconds:.3g} s after 1970"


def span(seconds: float) -> str:
    """Return how long so many seconds are, whichever way: `400 s (6.7 minutes)`."""
    size = abs(seconds)
    found = next(((size / unit, name) for unit, name in _UNITS if size >= 2 * unit), None)
    return f"{size:.0f} s" + (f" ({found[0]:.1f} {found[1]}s)" if found else "")


def reason_of(seen: Seen) -> str:
    """Return the reason that a request is refused for which was received before."""
    if seen.replayed:
        return "replayed"
    return "under_way" if seen.status is None else "already_handled"


def answered(seen: Seen) -> Iterator[str]:
    """Yield how a request that was received before was answered."""
    if seen.status is None:
        yield "One like it was received before, and it is not known how it was answered."
        return
    again = "that is said again to a retry" if seen.status < 300 else "whether it took effect is not known"
    yield f"One like it was received before and answered {seen.status}: {again}."
