"""Why a call did not succeed: one family of errors that carry their facts, for dispatch and every trigger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# The canonical RPC codes (google.rpc.Code) in lower case that this project uses. What may be tried again follows from the kind.
RETRYABLE_KINDS = frozenset({"aborted", "resource_exhausted", "unavailable", "deadline_exceeded"})
KINDS = RETRYABLE_KINDS | {
    "invalid_argument",
    "unauthenticated",
    "permission_denied",
    "not_found",
    "already_exists",
    "failed_precondition",
    "unimplemented",
    "internal",
    "unknown",
}


class CallError(Exception):
    """One call did not succeed.

    Attributes: `kind` (canonical RPC code in lower case), `message` (for people; never a secret), `code` (the cloud's own, as
    `APIG.2004`), `status` (HTTP status of the cloud's answer, or None), `request_id`, `retry_after_s` (seconds, or None), `fields`
    (marshmallow's messages by field, or None), `in_doubt` (the request may have taken effect although no answer says so), `refused`
    (it certainly had no effect, so repeating it is safe).
    """

    kind = "internal"
    in_doubt = False
    refused = True

    def __init__(
        self,
        message: str,
        *,
        kind: str | None = None,
        code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind or self.kind
        self.code = code
        self.status = status
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.fields = fields

    def __str__(self) -> str:
        return self.message

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later."""
        return self.kind in RETRYABLE_KINDS


class PayloadRefused(CallError):
    """The payload is wrong: `fields` names each field and the fix. Nothing was sent."""

    kind = "invalid_argument"


class UnknownOperation(CallError):
    """No function file has this name. Nothing was sent."""

    kind = "unimplemented"


class ProjectNotAllowed(CallError):
    """The payload names a project that the settings do not allow. Nothing was sent."""

    kind = "permission_denied"


class Abandoned(CallError):
    """Whoever ran the call died while it did, again and again: it is not run any more."""

    kind = "internal"


class NotGranted(CallError):
    """The sender may not ask for this operation. Nothing was sent."""

    kind = "permission_denied"


class ConfigurationError(CallError):
    """Settings are missing or wrong; the message names the variables, never their values."""

    kind = "internal"


class OutOfTime(CallError):
    """The deadline left no time to send the request. Nothing was sent."""

    kind = "deadline_exceeded"


class NotSent(CallError):
    """No connection could be made, so the cloud has seen nothing."""

    kind = "unavailable"


class NoAnswer(CallError):
    """The request was sent and its answer never came, or broke off: whether it took effect is not known."""

    kind = "unavailable"
    in_doubt = True
    refused = False


class UnreadableAnswer(CallError):
    """The cloud said success and its body is not the JSON that the API page promises."""

    kind = "internal"
    in_doubt = True
    refused = False


class CloudRefused(CallError):
    """The cloud answered with an error; kind follows from (status, code), see `functions.cloud.codes`."""

    def __init__(self, message: str, *, in_doubt: bool = False, refused: bool = True, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.in_doubt = in_doubt
        self.refused = refused
