"""Requests through API Gateway (REST and HTTP APIs) and function URLs, for the doors that the web server has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.triggers.aws_lambda import callers
from events.triggers.serverless import gateway as doors
from events.triggers.serverless.shapes import EventRefused, mapping, name, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.triggers.serverless.app import App
    from events.triggers.serverless.invocation import Invocation


def takes(event: Mapping[str, Any]) -> bool:
    """Tell whether an event is a request: of payload format 1.0 (`httpMethod` at the top) or 2.0 (`requestContext.http`)."""
    return "requestContext" in event and ("httpMethod" in event or _is_second(event))


def answer(event: Mapping[str, Any], app: App, invocation: Invocation) -> dict[str, Any]:
    """Return the answer in the form that both payload formats take: `{statusCode, headers, body, isBase64Encoded}`."""
    try:
        incoming = _second(event, app) if _is_second(event) else _first(event, app)
        return doors.answer(incoming, app, invocation.deadline)
    except EventRefused as refused:
        return doors.refused(refused)


def _is_second(event: Mapping[str, Any]) -> bool:
    context = event["requestContext"]
    return isinstance(context, dict) and "http" in context


def _first(event: Mapping[str, Any], app: App) -> doors.Incoming:
    """Read payload format 1.0: of a REST API, or of an HTTP API that was set so, which then says `version`. Raises EventRefused."""
    context = mapping(event, "requestContext")
    if "elb" in context:
        raise EventRefused("load balancers are not read here: put an API Gateway or a function URL before the function")
    identity = mapping(context, "identity", "requestContext")
    caller = callers.first(context, identity)
    return doors.Incoming(
        kind="apigateway.http" if event.get("version") == "1.0" else "apigateway.rest",
        method=name(event, "httpMethod"),
        path=text(event, "path"),
        headers=_headers(event),
        query=_lists(event, "multiValueQueryStringParameters") or _singles(event, "queryStringParameters"),
        body=text(event, "body"),
        encoded=_flag(event),
        client=text(identity, "sourceIp", "requestContext.identity"),
        https=True,
        authenticated=app.own.gateway_authenticates or caller is not None,
        caller=caller,
    )


def _second(event: Mapping[str, Any], app: App) -> doors.Incoming:
    """Read payload format 2.0: of an HTTP API or a function URL. Raises EventRefused."""
    context = mapping(event, "requestContext")
    http = mapping(context, "http", "requestContext")
    host = text(context, "domainName", "requestContext")
    caller = callers.second(context)
    return doors.Incoming(
        kind="lambda.url" if ".lambda-url." in host else "apigateway.http",
        method=name(http, "method", "requestContext.http"),
        path=text(event, "rawPath"),
        headers=_headers(event),
        query=doors.parsed_query(text(event, "rawQueryString")),
        body=text(event, "body"),
        encoded=_flag(event),
        client=text(http, "sourceIp", "requestContext.http"),
        https=True,
        authenticated=app.own.gateway_authenticates or caller is not None,
        caller=caller,
    )


def _flag(event: Mapping[str, Any]) -> bool:
    value = event.get("isBase64Encoded")
    if value is not None and not isinstance(value, bool):
        raise EventRefused("isBase64Encoded must be true or false")
    return bool(value)


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers by their names in lower case, repeats joined: payload format 1.0 lists them, 2.0 has joined them already."""
    found: dict[str, list[str]] = {}
    for title, values in (_lists(event, "multiValueHeaders") or _singles(event, "headers")).items():
        found.setdefault(title.lower(), []).extend(values)
    return doors.joined(found)


def _lists(event: Mapping[str, Any], key: str) -> dict[str, list[str]]:
    found = mapping(event, key)
    if not all(isinstance(each, list) and all(isinstance(one, str) for one in each) for each in found.values()):
        raise EventRefused(f"{key} must hold arrays of strings")
    return found


def _singles(event: Mapping[str, Any], key: str) -> dict[str, list[str]]:
    found = mapping(event, key)
    if not all(isinstance(each, str) for each in found.values()):
        raise EventRefused(f"{key} must hold strings")
    return {title: [value] for title, value in found.items()}
