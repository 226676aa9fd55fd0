"""Captures that cannot be judged anew, because what counts in them was a secret and was not kept: what can be told all the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from events.explain.words import WORDS, Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from events.captures import Capture
    from events.explain.texts import SecretText
    from events.signatures import Delivery, Scheme

_HIDDEN = re.compile(r"(?:\S+ )?\[redacted ([0-9]{1,9}) characters\]")


def is_hidden(scheme: Scheme, delivery: Delivery, received: Capture | None) -> bool:
    """Whether what the scheme would judge was not kept."""
    return received is not None and (received.redacted or _length(scheme, delivery) is not None)


def as_recorded(received: Capture) -> Words:
    """Return what is known of a request by the reason that it was refused for."""
    words = WORDS[received.reason]
    return words._replace(told=f"{words.told} When it came the scheme said: {received.detail}.")


def notes(scheme: Scheme, delivery: Delivery, texts: Sequence[SecretText]) -> Iterator[str]:
    """Yield what the lengths of a token that came and of those that are configured tell."""
    length = _length(scheme, delivery)
    if length is None:
        yield "Secrets in the body were not kept, so its signature cannot be tried again."
        return
    if scheme.mismatch != "token_mismatch":
        yield "The signature was not kept, so neither other secrets nor other readings can be tried."
        return
    yield "The token was not kept, so neither other secrets nor other readings can be tried."
    for text in texts:
        own = len(text.parts.get("secret", ""))
        if own == length:
            yield f"The token has {length} characters, as many as the secret of {text.origin}: it is another one."
            continue
        yield f"The token has {length} characters, the secret of {text.origin} has {own}: was it cut, or pasted with more than itself?"
        for reading, key in scheme.readings(text.parts):
            if isinstance(key, str) and len(key) == length:
                yield f"That many it would have if {reading}."


def _length(scheme: Scheme, delivery: Delivery) -> int | None:
    """Return how many characters the token had, None when none was hidden."""
    values = [delivery.headers.get(name, "") for name in scheme.secret_headers]
    if scheme.secret_headers:
        values += [value for each in delivery.query.values() for value in each]
    found = [match for value in values if (match := _HIDDEN.fullmatch(value))]
    return int(found[0][1]) if found else None
