"""What to say of a signature that no secret makes: what would make it right, or what was tried in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.explain import keys
from events.explain.words import Words, moment, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from events.explain.bodies import Work
    from events.explain.keys import Candidate, Match
    from events.senders import Sender
    from events.signatures import Delivery, Refused


def matched(sender: Sender, match: Match, now: float, refused: Refused) -> Iterator[Words]:
    """Yield what is wrong with a request whose signature or token something makes right, the most particular first."""
    token = refused.reason == "token_mismatch"
    one = match.candidate
    if match.written:
        told = (
            f"The signature is right for the same body {match.written}: something between the sender and this server parsed the"
            f" body and wrote it anew."
        )
        yield Words("body_reserialised", told, "Let it pass the body on byte by byte: what is signed are its bytes.")
    if one.reading:
        told = f"The {'token' if token else 'signature'} is right if the secret of {one.origin} is read in another way: {one.reading}."
        fix = "Let both sides use it alike: write it here as the sender reads it, or there as it was given."
        yield Words("secret_of_another_kind", told, fix)
    if one.ended is not None:
        told = (
            f"{'Its token is' if token else 'It is signed with'} the older secret of {one.origin}, which counted until {moment(one.ended)},"
            f" {span(now - one.ended)} before."
        )
        newer = ", ".join(each.origin for each in sender.secrets.each if each.counts(now)) or "a new one"
        yield Words("older_secret", told, f"Let the sender use {newer}, or set `until` later while it changes over.")


def of_others(sender: Sender, delivery: Delivery, others: Iterable[Sender]) -> Iterator[str]:
    """Yield which other senders' requests this may be."""
    for other in others:
        if other.name != sender.name and any(
            keys.made(other.scheme, delivery, each.key) for each in other.secrets.each
        ):
            yield f"A secret of the sender {other.name} makes it right: was it meant for /hooks/{other.name}?"


def tried(known: Sequence[Candidate], work: Work) -> str:
    """Return what was tried in vain, and what was not tried."""
    read = sum(1 for one in known if one.reading)
    forms = (
        "some other forms of the body (the rest were not tried: too large)"
        if work.left_out
        else "other forms of the body"
    )
    return f"Tried in vain: secrets that count or did ({len(known) - read}), other readings of them ({read}), {forms}."
