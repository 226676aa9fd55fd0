"""HTTP through a platform's gateway: its event as a request, our answer as the object it wants, and the web server's own doors behind."""

from __future__ import annotations

import base64
import binascii
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from events.problems import PLAIN, HttpAnswer, problem
from events.triggers.http import HttpRequest, NotTaken
from events.triggers.serverless.shapes import EventRefused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from events.triggers.serverless.app import App
    from functions.cloud.deadline import Deadline

log = logging.getLogger("hongyan.events")

_MOST_PARAMETERS = 100


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as a gateway tells of it.

    `path` is percent-encoded or not, `headers` and `query` have repeats joined or listed already; `body` is text, base64 when `encoded`.
    `authenticated`: the gateway has proved who calls; `caller` is who that is, None where it does not say.
    """

    kind: str
    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    query: Mapping[str, Sequence[str]] = field(repr=False)
    body: str = field(repr=False)
    encoded: bool
    client: str
    https: bool
    authenticated: bool
    caller: str | None = None


def answer(incoming: Incoming, app: App, deadline: Deadline) -> dict[str, Any]:
    """Return the gateway's answer to a request: `{statusCode, headers, body, isBase64Encoded}`, `body` always a string.

    A request that hangs beyond its deadline is answered all the same, that nobody knows what it did.
    """
    [task] = app.threads.run(1, lambda: _found(incoming, app, deadline), deadline)
    if task.done():
        return proxied(task.result())
    log.error("request.late", extra={"facts": {"trigger": incoming.kind}})
    return proxied(
        problem(500, "unknown", "the request did not end in time, and it is not known whether it took effect")
    )


def _found(incoming: Incoming, app: App, deadline: Deadline) -> HttpAnswer:
    request = HttpRequest(
        incoming.headers,
        b"",
        incoming.method,
        incoming.query,
        incoming.client,
        incoming.https,
        incoming.kind,
        deadline,
        incoming.caller,
    )
    try:
        # Read when it is wanted, as the web server does: a stranger's body is not looked at.
        return app.routes.answer(
            incoming.path, request, lambda: _body(incoming, app.events.body_limit), authenticated=incoming.authenticated
        )
    except NotTaken as unread:
        return unread.answer


def proxied(found: HttpAnswer) -> dict[str, Any]:
    """Return an answer as the gateways of both platforms take it."""
    headers = {**found.headers, **PLAIN}
    try:
        return {"statusCode": found.status, "headers": headers, "body": found.body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        encoded = base64.b64encode(found.body).decode("ascii")
        return {"statusCode": found.status, "headers": headers, "body": encoded, "isBase64Encoded": True}


def unconfigured() -> dict[str, Any]:
    """Return the answer of a function that cannot start: a stranger is not told which settings it lacks."""
    return proxied(problem(500, "internal", "the function's settings are missing or wrong; its log names them"))


def refused(error: EventRefused) -> dict[str, Any]:
    """Return the answer to a gateway's event that cannot be read."""
    return proxied(problem(400, error.kind, error.message))


def joined(values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return headers with their repeats joined as RFC 9110, section 5.3, has it."""
    return {name: ",".join(each) for name, each in values.items()}


def parsed_query(raw: str) -> dict[str, list[str]]:
    """Return the parameters of a query string. Raises EventRefused when there are too many."""
    try:
        return parse_qs(raw, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
    except ValueError as error:
        raise EventRefused("the query has too many parameters") from error


def _body(incoming: Incoming, most: int) -> bytes:
    """Return the body's bytes. Raises NotTaken."""
    told = f"the body is larger than {most} bytes"
    if len(incoming.body) > ((most * 4 + 8) // 3 + 4 if incoming.encoded else most):
        raise NotTaken(413, told)
    try:
        body = _decoded(incoming.body) if incoming.encoded else incoming.body.encode()
    except UnicodeEncodeError:
        raise NotTaken(400, "the body holds a lone surrogate: it is no text") from None
    except (binascii.Error, ValueError):
        mend = "send it as base64, or mark it false"
        raise NotTaken(400, f"the gateway marks the body as base64 (isBase64Encoded), and it is not: {mend}") from None
    if len(body) > most:
        raise NotTaken(413, told)
    return body


def _decoded(text: str) -> bytes:
    # Python 3.10 does not look at the padding by itself.
    if len(text) % 4:
        raise binascii.Error
    return base64.b64decode(text, validate=True)
