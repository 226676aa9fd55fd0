"""vpcep.update_connection_descriptions: say what each connection of an endpoint service is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.cloud.answers import objects
from functions.registry import Partial, function
from schemas.vpcep import Connections, UpdateDescriptions, same_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.cloud.client import Cloud


@function(
    payload=UpdateDescriptions,
    result=Connections,
    subject="vpc-endpoint-services/{vpc_endpoint_service_id}",
    idempotent=True,
)
def vpcep_update_connection_descriptions(payload: Mapping[str, Any], cloud: Cloud) -> dict[str, Any]:
    """Update the descriptions of connections of a VPC endpoint service.

    Source: VPCEP v1, PUT /v1/{project_id}/vpc-endpoint-services/{vpc_endpoint_service_id}/connections/description. The answer is not in the
    order of the request, so connections are matched by id.
    """
    wanted = payload["connections"]
    template = "/v1/{project_id}/vpc-endpoint-services/{vpc_endpoint_service_id}/connections/description"
    answer = cloud.put("vpcep", template, path=payload, json={"connections": wanted})
    said = objects(answer.get("connections"), "connections")
    answered = {same_id(str(connection.get("id"))) for connection in said}
    missing = [connection["id"] for connection in wanted if same_id(connection["id"]) not in answered]
    asked = {same_id(connection["id"]) for connection in wanted}
    failed = [
        connection["id"] for connection in said if _failed(connection) and same_id(str(connection.get("id"))) in asked
    ]
    return (Partial if missing or failed else dict)(connections=said, failed=failed, missing=missing)


def _failed(connection: Mapping[str, Any]) -> bool:
    return connection.get("status") == "failed" or bool(connection.get("error"))
