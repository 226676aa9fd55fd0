"""Who sent a request, told before anything of it is parsed: one module a scheme behind one contract, for every HTTP door."""

from __future__ import annotations

from events.signatures.delivery import Delivery, Fresh, Headers, Query, Secret, Secrets, Signed, same, seconds
from events.signatures.outcomes import REASONS, BadOption, BadSecret, CryptoMissing, Refusal, Refused, Verified
from events.signatures.scheme import Scheme

__all__ = [
    "REASONS",
    "BadOption",
    "BadSecret",
    "CryptoMissing",
    "Delivery",
    "Fresh",
    "Headers",
    "Query",
    "Refusal",
    "Refused",
    "Scheme",
    "Secret",
    "Secrets",
    "Signed",
    "Verified",
    "same",
    "seconds",
]
