"""One call on its way through the one path: checked, asked of the cloud, ended; for the dispatcher, which makes its event."""

from __future__ import annotations

import logging
import re
import uuid
from typing import TYPE_CHECKING, Any

from marshmallow import ValidationError

from events.facts import error_data, payload_refused, upstream_data
from functions.cloud.errors import (
    Abandoned,
    CallError,
    NoAnswer,
    NotGranted,
    OutOfTime,
    PayloadRefused,
    ProjectNotAllowed,
)
from functions.registry import Partial, find
from schemas.fields import PathId

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from events.dispatch import Call
    from functions.cloud.client import Client, Cloud
    from functions.registry import Function

log = logging.getLogger("hongyan.events")

_OPERATION = re.compile(r"[a-z][a-z0-9]{0,30}(?:\.[a-z0-9_]{1,60}){1,8}")


class Run:
    """One call under way: what is known so far, so that a result can be told from wherever it ends."""

    def __init__(self, client: Client, call: Call, only: str) -> None:
        self._client = client
        self._call = call
        self._only = only
        self._function: Function | None = None
        self._cloud: Cloud | None = None
        self._payload: Mapping[str, Any] = {}
        self._result: Any = None
        # A name that is none is not echoed: it would become part of an event type.
        self.operation = call.operation if _OPERATION.fullmatch(call.operation) else "unknown"
        self.project_id = client.settings.project_id
        # Who gives no id asks for no deduplication: a fresh one makes the result's id fresh, too.
        self.cause = call.id or str(uuid.uuid4())
        self.correlation_id = call.extensions.get("correlationid") or self.cause
        self._log_facts = {"operation": self.operation, "correlation_id": self.correlation_id}
        self.outcome = "rejected"
        self.error: CallError | None = None
        self.hindrance: CallError | None = None

    def go(self) -> None:
        """Run the call to whichever end it has."""
        self._until_ended(self._ask)

    def check(self) -> None:
        """Check the call and ask nothing: it has an error when it would be refused."""
        self._until_ended(lambda: None)

    def lose(self) -> None:
        """End the call as one that was begun elsewhere and has not come back although its time is over: nobody knows what it did."""
        self._until_ended(self._give_up)

    def _until_ended(self, step: Callable[[], None]) -> None:
        try:
            self._checked()
            step()
        except CallError as error:
            self._end(error)
        except Exception:
            # A fault of ours must not swallow the event: it is reported as internal, and the log has the trace.
            log.exception("call.crashed", extra={"facts": self._log_facts})
            self._end(CallError("an error inside Hongyan; its log tells more"), crashed=True)

    def _checked(self) -> None:
        if self._call.refusal:
            self.outcome = "failed" if isinstance(self._call.refusal, Abandoned) else "rejected"
            raise self._call.refusal
        if self._only and self._call.operation != self._only:
            raise NotGranted(f"this deployment runs {self._only} only")
        self._function = find(self._call.operation)
        if not isinstance(self._call.payload, dict):
            raise PayloadRefused("the payload must be a JSON object", fields={"_schema": ["Must be a JSON object."]})
        try:
            payload = self._function.payload.load(self._call.payload)
        except ValidationError as error:
            raise payload_refused(error) from None
        project = payload.get("project_id", self.project_id)
        if not self._client.settings.may_use(project):
            raise ProjectNotAllowed(
                "this project may not be used here: leave project_id out, or add it to HONGYAN_ALLOWED_PROJECTS",
                fields={"project_id": ["Not allowed by the settings."]},
            )
        granted = self._call.projects
        if granted is not None and project not in (granted or {self.project_id}):
            raise ProjectNotAllowed(
                "this sender may not use this project", fields={"project_id": ["Not granted to this sender."]}
            )
        self._payload, self.project_id = payload, project

    def _begin(self, *, reads: bool = False) -> tuple[Function, Cloud]:
        assert self._function is not None  # noqa: S101 - _checked has found it
        function, call = self._function, self._call
        self.outcome = "failed"
        self._cloud = self._client.call(
            call.deadline,
            project_id=self.project_id,
            reads=reads or function.reads,
            idempotent=function.idempotent,
            trail=call.trail,
        )
        self._cloud.log_facts = self._log_facts
        return function, self._cloud

    def _give_up(self) -> None:
        trail = self._call.trail
        sent = trail is None or trail.sent  # Without a trail nobody knows.
        self._begin()
        if sent:
            raise NoAnswer("the call did not end in the time it had", kind="deadline_exceeded")
        raise OutOfTime("the time that there was went by before anything could be sent")

    def _ask(self) -> None:
        function, cloud = self._begin()
        self._answered(function.call(self._payload, cloud))

    def _answered(self, answer: Mapping[str, Any]) -> None:
        assert self._function is not None  # noqa: S101 - it has answered
        self._result = self._function.result.dump(answer)
        self.outcome = "partial" if isinstance(answer, Partial) else "succeeded"

    def _end(self, error: CallError, *, crashed: bool = False) -> None:
        self.error = error
        if self._cloud is None or self._function is None or self._function.reads:
            return
        in_doubt = self._cloud.in_doubt or error.in_doubt or (crashed and self._cloud.upstream.attempts)
        # An error that invites another try although the first may have had an effect: what we do not dare, no sender should.
        unsafe = not self._function.idempotent and error.retryable and not error.refused
        if not (in_doubt or unsafe):
            return
        if self._function.idempotent and error.retryable:
            self.outcome = "unknown"
        else:
            self._in_doubt(error)

    def _in_doubt(self, error: CallError) -> None:
        self.outcome = "unknown"
        error.kind, error.retry_after_s = "unknown", None
        error.message = f"it is not known whether this took effect: {error.message}"

    @property
    def repeatable(self) -> bool:
        """Whether running the call once more would have no further effect."""
        safe = self._function is None or self._function.reads or self._function.idempotent
        return safe or self.outcome in ("rejected", "failed")

    @property
    def reconcilable(self) -> bool:
        """Whether nobody knows how the call ended, and asking the cloud later may tell (`events.reconciling`)."""
        return self.outcome == "unknown" and bool(self._function and self._function.reconcile)

    @property
    def subject(self) -> str | None:
        """The resource acted on, None while the payload is not known to name one."""
        return self._function.subject.format_map(self._payload) if self._function and self._payload else None

    def data(self) -> dict[str, Any]:
        """Return the result event's data (`schemas.result.ResultData`)."""
        settings = self._client.settings
        target = {"region": "emulator" if settings.emulator else settings.region, "project_id": self.project_id}
        if self._function:
            paths = (name for name, kind in self._function.payload.fields.items() if isinstance(kind, PathId))
            target.update({name: self._payload[name] for name in paths if name in self._payload})
        return {
            "operation": self.operation,
            "outcome": self.outcome,
            "target": target,
            "result": self._result if self.error is None else None,
            "error": error_data(self.error) if self.error else None,
            "upstream": upstream_data(self._cloud),
            "trigger": {"kind": self._call.trigger, "id": self._call.sender_id, "sender": self._call.sender},
        }
