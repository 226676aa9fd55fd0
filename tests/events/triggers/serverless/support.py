"""What tests of deployed functions share: a list for a sink, calls that end as they are told to, an app on an emulator of its own."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from events.cloudevents import CloudEvent
from events.dispatch import Result
from events.settings import EventSettings
from events.sinks import SinkUnavailable
from events.triggers.records import Record
from events.triggers.serverless.app import App
from events.triggers.serverless.batches import Batches
from events.triggers.serverless.invocation import Invocation
from events.triggers.serverless.settings import ServerlessSettings
from events.triggers.serverless.settling import Settling
from events.triggers.serverless.threads import Threads
from functions.cloud.emulator.adapter import EmulatorAdapter
from functions.cloud.emulator.core import Emulator
from functions.cloud.errors import CallError
from functions.cloud.retry import Retry
from functions.cloud.settings import CloudSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from events.dispatch import Call

KINDS = {"throttled": "resource_exhausted", "refused": "not_found", "rejected": "invalid_argument", "doubt": "unknown"}
OUTCOMES = {"rejected": "rejected", "doubt": "unknown"}


@dataclass
class Sunk:
    """A sink that keeps what it takes, or takes nothing."""

    events: list[CloudEvent] = field(default_factory=list)
    full: bool = False

    def emit(self, event: CloudEvent) -> None:
        if self.full:
            raise SinkUnavailable("full")
        self.events.append(event)

    @property
    def outcomes(self) -> list[str]:
        return [event.data["outcome"] for event in self.events]


def result(how: str, operation: str = "elb.list_members", id: str = "r") -> Result:  # noqa: A002
    """Return how a call ended: `succeeded`, `throttled`, `refused`, `doubt`, or `wrote`, a write that must not be repeated."""
    kind = KINDS.get(how)
    error = CallError(how, kind=kind, code="X.1") if kind else None
    outcome = OUTCOMES.get(how, "failed") if error else "succeeded"
    event = CloudEvent(
        id, "/hongyan/test", f"hongyan.{operation}.{outcome}", {"operation": operation, "outcome": outcome}
    )
    return Result(event, outcome, error, repeatable=how not in ("wrote", "doubt"))


class Scripted:
    """A dispatcher whose calls end as their payload's `how` says; it notes which began, in their order."""

    def __init__(self, during: Callable[[Call], None] = lambda call: None) -> None:
        self.began: list[str] = []
        self.calls: list[Call] = []
        self._during = during
        self._lock = threading.Lock()

    def dispatch(self, call: Call) -> Result:
        with self._lock:
            self.began.append(str(call.sender_id))
            self.calls.append(call)
        self._during(call)
        return result("rejected" if call.refusal else call.payload["how"], id=str(call.sender_id))

    def lost(self, call: Call) -> Result:
        """A call that hung: in doubt, unless it reads."""
        return result("throttled" if call.payload["how"] == "reads" else "doubt", id=str(call.sender_id))


def record(id: str, how: str = "succeeded", **more: Any) -> Record:  # noqa: A002
    known: dict[str, Any] = {"kind": "test", "source": "/queue", "item": id, "operation": "elb.list_members"}
    return Record(id=id, body={"how": how}, **known | more)


def invocation(seconds: float = 60.0, margin_s: float = 0.5) -> Invocation:
    return Invocation.of("invocation-1", "function-1", seconds, margin_s)


def batches(
    dispatcher: Any, sink: Sunk, workers: int = 4, own: ServerlessSettings | None = None
) -> tuple[Batches, Settling]:
    settings = own or ServerlessSettings()
    settling = Settling(sink, settings)
    return Batches(dispatcher, settling, EventSettings(), settings, Threads(workers, settings.margin_s)), settling


def emulated(
    environ: Mapping[str, str] | None = None, emulator: Emulator | None = None, **changes: Any
) -> tuple[App, Sunk]:
    """Return an app on an emulated cloud of its own, and where its events go; `changes` are of its own settings."""
    env = {"HONGYAN_EMULATOR": "local", **(environ or {})}
    sink = Sunk()
    own = replace(ServerlessSettings.from_env(env), **changes)
    app = App.make(CloudSettings.from_env(env), EventSettings.from_env(env), own, env, sink)
    app.client.retry = Retry(sleep=lambda _: None)
    app.client.transport._session.mount("http://", EmulatorAdapter(emulator or Emulator()))
    return app, sink
