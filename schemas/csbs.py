"""Shapes of CSBS v1: can these backups be restored to these servers?"""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate, validates_schema

from schemas.answers import Result, SaidFlag, SaidText
from schemas.fields import AnyId, Items, PathId, Payload, ProjectId, Text, each_once

# The backup provider's id is a constant of the service, which clients hard-code.
PROVIDER_ID = "fc4d5750-22e7-4798-8a46-f48f62c4c1da"
RESOURCE_TYPES = ("OS::Nova::Server", "OS::Ironic::BareMetalServer")


class Volume(Payload):
    """Which volume backup goes to which volume."""

    backup_id = AnyId(required=True)
    volume_id = AnyId(required=True)


class Target(Payload):
    """The server to restore to. `volumes` is required and may be empty: then the cloud says what is missing."""

    resource_id = AnyId(required=True)
    resource_type = Text(required=True, validate=validate.OneOf(RESOURCE_TYPES))
    volumes = Items(Volume, least=0, most=100)


class Restore(Payload):
    """One question: this backup to this target?"""

    checkpoint_item_id = AnyId(required=True)
    target = fields.Nested(Target, required=True)


class CheckRestorable(Payload):
    """The questions; each server once, because the cloud's verdicts name nothing but the server."""

    project_id = ProjectId()
    provider_id = PathId(load_default=PROVIDER_ID)
    # The page gives no greatest number of questions.
    check_restorable = Items(Restore, most=100)

    @validates_schema
    def _each_server_once(self, data: dict[str, Any], **_: Any) -> None:
        servers = [item["target"]["resource_id"] for item in data["check_restorable"]]
        mend = "Ask about one backup of it at a time: the verdicts name only the server."
        each_once("check_restorable", "resource_id", servers, mend=mend)


class Verdict(Result):
    """Whether one server can be restored; `code` and `message` say why not, null when it can.

    `checkpoint_item_id` is the question's, null where the answer names a server that was not asked about.
    """

    checkpoint_item_id = SaidText()
    resource_id = SaidText()
    resource_type = SaidText()
    restorable = SaidFlag(attribute="result")
    code = SaidText(attribute="error_code")
    message = SaidText(attribute="error_msg")


class Verdicts(Result):
    """All verdicts. `all_restorable` is true only when every question has a verdict and each is yes; `missing` are servers without one."""

    all_restorable = fields.Boolean()
    items = fields.List(fields.Nested(Verdict))
    missing = fields.List(fields.String())
