"""Shapes of classic ELB v1.0: listing the members of a listener."""

from __future__ import annotations

from marshmallow import fields, validate

from schemas.answers import Result, SaidIds, SaidText, SaidTime, SaidWord
from schemas.backends import Backend
from schemas.fields import Address, AnyId, Flag, PathId, Payload, ProjectId, Text, Whole

INTMAX = 2_147_483_647
# The page gives no greatest page size; this one is small enough for any.
PAGE_SIZE = 100

STATES = {"active": "active", "pending": "pending", "error": "error"}
# UNAVAILABLE says that no health check could tell.
HEALTH = {"normal": "healthy", "abnormal": "unhealthy", "unavailable": "unknown"}


class ListMembers(Payload):
    """Which listener's members, which of them, and how many.

    The page allows every field of the answer as a filter except listeners, server_name, update_time and create_time.
    """

    project_id = ProjectId()
    listener_id = PathId()
    limit = Whole(least=0, most=INTMAX, metadata={"description": "members per page; 0 asks for none"})
    # The page's own sample sends marker=0, so any short text is taken, not only an id; an empty one is the first page.
    marker = Text(
        pattern=r"\S{0,64}",
        rule="at most 64 characters without spaces",
        metadata={"description": "start after this member's id"},
    )
    # These two are ours, not the page's: an answer says nothing of further pages, so following them is what a list of members needs.
    follow_pages = Flag(load_default=True, metadata={"description": "go on to the last page"})
    max_items = Whole(
        least=1, most=100_000, load_default=1000, metadata={"description": "at most so many members in all"}
    )
    id = AnyId()
    server_id = AnyId()
    # The page calls both an IP and gives no version.
    server_address = Address()
    address = Address(metadata={"description": "floating address"})
    status = Text(validate=validate.OneOf(["ACTIVE", "PENDING", "ERROR"]))
    health_status = Text(validate=validate.OneOf(["NORMAL", "ABNORMAL", "UNAVAILABLE"]))


class ElbBackend(Backend):
    """A member of a listener as a backend."""

    address = SaidText(attribute="server_address")
    public_address = SaidText(attribute="address")
    state = SaidWord(STATES, other=None, attribute="status")
    health = SaidWord(HEALTH, other="unknown", attribute="health_status")
    listener_ids = SaidIds(attribute="listeners")
    created_at = SaidTime(attribute="create_time")
    updated_at = SaidTime(attribute="update_time")


class HealthCount(Result):
    """How many of the listed members are in which health."""

    healthy = fields.Integer()
    unhealthy = fields.Integer()
    # `unknown` itself is a name that marshmallow's schemas keep for themselves.
    unknown_ = fields.Integer(attribute="unknown", data_key="unknown")


class Members(Result):
    """The members of a listener. `truncated`: there are more; `next_marker` then goes on where this list ends."""

    count = fields.Integer()
    health = fields.Nested(HealthCount)
    truncated = fields.Boolean()
    next_marker = SaidText()
    members = fields.List(fields.Nested(ElbBackend))
