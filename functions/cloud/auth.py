"""Who we are to the cloud: keys that sign each request, or a token that is fetched, kept and renewed."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from functions.cloud.errors import OutOfTime
from functions.cloud.signer import authorization, signature

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.cloud.deadline import Deadline

# A token is renewed this long before it expires (the cloud gives it 24 hours).
_EARLY = timedelta(minutes=10)


@dataclass(slots=True)
class Outgoing:
    """A request about to be sent: `path` is percent-encoded, `query` holds decoded pairs, `headers` have lower-case names."""

    method: str
    base: str
    path: str
    query: list[tuple[str, str]]
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


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


class IamToken:
    """A token of IAM (`X-Auth-Token`), fetched when first needed, kept until shortly before it expires, shared by all threads."""

    def __init__(self, fetch: Callable[[Deadline], tuple[str, datetime]], clock: Callable[[], datetime] = _now) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._expires = datetime.min.replace(tzinfo=timezone.utc)

    def authorize(self, request: Outgoing, deadline: Deadline) -> None:
        """Add `X-Auth-Token`, fetching a token first when there is none that lasts.

        Raises what fetching raises, and OutOfTime when another thread's fetching outlasts this call's deadline.
        """
        # One thread fetches; the others wait for its token, but not longer than they may.
        if not self._lock.acquire(timeout=deadline.remaining()):
            raise OutOfTime("no time was left to wait for a token")
        try:
            if not self._token or self._clock() >= self._expires - _EARLY:
                self._token, self._expires = self._fetch(deadline)
            request.headers["x-auth-token"] = self._token
        finally:
            self._lock.release()

    def renew(self, request: Outgoing) -> bool:
        """Forget the token that this request carried, unless another thread has renewed it already; False if it carried none."""
        carried = request.headers.get("x-auth-token")
        with self._lock:
            if carried == self._token:
                self._token = ""
        return carried is not None
