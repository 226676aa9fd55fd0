"""What becomes of a request at its signature: it is its sender's, or it is refused for one of a few stable reasons; for every scheme."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from events.problems import HttpAnswer

# Reasons are part of the contract with senders and operators: stable codes, each in one of these families.
REASONS = {
    "header_missing": "a header or parameter that the scheme needs is missing or empty",
    "header_malformed": "a header or parameter of the scheme is not of its form, or was sent twice",
    "body_malformed": "the body is not of the scheme's form",
    "signature_mismatch": "no secret of this sender makes this signature",
    "token_mismatch": "no secret of this sender is this token",
    "too_old": "signed longer ago than the window",
    "too_new": "signed further in the future than the window",
    "decrypt_failed": "the body cannot be decrypted with the sender's key",
    "receiver_mismatch": "encrypted for another receiver",
    "certificate_refused": "the certificate that the message names is not trusted",
    "topic_refused": "the topic is not one of this sender's",
    "try_later": "it cannot be told at the moment whether the message is its sender's",
    "replayed": "this very request was received before",
    "already_handled": "a request with this id was handled before",
    "under_way": "a request with this id is being handled",
    "https_required": "this scheme is taken over https only",
}


@dataclass(frozen=True, slots=True)
class Verified:
    """The request is its sender's.

    `sender`: its configured name. `id`: the delivery's own id, the same over retries, None when it has none. `time`: when it was signed,
    seconds since 1970, None when the scheme signs no time. `fingerprint`: the same for the very same signed request sent again and for no
    other, "" when the scheme signs nothing. `body`: what was sent, decrypted where the scheme encrypts; `content_type` replaces the
    request's own when it is not None. `answer`: the scheme's own handshake asked for this answer, and for nothing else. `confirm`: a URL
    of the scheme's handshake (SMN) which must be asked, through the scheme's guard, before the answer is given.
    """

    sender: str
    id: str | None
    time: float | None
    fingerprint: str
    body: bytes = field(repr=False)
    content_type: str | None = None
    answer: HttpAnswer | None = None
    confirm: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The request is not taken. `reason` is one of `REASONS`, for the sender; `detail` is for the operator, without any secret."""

    reason: str
    detail: str


class Refusal(Exception):
    """Raised inside a scheme; `Scheme.verify` turns it into its `Refused`."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.refused = Refused(reason, detail)


class BadSecret(ValueError):
    """A secret cannot be one of its scheme; the text says what is wrong and what would be right, never the secret."""


class BadOption(ValueError):
    """An option of a sender cannot be; `option` is its name, the text says what would be right."""

    def __init__(self, option: str, told: str) -> None:
        super().__init__(told)
        self.option = option


class CryptoMissing(BadSecret, BadOption):
    """The scheme needs the `crypto` extra, which is not installed; the text says what to install."""

    def __init__(self, what: str) -> None:
        ValueError.__init__(self, f"{what} needs the cryptography package: pip install 'cryptography>=43'")
        self.option = "scheme"
