"""Shapes of VPCEP v1: the descriptions of an endpoint service's connections."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validates_schema

from schemas.answers import Result, SaidText, SaidTime, SaidWhole
from schemas.fields import Items, PathId, Payload, ProjectId, Text, Uuid, each_once


def same_id(connection_id: str) -> str:
    """Return what two spellings of one UUID have in common: for comparing only, what is sent and reported keeps its text."""
    return connection_id.replace("-", "").lower()


class ConnectionDescription(Payload):
    """A connection and what it is to be called. The page forbids `<` and `>` and gives no length; the cloud refuses what is too long."""

    id = Uuid(required=True)
    description = Text(pattern=r"[^<>]*", rule="a text without < and >", required=True)


class UpdateDescriptions(Payload):
    """Which connections of which endpoint service get which descriptions."""

    project_id = ProjectId()
    # 36 to 64 characters on the page; 32 are a UUID without its hyphens, as other clients have it.
    vpc_endpoint_service_id = PathId(least=32)
    # The cloud has a greatest number of connections (EndPoint.0016) and its page does not tell it, so the cloud refuses what is too many.
    connections = Items(ConnectionDescription)

    @validates_schema
    def _each_id_once(self, data: dict[str, Any], **_: Any) -> None:
        each_once("connections", "id", [connection["id"] for connection in data["connections"]], key=same_id)


class Failure(Result):
    """Why a connection failed."""

    code = SaidText(attribute="error_code")
    message = SaidText(attribute="error_message")


class _Errors(fields.List[Any]):
    """The page's `error` array; empty where the cloud sent none."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> list[Any] | None:
        items = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
        return super()._serialize(items, attr, obj, **kwargs)


class Connection(Result):
    """A connection as it now is; `marker_id` may exceed 2^53."""

    id = SaidText()
    status = SaidText(metadata={"description": "pendingAcceptance, creating, accepted, rejected, failed or deleting"})
    description = SaidText()
    marker_id = SaidWhole()
    domain_id = SaidText()
    created_at = SaidTime()
    updated_at = SaidTime()
    errors = _Errors(fields.Nested(Failure), attribute="error", dump_default=list)


class Connections(Result):
    """The connections that the cloud answered with; `failed` and `missing` are the ids of those that failed or were left out.

    An id in `failed` is written as the answer has it, an id in `missing` as the request has it.
    """

    connections = fields.List(fields.Nested(Connection))
    failed = fields.List(fields.String())
    missing = fields.List(fields.String())
