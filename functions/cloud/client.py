"""The API that functions call: `cloud.get`, `cloud.post` and `cloud.put`, with credentials, deadline and retries behind them."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from functions.cloud.answers import read
from functions.cloud.auth import AkSk, IamToken, NotGiven
from functions.cloud.codes import classify
from functions.cloud.deadline import Trail
from functions.cloud.errors import CallError, CloudRefused, OutOfTime
from functions.cloud.iam import fetch_token
from functions.cloud.outgoing import build
from functions.cloud.retry import LEAST_FOR_WRITE_S, Retry
from functions.cloud.transport import Transport
from functions.cloud.upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.cloud.auth import Credentials
    from functions.cloud.deadline import Deadline
    from functions.cloud.outgoing import Outgoing
    from functions.cloud.settings import CloudSettings

log = logging.getLogger("hongyan.cloud")

# One attempt of a call that may be repeated is given this long, in seconds, or half of what is left if that is more.
_PATIENCE_S = 10.0


class Client:
    """The process's client: settings, connections and credentials. Make one at start; `call()` gives each call its Cloud."""

    def __init__(
        self, settings: CloudSettings, *, retry: Retry | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        self.settings = settings
        self.transport = Transport(settings, os.environ if environ is None else environ)
        self.retry = retry or Retry(settings.attempts)
        self.credentials = self._own_credentials()

    def call(
        self,
        deadline: Deadline,
        *,
        project_id: str = "",
        reads: bool = False,
        idempotent: bool = False,
        trail: Trail | None = None,
    ) -> Cloud:
        """Return the API for one call.

        `reads`: the operation changes nothing; `idempotent`: it may be sent twice. Both make a repeat after a lost answer safe.
        `trail` is told whether a request is under way.

        Raises ConfigurationError that names the settings which are missing.
        """
        self.settings.require()
        return Cloud(self, deadline, project_id or self.settings.project_id, safe=reads or idempotent, trail=trail)

    def use(self, credentials: Credentials) -> None:
        """Take these from the next attempt on, also while other threads ask: each attempt has the old ones or these, never some of both."""
        self.credentials = credentials

    def _own_credentials(self) -> Credentials:
        own = self.settings
        if own.temporary_keys:
            return NotGiven()
        if own.username and not own.access_key:
            return IamToken(lambda project_id, deadline: fetch_token(own, self.transport, project_id, deadline))
        return AkSk(own.access_key, own.secret_key, own.security_token)


class Cloud:
    """Huawei Cloud for one call. Functions use `get`, `post` and `put`; dispatch reads `upstream` and `in_doubt` afterwards."""

    def __init__(
        self, client: Client, deadline: Deadline, project_id: str, *, safe: bool, trail: Trail | None = None
    ) -> None:
        self.project_id = project_id
        self.deadline = deadline
        self.upstream = Upstream()
        self.in_doubt = False
        self.log_facts: dict[str, object] = {}
        self._client = client
        self._safe = safe
        self._trail = trail or Trail()

    def get(self, service: str, template: str, *, path: Mapping[str, Any], returns: type = dict, **options: Any) -> Any:
        """Return the JSON that `GET template` answers; options as for `request`."""
        return self.request("GET", service, template, path=path, returns=returns, **options)

    def post(
        self, service: str, template: str, *, path: Mapping[str, Any], returns: type = dict, **options: Any
    ) -> Any:
        """Return the JSON that `POST template` answers; options as for `request`."""
        return self.request("POST", service, template, path=path, returns=returns, **options)

    def put(self, service: str, template: str, *, path: Mapping[str, Any], returns: type = dict, **options: Any) -> Any:
        """Return the JSON that `PUT template` answers; options as for `request`."""
        return self.request("PUT", service, template, path=path, returns=returns, **options)

    def request(
        self,
        method: str,
        service: str,
        template: str,
        *,
        path: Mapping[str, Any],
        query: Mapping[str, Any] | None = None,
        json: Any = None,
        expect: int = 200,
        returns: type = dict,
    ) -> Any:
        """Ask the cloud once, again where that is safe, and return the JSON of its answer.

        `template` is the API page's path; its `{names}` are taken from `path` (`project_id` is ours) and percent-encoded. `query` leaves
        out None; `json` is the body; `expect` the page's success status; `returns` dict or list.

        Raises CallError of every kind listed in `functions.cloud.errors`.
        """
        ids = {**path, "project_id": self.project_id}
        outgoing = build(method, self._client.settings.endpoint(service), template, ids, query, json)
        self.upstream.service, self.upstream.method = service, method
        self.upstream.requests += 1
        return self._until_answered(outgoing, expect, returns)

    def _until_answered(self, outgoing: Outgoing, expect: int, returns: type) -> Any:
        tries, renewed = 0, False
        while True:
            tries += 1
            try:
                return self._attempt(outgoing, expect, returns)
            except CallError as error:
                if not renewed and self._stale(error, outgoing):
                    renewed, pause = True, 0.0
                else:
                    wait = self._client.retry.wait(error, tries, self.deadline, safe=self._safe)
                    if wait is None:
                        raise
                    pause = wait
                self._log_retry(error, tries, pause)
                self._client.retry.sleep(pause)

    def _attempt(self, outgoing: Outgoing, expect: int, returns: type) -> Any:
        self._authorize(outgoing)
        if not self._safe:
            self._announce()
        self.upstream.attempts += 1
        try:
            answer = self._client.transport.send(
                outgoing.method,
                outgoing.url(),
                outgoing.headers,
                outgoing.body,
                outgoing.base,
                self._patience(safe=self._safe),
                self._trail,
            )
            self.upstream.status, self.upstream.request_id = answer.status, answer.request_id
            value = read(answer, expect, returns)
        except CallError as error:
            self.in_doubt = self.in_doubt or error.in_doubt
            self.upstream.status, self.upstream.request_id = error.status, error.request_id
            self._trail.sent = self.in_doubt
            raise
        self.in_doubt = self._trail.sent = False
        return value

    def _announce(self) -> None:
        """Say that a write which must not be repeated is about to be sent. Raises OutOfTime, and what keeps it from being sent."""
        if self.deadline.remaining() >= LEAST_FOR_WRITE_S and self._trail.announce:
            self._trail.announce()
        if self.deadline.remaining() < LEAST_FOR_WRITE_S:
            raise OutOfTime("too little time was left to send a write and hear its answer")

    def _patience(self, *, safe: bool) -> Deadline:
        """Return how long one attempt may take: a write all the time there is, what may be repeated not so long that no repeat fits."""
        if not safe:
            return self.deadline
        left = self.deadline.remaining()
        return replace(self.deadline, at=self.deadline.at - left + min(left, max(_PATIENCE_S, left / 2)))

    def _authorize(self, outgoing: Outgoing) -> None:
        outgoing.headers = {"accept": "application/json", "user-agent": "hongyan", "x-project-id": self.project_id}
        if outgoing.body:
            outgoing.headers["content-type"] = "application/json;charset=utf-8"
        if outgoing.body or outgoing.method != "GET":
            outgoing.headers["content-length"] = str(len(outgoing.body))
        try:
            self._client.credentials.authorize(outgoing, self._patience(safe=True))
        except CallError as error:
            # Whatever became of the question to IAM: the call itself has not been sent.
            error.in_doubt, error.refused, error.message = False, True, f"IAM: {error.message}"
            raise

    def _stale(self, error: CallError, outgoing: Outgoing) -> bool:
        refused = isinstance(error, CloudRefused) and classify(error.status or 0, error.code) == "unauthenticated"
        return refused and self._client.credentials.renew(outgoing)

    def _log_retry(self, error: CallError, tries: int, pause: float) -> None:
        facts = {"attempt": tries, "kind": error.kind, "code": error.code, "wait_s": round(pause, 3)}
        log.warning("call.retried", extra={"facts": {**self.log_facts, **facts}})
