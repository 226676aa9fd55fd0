"""The cloud on this machine without any I/O: a request goes in, an answer comes out, for its doors and for tests."""

import copy
import json
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from functions.cloud.emulator.auth import authenticate, require_project, scheme
from functions.cloud.emulator.control import PREFIX, handle_control
from functions.cloud.emulator.credentials import Credentials, fake_credentials
from functions.cloud.emulator.fault_spec import Fault
from functions.cloud.emulator.faults import Faults, answer_instead, spoil
from functions.cloud.emulator.identity import Identity
from functions.cloud.emulator.journal import Entry, Journal
from functions.cloud.emulator.message import Request, Response
from functions.cloud.emulator.payload import too_deep
from functions.cloud.emulator.refusal import Refusal, own
from functions.cloud.emulator.routes import Call, Match, match, service_names
from functions.cloud.emulator.seed import Options, Seed, default_seed

__all__ = ["Emulator", "Request", "Response"]


KEPT_BODY = 16_384
"""Bytes of the largest body that the journal keeps."""


class Emulator:
    """One cloud of its own: two of them share nothing. Safe to use from several threads.

    `seed` is what it holds, shaped as `default_seed()` returns it; `clock` gives seconds since the epoch; `sleep` takes
    the seconds of a fault's delay. `marker_inclusive` and `page_resource_id` win over the seed's (see Options). `faults`
    holds what shall go wrong next (see `functions.cloud.emulator.faults`).
    """

    def __init__(
        self,
        seed: Seed | None = None,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
        marker_inclusive: bool | None = None,
        page_resource_id: bool | None = None,
    ) -> None:
        self._seed = copy.deepcopy(seed) if seed is not None else default_seed()
        chosen = {"marker_inclusive": marker_inclusive, "page_resource_id": page_resource_id}
        given = {name: value for name, value in chosen.items() if value is not None}
        self._options = replace(Options(**self._seed.get("options", {})), **given)
        self._clock = clock
        self.sleep = sleep
        self._lock = threading.Lock()
        self._journal = Journal()
        self.faults = Faults(service_names())
        self._plant()

    @property
    def credentials(self) -> Credentials:
        """Keys and names this emulator accepts."""
        return fake_credentials(self._seed["identity"])

    @property
    def journal(self) -> list[Entry]:
        """The newest requests, oldest first; control routes are not among them."""
        return self._journal.entries()

    @property
    def options(self) -> dict[str, bool]:
        """The options in force."""
        return asdict(self._options)

    def reset(self) -> None:
        """Be as new: the seed again, no tokens, no faults, an empty journal."""
        with self._lock:
            self._plant()
        self.faults.clear()
        self._journal.clear()

    def expire_tokens(self) -> int:
        """End every token issued so far; the gateway answers APIGW.0307 to them. Return how many there were."""
        with self._lock:
            return self._identity.expire_tokens(self._clock())

    def handle(self, request: Request, *, wait: Callable[[float], object] | None = None) -> Response:
        """Answer one request; never raises for anything a client can send.

        `wait` takes a fault's delay in place of the emulator's `sleep`; no lock is held meanwhile.
        """
        request_id = uuid.uuid4().hex
        if request.path.startswith(PREFIX):
            return _stamped(handle_control(self, request, request_id), request_id)
        matches = match(request.path)
        service = matches[0].service if matches else None
        fault = self.faults.take(request.method, request.path, service)
        if fault is not None and fault.delay_s:
            (wait or self.sleep)(fault.delay_s)
        response = self._faulty(request, matches, fault, request_id)
        self._journal.add(_entry(request, matches, response, request_id, fault))
        return response

    def _plant(self) -> None:
        self._data = copy.deepcopy(self._seed)
        self._identity = Identity(self._data.pop("identity"))

    def _faulty(self, request: Request, matches: list[Match], fault: Fault | None, request_id: str) -> Response:
        instead = fault and answer_instead(fault, request_id)
        if instead:
            return _stamped(instead, request_id)
        response = _stamped(self._answer(request, matches, request_id), request_id)
        return spoil(fault, response) if fault else response

    def _answer(self, request: Request, matches: list[Match], request_id: str) -> Response:
        try:
            chosen = _choose(request, matches)
            with self._lock:
                return self._call(request, chosen)
        except Refusal as refusal:
            return refusal.response(request_id)

    def _call(self, request: Request, chosen: Match) -> Response:
        now = self._clock()
        if not chosen.route.public:
            projects = authenticate(request, self._identity, now)
            require_project(projects, chosen.path["project_id"])
        data = self._data.get(chosen.service)
        return chosen.route.handler(Call(request, chosen.path, data, self._identity, self._options, now))


def _choose(request: Request, matches: list[Match]) -> Match:
    if not matches:
        raise own(501, f"The emulator has no {request.path}")
    methods = [one.route.method for one in matches]
    if request.method not in methods:
        message = f"{request.method} is not allowed on {request.path}"
        raise own(405, message, headers={"Allow": ", ".join(methods)})
    return matches[methods.index(request.method)]


def _stamped(response: Response, request_id: str) -> Response:
    return replace(response, headers={**response.headers, "X-Request-Id": request_id})


def _entry(request: Request, matches: list[Match], response: Response, request_id: str, fault: Fault | None) -> Entry:
    return Entry(
        method=request.method,
        path=request.path,
        query=request.target.partition("?")[2],
        service=matches[0].service if matches else None,
        status=None if response.ending == "drop" else response.status,
        request_id=request_id,
        body=_recorded_body(request, matches),
        auth=scheme(request),
        fault=fault.kind if fault else None,
    )


def _recorded_body(request: Request, matches: list[Match]) -> Any:
    # Only bodies of known, authenticated routes hold nothing secret by their definition.
    if not matches or any(one.route.public for one in matches) or len(request.body) > KEPT_BODY:
        return None
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return None if too_deep(body) else body
