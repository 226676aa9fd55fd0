"""apig.add_members: put backends behind a VPC channel of an API gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.cloud.answers import objects
from functions.cloud.errors import CloudRefused
from functions.registry import Partial, Undecided, function
from schemas.apig import AddMembers, BackendMembers, same_address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.cloud.client import Cloud


_MEMBERS = "/v2/{project_id}/apigw/instances/{instance_id}/vpc-channels/{vpc_channel_id}/members"
# The largest page, by the official SDK's text; and so many of them at most are read.
_PAGE = 500
_MOST_PAGES = 20


def _what_became(payload: Mapping[str, Any], cloud: Cloud) -> dict[str, Any] | None:
    """Look whether members were added: all of them are there with every field that was asked for, or none of their addresses is.

    Anything in between may be somebody else's doing, or half of ours. Source: the same path, GET (official SDK, list of backend servers).
    """
    try:
        present = _all_members(payload, cloud)
    except CloudRefused as error:
        if error.kind != "not_found":
            raise
        # Where there is no channel there is none of its members, and adding them is refused for the same reason.
        return None
    known = {address: member for member in present for address in _addresses([member])}
    found = [next((known[one] for one in _addresses([member]) if one in known), None) for member in payload["members"]]
    if not any(found):
        return None
    for member, there in zip(payload["members"], found, strict=True):
        if there is None:
            raise Undecided("some of the members are in the channel, and others are not")
        if not _is_as_asked(member, there):
            raise Undecided("members with these addresses are in the channel, but not with these values")
    return {"size": len(present), "total": len(present), "members": present, "missing": []}


def _is_as_asked(member: Mapping[str, Any], there: Mapping[str, Any]) -> bool:
    # A channel keeps a server's name or an address, by its type; clients disagree whether numbers come as text.
    asked = {name: value for name, value in member.items() if name not in ("host", "ecs_id", "ecs_name")}
    if member.get("ecs_name") and there.get("ecs_name"):
        asked["ecs_name"] = member["ecs_name"]
    return all(str(there.get(name)).lower() == str(value).lower() for name, value in asked.items())


def _all_members(payload: Mapping[str, Any], cloud: Cloud) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for _ in range(_MOST_PAGES):
        query = {"offset": len(found), "limit": _PAGE}
        answer = cloud.get("apig", _MEMBERS, path=payload, query=query)
        page = objects(answer.get("members"), "members")
        found += page
        # A gateway may have smaller pages than it was asked for: what it counts itself tells whether there are more.
        total = answer.get("total")
        if len(found) >= total if isinstance(total, int) else len(page) < _PAGE:
            return found
        if not page:
            raise Undecided(f"the channel counts {total} members and shows {len(found)}")
    raise Undecided(f"the channel's members are more than {_MOST_PAGES} pages")


# Not idempotent: current gateways update a member whose address they know, which older ones are not known to do, so a call whose answer was
# lost is not sent again but reported as unknown.
@function(payload=AddMembers, result=BackendMembers, subject="vpc-channels/{vpc_channel_id}", reconcile=_what_became)
def apig_add_members(payload: Mapping[str, Any], cloud: Cloud) -> dict[str, Any]:
    """Add backends to a VPC channel of an API gateway.

    Source: APIG v2, POST /v2/{project_id}/apigw/instances/{instance_id}/vpc-channels/{vpc_channel_id}/members, 201.
    """
    answer = cloud.post("apig", _MEMBERS, path=payload, json={"members": payload["members"]}, expect=201)
    present = _addresses(objects(answer.get("members"), "members"))
    missing = [
        member.get("host") or member["ecs_id"] for member in payload["members"] if not _addresses([member]) & present
    ]
    return (Partial if missing else dict)(answer, missing=missing)


def _addresses(members: list[dict[str, Any]]) -> set[str]:
    return {same_address(str(member[name])) for member in members for name in ("host", "ecs_id") if member.get(name)}
