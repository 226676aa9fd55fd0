"""A small HTTP client for one POST or GET and its whole answer, for the commands that talk to a server of ours."""

from __future__ import annotations

import http.client
import time
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING

from events.cloudevents import CloudEvent, InvalidEvent, UnsupportedFormat
from events.cloudevents.http import from_http
from functions.cloud.endpoints import is_loopback
from schemas.result import ResultData

if TYPE_CHECKING:
    from collections.abc import Mapping

# Of `schemas.result`, what a reader of result events relies on.


MOST_REPLY = 32 * 1024 * 1024
"""Bytes of the largest answer that is read."""


class NoReply(Exception):
    """No whole answer came; the text tells a person why."""


class NoServer(NoReply):
    """Nothing listens there, so nothing was sent."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer of any status, and the seconds it took."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


class _AnyStatus(urllib.request.HTTPErrorProcessor):
    """Hands over every answer as it is: an error status is an answer too, and a redirect is none of ours."""

    def http_response(self, request: urllib.request.Request, response: http.client.HTTPResponse) -> object:  # noqa: ARG002
        """Return the answer unchanged."""
        return response

    https_response = http_response


def ask(url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None, *, timeout_s: float) -> Reply:
    """POST a body, or GET when there is none; `timeout_s` bounds every wait for the server. No proxy stands before loopback.

    Raises NoServer and NoReply. `url` is a checked http or https URL.
    """
    request = urllib.request.Request(url, body, dict(headers or {}))  # noqa: S310  The caller has checked the scheme.
    direct = [urllib.request.ProxyHandler({})] if is_loopback(url) else []
    started = time.monotonic()
    try:
        with urllib.request.build_opener(_AnyStatus, *direct).open(request, timeout=timeout_s) as answer:
            body = answer.read(MOST_REPLY + 1)
            if len(body) > MOST_REPLY:
                raise NoReply(f"the answer of {url} is larger than {MOST_REPLY} bytes")
            return Reply(answer.status, dict(answer.headers.items()), body, time.monotonic() - started)
    except (OSError, http.client.HTTPException) as error:
        raise _told_apart(error, url, timeout_s) from error


def result_event(reply: Reply) -> CloudEvent | None:
    """Return the result event that an answer carries, None when it carries none."""
    try:
        event = from_http(reply.headers, reply.body)
    except (InvalidEvent, UnsupportedFormat):
        return None
    if not isinstance(event, CloudEvent) or not isinstance(event.data, dict):
        return None
    return None if ResultData().validate(event.data) else event


def _told_apart(error: Exception, url: str, timeout_s: float) -> NoReply:
    reason = getattr(error, "reason", error)
    server = "/".join(url.split("/")[:3])
    if isinstance(reason, ConnectionRefusedError):
        return NoServer(f"no server listens at {server}")
    if isinstance(reason, TimeoutError):
        return NoReply(f"{server} did not answer within {timeout_s:g} s; the call may still be under way")
    # Not its text as it came: a server that speaks no HTTP may have put control characters into it.
    return NoReply(f"the connection to {server} broke: {str(reason)[:200]!r}")
