"""Who we are to the cloud: keys that sign each request, or a token that is fetched, kept and renewed."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from functions.cloud.errors import CloudRefused, ConfigurationError, OutOfTime
from functions.cloud.signer import authorization, signature

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.cloud.deadline import Deadline
    from functions.cloud.outgoing import Outgoing

# A token is renewed this long before it expires (the cloud gives it 24 hours).
_EARLY = timedelta(minutes=10)
# A user whom IAM refused is not tried again for this long.
_LOCKED_OUT = timedelta(minutes=1)
_NEVER = datetime.min.replace(tzinfo=timezone.utc)


class Credentials(Protocol):
    """What the client needs of any kind of credentials."""

    def authorize(self, request: Outgoing, deadline: Deadline) -> None:
        """Add the headers that prove who we are; must be called again for every attempt."""

    def renew(self, request: Outgoing) -> bool:
        """Take note that the cloud refused this request's proof; True when another attempt would carry a fresh one."""


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass(frozen=True, slots=True)
class AkSk:
    """An access key: signs every request with SDK-HMAC-SHA256, with `X-Security-Token` when the keys are temporary."""

    access_key: str
    secret_key: str = field(repr=False)
    security_token: str = field(default="", repr=False)
    clock: Callable[[], datetime] = _now

    def authorize(self, request: Outgoing, deadline: Deadline) -> None:  # noqa: ARG002 - the contract of Credentials
        """Add `X-Sdk-Date`, `Host`, `Authorization` (and `X-Security-Token`)."""
        signed = {name: value for name, value in request.headers.items() if name in ("content-type", "x-project-id")}
        signed["host"] = urlsplit(request.base).netloc
        signed["x-sdk-date"] = self.clock().strftime("%Y%m%dT%H%M%SZ")
        if self.security_token:
            signed["x-security-token"] = self.security_token
        seal = signature(self.secret_key, request.method, request.path, request.query, signed, request.body)
        request.headers.update(signed, authorization=authorization(self.access_key, signed, seal))

    def renew(self, request: Outgoing) -> bool:  # noqa: ARG002
        """Return False: five wrong signatures in a row lock a key for five minutes, so none is repeated."""
        return False


@dataclass(frozen=True, slots=True)
class GivenToken:
    """A token of IAM that somebody else has fetched (`X-Auth-Token`): good for the project that it was made for, until it expires."""

    token: str = field(repr=False)

    def authorize(self, request: Outgoing, deadline: Deadline) -> None:  # noqa: ARG002
        """Add `X-Auth-Token`."""
        request.headers["x-auth-token"] = self.token

    def renew(self, request: Outgoing) -> bool:  # noqa: ARG002
        """Return False: whoever gave it gives the next one, too."""
        return False


class NotGiven:
    """Stands where temporary keys are awaited: a request before that is refused."""

    def authorize(self, request: Outgoing, deadline: Deadline) -> None:  # noqa: ARG002
        """Raise ConfigurationError."""
        raise ConfigurationError("no keys were handed over with the invocation")

    def renew(self, request: Outgoing) -> bool:  # noqa: ARG002
        """Return False."""
        return False


class IamToken:
    """Tokens of IAM (`X-Auth-Token`), one per project: fetched when needed, kept until shortly before they expire, shared by threads."""

    def __init__(
        self, fetch: Callable[[str, Deadline], tuple[str, datetime]], clock: Callable[[], datetime] = _now
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._fetching = threading.Lock()
        self._kept: dict[str, tuple[str, datetime]] = {}
        self._refused: tuple[CloudRefused, datetime] | None = None

    def authorize(self, request: Outgoing, deadline: Deadline) -> None:
        """Add `X-Auth-Token` for the request's project (`x-project-id`), fetching a token first when there is none that lasts.

        Raises what fetching raises, the same refusal again for a minute (wrong passwords lock users out), and OutOfTime when another
        thread's fetching outlasts this call's deadline.
        """
        project_id = request.headers["x-project-id"]
        request.headers["x-auth-token"] = self._lasting(project_id) or self._fetched(project_id, deadline)

    def renew(self, request: Outgoing) -> bool:
        """Forget the token that this request carried, unless another thread has renewed it already; False if it carried none."""
        carried, project_id = request.headers.get("x-auth-token"), request.headers.get("x-project-id", "")
        kept = self._kept.get(project_id)
        if kept and kept[0] == carried:
            # At worst a token that another thread has fetched in this instant goes too, and is fetched again.
            self._kept.pop(project_id, None)
        return carried is not None

    def _lasting(self, project_id: str) -> str | None:
        token, until = self._kept.get(project_id, ("", _NEVER))
        return token if self._clock() < until else None

    def _fetched(self, project_id: str, deadline: Deadline) -> str:
        # One thread fetches; the others wait for its token, but not longer than they may.
        if not self._fetching.acquire(timeout=deadline.remaining()):
            raise OutOfTime("no time was left to wait for a token")
        try:
            return self._lasting(project_id) or self._from_iam(project_id, deadline)
        finally:
            self._fetching.release()

    def _from_iam(self, project_id: str, deadline: Deadline) -> str:
        if self._refused and self._clock() < self._refused[1]:
            raise _again(self._refused[0])
        try:
            token, expires = self._fetch(project_id, deadline)
        except CloudRefused as error:
            if error.kind == "unauthenticated":
                self._refused = (_again(error), self._clock() + _LOCKED_OUT)
            raise
        # A token that lives only minutes is used for half of them.
        early = min(_EARLY, (expires - self._clock()) / 2)
        self._kept[project_id] = (token, expires - early)
        return token


def _again(error: CloudRefused) -> CloudRefused:
    """Return a refusal anew: an exception that is raised in several threads would mix up their tracebacks."""
    return CloudRefused(
        error.message, kind=error.kind, code=error.code, status=error.status, request_id=error.request_id
    )
