"""apig.add_members: put backends behind a VPC channel of an API gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.cloud.answers import objects
from functions.registry import Partial, function
from schemas.apig import AddMembers, BackendMembers, same_address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.cloud.client import Cloud


# Not idempotent: current gateways update a member whose address they know, which older ones are not known to do, so a call whose answer was
# lost is not sent again but reported as unknown.
@function(payload=AddMembers, result=BackendMembers, subject="vpc-channels/{vpc_channel_id}")
def apig_add_members(payload: Mapping[str, Any], cloud: Cloud) -> dict[str, Any]:
    """Add backends to a VPC channel of an API gateway.

    Source: APIG v2, POST /v2/{project_id}/apigw/instances/{instance_id}/vpc-channels/{vpc_channel_id}/members, 201.
    """
    template = "/v2/{project_id}/apigw/instances/{instance_id}/vpc-channels/{vpc_channel_id}/members"
    answer = cloud.post("apig", template, path=payload, json={"members": payload["members"]}, expect=201)
    present = _addresses(objects(answer.get("members"), "members"))
    missing = [
        member.get("host") or member["ecs_id"] for member in payload["members"] if not _addresses([member]) & present
    ]
    return (Partial if missing else dict)(answer, missing=missing)


def _addresses(members: list[dict[str, Any]]) -> set[str]:
    return {same_address(str(member[name])) for member in members for name in ("host", "ecs_id") if member.get(name)}
