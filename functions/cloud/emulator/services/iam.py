"""Emulated IAM: a token for a user name and a password (IAM API, "obtain a user token with a password")."""

from collections.abc import Mapping
from typing import Any

from functions.cloud.emulator.clock import utc_microseconds
from functions.cloud.emulator.message import Response, json_response
from functions.cloud.emulator.payload import read_json
from functions.cloud.emulator.refusal import Refusal
from functions.cloud.emulator.routes import Call, route

_TITLES = {400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 415: "Unsupported Media Type"}


@route("POST", "/v3/auth/tokens", public=True)
def create_token(call: Call) -> Response:
    """Answer 201 with the token in X-Subject-Token and its description in the body.

    The scope is a project by id or name, else the account, else nothing; when both are given the project wins. The
    catalog is always empty: clients of the emulator are told its address. Refuses with
    `{"error": {"code", "message", "title"}}`: 400 malformed, 401 wrong name or password, 404 unknown project.
    """
    auth = _member(read_json(call.request, _refusal), "auth")
    identity = _member(auth, "identity")
    if identity.get("methods") != ["password"]:
        raise _refusal(400, 'identity.methods: the emulator knows ["password"]')
    user = _user(call, _member(_member(identity, "password"), "user"))
    scope = _member(auth, "scope") if auth.get("scope") is not None else {}
    project = _project(call, scope) if "project" in scope else None
    text, expires_at = call.identity.issue(project["id"] if project else None, call.now)
    token = _described(call, user, project, expires_at)
    return json_response(201, {"token": token}, {"X-Subject-Token": text})


def _user(call: Call, given: Mapping[str, Any]) -> dict[str, Any]:
    domain = _member(given, "domain").get("name")
    user = call.identity.user(given.get("name"), given.get("password"), domain)
    if user is None:
        raise _refusal(401, "The username or password is wrong.")
    return user


def _project(call: Call, scope: Mapping[str, Any]) -> dict[str, Any]:
    given = _member(scope, "project")
    field = "id" if "id" in given else "name"
    project = call.identity.project(field, given.get(field))
    if project is None:
        raise _refusal(404, f"Could not find project: {given.get(field)}.")
    return project


def _described(
    call: Call, user: Mapping[str, Any], project: Mapping[str, Any] | None, expires_at: float
) -> dict[str, Any]:
    domain = call.identity.domain
    scope = {"project": {**project, "domain": domain}} if project else {"domain": domain}
    return {
        "expires_at": utc_microseconds(expires_at),
        "issued_at": utc_microseconds(call.now),
        "methods": ["password"],
        "catalog": [],
        "roles": [{"id": "0", "name": "te_admin"}],
        "user": {"domain": domain, "id": user["id"], "name": user["name"], "password_expires_at": ""},
        **scope,
    }


def _member(value: Any, name: str) -> Any:
    found = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(found, Mapping):
        raise _refusal(400, f"Expecting to find {name} in the request body: an object.")
    return found


def _refusal(status: int, message: str) -> Refusal:
    return Refusal(status, {"error": {"code": status, "message": message, "title": _TITLES[status]}})
