"""Which door a path leads to, without a web framework: the routes of the web server, wherever in a gateway's paths they are put."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from events import strictjson
from events.problems import HttpAnswer, problem
from events.triggers import health

if TYPE_CHECKING:
    from collections.abc import Callable

    from events.triggers.hooks import HookDoor
    from events.triggers.http import HttpDoor, HttpRequest
    from functions.cloud.settings import CloudSettings

_MOST_PATH = 2048


class Routes:
    """The doors by path.

    A path is told by its end, since stages and base paths of gateways come before it: `…/hooks/<sender>`, `…/functions/<operation>`,
    `…/events`, `…/health/live`, `…/health/ready`. Where one `operation` is deployed alone, any other path is its own.
    """

    def __init__(self, door: HttpDoor, hooks: HookDoor | None, cloud: CloudSettings, operation: str) -> None:
        self._door = door
        self._hooks = hooks
        self._cloud = cloud
        self._operation = operation

    def answer(self, path: str, request: HttpRequest, read: Callable[[], bytes], *, authenticated: bool) -> HttpAnswer:
        """Answer a request; its body is `read` only when it is wanted. `authenticated`: the gateway has proved who calls."""
        if len(path) > _MOST_PATH:
            return problem(414, "invalid_argument", f"a path has at most {_MOST_PATH} characters")
        segments = [unquote(segment) for segment in path.split("/") if segment]
        *_, before, last = ("", "", *segments)
        # Whatever lies below /hooks was let in without the gateway's proof, so nothing there is another door.
        if "hooks" in segments:
            return self._signed(last if before == "hooks" else "", request, read)
        if before == "health" and last in ("live", "ready"):
            return self._health(last, request)
        if before == "functions":
            return self._unsigned(request, read, lambda whole: self._door.function(last, whole), proved=authenticated)
        if last == "events":
            return self._unsigned(request, read, self._door.events, proved=authenticated)
        if self._operation:
            own = self._operation
            return self._unsigned(request, read, lambda whole: self._door.function(own, whole), proved=authenticated)
        told = "there is no such path: POST to /functions/<operation>, /events or /hooks/<sender>"
        return problem(404, "not_found", told)

    def _signed(self, name: str, request: HttpRequest, read: Callable[[], bytes]) -> HttpAnswer:
        if self._hooks is None:
            return problem(404, "not_found", "there is no such sender: no senders are configured")
        return self._hooks.answer(name, request, read)

    def _unsigned(
        self,
        request: HttpRequest,
        read: Callable[[], bytes],
        door: Callable[[HttpRequest], HttpAnswer],
        *,
        proved: bool,
    ) -> HttpAnswer:
        if request.method != "POST":
            return problem(405, "invalid_argument", "send a POST", {"Allow": "POST"})
        if not proved:
            told = "the gateway does not say who calls: send a signed request to /hooks/<sender>, or have the gateway authenticate"
            return problem(403, "permission_denied", told)
        return door(replace(request, body=read()))

    def _health(self, which: str, request: HttpRequest) -> HttpAnswer:
        if request.method not in ("GET", "HEAD"):
            return problem(405, "invalid_argument", "send a GET", {"Allow": "GET, HEAD"})
        status, body = health.ready(self._cloud) if which == "ready" else (200, health.LIVE)
        found = HttpAnswer(status, {"Content-Type": "application/json"}, strictjson.dumps(body))
        return replace(found, body=b"") if request.method == "HEAD" else found
