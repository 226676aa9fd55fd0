"""elb.list_members: which backends serve a listener, and how they are."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from functions.cloud.answers import objects
from functions.registry import function
from schemas.elb import HEALTH, PAGE_SIZE, ListMembers, Members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.cloud.client import Cloud

ID = re.compile(r"[!-~]{1,64}")
FILTERS = ("id", "server_id", "server_address", "address", "status", "health_status")


@function(payload=ListMembers, result=Members, subject="listeners/{listener_id}", reads=True)
def elb_list_members(payload: Mapping[str, Any], cloud: Cloud) -> dict[str, Any]:
    """List the members of a classic ELB listener, counted by health.

    Source: classic ELB v1.0, GET /v1.0/{project_id}/elbaas/listeners/{listener_id}/members, which answers with a bare array.
    """
    found, more = _collect(payload, cloud)
    members = found[: payload["max_items"]]
    truncated = more or len(found) > len(members)
    return {
        "count": len(members),
        "health": _by_health(members),
        "truncated": truncated,
        "next_marker": members[-1].get("id") if truncated and members else None,
        "members": members,
    }


def _collect(payload: Mapping[str, Any], cloud: Cloud) -> tuple[list[dict[str, Any]], bool]:
    """Return the members of all pages that were asked for, each id once, and whether the cloud may have more.

    Whether a page repeats its marker's own member is not documented: repeats are dropped, and a full page that brings nothing new ends the
    list, for no marker would lead further.
    """
    size = payload.get("limit", PAGE_SIZE if payload["follow_pages"] else None)
    marker, seen, found = payload.get("marker"), set[str](), list[dict[str, Any]]()
    while True:
        page = _page(payload, cloud, size, marker)
        fresh = [member for member in page if not _repeats(member, seen)]
        found += fresh
        full = bool(size) and len(page) >= (size or 0)
        if not (full and payload["follow_pages"] and fresh) or len(found) > payload["max_items"]:
            return found, full
        marker = page[-1].get("id")
        if not isinstance(marker, str) or not ID.fullmatch(marker):
            return found, True  # Nothing that could be asked for leads on from here.


def _page(payload: Mapping[str, Any], cloud: Cloud, size: int | None, marker: str | None) -> list[dict[str, Any]]:
    query = {name: payload.get(name) for name in FILTERS} | {"limit": size, "marker": marker}
    template = "/v1.0/{project_id}/elbaas/listeners/{listener_id}/members"
    return objects(cloud.get("elb", template, path=payload, query=query, returns=list), "members")


def _repeats(member: Mapping[str, Any], seen: set[str]) -> bool:
    known = member.get("id")
    if not isinstance(known, str):
        return False  # Without an id, nothing tells that it is a repeat.
    before = len(seen)
    seen.add(known)
    return len(seen) == before


def _by_health(members: list[dict[str, Any]]) -> dict[str, int]:
    counted = Counter(HEALTH.get(str(member.get("health_status")).lower(), "unknown") for member in members)
    return {name: counted[name] for name in ("healthy", "unhealthy", "unknown")}
