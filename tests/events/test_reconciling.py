"""What became of a write whose sender died: found out where the cloud tells, else unknown, and never called not done."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from events.cloudevents import validate
from events.dispatch import Call, Dispatcher
from events.samples import sample
from events.settings import EventSettings
from functions.cloud.client import Client
from functions.cloud.deadline import Deadline, Trail
from functions.cloud.emulator.adapter import EmulatorAdapter
from functions.cloud.emulator.core import Emulator
from functions.cloud.errors import Abandoned, CallError
from functions.cloud.retry import Retry
from functions.cloud.settings import CloudSettings
from functions.registry import find

ADD = "apig.add_members"


class On:
    """A dispatcher on an emulated cloud of its own."""

    def __init__(self) -> None:
        self.emulator = Emulator()
        client = Client(CloudSettings.from_env({"HONGYAN_EMULATOR": "local"}), retry=Retry(sleep=lambda _: None))
        client.transport._session.mount("http://", EmulatorAdapter(self.emulator))
        self.dispatcher = Dispatcher(client, EventSettings())

    @property
    def methods(self) -> list[str]:
        return [entry.method for entry in self.emulator.journal]


def call(operation: str = ADD, payload: Any = None, **changes: Any) -> Call:
    payload = json.loads(sample(operation)) if payload is None else payload
    known = {"deadline": Deadline.after(20), "source": "/test", "trigger": "test", "id": "1"}
    return Call(operation, payload, **{**known, **changes})


def test_a_write_that_took_effect_has_succeeded() -> None:
    on = On()
    on.emulator.faults.add(kind="drop_after")
    first = on.dispatcher.dispatch(call())
    assert (first.outcome, first.reconcilable) == ("unknown", True)
    found = on.dispatcher.reconcile(call())
    assert found is not None
    validate(found.event)
    assert (found.outcome, found.error, found.event.id) == ("succeeded", None, first.event.id)
    assert found.event.data["result"]["missing"] == []
    assert on.methods == ["POST", "GET"]


def test_a_write_that_did_not_is_undone_and_may_go() -> None:
    on = On()
    on.emulator.faults.add(kind="drop")
    assert on.dispatcher.dispatch(call()).outcome == "unknown"
    assert on.dispatcher.reconcile(call()) is None
    assert on.dispatcher.dispatch(call()).outcome == "succeeded"
    assert on.methods == ["POST", "GET", "POST"]


def test_what_the_cloud_does_not_tell_stays_unknown() -> None:
    on = On()
    on.dispatcher.dispatch(call())
    changed = json.loads(sample(ADD))
    changed["members"][0]["weight"] = 99
    found = on.dispatcher.reconcile(call(payload=changed))
    assert found is not None
    assert found.error is not None
    assert (found.outcome, found.error.kind, found.error.retryable, found.reconcilable) == ("unknown",) * 2 + (
        False,
    ) * 2
    assert "not with these values" in found.error.message
    assert found.event.data["upstream"]["method"] == "GET"


def test_what_is_missing_where_it_was_written_to_is_refused_and_not_in_doubt() -> None:
    on = On()
    on.emulator.faults.add(kind="drop")
    elsewhere = call(payload={**json.loads(sample(ADD)), "vpc_channel_id": "0" * 32})
    assert on.dispatcher.dispatch(elsewhere).outcome == "unknown"
    assert on.dispatcher.reconcile(elsewhere) is None
    refused = on.dispatcher.dispatch(elsewhere)
    assert refused.error is not None
    assert (refused.outcome, refused.error.kind, refused.error.code) == ("failed", "not_found", "APIG.3023")


@pytest.mark.parametrize("fault", [{"kind": "throttle_429"}, {"kind": "drop"}, {"status": 503}])
def test_a_cloud_that_cannot_be_asked_now_may_tell_later(fault: dict[str, Any]) -> None:
    on = On()
    on.emulator.faults.add(**fault, times=99)
    found = on.dispatcher.reconcile(call())
    assert found is not None
    assert (found.outcome, found.reconcilable, found.repeatable) == ("unknown", True, False)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "APIG.1005", "permission_denied"),
        (401, "APIGW.0301", "unauthenticated"),
        (429, "APIGW.0308", "resource_exhausted"),
        (500, "APIG.9999", "internal"),
    ],
)
def test_why_the_cloud_could_not_be_asked_is_told(status: int, code: str, kind: str) -> None:
    on = On()
    body = {"error_code": code, "error_msg": "no"}
    on.emulator.faults.add(status=status, body=body, headers={"Retry-After": "7"}, times=9)
    found = on.dispatcher.reconcile(call())
    assert found is not None
    assert (found.outcome, found.reconcilable) == ("unknown", True)
    assert found.hindrance is not None
    assert (found.hindrance.kind, found.hindrance.retry_after_s) == (kind, 7.0)
    assert found.event.data["error"]["kind"] == "unknown"


@pytest.mark.parametrize("payload", [{}, [], {"instance_id": "i"}])
def test_a_payload_that_is_refused_by_now_is_still_in_doubt(payload: Any) -> None:
    found = On().dispatcher.reconcile(call(payload=payload))
    assert found is not None
    assert (found.outcome, found.reconcilable) == ("unknown", False)
    validate(found.event)


@pytest.mark.parametrize("operation", ["vpcep.update_connection_descriptions", "elb.list_members"])
def test_what_may_be_run_again_is_not_asked_after(operation: str) -> None:
    on = On()
    assert on.dispatcher.reconcile(call(operation)) is None
    assert on.methods == []


def test_an_operation_that_cannot_be_read_back_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.running.find", lambda name: replace(find(name), reconcile=None))
    on = On()
    found = on.dispatcher.reconcile(call())
    assert found is not None
    assert (found.outcome, found.reconcilable) == ("unknown", False)
    assert on.methods == []


def test_a_write_is_announced_before_it_is_sent_and_reads_are_not() -> None:
    on, announced = On(), list[int]()
    trail = Trail(announce=lambda: announced.append(len(on.methods)))
    for operation in ("elb.list_members", "vpcep.update_connection_descriptions", "csbs.check_restorable"):
        assert on.dispatcher.dispatch(call(operation, trail=trail)).outcome == "succeeded"
    assert announced == []
    assert on.dispatcher.dispatch(call(trail=trail)).outcome == "succeeded"
    assert announced == [3]


def test_a_write_that_cannot_be_announced_is_not_sent() -> None:
    def refuse() -> None:
        raise CallError("no room", kind="unavailable")

    on = On()
    result = on.dispatcher.dispatch(call(trail=Trail(announce=refuse)))
    assert (result.outcome, on.methods) == ("failed", [])
    assert result.error is not None
    assert result.error.retryable


def test_announcing_takes_its_time_from_the_deadline() -> None:
    now = [0.0]
    deadline = Deadline(10.0, clock=lambda: now[0])

    def slowly() -> None:
        now[0] = 9.5

    on = On()
    result = on.dispatcher.dispatch(call(deadline=deadline, trail=Trail(announce=slowly)))
    assert (result.outcome, on.methods) == ("failed", [])
    assert result.error is not None
    assert result.error.kind == "deadline_exceeded"


def test_what_was_given_up_has_failed_and_was_not_the_payloads_fault() -> None:
    result = On().dispatcher.dispatch(call(refusal=Abandoned("too many died")))
    assert result.outcome == "failed"
    assert result.event.data["error"]["kind"] == "internal"
