"""One contract for every trigger of both platforms: one result event per record, and the right answer in every case."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from events.samples import sample
from events.samples.envelopes import Envelope, find, kinds
from events.samples.envelopes.filling import Filling
from events.triggers.aws_lambda import Lambda
from events.triggers.functiongraph import FunctionGraph
from events.triggers.serverless.whole import CannotSucceed, NotDone, TryAgain
from functions.cloud.emulator.core import Emulator
from functions.cloud.errors import ConfigurationError
from functions.registry import names
from tests.events.triggers.serverless.support import emulated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

RECORDS = 3
OPERATION = "elb.list_members"
THROTTLED = {"kind": "throttle_429", "times": 99}
AWAY = {"kind": "drop", "times": 99}
SENDERS = """
[senders.monitoring]
scheme = "bearer"
secrets = [{ env = "MONITORING_TOKEN" }]
operations = ["elb.list_members"]
"""


def family(envelope: Envelope) -> str:
    """Return how a trigger is answered."""
    if envelope.is_http:
        return "http"
    if envelope.kind.startswith("sqs") or "-sqs" in envelope.kind:
        return "partial"
    if (
        envelope.kind.endswith("-direct") or envelope.kind == "scheduler"
    ):  # A schedule with an input of its own invokes the function itself.
        return "direct"
    return "timer" if envelope.kind.endswith("-timer") else "whole"


@dataclass
class Ran:
    """What one invocation came to: its answer or what it raised, the result events in the answer or in the sink."""

    answer: Any = None
    raised: Exception | None = None
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def outcomes(self) -> list[str]:
        return [event["data"]["outcome"] for event in self.events]


def invoke(
    kind: str,
    operation: str = OPERATION,
    payload: bytes | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    fault: Mapping[str, Any] | None = None,
    seconds: float = 60.0,
    change: Callable[[dict[str, Any]], None] = lambda event: None,
) -> Ran:
    """Run a sample event on an emulated cloud of its own."""
    envelope = find(kind)
    body = sample(operation if operation in names() else OPERATION) if payload is None else payload
    event, needed = envelope.filled(Filling(kind, operation, body, RECORDS if envelope.repeats else 1))
    change(event)
    emulator = Emulator()
    if fault:
        emulator.faults.add(**fault)
    app, sunk = emulated({**needed, **(environ or {})}, emulator)
    left = SimpleNamespace(
        get_remaining_time_in_millis=lambda: seconds * 1000,
        getRemainingTimeInMilliSeconds=lambda: seconds * 1000,
        aws_request_id="invocation-1",
        getRequestID=lambda: "invocation-1",
    )
    ran = Ran()
    try:
        function = Lambda(app) if envelope.platform == "lambda" else FunctionGraph(app)
        ran.answer = function.answer(event, left)
    except NotDone as error:
        ran.raised = error
    ran.events = [{"id": one.id, "type": one.type, "data": one.data} for one in sunk.events]
    if family(envelope) == "http" and "cloudevents" in ran.answer["headers"].get("Content-Type", ""):
        ran.events.append(json.loads(ran.answer["body"]))
    if family(envelope) == "direct" and ran.answer:
        ran.events.append(ran.answer)
    return ran


def returned(ran: Ran) -> int:
    return len(ran.answer["batchItemFailures"])


def same(result: Any) -> Any:
    """Return a result without what the cloud makes anew each time: ids of what was created, and times."""
    if isinstance(result, list):
        return [same(item) for item in result]
    if not isinstance(result, dict):
        return result
    made = {"created_at", "updated_at"} | ({"id"} if result.get("channel_id") else set())
    return {name: same(value) for name, value in result.items() if name not in made}


@dataclass(frozen=True)
class Right:
    """What is right for one case, in each family: `status` of an HTTP answer, what asynchronous triggers raise, which events go out."""

    status: int
    outcome: str | None
    raises: type[NotDone] | None = None
    # Whether the event is withheld, since the record will be run again.
    withheld: bool = False

    def check(self, how: str, ran: Ran, records: int) -> None:
        getattr(self, f"_{how}")(ran, records)

    def _http(self, ran: Ran, records: int) -> None:
        assert ran.answer["statusCode"] == self.status
        assert isinstance(ran.answer["body"], str)
        assert ran.outcomes == ([self.outcome] if self.outcome else [])
        assert ("Retry-After" in ran.answer["headers"]) == (self.status == 503)

    def _partial(self, ran: Ran, records: int) -> None:
        assert set(ran.answer) == {"batchItemFailures"}
        assert returned(ran) == (records if self.raises else 0)
        self._emitted(ran, records)

    def _whole(self, ran: Ran, records: int) -> None:
        assert type(ran.raised) is (self.raises or type(None))
        assert self.raises or ran.answer["records"] == records
        self._emitted(ran, records)

    def _timer(self, ran: Ran, records: int) -> None:
        assert ran.raised is None  # Nobody would run it again, so its event is not withheld either.
        assert ran.outcomes == [self.outcome] * records

    def _direct(self, ran: Ran, records: int) -> None:
        assert type(ran.raised) is (TryAgain if self.withheld else type(None))
        self._emitted(ran, records)

    def _emitted(self, ran: Ran, records: int) -> None:
        assert ran.outcomes == ([] if self.withheld else [self.outcome] * records)


CASES: dict[str, tuple[Right, dict[str, Any]]] = {
    "done": (Right(200, "succeeded"), {}),
    "bad payload": (Right(400, "rejected", CannotSucceed), {"payload": b'{"listener_id": ""}'}),
    "unknown operation": (Right(501, "rejected", CannotSucceed), {"operation": "elb.no_such"}),
    "throttled": (Right(503, "failed", TryAgain, withheld=True), {"fault": THROTTLED}),
    "cloud away": (Right(503, "failed", TryAgain, withheld=True), {"fault": AWAY}),
    "deadline short": (Right(503, "failed", TryAgain, withheld=True), {"seconds": 0.4}),
}


@pytest.mark.parametrize("kind", kinds())
class TestEveryTrigger:
    """What must be true of every trigger; a new kind of sample event is held to it from the moment its file exists."""

    @pytest.mark.parametrize("case", CASES)
    def test_each_case_has_the_right_answer(self, kind: str, case: str, record_property: Callable[..., None]) -> None:
        right, asked = CASES[case]
        envelope = find(kind)
        records = RECORDS if envelope.repeats else 1
        if case == "unknown operation" and "HONGYAN_OPERATION" in envelope.environment:
            # It is deployed for one operation: a name that is none is told when it starts.
            with pytest.raises(ConfigurationError, match="HONGYAN_OPERATION"):
                invoke(kind, **asked)
            record_property("trigger", (kind, case, "at start"))
            return
        ran = invoke(kind, **asked)
        how = family(envelope)
        if how == "partial" and envelope.kind == "sqs-fifo" and right.raises and not right.withheld:
            # One group: what comes after the first that cannot succeed is not run.
            assert (returned(ran), ran.outcomes) == (records, [right.outcome])
        else:
            right.check(how, ran, records)
        record_property("trigger", (kind, case, f"{records}/{len(ran.events)}"))

    def test_a_signature_that_is_wrong_is_refused(
        self, kind: str, tmp_path: Path, record_property: Callable[..., None]
    ) -> None:
        if not find(kind).is_http:
            # Nobody signs what comes through a queue, a topic or a timer: the platform itself says who may put it there.
            record_property("trigger", (kind, "bad signature", "-"))
            return
        file = tmp_path / "senders.toml"
        file.write_text(SENDERS, encoding="utf-8")
        token = "fake-token-of-at-least-32-characters"
        environ = {"HONGYAN_SENDERS": str(file), "MONITORING_TOKEN": token}

        def signed_with(value: str) -> Callable[[dict[str, Any]], None]:
            def change(event: dict[str, Any]) -> None:
                for key in ("path", "rawPath"):
                    event[key] = "/hooks/monitoring"
                for headers in filter(None, (event.get("headers"), event.get("multiValueHeaders"))):
                    headers["authorization"] = (
                        [f"Bearer {value}"] if headers is event.get("multiValueHeaders") else f"Bearer {value}"
                    )

            return change

        wrong = invoke(kind, environ=environ, change=signed_with(token[::-1]))
        assert (wrong.answer["statusCode"], wrong.events) == (401, [])
        assert json.loads(wrong.answer["body"])["kind"] == "unauthenticated"
        assert invoke(kind, environ=environ, change=signed_with(token)).outcomes == ["succeeded"]
        record_property("trigger", (kind, "bad signature", "1/0"))

    def test_a_redelivery_has_the_same_ids_and_every_record_its_own(self, kind: str) -> None:
        first, second = (sorted(event["id"] for event in invoke(kind).events) for _ in range(2))
        assert first == second
        assert len(set(first)) == len(first)

    @pytest.mark.parametrize("operation", names())
    def test_an_operation_gives_the_same_result_through_every_trigger(self, kind: str, operation: str) -> None:
        ran = invoke(kind, operation)
        assert ran.outcomes == ["succeeded"] * len(ran.events) != []
        [direct] = invoke("lambda-direct", operation).events
        for event in ran.events:
            assert same(event["data"]["result"]) == same(direct["data"]["result"])
            assert event["data"]["operation"] == operation


@pytest.mark.parametrize("kind", ["sqs", "sqs-fifo", "sns-sqs", "sns-sqs-raw"])
def test_the_last_delivery_of_a_queue_tells_that_it_failed(kind: str, record_property: Callable[..., None]) -> None:
    ran = invoke(kind, environ={"HONGYAN_MAX_RECEIVES": "1"}, fault=THROTTLED)
    assert returned(ran) == RECORDS
    # Also those of one group: what leaves for the dead letters holds nobody up.
    assert ran.outcomes == ["failed"] * RECORDS
    record_property("trigger", (kind, "last delivery", f"{RECORDS}/{len(ran.events)}"))


@pytest.mark.parametrize("kind", [kind for kind in kinds() if family(find(kind)) in ("partial", "whole")])
def test_a_final_failure_is_acknowledged_where_the_settings_say_so(kind: str) -> None:
    ran = invoke(kind, payload=b'{"listener_id": ""}', environ={"HONGYAN_ON_FINAL_FAILURE": "acknowledge"})
    assert ran.raised is None
    assert ran.answer.get("batchItemFailures", []) == []
    assert set(ran.outcomes) == {"rejected"}


@pytest.mark.parametrize("kind", kinds())
def test_a_write_in_doubt_is_never_asked_for_again(kind: str, record_property: Callable[..., None]) -> None:
    ran = invoke(kind, "apig.add_members", fault={"kind": "drop_after", "times": 99})
    assert ran.raised is None
    assert set(ran.outcomes) == {"unknown"}
    assert len(ran.events) == (RECORDS if find(kind).repeats else 1)
    if family(find(kind)) == "partial":
        assert returned(ran) == 0
    record_property("trigger", (kind, "in doubt", f"{len(ran.events)}/{len(ran.events)}"))
