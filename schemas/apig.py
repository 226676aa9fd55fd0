"""Shapes of APIG v2: adding backends to a VPC channel."""

from __future__ import annotations

import ipaddress
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from schemas.answers import Result, SaidText, SaidTime, SaidWhole, SaidWord
from schemas.backends import Backend
from schemas.fields import HAN, Flag, Items, PathId, Payload, ProjectId, Text, Whole, each_once

STATES = {"1": "active", "2": "inactive"}
HEALTH = {"healthy": "healthy", "unhealthy": "unhealthy"}


def same_address(address: str) -> str:
    """Return what two spellings of one address have in common: for comparing only, what is sent and reported keeps its text."""
    try:
        return str(ipaddress.ip_address(address.strip("[]")))
    except ValueError:
        return address.lower()


class Member(Payload):
    """One backend: a `host`, or an `ecs_id` with its `ecs_name`; which of them counts is the channel's type (ip, or instance/ecs).

    `port`, `is_backup`, `member_group_name` and `status` are newer than the page; they come from the official SDK's model.
    """

    # The page gives no pattern: an address or a host name, so no spaces, slashes or Chinese letters. Whether a gateway takes names
    # is for it to say (APIG.2015).
    host = Text(pattern=r"[A-Za-z0-9._:\[\]-]{1,255}", rule="an IP address or a host name of at most 255 characters")
    weight = Whole(least=0, most=100)
    ecs_id = Text(pattern="[A-Za-z0-9_-]{1,64}", rule="1 to 64 letters, digits, hyphens and underscores")
    ecs_name = Text(
        pattern=f"[{HAN}A-Za-z0-9_.-]{{1,64}}",
        rule="1 to 64 Chinese or English letters, digits, hyphens, underscores and dots",
    )
    port = Whole(least=1, most=65_535)
    is_backup = Flag()
    # Its length and first letter are from another client's comment, the rest as for ecs_name.
    member_group_name = Text(
        pattern=f"[{HAN}A-Za-z][{HAN}A-Za-z0-9_.-]{{2,63}}",
        rule="3 to 64 Chinese or English letters, digits, hyphens, underscores and dots, beginning with a letter",
    )
    status = Whole(least=1, most=2, metadata={"description": "1 available, 2 unavailable"})

    # On the page every field is optional; a member without an address is none, and by the SDK's model a server needs both its fields.
    @validates_schema
    def _has_an_address(self, data: dict[str, Any], **_: Any) -> None:
        if "host" not in data and "ecs_id" not in data:
            raise ValidationError("Name a host, or an ecs_id with its ecs_name.", "host")
        if ("ecs_id" in data) != ("ecs_name" in data):
            raise ValidationError(
                "ecs_id and ecs_name go together: give both or neither.", "ecs_name" if "ecs_id" in data else "ecs_id"
            )


class AddMembers(Payload):
    """Which channel of which gateway gets which backends."""

    project_id = ProjectId()
    instance_id = PathId()
    vpc_channel_id = PathId()
    # The page gives no greatest number of members.
    members = Items(Member)

    @validates_schema
    def _each_address_once(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse an address that stands twice in one body: the cloud would keep the first of them and say nothing.

        A second port makes no second address: whether the cloud tells them apart is not documented, and two calls are always safe.
        """
        for name in ("host", "ecs_id"):
            each_once("members", name, [member[name] for member in data["members"] if name in member], key=same_address)


class ApigBackend(Backend):
    """A member of a VPC channel as a backend."""

    address = SaidText(attribute="host")
    server_id = SaidText(attribute="ecs_id")
    server_name = SaidText(attribute="ecs_name")
    state = SaidWord(STATES, other=None, attribute="status")
    health = SaidWord(HEALTH, other="unknown", attribute="health_status")
    channel_id = SaidText(attribute="vpc_channel_id")
    created_at = SaidTime(attribute="create_time")
    updated_at = SaidTime(attribute="update_time")


class BackendMembers(Result):
    """What the channel said after adding: its own counts, its members, and the addresses that were asked for and are not among them."""

    size = SaidWhole()
    total = SaidWhole()
    members = fields.List(fields.Nested(ApigBackend))
    missing = fields.List(fields.String())
