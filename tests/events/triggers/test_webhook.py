"""The webhook over its application: payloads and CloudEvents in, result events and problems out, never anything else."""

from __future__ import annotations

import base64
import io
import json
import logging
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.cloudevents import CloudEvent
from events.cloudevents.http import from_http
from events.samples import sample
from events.settings import EventSettings
from events.triggers.webhook import create_app
from functions.cloud.client import Client
from functions.cloud.emulator.adapter import EmulatorAdapter
from functions.cloud.emulator.core import Emulator
from functions.cloud.errors import ConfigurationError
from functions.cloud.retry import Retry
from functions.cloud.settings import CloudSettings
from tests.support import CHANNEL, PROJECT

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

MEMBERS = "/functions/elb.list_members"
JSON = {"Content-Type": "application/json"}
STRUCTURED = {"Content-Type": "application/cloudevents+json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}
ENVELOPE: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e1",
    "source": "/monitor",
    "type": "hongyan.elb.list_members",
    "data": json.loads(sample("elb.list_members")),
}


class Hook:
    """An application on an emulator of its own."""

    def __init__(self, events: EventSettings | None = None) -> None:
        self.emulator = Emulator()
        client = Client(CloudSettings.from_env({"HONGYAN_EMULATOR": "local"}), retry=Retry(sleep=lambda _: None))
        client.transport._session.mount("http://", EmulatorAdapter(self.emulator))
        self.http: FlaskClient = create_app(events=events or EventSettings(), client=client).test_client()

    def post(self, path: str, body: Any = b"", headers: dict[str, str] | None = None) -> TestResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post(path, data=raw, headers=headers or JSON)


@pytest.fixture
def hook() -> Hook:
    return Hook()


def event_of(response: TestResponse) -> CloudEvent:
    found = from_http(dict(response.headers), response.data)
    assert isinstance(found, CloudEvent)
    return found


def is_problem(response: TestResponse, status: int, kind: str = "invalid_argument") -> bool:
    body = json.loads(response.data)
    assert (response.status_code, response.content_type) == (status, "application/problem+json")
    assert set(body) == {"type", "title", "status", "detail", "kind"}
    return bool((body["status"], body["kind"]) == (status, kind) and body["detail"])


# Payloads


def test_a_bare_payload(hook: Hook) -> None:
    response = hook.post(MEMBERS, sample("elb.list_members"))
    event = event_of(response)
    assert (response.status_code, response.content_type) == (200, "application/cloudevents+json")
    assert event.data["result"]["health"] == {"healthy": 1, "unhealthy": 1, "unknown": 0}
    assert event.data["trigger"] == {"kind": "webhook", "id": None, "sender": None}
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.x+json", "text/json"]
)
def test_media_types_that_are_json(hook: Hook, content_type: str) -> None:
    assert hook.post(MEMBERS, sample("elb.list_members"), {"Content-Type": content_type}).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "nonsense"],
)
def test_media_types_that_are_not(hook: Hook, content_type: str) -> None:
    assert is_problem(hook.post(MEMBERS, sample("elb.list_members"), {"Content-Type": content_type}), 415)
    assert not hook.emulator.journal


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"\xef\xbb\xbf{}", b'{"a":1,"a":2}', b"[" * 100_000, b'{"a": NaN}', b'"\\ud800"', b"[]"],
)
def test_a_body_that_is_no_payload_is_a_rejected_event(hook: Hook, body: bytes) -> None:
    response = hook.post(MEMBERS, body)
    event = event_of(response)
    assert (response.status_code, event.type) == (400, "hongyan.elb.list_members.rejected")
    assert event.data["error"]["fields"]["_schema"]
    assert not hook.emulator.journal


def test_chinese_in_and_out(hook: Hook) -> None:
    response = hook.post(
        "/functions/vpcep.update_connection_descriptions", sample("vpcep.update_connection_descriptions")
    )
    assert "终端节点节点1" in response.data.decode()
    assert "终端节点节点1" in hook.emulator.journal[0].body["connections"][0]["description"]


def test_who_gives_no_id_asks_twice(hook: Hook) -> None:
    first, second = (event_of(hook.post(MEMBERS, sample("elb.list_members"))) for _ in range(2))
    assert first.id != second.id
    assert len(hook.emulator.journal) == 2


@pytest.mark.parametrize(
    "headers",
    [
        {"Idempotency-Key": "k1"},
        {"Idempotency-Key": '"k1"'},
        {"webhook-id": "k1"},
        {"Idempotency-Key": "k1", "webhook-id": "k2"},
    ],
)
def test_the_senders_id_makes_the_results(hook: Hook, headers: dict[str, str]) -> None:
    first, second = (event_of(hook.post(MEMBERS, sample("elb.list_members"), JSON | headers)) for _ in range(2))
    assert first.id == second.id
    assert (first.extensions["causationid"], first.data["trigger"]["id"]) == ("k1", "k1")


def test_no_id_counts_as_none(hook: Hook) -> None:
    event = event_of(hook.post(MEMBERS, sample("elb.list_members"), JSON | {"Idempotency-Key": " "}))
    assert event.data["trigger"]["id"] is None


@pytest.mark.parametrize("name", ["Idempotency-Key", "webhook-id"])
@pytest.mark.parametrize("key", ["a b", "é", "x" * 256])
def test_an_id_that_cannot_be_is_not_taken_for_none(hook: Hook, name: str, key: str) -> None:
    headers = JSON | {name: key.encode().decode("latin-1")}
    assert is_problem(hook.post(MEMBERS, sample("elb.list_members"), headers), 400)
    assert not hook.emulator.journal


def test_the_trace_is_passed_on(hook: Hook) -> None:
    parent = f"00-{'a' * 32}-{'b' * 16}-01"
    event = event_of(
        hook.post(MEMBERS, sample("elb.list_members"), JSON | {"traceparent": parent, "tracestate": "v=1"})
    )
    assert (event.extensions["traceparent"], event.extensions["tracestate"]) == (parent, "v=1")
    event = event_of(hook.post(MEMBERS, sample("elb.list_members"), JSON | {"traceparent": "x", "tracestate": "v=1"}))
    assert set(event.extensions) == {"causationid", "correlationid"}


# CloudEvents


@pytest.mark.parametrize("path", [MEMBERS, "/events"])
def test_a_structured_event(hook: Hook, path: str) -> None:
    event = event_of(hook.post(path, ENVELOPE | {"correlationid": "c1"}, STRUCTURED))
    assert event.type == "hongyan.elb.list_members.succeeded"
    assert event.extensions == {"causationid": "e1", "correlationid": "c1"}


@pytest.mark.parametrize("path", [MEMBERS, "/events"])
def test_a_binary_event(hook: Hook, path: str) -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "e1", "ce-source": "/monitor", "ce-type": "hongyan.elb.list_members"}
    event = event_of(hook.post(path, sample("elb.list_members"), JSON | headers))
    same = event_of(hook.post(path, ENVELOPE, STRUCTURED))
    assert event.data["outcome"] == "succeeded"
    assert event.id == same.id


def test_data_in_base64(hook: Hook) -> None:
    envelope = {name: value for name, value in ENVELOPE.items() if name != "data"}
    packed = envelope | {"data_base64": base64.b64encode(sample("elb.list_members")).decode()}
    assert event_of(hook.post("/events", packed, STRUCTURED)).data["outcome"] == "succeeded"
    broken = envelope | {"data_base64": base64.b64encode(b"{").decode()}
    assert event_of(hook.post("/events", broken, STRUCTURED)).data["outcome"] == "rejected"


@pytest.mark.parametrize(
    "change",
    [
        {"data": "text"},
        {"data": None},
        {"data": {}, "datacontenttype": None},
        {"data": "{}", "datacontenttype": "text/plain"},
    ],
)
def test_data_that_is_no_payload(hook: Hook, change: dict[str, Any]) -> None:
    response = hook.post("/events", ENVELOPE | change, STRUCTURED)
    assert (response.status_code, event_of(response).data["outcome"]) == (400, "rejected")


def test_an_event_without_data(hook: Hook) -> None:
    response = hook.post("/events", {name: value for name, value in ENVELOPE.items() if name != "data"}, STRUCTURED)
    assert "data must be JSON" in event_of(response).data["error"]["message"]


def test_a_batch(hook: Hook) -> None:
    envelopes = [ENVELOPE, ENVELOPE | {"id": "e2", "type": "hongyan.elb.nothing"}, ENVELOPE | {"id": "e3", "data": {}}]
    response = hook.post("/events", envelopes, BATCH)
    found = from_http(dict(response.headers), response.data)
    assert response.status_code == 200
    assert isinstance(found, list)
    assert [(event.extensions["causationid"], event.data["outcome"]) for event in found] == [
        ("e1", "succeeded"),
        ("e2", "rejected"),
        ("e3", "rejected"),
    ]


def test_a_batch_too_long_runs_nothing(hook: Hook) -> None:
    response = hook.post("/events", [{"specversion": "1.0", "id": "1", "source": "/", "type": "t"}] * 1001, BATCH)
    assert is_problem(response, 413)
    assert not hook.emulator.journal


@pytest.mark.parametrize("name", ["id", "type", "correlationid", "traceparent", "tracestate"])
def test_what_every_answer_repeats_is_not_too_long(hook: Hook, name: str) -> None:
    assert hook.post("/events", ENVELOPE | {name: "x" * 512}, STRUCTURED).status_code in (200, 501)
    response = hook.post("/events", [ENVELOPE, ENVELOPE | {name: "x" * 513}], BATCH)
    assert is_problem(response, 400)
    assert f"[1].{name}" in json.loads(response.data)["detail"]


def test_an_empty_batch_does_nothing_rightly(hook: Hook) -> None:
    response = hook.post("/events", [], BATCH)
    assert (response.status_code, response.data) == (204, b"")


def test_a_batch_with_one_event_that_is_none_runs_nothing(hook: Hook) -> None:
    response = hook.post("/events", [ENVELOPE, ENVELOPE | {"source": ""}], BATCH)
    assert is_problem(response, 400)
    assert "[1].source" in json.loads(response.data)["detail"]
    assert not hook.emulator.journal


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (STRUCTURED, b"{", 400),
        (STRUCTURED, b"[1]", 400),
        (STRUCTURED, {"specversion": "1.0"}, 400),
        (STRUCTURED, ENVELOPE | {"specversion": "0.3"}, 400),
        (BATCH, b"{}", 400),
        ({"Content-Type": "application/cloudevents+avro"}, b"", 415),
        (JSON | {"ce-id": "1"}, b"{}", 400),
        (JSON, b"{}", 415),
        ({"Content-Type": "text/plain"}, b"", 415),
    ],
)
def test_what_is_no_event_is_a_problem(hook: Hook, headers: dict[str, str], body: Any, status: int) -> None:
    assert is_problem(hook.post("/events", body, headers), status)


@pytest.mark.parametrize(
    "kind", ["com.example.deploy", "elb.list_members", "hongyanelb.list_members", "other.elb.list_members"]
)
def test_a_type_that_is_not_ours_runs_nothing(hook: Hook, kind: str) -> None:
    response = hook.post("/events", ENVELOPE | {"type": kind}, STRUCTURED)
    assert (response.status_code, event_of(response).type) == (501, f"hongyan.{kind}.rejected")
    assert not hook.emulator.journal


def test_the_trace_of_an_event_is_its_own_and_whole(hook: Hook) -> None:
    ours, headers = f"00-{'a' * 32}-{'b' * 16}-01", {"traceparent": f"00-{'c' * 32}-{'d' * 16}-01", "tracestate": "v=1"}
    event = event_of(hook.post("/events", ENVELOPE | {"traceparent": ours}, STRUCTURED | headers))
    assert (event.extensions["traceparent"], "tracestate" in event.extensions) == (ours, False)
    event = event_of(hook.post("/events", ENVELOPE | {"traceparent": "garbage"}, STRUCTURED | headers))
    assert {name: event.extensions[name] for name in headers} == headers


def test_options_and_doubled_slashes_are_answered_plainly(hook: Hook) -> None:
    assert is_problem(hook.http.options("/events", headers={"WebHook-Request-Origin": "e.example.com"}), 405)
    assert is_problem(hook.post("/functions//elb.list_members", b"{}"), 404, "not_found")


def test_a_result_sent_back_starts_no_loop(hook: Hook) -> None:
    response = hook.post("/events", hook.post(MEMBERS, sample("elb.list_members")).data, STRUCTURED)
    assert response.status_code == 501
    assert len(hook.emulator.journal) == 1


def test_another_prefix() -> None:
    hook = Hook(EventSettings(prefix="com.example"))
    response = hook.post("/events", ENVELOPE | {"type": "com.example.elb.list_members"}, STRUCTURED)
    assert event_of(response).type == "com.example.elb.list_members.succeeded"


@pytest.mark.parametrize(
    ("accept", "binary"),
    [
        ("", False),
        ("*/*", False),
        ("application/cloudevents+json", False),
        ("application/json", True),
        ("Application/JSON;q=0.9, text/html", True),
        ("application/json, application/cloudevents+json", False),
        ("application/json;q=0.1, application/cloudevents+json;q=0.2", False),
        ("application/json;q=0.2, application/cloudevents+json;q=0.1", True),
        ("application/json;q=0", False),
        ("application/json;q=x", False),
        ("text/html", False),
        (";,;=", False),
    ],
)
def test_the_mode_asked_for(hook: Hook, accept: str, binary: bool) -> None:
    response = hook.post(MEMBERS, sample("elb.list_members"), JSON | {"Accept": accept})
    assert (response.content_type == "application/json") is binary
    assert ("ce-type" in response.headers) is binary
    assert event_of(response).data["outcome"] == "succeeded"


# Refusals


def test_unknown_paths_and_methods(hook: Hook) -> None:
    assert is_problem(hook.http.get("/nothing"), 404, "not_found")
    response = hook.http.get(MEMBERS)
    assert is_problem(response, 405)
    assert "POST" in response.headers["Allow"]


def test_an_unknown_operation_lists_what_is_near(hook: Hook) -> None:
    response = hook.post("/functions/elb.list_member", b"{}")
    assert response.status_code == 501
    assert "did you mean elb.list_members?" in event_of(response).data["error"]["message"]


@pytest.mark.parametrize("size", [2048, 2049])
def test_the_limit_of_a_body(size: int) -> None:
    hook = Hook(EventSettings(body_limit=2048))
    body = sample("elb.list_members").rstrip()
    response = hook.post(MEMBERS, body + b" " * (size - len(body)))
    assert response.status_code == 200 if size == 2048 else is_problem(response, 413)
    assert size == 2048 or "larger than 2048 bytes" in response.get_json(force=True)["detail"]


def test_compressed_bodies_are_not_opened(hook: Hook) -> None:
    assert is_problem(hook.post(MEMBERS, b"\x1f\x8b", JSON | {"Content-Encoding": "gzip"}), 415)
    assert hook.post(MEMBERS, sample("elb.list_members"), JSON | {"Content-Encoding": "identity"}).status_code == 200


@pytest.mark.parametrize("address", ["10.0.0.1", "203.0.113.9", "", "::ffff:10.0.0.1"])
def test_only_this_machine_may_send(hook: Hook, address: str) -> None:
    response = hook.http.post(MEMBERS, data=b"{}", headers=JSON, environ_overrides={"REMOTE_ADDR": address})
    assert is_problem(response, 403, "permission_denied")


@pytest.mark.parametrize("host", ["evil.example.com", "127.0.0.1.evil.example.com", "localhost.evil.com:80"])
def test_another_name_for_this_machine_is_refused(hook: Hook, host: str) -> None:
    assert is_problem(hook.http.post(MEMBERS, data=b"{}", headers=JSON | {"Host": host}), 400)


def test_a_fault_of_ours_is_a_problem_without_its_trace(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    def boom(*_: Any) -> None:
        raise ZeroDivisionError("password=hunter2")

    monkeypatch.setattr("events.dispatch.Dispatcher.dispatch", boom)
    response = hook.post(MEMBERS, sample("elb.list_members"))
    assert is_problem(response, 500, "internal")
    assert b"hunter2" not in response.data


@given(
    st.binary(max_size=200),
    st.text(max_size=40),
    st.sampled_from(["", "application/json", *STRUCTURED.values(), *BATCH.values()]),
)
def test_any_body_is_answered_properly(body: bytes, path: str, content_type: str) -> None:
    response = SHARED.post(
        "/functions/x" + path.replace("\\", "") if path else "/events", body, {"Content-Type": content_type}
    )
    assert response.status_code in (204, 400, 404, 405, 415, 501)
    assert response.status_code == 204 or "json" in response.content_type


SHARED = Hook()


def test_a_body_that_cannot_be_read_or_is_cut_is_a_problem(hook: Hook) -> None:
    class Broken(io.RawIOBase):
        def readinto(self, _: Any) -> int:
            raise OSError("Invalid chunk size")

    environ = {"wsgi.input": Broken(), "wsgi.input_terminated": True, "CONTENT_TYPE": "application/json"}
    assert is_problem(hook.http.post(MEMBERS, environ_overrides=environ), 400)
    cut = {"wsgi.input": io.BytesIO(b"{}"), "wsgi.input_terminated": True, "CONTENT_LENGTH": "500"}
    assert is_problem(hook.http.post(MEMBERS, headers=JSON, environ_overrides=cut), 400)


def test_what_a_server_raises_for_a_malformed_body_is_a_problem_and_logged(
    hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    class Malformed(io.RawIOBase):
        def readinto(self, _: Any) -> int:
            raise ZeroDivisionError("no common base")

    environ = {"wsgi.input": Malformed(), "wsgi.input_terminated": True, "CONTENT_TYPE": "application/json"}
    with caplog.at_level(logging.WARNING, "hongyan"):
        assert is_problem(hook.http.post(MEMBERS, environ_overrides=environ), 400)
    assert [record.message for record in caplog.records] == ["body.unread"]
    assert caplog.records[0].__dict__["facts"] == {"error_type": "ZeroDivisionError"}


# Answers of the cloud


def failing(hook: Hook, fault: dict[str, Any]) -> TestResponse:
    hook.emulator.faults.add(**fault, times=9)
    return hook.post("/functions/apig.add_members", sample("apig.add_members"))


@pytest.mark.parametrize(
    ("fault", "status", "retry_after"),
    [
        ({"kind": "throttle_429"}, 503, "60"),
        ({"status": 429, "headers": {"Retry-After": "7"}, "body": {}}, 503, "7"),
        ({"status": 503, "body": {"error_code": "APIG.0613", "error_msg": "m"}}, 503, "5"),
        ({"status": 409, "body": {"error_code": "APIG.3491", "error_msg": "m"}}, 409, None),
        ({"status": 403, "body": {"error_code": "APIG.1113", "error_msg": "m"}}, 403, None),
        ({"status": 401, "body": {"error_code": "APIGW.0301", "error_msg": "m"}}, 500, None),
        ({"status": 500, "body": {"error_code": "APIG.9999", "error_msg": "m"}}, 500, None),
        ({"kind": "drop_after"}, 500, None),
    ],
)
def test_each_kind_has_its_status(hook: Hook, fault: dict[str, Any], status: int, retry_after: str | None) -> None:
    response = failing(hook, fault)
    assert (response.status_code, response.headers.get("Retry-After")) == (status, retry_after)
    assert event_of(response).data["outcome"] == ("unknown" if fault.get("kind") == "drop_after" else "failed")


def test_what_does_not_exist(hook: Hook) -> None:
    payload = json.loads(sample("apig.add_members")) | {"vpc_channel_id": CHANNEL[::-1]}
    response = hook.post("/functions/apig.add_members", payload)
    assert (response.status_code, event_of(response).data["error"]["code"]) == (404, "APIG.3023")


def test_no_secret_in_any_answer_or_log(hook: Hook, caplog: pytest.LogCaptureFixture) -> None:
    secret = CloudSettings.from_env({"HONGYAN_EMULATOR": "local"}).secret_key
    with caplog.at_level(logging.DEBUG):
        answers = [
            failing(hook, {"status": 401, "body": {}}),
            hook.http.get("/health/ready"),
            hook.post(MEMBERS, b"{}"),
        ]
    logged = [str(record.__dict__) for record in caplog.records]
    assert logged
    assert not [
        text for text in [*logged, *(str(answer.data) + str(answer.headers) for answer in answers)] if secret in text
    ]


# Health and shapes


def test_live_and_ready(hook: Hook) -> None:
    assert hook.http.get("/health/live").get_json() == {"status": "live"}
    ready = hook.http.get("/health/ready")
    assert (ready.status_code, ready.get_json()) == (200, {"status": "ready", "cloud": "emulator", "missing": []})


def test_not_ready_says_what_is_missing_and_no_secret() -> None:
    http = create_app(CloudSettings(region="cn-north-4", secret_key="fake-secret"), EventSettings()).test_client()
    ready = http.get("/health/ready")
    assert ready.status_code == 503
    assert ready.get_json()["missing"] == ["HUAWEICLOUD_SDK_PROJECT_ID", "HUAWEICLOUD_SDK_AK"]
    assert b"fake-secret" not in ready.data


def test_it_does_not_start_without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", {"HUAWEICLOUD_SDK_PROJECT_ID": PROJECT})
    with pytest.raises(ConfigurationError, match="HUAWEICLOUD_SDK_REGION, HUAWEICLOUD_SDK_AK, HUAWEICLOUD_SDK_SK"):
        create_app()


def test_results_are_as_the_served_schema_says(hook: Hook) -> None:
    response = hook.http.get("/schemas/result/1")
    schema = response.get_json(force=True)
    event = event_of(hook.post(MEMBERS, sample("elb.list_members")))
    assert response.content_type == "application/schema+json"
    assert schema["$id"] == event.dataschema
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(event.data)
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(event.data | {"outcome": "perhaps"})
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({name: value for name, value in event.data.items() if name != "error"})
