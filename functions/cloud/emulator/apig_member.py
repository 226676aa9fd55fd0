"""The checks of a member to be added to a VPC channel, for the emulated APIG (its page, table 4, and code table)."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from functions.cloud.emulator.refusal import Refusal, flat

_TEXTS = {
    "APIG.2000": "Parameter error",
    "APIG.2001": "The request parameters must be specified",
    "APIG.2004": "The parameter value is outside the allowable range",
    "APIG.2005": "The parameter is too short",
    "APIG.2006": "The parameter is too long",
    "APIG.2011": "Invalid parameter value",
    "APIG.2012": "Invalid parameter value",
    "APIG.2013": "Only letters, digits, hyphens (-), and underscores (_) are allowed",
    "APIG.2015": "Invalid IP address",
    "APIG.2025": "Invalid backend port number",
}

_RANGES = {"weight": (0, 100, "APIG.2004"), "status": (1, 2, "APIG.2004"), "port": (1, 65535, "APIG.2025")}
_PATTERNS = {
    "ecs_id": (1, 64, r"[A-Za-z0-9_-]+", "APIG.2013"),
    "ecs_name": (1, 64, r"[\u4e00-\u9fffA-Za-z0-9_.-]+", "APIG.2012"),
    "member_group_name": (3, 64, r"[\u4e00-\u9fffA-Za-z][\u4e00-\u9fffA-Za-z0-9_.-]*", "APIG.2012"),
}
_NEEDED = {"ip": ("host",), "ecs": ("ecs_id", "ecs_name")}


def bad_parameter(code: str, name: str) -> Refusal:
    """Refuse with 400, the code's text and the suffix of the page's example, which names the parameter."""
    return flat(400, code, f"{_TEXTS[code]},parameterName:{name}. Please refer to the support documentation")


def checked_members(body: Any, channel_type: str, servers: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the body's members with the fields that count for the channel's type (`ip` or `ecs`), each with a `host`.

    `servers` gives the address of each cloud server's id. A null is the same as an absent field; unknown fields
    are left out. Raises Refusal: 400 for a value, 404 APIG.3092 for an unknown server.
    """
    if body is not None and not isinstance(body, Mapping):
        raise bad_parameter("APIG.2000", "body")
    members = (body or {}).get("members")
    if members is None or members == []:
        raise bad_parameter("APIG.2001", "members")
    if not isinstance(members, list) or not all(isinstance(one, Mapping) for one in members):
        raise bad_parameter("APIG.2000", "members")
    return [_checked(one, channel_type, servers) for one in members]


def _checked(member: Mapping[str, Any], channel_type: str, servers: Mapping[str, str]) -> dict[str, Any]:
    given = {name: value for name, value in member.items() if value is not None}
    for name in _NEEDED[channel_type]:
        if name not in given:
            raise bad_parameter("APIG.2001", name)
    for problem in _problems(given):
        raise problem
    if channel_type == "ip":
        return {name: value for name, value in given.items() if name not in ("ecs_id", "ecs_name")}
    if given["ecs_id"] not in servers:
        raise flat(404, "APIG.3092", f"The ECS does not exist,id:{given['ecs_id']}")
    return {**given, "host": servers[given["ecs_id"]]}


def _problems(given: Mapping[str, Any]) -> Iterator[Refusal]:
    for name, (low, high, code) in _RANGES.items():
        yield from _range_problems(name, given.get(name, low), low, high, code)
    for name, (shortest, longest, pattern, code) in _PATTERNS.items():
        if name in given:
            yield from _text_problems(name, given[name], shortest, longest, pattern, code)
    if not isinstance(given.get("is_backup", False), bool):
        yield bad_parameter("APIG.2011", "is_backup")
    if "host" in given and not _is_address(given["host"]):
        yield bad_parameter("APIG.2015", "host")


def _range_problems(name: str, value: object, low: int, high: int, code: str) -> Iterator[Refusal]:
    if type(value) is not int:  # A JSON true is no number, though Python's bool is an int.
        yield bad_parameter("APIG.2011", name)
    elif not low <= value <= high:
        yield bad_parameter(code, name)


def _text_problems(name: str, value: object, shortest: int, longest: int, pattern: str, code: str) -> Iterator[Refusal]:
    if not isinstance(value, str):
        yield bad_parameter("APIG.2011", name)
    elif not shortest <= len(value) <= longest:
        yield bad_parameter("APIG.2005" if len(value) < shortest else "APIG.2006", name)
    elif re.fullmatch(pattern, value) is None:
        yield bad_parameter(code, name)


def _is_address(value: object) -> bool:
    if not isinstance(value, str) or "/" in value or "%" in value:
        return False
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True
