"""Requests through API Gateway (REST and HTTP APIs) and function URLs, for the doors that the web server has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.problems import problem
from events.triggers.serverless import gateway as doors
from events.triggers.serverless.shapes import EventRefused, items, mapping, name, text

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
        return doors.answer(incoming, app.routes, app.events.body_limit, invocation.deadline)
    except EventRefused as refused:
        return doors.refused(refused)


def unconfigured() -> dict[str, Any]:
    """Return the answer of a function that cannot start: a stranger is not told which settings it lacks."""
    told = "the function's settings are missing or wrong; its log names them"
    return doors.proxied(problem(500, "internal", told))


def _is_second(event: Mapping[str, Any]) -> bool:
    context = event["requestContext"]
    return isinstance(context, dict) and "http" in context


def _first(event: Mapping[str, Any], app: App) -> doors.Incoming:
    """Read payload format 1.0: of a REST API, or of an HTTP API that was set so, which then says `version`. Raises EventRefused."""
    context = mapping(event, "requestContext")
    if "elb" in context:
        raise EventRefused("load balancers are not read here: put an API Gateway or a function URL before the function")
    identity = mapping(context, "identity", "requestContext")
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
        authenticated=app.own.gateway_authenticates or _first_proves(context, identity),
    )


def _second(event: Mapping[str, Any], app: App) -> doors.Incoming:
    """Read payload format 2.0: of an HTTP API or a function URL. Raises EventRefused."""
    context = mapping(event, "requestContext")
    http = mapping(context, "http", "requestContext")
    host = text(context, "domainName", "requestContext")
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
        authenticated=app.own.gateway_authenticates or _second_proves(context),
    )


# Whoever sends a request writes its headers, query and body; what stands in `requestContext` the gateway alone writes.


def _first_proves(context: Mapping[str, Any], identity: Mapping[str, Any]) -> bool:
    """Whether an authorizer or IAM has proved who calls; an API key (`identity.apiKey`) proves nobody."""
    guest = identity.get("cognitoAuthenticationType") == "unauthenticated"
    user = text(identity, "userArn", "requestContext.identity")
    # Without an authorizer, HTTP APIs send {"claims": null, "scopes": null}.
    return _tells(mapping(context, "authorizer", "requestContext")) or (bool(user) and not guest)


def _second_proves(context: Mapping[str, Any]) -> bool:
    """Whether IAM, a JWT authorizer or a Lambda authorizer has proved who calls.

    A Lambda authorizer that gives no context leaves null behind, which is not taken for a proof: HONGYAN_GATEWAY_AUTHENTICATES is for that.
    """
    where = "requestContext.authorizer"
    authorizer = mapping(context, "authorizer", "requestContext")
    iam, jwt, own = (mapping(authorizer, each, where) for each in ("iam", "jwt", "lambda"))
    cognito = mapping(iam, "cognitoIdentity", f"{where}.iam")
    guest = "unauthenticated" in items(cognito, "amr", f"{where}.iam.cognitoIdentity")
    return _tells(own) or _tells(mapping(jwt, "claims", f"{where}.jwt")) or (_tells(iam) and not guest)


def _tells(found: Mapping[str, Any]) -> bool:
    return any(value not in (None, "", {}, []) for value in found.values())


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
