"""The result event's data (`urn:hongyan:result:1`): what every call tells, whatever became of it."""

from __future__ import annotations

from marshmallow import fields, validate

from schemas.answers import Result

SCHEMA_ID = "urn:hongyan:result:1"
OUTCOMES = ("succeeded", "partial", "rejected", "failed", "unknown")


class Error(Result):
    """Why a call did not succeed. `kind` is a canonical RPC code in lower case, `code` the cloud's own."""

    kind = fields.String(required=True)
    code = fields.String(required=True, allow_none=True)
    message = fields.String(required=True)
    status = fields.Integer(
        required=True, allow_none=True, metadata={"description": "HTTP status of the cloud's answer"}
    )
    retryable = fields.Boolean(required=True)
    retry_after_s = fields.Float(required=True, allow_none=True)
    fields_ = fields.Dict(
        data_key="fields", required=True, allow_none=True, metadata={"description": "messages by field, when rejected"}
    )


class Target(Result):
    """What was acted on: region, project and the ids of the API's path."""

    region = fields.String(required=True)
    project_id = fields.String(required=True, allow_none=True)


class Upstream(Result):
    """What was asked of the cloud; `attempts` counts every try of every one of the `requests` (pages)."""

    service = fields.String(required=True)
    method = fields.String(required=True)
    status = fields.Integer(required=True, allow_none=True)
    request_id = fields.String(required=True, allow_none=True)
    attempts = fields.Integer(required=True)
    requests = fields.Integer(required=True)
    duration_ms = fields.Integer(required=True)


class Trigger(Result):
    """How the event arrived, its sender's own id for it, and the sender's name where senders are verified."""

    kind = fields.String(required=True)
    id = fields.String(required=True, allow_none=True)
    sender = fields.String(allow_none=True)


class ResultData(Result):
    """The data of a result event.

    Outcomes: `succeeded`; `partial` (the call went through, some items did not); `rejected` (never sent: the payload is wrong);
    `failed` (the cloud refused or was away); `unknown` (a write was sent and no answer came). `result` is described by the operation's own
    schema, and null unless succeeded or partial.
    """

    operation = fields.String(required=True)
    outcome = fields.String(required=True, validate=validate.OneOf(OUTCOMES))
    target = fields.Nested(Target, required=True)
    result = fields.Dict(required=True, allow_none=True)
    error = fields.Nested(Error, required=True, allow_none=True)
    upstream = fields.Nested(Upstream, required=True, allow_none=True)
    trigger = fields.Nested(Trigger, required=True)
