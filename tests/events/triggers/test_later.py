"""The doors of this machine with a queue: what is stored for later, what is refused at once, and that the worker's call is the same."""

from __future__ import annotations

import base64
import json
import logging
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from events.dispatch import Dispatcher
from events.queues import QueueRefused, QueueUnavailable
from events.samples import sample
from events.settings import EventSettings
from events.triggers.later import Later
from events.triggers.storing import Storing
from events.triggers.webhook import create_app
from functions.cloud.client import Client
from functions.cloud.emulator.adapter import EmulatorAdapter
from functions.cloud.emulator.core import Emulator
from functions.cloud.errors import ConfigurationError
from functions.cloud.retry import Retry
from functions.cloud.settings import CloudSettings
from functions.registry import names
from tests.events.triggers.queued import FakePublisher, asked, stored_in, url_of

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.test import TestResponse

    from events.queues import Message

MEMBERS = "/functions/elb.list_members"
PAYLOAD = json.loads(sample("elb.list_members"))
ASYNC = {"Prefer": "respond-async"}
JSON, STRUCTURED, BATCH = (f"application/{kind}" for kind in ("json", "cloudevents+json", "cloudevents-batch+json"))
ENVELOPE: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e1",
    "source": "/monitor",
    "type": "hongyan.elb.list_members",
    "data": PAYLOAD,
}
TRACE = f"00-{'a' * 32}-{'b' * 16}-01"


class Hook:
    """The application on an emulator of its own, with a queue that fails as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *faults: Exception | None, **settings: Any) -> None:
        self.emulator = Emulator()
        self.queue = FakePublisher(*faults)
        made: Any = self.queue
        monkeypatch.setattr(Later, "of", lambda dispatcher, events: Later(dispatcher, events, Storing(made)))
        client = Client(CloudSettings.from_env({"HONGYAN_EMULATOR": "local"}), retry=Retry(sleep=lambda _: None))
        client.transport._session.mount("http://", EmulatorAdapter(self.emulator))
        self.dispatcher = Dispatcher(client, EventSettings())
        self.http = create_app(events=EventSettings(**settings), client=client).test_client()

    def post(self, path: str, body: Any, content_type: str = JSON, **headers: str) -> TestResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post(path, data=raw, headers={"Content-Type": content_type, **ASYNC, **sent})

    @property
    def message(self) -> Message:
        (found,) = self.queue.messages
        return found

    @property
    def was_asked(self) -> bool:
        return bool(self.emulator.journal)


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Hook:
    return Hook(monkeypatch)


def told(answer: TestResponse) -> Any:
    assert (answer.status_code, answer.mimetype) == (202, JSON), answer.text
    return json.loads(answer.data)


def problem(answer: TestResponse, status: int) -> dict[str, Any]:
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    found: dict[str, Any] = json.loads(answer.data)
    return found


# What is stored


def test_a_bare_payload_is_stored_under_the_senders_own_key(hook: Hook) -> None:
    answer = hook.post(MEMBERS, PAYLOAD, Idempotency_Key="k-1", traceparent=TRACE, tracestate="a=1")
    found = told(answer)
    assert found == {
        "id": "k-1",
        "source": "/hongyan/webhook",
        "operation": "elb.list_members",
        "result_id": found["result_id"],
    }
    assert answer.headers["Preference-Applied"] == "respond-async"
    assert answer.headers["Cache-Control"] == "no-store"
    assert not hook.was_asked
    assert (hook.message.id, hook.message.group, hook.message.meta) == (
        "k-1",
        None,
        {"trigger": "webhook", "sender_id": "k-1"},
    )


def test_who_gives_no_id_is_told_the_one_that_is_stored(hook: Hook) -> None:
    first, second = told(hook.post(MEMBERS, PAYLOAD)), told(hook.post(MEMBERS, PAYLOAD))
    assert [message.id for message in hook.queue.messages] == [first["id"], second["id"]]
    assert uuid.UUID(first["id"]) != uuid.UUID(second["id"])
    assert json.loads(hook.queue.messages[0].body)["id"] == first["id"]


@pytest.mark.parametrize("mode", ["bare", "structured", "binary", "batched"])
@pytest.mark.parametrize("operation", names())
def test_the_workers_call_ends_as_the_webhooks_own(hook: Hook, operation: str, mode: str) -> None:
    event = {**ENVELOPE, "type": f"hongyan.{operation}", "data": json.loads(sample(operation)), "correlationid": "c-1"}
    attributes = {f"ce-{name}": value for name, value in event.items() if name != "data"}
    sent = {
        "bare": (f"/functions/{operation}", event["data"], JSON, {"Idempotency-Key": "e1"}),
        "structured": ("/events", event, STRUCTURED, {}),
        "binary": ("/events", event["data"], JSON, attributes),
        "batched": ("/events", [event], BATCH, {}),
    }[mode]
    headers = {"traceparent": TRACE, **sent[3]}
    found = told(hook.post(sent[0], sent[1], sent[2], **headers))
    found = found[0] if mode == "batched" else found
    result = hook.dispatcher.dispatch(asked(hook.message))
    now = hook.post(sent[0], sent[1], sent[2], **{**headers, "Prefer": "wait=10"})
    own = json.loads(now.data)[0] if mode == "batched" else json.loads(now.data)
    assert (found["id"], found["result_id"]) == ("e1", result.event.id)
    assert result.event.id == own["id"]
    assert result.outcome == "succeeded"
    assert (result.event.type, result.event.data["trigger"]) == (own["type"], own["data"]["trigger"])
    assert result.event.extensions == {name: own[name] for name in ("causationid", "correlationid", "traceparent")}


def test_the_headers_trace_is_the_events_where_it_has_none(hook: Hook) -> None:
    told(hook.post("/events", ENVELOPE, STRUCTURED, traceparent=TRACE))
    told(hook.post("/events", ENVELOPE | {"traceparent": TRACE.replace("a", "c")}, STRUCTURED, traceparent=TRACE))
    assert [asked(message).extensions["traceparent"] for message in hook.queue.messages] == [
        TRACE,
        TRACE.replace("a", "c"),
    ]


def test_the_path_says_what_to_run_whatever_the_events_type(hook: Hook) -> None:
    found = told(hook.post(MEMBERS, ENVELOPE | {"type": "hongyan.apig.add_members"}, STRUCTURED))
    assert found["operation"] == asked(hook.message).operation == "elb.list_members"


def test_data_that_came_as_base64_or_under_another_json_type_is_payload_again(hook: Hook) -> None:
    packed = {**ENVELOPE, "data_base64": base64.b64encode(json.dumps(PAYLOAD).encode()).decode()}
    packed.pop("data")
    told(hook.post("/events", packed, STRUCTURED))
    told(hook.post("/events", ENVELOPE | {"datacontenttype": "application/vnd.x+json"}, STRUCTURED))
    assert [asked(message).payload for message in hook.queue.messages] == [PAYLOAD, PAYLOAD]


def test_what_has_a_partition_key_is_one_group(hook: Hook) -> None:
    told(hook.post("/events", [ENVELOPE | {"partitionkey": "p"}, ENVELOPE | {"id": "e2"}], BATCH))
    told(
        hook.post(
            "/events",
            PAYLOAD,
            ce_id="e3",
            ce_source="/s",
            ce_type=ENVELOPE["type"],
            ce_specversion="1.0",
            ce_partitionkey="p",
        )
    )
    assert [message.group for message in hook.queue.messages] == ["/p", None, "/p"]


def test_names_beyond_ascii_and_large_numbers_come_back(hook: Hook) -> None:
    event = ENVELOPE | {"id": "终端 1", "correlationid": 2**31 - 1, "partitionkey": "华北"}
    assert told(hook.post("/events", event, STRUCTURED))["id"] == "终端 1"
    call = asked(hook.message)
    assert (call.id, call.sender_id, call.extensions["correlationid"]) == ("终端 1", "终端 1", 2**31 - 1)


def test_attributes_that_look_like_ours_gain_nothing(hook: Hook) -> None:
    forged = {
        "sender": "monitoring",
        "projects": "other",
        "trigger": "x",
        "meta": "{}",
        "operation": "apig.add_members",
    }
    told(hook.post("/events", ENVELOPE | forged | {"data": PAYLOAD}, STRUCTURED))
    call = asked(hook.message)
    assert (call.sender, call.projects, call.trigger, call.operation) == (None, None, "webhook", "elb.list_members")
    assert not forged.keys() & call.extensions.keys()


# What is not


def test_without_the_preference_nothing_is_stored(hook: Hook) -> None:
    for prefer in ("", "wait=5", 'x="respond-async"'):
        assert hook.post(MEMBERS, PAYLOAD, Prefer=prefer).status_code == 200
    assert hook.was_asked
    assert not hook.queue.published


@pytest.mark.parametrize(
    ("path", "body", "content_type", "status", "kind"),
    [
        (MEMBERS, {}, JSON, 400, "invalid_argument"),
        (MEMBERS, [1], JSON, 400, "invalid_argument"),
        (MEMBERS, b"{", JSON, 400, "invalid_argument"),
        (MEMBERS, PAYLOAD | {"project_id": "other"}, JSON, 403, "permission_denied"),
        ("/functions/elb.nothing", PAYLOAD, JSON, 501, "unimplemented"),
        ("/events", ENVELOPE | {"type": "hongyan.elb.nothing"}, STRUCTURED, 501, "unimplemented"),
        ("/events", ENVELOPE | {"type": "other.elb.list_members"}, STRUCTURED, 501, "unimplemented"),
        ("/events", ENVELOPE | {"data": {}}, STRUCTURED, 400, "invalid_argument"),
        ("/events", ENVELOPE | {"datacontenttype": "text/plain", "data": "x"}, STRUCTURED, 400, "invalid_argument"),
    ],
)
def test_what_is_plainly_wrong_is_answered_as_ever(
    hook: Hook, path: str, body: Any, content_type: str, status: int, kind: str
) -> None:
    later, now = (hook.post(path, body, content_type, Prefer=prefer) for prefer in ("respond-async", ""))
    assert later.status_code == now.status_code == status
    assert later.mimetype == now.mimetype == STRUCTURED
    data = json.loads(later.data)["data"]
    assert (data["outcome"], data["error"]["kind"], data["upstream"]) == ("rejected", kind, None)
    assert data == json.loads(now.data)["data"]
    assert "Preference-Applied" not in later.headers
    assert not hook.queue.published
    assert not hook.was_asked


@pytest.mark.parametrize(
    ("path", "body", "content_type", "status"),
    [
        ("/events", {}, STRUCTURED, 400),
        ("/events", PAYLOAD, JSON, 415),
        (MEMBERS, b"x", "text/plain", 415),
        ("/events", [ENVELOPE] * 1001, BATCH, 413),
        (MEMBERS, {"x": "x" * 1_048_576}, JSON, 413),
    ],
)
def test_what_is_no_call_is_a_problem_as_ever(hook: Hook, path: str, body: Any, content_type: str, status: int) -> None:
    assert problem(hook.post(path, body, content_type), status)
    assert not hook.queue.published


def test_a_refusal_is_in_binary_mode_where_that_is_asked_for(hook: Hook) -> None:
    answer = hook.post(MEMBERS, {}, Accept=JSON)
    assert (answer.status_code, answer.mimetype) == (400, JSON)
    assert answer.headers["ce-type"] == "hongyan.elb.list_members.rejected"


def test_what_could_not_be_read_again_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    hook = Hook(monkeypatch, body_limit=1024)
    whole = {"members": [{"host": "192.0.2.1"}], "instance_id": "i" * 60, "vpc_channel_id": "c"}
    body = json.dumps(whole).encode().ljust(1024)
    assert told(hook.post("/functions/apig.add_members", body))
    many = {**whole, "members": [{"host": f"192.0.2.{last}"} for last in range(100, 137)]}
    body = json.dumps(many, separators=(",", ":")).encode()
    assert 900 < len(body) < 1024
    assert (
        hook.post("/functions/apig.add_members", body, Prefer="").status_code == 404
    )  # Asked: the emulator has no such channel.
    assert "larger than 1024 bytes" in problem(hook.post("/functions/apig.add_members", body), 413)["detail"]
    long = ENVELOPE | {"partitionkey": "p" * 513}
    assert "partitionkey" in problem(Hook(monkeypatch).post("/events", long, STRUCTURED), 400)["detail"]
    assert len(hook.queue.published) == 1


# Batches


def test_of_a_batch_what_is_right_is_stored_and_each_is_told_its_fate(hook: Hook) -> None:
    batch = [
        ENVELOPE,
        ENVELOPE | {"id": "e2", "data": {}},
        ENVELOPE | {"id": "e3", "type": "hongyan.apig.nothing"},
        ENVELOPE | {"id": "e4", "type": "no name at all"},
        ENVELOPE | {"id": "e5"},
    ]
    found = told(hook.post("/events", batch, BATCH))
    assert [each["id"] for each in found] == ["e1", "e2", "e3", "e4", "e5"]
    assert ["rejected" in each for each in found] == [False, True, True, True, False]
    assert [each["operation"] for each in found[1:4]] == ["elb.list_members", "apig.nothing", "unknown"]
    assert all(each["rejected"]["id"] == each["result_id"] for each in found[1:4])
    assert found[1]["rejected"]["data"]["error"]["fields"] == {"listener_id": ["Missing data for required field."]}
    # In one call: all of them or none.
    assert [[message.id for message in each] for each in hook.queue.published] == [["e1", "e5"]]
    again = json.loads(hook.post("/events", batch, BATCH, Prefer="").data)
    assert [each["result_id"] for each in found] == [event["id"] for event in again]


def test_a_batch_of_which_nothing_is_right_is_answered_as_ever(hook: Hook) -> None:
    answer = hook.post("/events", [ENVELOPE | {"data": {}}, ENVELOPE | {"type": "x"}], BATCH)
    assert (answer.status_code, answer.mimetype) == (200, BATCH)
    assert [event["data"]["outcome"] for event in json.loads(answer.data)] == ["rejected", "rejected"]
    assert "Preference-Applied" not in answer.headers
    assert not hook.queue.published


def test_of_an_empty_batch_nothing_is_asked(hook: Hook) -> None:
    assert hook.post("/events", [], BATCH).status_code == 204
    assert not hook.queue.published


def test_a_batch_of_one_is_a_batch(hook: Hook) -> None:
    assert [each["id"] for each in told(hook.post("/events", [ENVELOPE], BATCH))] == ["e1"]


# Faults of the queue


def test_a_queue_that_is_away_is_told_of_and_asked_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hook = Hook(monkeypatch, QueueUnavailable("connection refused"))
    answer = hook.post(MEMBERS, PAYLOAD, Idempotency_Key="k")
    assert (problem(answer, 503)["kind"], answer.headers["Retry-After"]) == ("unavailable", "5")
    assert b"connection refused" not in answer.data  # That is for whoever runs the server.
    (line,) = [record for record in caplog.records if record.message == "queue.unavailable"]
    assert vars(line)["facts"]["detail"] == "connection refused"
    assert told(hook.post(MEMBERS, PAYLOAD, Idempotency_Key="k"))["id"] == "k"


def test_a_queue_that_refuses_is_told_of_as_our_fault(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hook = Hook(monkeypatch, QueueRefused("declared otherwise: delete it"))
    answer = hook.post(MEMBERS, PAYLOAD)
    assert problem(answer, 500)["kind"] == "internal"
    assert "Retry-After" not in answer.headers
    assert b"declared" not in answer.data
    assert [record.levelno for record in caplog.records if record.message == "queue.refused"] == [logging.ERROR]


def test_a_fault_of_ours_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    assert problem(Hook(monkeypatch, ZeroDivisionError()).post(MEMBERS, PAYLOAD), 500)["kind"] == "internal"


def test_what_is_stored_is_in_the_log_without_its_payload(hook: Hook, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "hongyan")
    found = told(hook.post("/events", ENVELOPE | {"correlationid": "c-1"}, STRUCTURED))
    (line,) = [record for record in caplog.records if record.message == "call.stored"]
    assert vars(line)["facts"] == {
        "operation": "elb.list_members",
        "sender": None,
        "id": "e1",
        "event_id": found["result_id"],
        "correlation_id": "c-1",
    }


# Settings


def test_without_a_queue_the_setting_is_named() -> None:
    http = create_app(CloudSettings.from_env({"HONGYAN_EMULATOR": "local"}), EventSettings()).test_client()
    for path, content_type, body in ((MEMBERS, JSON, PAYLOAD), ("/events", STRUCTURED, ENVELOPE)):
        answer = http.post(path, data=json.dumps(body), headers={"Content-Type": content_type, **ASYNC})
        found = problem(answer, 501)
        assert (found["kind"], "HONGYAN_QUEUE" in found["detail"]) == ("unimplemented", True)


def test_a_queue_in_a_file_holds_what_was_answered(tmp_path: Path) -> None:
    settings = EventSettings(queue=url_of(tmp_path))
    http = create_app(CloudSettings.from_env({"HONGYAN_EMULATOR": "local"}), settings).test_client()
    answers = [
        http.post("/events", json=ENVELOPE | {"id": f"e{each}"}, content_type=STRUCTURED, headers=ASYNC)
        for each in range(3)
    ]
    found = [told(answer)["id"] for answer in answers]
    assert [asked(message).id for message in stored_in(tmp_path)] == found == ["e0", "e1", "e2"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://broker/", "begins with sqlite:///, redis:// or amqp://"),
        ("sqlite:///", "must name a file"),
        ("redis:///0", "must name a host"),
        ("amqp://guest:hunter2@h/?queue=a+b", "queue must be"),
        ("sqlite:///%(folder)s/q.sqlite?nonsense=1", "nonsense"),
        ("sqlite:///%(folder)s/nowhere/q.sqlite", "cannot be used"),
        ("sqlite:///%(folder)s", "cannot be used"),
    ],
)
def test_a_wrong_url_is_told_at_start(url: str, said: str, tmp_path: Path) -> None:
    settings = EventSettings(queue=url % {"folder": tmp_path})
    with pytest.raises(ConfigurationError, match=said) as raised:
        create_app(CloudSettings.from_env({"HONGYAN_EMULATOR": "local"}), settings)
    assert "HONGYAN_QUEUE" in raised.value.message
    assert "hunter2" not in raised.value.message


def test_a_password_is_in_no_repr() -> None:
    assert "hunter2" not in repr(EventSettings(queue="redis://:hunter2@127.0.0.1/0"))
