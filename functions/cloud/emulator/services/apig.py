"""Emulated APIG v2: the backend instances of a VPC channel (API page "add backend instances", and its GET sibling)."""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from functions.cloud.emulator.apig_member import bad_parameter, checked_members
from functions.cloud.emulator.clock import utc_seconds
from functions.cloud.emulator.message import Response, json_response
from functions.cloud.emulator.payload import read_json
from functions.cloud.emulator.refusal import Refusal, flat
from functions.cloud.emulator.routes import Call, route

_MEMBERS = "/v2/{project_id}/apigw/instances/{instance_id}/vpc-channels/{vpc_channel_id}/members"
_KEPT = ("weight", "status", "ecs_id", "ecs_name", "port", "is_backup", "member_group_name")
_DEFAULTS = {"weight": 1, "status": 1}
"""The page's answers always hold both; it does not say what an absent weight becomes."""


@route("POST", _MEMBERS)
def add_members(call: Call) -> Response:
    """Add members, or update those with the same address; of a repeated address the first in the body counts.

    Answers 201 with every member of the channel, newest first: so both examples of the page come back, the one that
    lists only the new member and the one that lists an older one after it. All members are checked before any is added.
    """
    channel = _channel(call)
    body = read_json(call.request, _refuse_body)
    members = checked_members(body, channel["type"], call.data["servers"])
    known = {one["host"]: one for one in channel["members"]}
    fresh: dict[str, dict[str, Any]] = {}
    for member in members:
        host = member["host"]
        if host not in fresh:
            fresh[host] = _stored(member, known.get(host), channel["id"], call.now)
    for host in known.keys() & fresh.keys():
        known[host].update(fresh[host])
    added = [member for host, member in fresh.items() if host not in known]
    channel["members"] = added + channel["members"]
    return _listing(201, channel["members"], len(channel["members"]))


@route("GET", _MEMBERS)
def list_members(call: Call) -> Response:
    """Answer a page of the channel's members, newest first.

    `offset` below 0 counts as 0; `limit` below 1 as 20, above 500 as 500 (the official SDK's text); `total` counts all.
    """
    members = _channel(call)["members"]
    query = dict(call.request.query)
    offset = max(_integer(query, "offset", 0), 0)
    limit = _integer(query, "limit", 20)
    limit = min(limit, 500) if limit > 0 else 20
    return _listing(200, members[offset : offset + limit], len(members))


def _channel(call: Call) -> dict[str, Any]:
    instance_id, channel_id = call.path["instance_id"], call.path["vpc_channel_id"]
    instance = next((one for one in call.data["instances"] if one["id"] == instance_id), None)
    if instance is None:
        raise flat(404, "APIG.3030", f"The instance does not exist,id:{instance_id}")
    channel: dict[str, Any] | None = next((one for one in instance["channels"] if one["id"] == channel_id), None)
    if channel is None:
        raise flat(404, "APIG.3023", f"The VPC channel does not exist,id:{channel_id}")
    return channel


def _stored(member: Mapping[str, Any], old: Mapping[str, Any] | None, channel_id: str, now: float) -> dict[str, Any]:
    # What a page's example leaves out of an answer is absent there, not null.
    given = {name: member[name] for name in _KEPT if name in member}
    made = {"create_time": utc_seconds(now), "id": uuid.uuid4().hex, "vpc_channel_id": channel_id, **_DEFAULTS}
    return {**(old or made), "host": member["host"], **given}


def _listing(status: int, members: list[dict[str, Any]], total: int) -> Response:
    return json_response(status, {"total": total, "size": len(members), "members": members})


def _integer(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if re.fullmatch(r"-?[0-9]{1,18}", text) is None:
        raise bad_parameter("APIG.2011", name)
    return int(text)


def _refuse_body(status: int, message: str) -> Refusal:
    return flat(status, "APIG.2000", f"Parameter error,{message}. Please refer to the support documentation")
