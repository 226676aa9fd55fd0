"""Emulated VPCEP v1: descriptions of an endpoint service's connections (API page "update connection descriptions")."""

import re
from collections.abc import Mapping
from typing import Any

from functions.cloud.emulator.clock import utc_seconds
from functions.cloud.emulator.message import Response, json_response
from functions.cloud.emulator.payload import read_json
from functions.cloud.emulator.refusal import Refusal, nested
from functions.cloud.emulator.routes import Call, route

_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


@route("PUT", "/v1/{project_id}/vpc-endpoint-services/{vpc_endpoint_service_id}/connections/description")
def update_descriptions(call: Call) -> Response:
    """Set the descriptions and answer 200 with the connections in reverse order, as the page's example has it.

    All are checked before any is changed; an id given twice takes its last description and is answered once. `error` is
    in an answer only when a connection's status is `failed`. Refuses with `{"error": {"message", "code"}}`.
    """
    known = _connections(call)
    asked = _asked(read_json(call.request, _refusal))
    strange = [wanted for wanted in asked if wanted not in known]
    if strange:
        raise nested(400, "EndPoint.2013", f"The endpoint does not belong to the endpoint service: {strange[0]}")
    for wanted, description in asked.items():
        known[wanted].update(description=description, updated_at=utc_seconds(call.now))
    return json_response(200, {"connections": [_shown(known[wanted]) for wanted in reversed(asked)]})


def _connections(call: Call) -> dict[str, dict[str, Any]]:
    wanted = call.path["vpc_endpoint_service_id"]
    if _UUID.fullmatch(wanted) is None:
        raise nested(400, "EndPoint.3062", "Invalid endpoint service ID.")
    for service in call.data["services"]:
        if service["id"] == wanted:
            return {one["id"]: one for one in service["connections"]}
    raise nested(400, "EndPoint.2003", "The endpoint service does not exist.")


def _asked(body: Any) -> dict[str, str]:
    if body is None:
        raise nested(504, "EndPoint.0011", "The request body is null.")
    connections = body.get("connections") if isinstance(body, Mapping) else None
    if not isinstance(connections, list) or not connections:
        raise _refusal(400, "connections is not a list of connections")
    return dict(_pair(one) for one in connections)


def _pair(connection: Any) -> tuple[str, str]:
    given = connection if isinstance(connection, Mapping) else {}
    wanted, description = given.get("id"), given.get("description")
    if not isinstance(wanted, str) or _UUID.fullmatch(wanted) is None:
        raise nested(400, "EndPoint.2017", "Invalid endpoint ID.")
    if not isinstance(description, str) or re.search("[<>]", description):
        raise _refusal(400, "description is not a text without < and >")
    return wanted, description


def _shown(connection: Mapping[str, Any]) -> dict[str, Any]:
    failed = connection["status"] == "failed"
    return {name: value for name, value in connection.items() if failed or name != "error"}


def _refusal(status: int, message: str) -> Refusal:
    return nested(status, "EndPoint.0002", f"Parameter error. {message}")
