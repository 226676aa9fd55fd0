"""Requests through APIG (and ROMA Connect's gateway), for the doors that the web server has.

Source: FunctionGraph user guide, using an APIG trigger. Its event is much like that of AWS's REST APIs. It does not say who called: no
authorizer is documented in `requestContext`, so requests that are not signed need HONGYAN_GATEWAY_AUTHENTICATES.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from events.triggers.serverless import gateway
from events.triggers.serverless.shapes import EventRefused, mapping, name, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.triggers.serverless.app import App
    from events.triggers.serverless.invocation import Invocation

KIND = "functiongraph.apig"
"""The trigger's name in results."""


def takes(event: Mapping[str, Any]) -> bool:
    """Tell whether an event is a request."""
    return "requestContext" in event and "httpMethod" in event


def answer(event: Mapping[str, Any], app: App, invocation: Invocation) -> dict[str, Any]:
    """Return the answer in the form that APIG takes: `{statusCode, headers, body, isBase64Encoded}`; to anything else it says 500."""
    try:
        incoming = _incoming(event, authenticated=app.own.gateway_authenticates)
    except EventRefused as refused:
        return gateway.refused(refused)
    return gateway.answer(incoming, app, invocation.deadline)


def _incoming(event: Mapping[str, Any], *, authenticated: bool) -> gateway.Incoming:
    """Return the request that an event tells of; every field but the method may be null or absent. Raises EventRefused."""
    mapping(event, "requestContext")
    headers = gateway.joined(_lists(event, "headers", str.lower))
    return gateway.Incoming(
        kind=KIND,
        method=name(event, "httpMethod").upper(),
        path=text(event, "path"),
        headers=headers,
        query=_lists(event, "queryStringParameters", str),
        body=text(event, "body"),
        encoded=_encoded(event),
        client=_client(headers),
        https=_https(headers),
        authenticated=authenticated,
    )


def _encoded(event: Mapping[str, Any]) -> bool:
    """Whether the body is base64; the page says that it is unless the event says otherwise."""
    value = event.get("isBase64Encoded")
    if value is not None and not isinstance(value, bool):
        raise EventRefused("isBase64Encoded must be true or false")
    return value is not False


def _https(headers: Mapping[str, str]) -> bool:
    # A sender may write this header, too. It is believed since nothing but the gateway reaches the function, and since gateways write it
    # anew or put their own word last; that APIG does so is taken for granted, its pages only show the header.
    return headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower() == "https"


def _client(headers: Mapping[str, str]) -> str:
    """Return the address that the gateway itself saw: what stands before the last of X-Forwarded-For anybody may have written."""
    return _address(headers.get("x-forwarded-for", "").rpartition(",")[2]) or _address(headers.get("x-real-ip", ""))


def _address(said: str) -> str:
    try:
        return str(ipaddress.ip_address(said.strip()))
    except ValueError:
        return ""


def _lists(event: Mapping[str, Any], key: str, named: Any) -> dict[str, list[str]]:
    """Return an object of strings, or of arrays of them, as lists; null stands for none. Names that become the same share their values."""
    found: dict[str, list[str]] = {}
    for title, value in mapping(event, key).items():
        values = value if isinstance(value, list) else [] if value is None else [value]
        if not all(isinstance(one, str) for one in values):
            raise EventRefused(f"{key} must hold strings, or arrays of strings")
        if values:
            found.setdefault(named(title), []).extend(values)
    return found
