"""Every answer of the application is as the document says for its path, method, status and media type."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from events.openapi import openapi
from events.queues import QueueRefused, QueueUnavailable
from events.samples import sample
from events.settings import EventSettings
from events.triggers.webhook import create_app
from functions.cloud.settings import CloudSettings
from functions.registry import names
from tests.events.openapi.support import BATCH, BOTH, EVENT, JSON, STRUCTURED, Api, takes, validator
from tests.events.triggers.queued import url_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from werkzeug.test import TestResponse

SAMPLE = json.loads(sample("elb.list_members"))


def assert_described(path: str, method: str, answered: TestResponse) -> None:
    """Hold an answer against the document; one that is not described is a KeyError."""
    document = openapi(**BOTH)
    response = document["paths"][path][method.lower()]["responses"][str(answered.status_code)]
    if "$ref" in response:
        response = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
    for name, header in response.get("headers", {}).items():
        text = answered.headers.get(name)
        assert text or not header.get("required"), name
        if text:
            assert takes(header["schema"], int(text) if header["schema"].get("type") == "integer" else text), (
                name,
                text,
            )
    if answered.data:
        body = json.loads(answered.data) if "json" in (answered.mimetype or "") else answered.text
        validator(json.dumps(response["content"][answered.mimetype or ""]["schema"])).validate(body)


ADD, LIST = "/functions/apig.add_members", "/functions/elb.list_members"
TYPED = {**EVENT, "data": SAMPLE}
ASKED: list[tuple[int, str, Any, dict[str, str]]] = [
    *((200, f"/functions/{name}", json.loads(sample(name)), {}) for name in names()),
    *((200, f"/functions/{name}", json.loads(sample(name)), {"Accept": JSON}) for name in names()),
    (200, LIST, TYPED, {"Content-Type": STRUCTURED}),
    (200, "/events", TYPED, {"Content-Type": STRUCTURED}),
    (
        200,
        "/events",
        TYPED | {"correlationid": 7, "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"},
        {"Content-Type": STRUCTURED},
    ),
    (200, "/events", TYPED, {"Content-Type": STRUCTURED, "Accept": JSON}),
    (200, "/events", SAMPLE, {f"ce-{name}": value for name, value in EVENT.items()}),
    (200, "/events", [TYPED, TYPED | {"type": "x"}, TYPED | {"data": {}}], {"Content-Type": BATCH}),
    (200, LIST, [TYPED], {"Content-Type": BATCH}),
    (204, "/events", [], {"Content-Type": BATCH}),
    (400, ADD, {}, {}),
    (400, ADD, {}, {"Accept": JSON}),
    (400, ADD, {}, {"Idempotency-Key": "a b"}),
    (400, "/events", {}, {"Content-Type": STRUCTURED}),
    (400, "/events", TYPED | {"data": 1}, {"Content-Type": STRUCTURED}),
    (400, LIST, SAMPLE, {"Host": "evil.example.com"}),
    (403, LIST, SAMPLE | {"project_id": "other"}, {}),
    (403, LIST, SAMPLE, {"X-Forwarded-For": "192.0.2.1"}),
    (404, ADD, json.loads(sample("apig.add_members")) | {"vpc_channel_id": "0" * 32}, {}),
    (413, "/events", [EVENT] * 1001, {"Content-Type": BATCH}),
    (413, LIST, {"x": "x" * 1_048_576}, {}),
    (415, LIST, SAMPLE, {"Content-Type": "text/plain"}),
    (415, LIST, SAMPLE, {"Content-Encoding": "gzip"}),
    (415, "/events", SAMPLE, {}),
    (501, "/events", TYPED | {"type": "hongyan.elb.nothing"}, {"Content-Type": STRUCTURED}),
    (501, "/events", TYPED | {"type": "no name at all"}, {"Content-Type": STRUCTURED, "Accept": JSON}),
]


@pytest.mark.parametrize(("status", "path", "body", "headers"), ASKED, ids=lambda value: str(value)[:40])
def test_every_answer_is_as_the_document_says(status: int, path: str, body: Any, headers: dict[str, str]) -> None:
    answered = Api().http.post(path, data=json.dumps(body), headers={"Content-Type": JSON, **headers})
    assert answered.status_code == status, answered.text
    assert_described(path, "POST", answered)


STORED: list[tuple[int, str, Any, dict[str, str]]] = [
    (202, LIST, SAMPLE, {}),
    (202, LIST, SAMPLE, {"Idempotency-Key": "k"}),
    (202, "/events", TYPED | {"correlationid": 7, "partitionkey": "p"}, {"Content-Type": STRUCTURED}),
    (202, "/events", SAMPLE, {f"ce-{name}": value for name, value in EVENT.items()}),
    (202, "/events", [TYPED, TYPED | {"type": "x"}, TYPED | {"data": {}}], {"Content-Type": BATCH}),
    (200, "/events", [TYPED | {"type": "x"}], {"Content-Type": BATCH}),
    (204, "/events", [], {"Content-Type": BATCH}),
    (400, ADD, {}, {}),
    (400, "/events", TYPED | {"partitionkey": "p" * 513}, {"Content-Type": STRUCTURED}),
    (403, LIST, SAMPLE | {"project_id": "other"}, {"Accept": JSON}),
    (501, "/events", TYPED | {"type": "hongyan.elb.nothing"}, {"Content-Type": STRUCTURED}),
]


@pytest.mark.parametrize(("status", "path", "body", "headers"), STORED, ids=lambda value: str(value)[:40])
def test_every_answer_to_what_is_stored_for_later_is_as_the_document_says(
    status: int, path: str, body: Any, headers: dict[str, str], tmp_path: Path
) -> None:
    api = Api(EventSettings(queue=url_of(tmp_path)))
    sent = {"Content-Type": JSON, "Prefer": "respond-async", **headers}
    answered = api.http.post(path, data=json.dumps(body), headers=sent)
    assert answered.status_code == status, answered.text
    assert_described(path, "POST", answered)
    assert not api.emulator.journal


@pytest.mark.parametrize(("fault", "status"), [(QueueUnavailable("away"), 503), (QueueRefused("no"), 500), (None, 501)])
def test_every_failure_of_the_queue_is_as_the_document_says(
    fault: Exception | None, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def publish(*_: Any) -> None:
        assert fault
        raise fault

    monkeypatch.setattr("events.queues.publishing.Publisher.publish", publish)
    api = Api(EventSettings(queue=url_of(tmp_path) if fault else ""))
    answered = api.http.post(LIST, json=SAMPLE, headers={"Prefer": "respond-async"})
    assert answered.status_code == status
    assert_described(LIST, "POST", answered)


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"kind": "throttle_429"}, 503),
        ({"status": 409, "body": {"error_code": "APIG.3491", "error_msg": "m"}}, 409),
        ({"status": 403, "body": {"error_code": "APIG.1113", "error_msg": "m"}}, 403),
        ({"status": 401, "body": {"error_code": "APIGW.0301", "error_msg": "m"}}, 500),
        ({"kind": "drop_after"}, 500),
        ({"status": 202, "body": {}}, 500),
        ({"status": 501, "body": {}}, 501),
    ],
)
@pytest.mark.parametrize("accept", ["*/*", JSON])
def test_every_failure_of_the_cloud_is_as_the_document_says(fault: dict[str, Any], status: int, accept: str) -> None:
    api = Api()
    api.emulator.faults.add(**fault, times=9)
    answered = api.http.post(ADD, data=sample("apig.add_members"), headers={"Content-Type": JSON, "Accept": accept})
    assert answered.status_code == status, answered.text
    assert_described(ADD, "POST", answered)


def test_a_fault_of_ours_is_as_the_document_says(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api()
    monkeypatch.setattr("events.dispatch.Dispatcher.dispatch", lambda *_: 1 / 0)
    assert_described(LIST, "POST", api.http.post(LIST, json=SAMPLE))


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/schemas/result/1", "/openapi.json", "/docs"])
@pytest.mark.parametrize("address", ["127.0.0.1", "192.0.2.1"])
def test_what_the_server_tells_of_itself_is_as_the_document_says(path: str, address: str) -> None:
    answered = Api().http.get(path, environ_overrides={"REMOTE_ADDR": address})
    assert answered.status_code == (200 if address == "127.0.0.1" else 403)
    assert_described(path, "GET", answered)


def test_not_ready_is_as_the_document_says() -> None:
    http = create_app(CloudSettings(region="cn-north-4"), EventSettings()).test_client()
    answered = http.get("/health/ready")
    assert answered.status_code == 503
    assert_described("/health/ready", "GET", answered)


SENDERS = """
[senders.machine]
scheme = "bearer"
secrets = [{ env = "FAKE_TOKEN" }]
operations = ["elb.list_members"]
origins = ["*"]
rate = "2/day"

[senders.patient]
scheme = "bearer"
secrets = [{ env = "FAKE_TOKEN" }]
operations = ["elb.list_members"]
async = true

[senders.callback]
scheme = "wecom"
secrets = [{ token = { env = "FAKE_WORD" }, aes_key = { env = "FAKE_AES_KEY" } }]
receive_id = "corp"
operations = ["elb.list_members"]
"""
TOKEN = "fake-token-of-a-test-sender"


@pytest.fixture
def signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., TestResponse]:
    for name, value in (("FAKE_TOKEN", TOKEN), ("FAKE_WORD", "FakeWord"), ("FAKE_AES_KEY", "A" * 43)):
        monkeypatch.setenv(name, value)
    file = tmp_path / "senders.toml"
    file.write_text(SENDERS)
    file.chmod(0o600)
    api = Api(EventSettings(senders=str(file), queue=url_of(tmp_path)))

    def ask(method: str, sender: str, body: Any = None, **headers: str) -> TestResponse:
        known = {"Authorization": f"Bearer {TOKEN}", "Content-Type": STRUCTURED}
        sent = {**known, **{name.replace("_", "-"): value for name, value in headers.items()}}
        answered = api.http.open(f"/hooks/{sender}", method=method, data=json.dumps(body), headers=sent)
        assert_described("/hooks/{sender}", method, answered)
        return answered

    return ask


def test_the_answers_to_senders_are_as_the_document_says(signed: Callable[..., TestResponse]) -> None:
    assert signed("POST", "machine", TYPED, Authorization="").get_json(force=True)["reason"] == "header_missing"
    assert signed("POST", "machine", TYPED, Authorization="Bearer other").status_code == 401
    assert signed("POST", "machine", TYPED, X_Forwarded_For="192.0.2.1").status_code == 403
    assert signed("POST", "nobody", TYPED).status_code == 404
    assert signed("POST", "machine", "text", Content_Type="text/plain").status_code == 415
    assert signed("POST", "machine", TYPED, Idempotency_Key="k").status_code == 200
    again = signed("POST", "machine", TYPED, Idempotency_Key="k")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert signed("POST", "machine", TYPED, Idempotency_Key="other").status_code == 429
    assert signed("POST", "patient", TYPED).status_code == 202
    stored = signed("POST", "patient", [TYPED, TYPED | {"data": {}}], Content_Type=BATCH, Prefer="respond-async")
    assert (stored.status_code, stored.headers["Preference-Applied"]) == (202, "respond-async")


def test_the_handshakes_are_as_the_document_says(signed: Callable[..., TestResponse]) -> None:
    assert signed("OPTIONS", "machine").status_code == 405
    assert signed("OPTIONS", "machine", WebHook_Request_Origin="e e").status_code == 400
    agreed = signed("OPTIONS", "machine", WebHook_Request_Origin="e.example.com", WebHook_Request_Rate="120")
    assert agreed.status_code == 204
    assert {"WebHook-Allowed-Origin", "WebHook-Allowed-Rate"} <= set(agreed.headers.keys())
    assert signed("GET", "machine").status_code == 405
    assert signed("GET", "callback").status_code == 401
