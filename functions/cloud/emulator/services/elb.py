"""Emulated classic ELB v1.0: the backend servers of a listener (API page "query backend cloud servers")."""

import re
from collections.abc import Mapping
from typing import Any

from functions.cloud.emulator.message import Response, json_response
from functions.cloud.emulator.refusal import Refusal, nested
from functions.cloud.emulator.routes import Call, route

_INT_MAX = 2**31 - 1
_FILTERS = ("server_address", "id", "address", "status", "health_status", "server_id")
"""Every field of an answer but listeners, server_name, update_time and create_time, which the page excludes."""

Member = Mapping[str, Any]


@route("GET", "/v1.0/{project_id}/elbaas/listeners/{listener_id}/members")
def list_members(call: Call) -> Response:
    """Answer a bare array of the listener's members: marker first, then the filters, then limit.

    Other query parameters are ignored; of a repeated one the last counts. Refuses with 400 and an ELB code.
    """
    listener_id = _listener(call)
    query = dict(call.request.query)
    limit = _limit(query)
    members: list[Member] = [one for one in call.data["members"] if {"id": listener_id} in one["listeners"]]
    page = _from_marker(members, query.get("marker", ""), inclusive=call.options.marker_inclusive)
    return json_response(200, [one for one in page if _fits(one, query)][:limit])


def _listener(call: Call) -> str:
    listener_id = call.path["listener_id"]
    if len(listener_id) != 32:
        raise nested(400, "ELB.2010", "Member listener ID length is not correct.")
    if re.fullmatch(r"[0-9a-f]{32}", listener_id) is None:
        raise nested(400, "ELB.2020", "Member listener ID content is not correct.")
    if listener_id not in call.data["listeners"]:
        # The table has no "listener not found" for a query (2011 is for adding, 6002 for deleting): an id that is
        # well formed and names no listener is an id whose content is not correct.
        raise nested(400, "ELB.6010", "Listener ID content is not correct.")
    return listener_id


def _limit(query: Mapping[str, str]) -> int | None:
    text = query.get("limit")
    if text is None:
        return None
    if re.fullmatch(r"[0-9]{1,10}", text) is None or int(text) > _INT_MAX:
        raise _query_failed()
    return int(text)


def _from_marker(members: list[Member], marker: str, *, inclusive: bool) -> list[Member]:
    if marker in ("", "0"):  # Empty is the first page; the page's own example says 0 for it.
        return members
    ids = [one["id"] for one in members]
    if marker not in ids:
        raise nested(400, "ELB.2012", "This member is not exist.")
    return members[ids.index(marker) + (0 if inclusive else 1) :]


def _fits(member: Member, query: Mapping[str, str]) -> bool:
    return all(member[name] == query[name] for name in _FILTERS if name in query)


def _query_failed() -> Refusal:
    # The only code for a failed query of members; 1004 and 6003 name conditions on load balancers and listeners.
    return nested(400, "ELB.2003", "Query member failed.")
