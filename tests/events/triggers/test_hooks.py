"""The senders' doors without a framework: the order of what is looked at, once only, grants, and what each sender is told."""

from __future__ import annotations

import dataclasses
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from events.captures import Capture, Captures
from events.cloudevents.http import from_http
from events.deliveries import Deliveries, Unavailable
from events.dispatch import Dispatcher
from events.problems import HttpAnswer
from events.samples import sample
from events.senders import Rate
from events.settings import EventSettings
from events.signatures import Refusal, Verified
from events.triggers.hooks import HookDoor
from events.triggers.http import HttpRequest
from events.triggers.later import Later
from events.triggers.storing import Storing
from functions.cloud.client import Client
from functions.cloud.emulator.adapter import EmulatorAdapter
from functions.cloud.emulator.core import Emulator
from functions.cloud.retry import Retry
from functions.cloud.settings import CloudSettings
from tests.events.signatures.fakes import Fake, sender
from tests.support import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from events.cloudevents import CloudEvent
    from events.senders import Sender
    from events.signatures import Delivery, Secret, Signed

NOW = 1_750_000_000.0
JSON = {"Content-Type": "application/json", "X-Fake": f"word@{NOW}"}
STRUCTURED = JSON | {"Content-Type": "application/cloudevents+json"}
BODY = sample("elb.list_members")
WRITE = sample("apig.add_members")


class Door:
    """A door with senders, on an emulator of its own and a clock that is set."""

    def __init__(self, *senders: Sender, captures: Captures | None = None, queue: Any = None) -> None:
        self.now = NOW
        self.emulator = Emulator()
        settings = dataclasses.replace(
            CloudSettings.from_env({"HONGYAN_EMULATOR": "local"}), allowed_projects=frozenset({"other"})
        )
        client = Client(settings, retry=Retry(sleep=lambda _: None))
        client.transport._session.mount("http://", EmulatorAdapter(self.emulator))
        self.deliveries = Deliveries()
        known: Any = {each.name: each for each in senders or (sender(),)}
        self.dispatcher = Dispatcher(client, EventSettings())
        self.door = HookDoor(
            self.dispatcher,
            EventSettings(),
            known,
            self.deliveries,
            captures=captures,
            later=Later(self.dispatcher, EventSettings(), Storing(queue)) if queue else None,
            clock=lambda: self.now,
        )

    def send(
        self, body: bytes = BODY, headers: dict[str, str] | None = None, name: str = "monitoring", **more: Any
    ) -> HttpAnswer:
        request = HttpRequest(JSON if headers is None else headers, b"", client="203.0.113.9", **more)
        return self.door.answer(name, request, lambda: body)


def signed(at: float = NOW, id_: str | None = None, word: str = "word") -> dict[str, str]:
    return JSON | {"X-Fake": f"{word}@{at}", **({"X-Fake-Id": id_} if id_ else {})}


def event_of(answer: HttpAnswer) -> CloudEvent:
    found = from_http(answer.headers, answer.body)
    assert not isinstance(found, list)
    return found


def problem_of(answer: HttpAnswer) -> dict[str, Any]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    found: dict[str, Any] = json.loads(answer.body)
    assert found["status"] == answer.status
    return found


def reason_of(answer: HttpAnswer, status: int = 401) -> str:
    assert answer.status == status
    return str(problem_of(answer)["reason"])


# What is taken


def test_a_signed_payload_runs_and_its_event_names_the_sender() -> None:
    answer = Door().send(headers=signed(id_="d-1"))
    event = event_of(answer)
    assert (answer.status, event.data["outcome"]) == (200, "succeeded")
    assert event.data["trigger"] == {"kind": "webhook", "id": "d-1", "sender": "monitoring"}
    assert event.extensions["causationid"] == "d-1"


def envelope(**changes: Any) -> bytes:
    known = {
        "specversion": "1.0",
        "id": "e1",
        "source": "/s",
        "type": "hongyan.elb.list_members",
        "data": json.loads(BODY),
    }
    return json.dumps(known | changes).encode()


def test_a_cloudevents_type_says_what_to_run() -> None:
    event = event_of(Door(sender(operation=None)).send(envelope(), STRUCTURED))
    assert (event.type, event.data["trigger"]["id"]) == ("hongyan.elb.list_members.succeeded", "e1")


def test_a_batch_is_run_event_by_event() -> None:
    batch = b"[" + envelope() + b"," + envelope(id="e2", type="hongyan.apig.add_members") + b"]"
    answer = Door().send(batch, JSON | {"Content-Type": "application/cloudevents-batch+json"})
    found = from_http(answer.headers, answer.body)
    assert isinstance(found, list)
    assert [event.data["outcome"] for event in found] == ["succeeded", "rejected"]
    assert found[1].data["error"]["kind"] == "permission_denied"


def test_attributes_in_headers_are_not_signed_so_not_believed() -> None:
    headers = signed() | {
        "ce-id": "1",
        "ce-source": "/s",
        "ce-type": "hongyan.elb.list_members",
        "ce-specversion": "1.0",
    }
    door = Door()
    answer = door.send(headers=headers)
    assert (answer.status, "structured" in problem_of(answer)["detail"]) == (415, True)
    assert door.send(headers=signed()).status == 200  # Nothing came of it, so the signature may be used.


class Unsigned(Fake):
    takes_headers = True

    def verified(self, delivery: Delivery, signed: Signed, secret: Secret, sender: str) -> Verified:
        return dataclasses.replace(super().verified(delivery, signed, secret, sender), fingerprint="")


def test_who_signs_nothing_may_use_binary_mode() -> None:
    headers = signed() | {
        "ce-id": "1",
        "ce-source": "/s",
        "ce-type": "hongyan.elb.list_members",
        "ce-specversion": "1.0",
    }
    assert Door(sender(scheme=Unsigned(), operation=None)).send(headers=headers).status == 200


def test_a_payload_inside_another_systems_body() -> None:
    door = Door(sender(payload={"listener_id": {"at": "/alarm/resource"}, "limit": 1}))
    body = json.dumps({"alarm": {"resource": json.loads(BODY)["listener_id"]}}).encode()
    assert event_of(door.send(body)).data["outcome"] == "succeeded"
    lost = door.send(b'{"alarm": 1}', signed(NOW + 1))
    assert (lost.status, event_of(lost).data["outcome"]) == (400, "rejected")
    assert door.send(b"{", signed(NOW + 2)).status == 400


def test_a_bare_payload_of_a_sender_with_several_operations() -> None:
    answer = Door(sender(operation=None)).send()
    assert (answer.status, "CloudEvent" in problem_of(answer)["detail"]) == (400, True)


class Inner(Fake):
    def verified(self, delivery: Delivery, signed: Signed, secret: Secret, sender: str) -> Verified:
        found = super().verified(delivery, signed, secret, sender)
        return dataclasses.replace(found, body=BODY, content_type="application/json")


def test_what_a_scheme_unwraps_replaces_body_and_type() -> None:
    assert Door(sender(scheme=Inner())).send(b"<xml/>", JSON | {"Content-Type": "text/xml"}).status == 200


class Hurried(Fake):
    answer_within_s = 1.5


def test_the_deadline_is_what_the_sender_waits() -> None:
    door = Door(sender(scheme=Hurried()))
    door.emulator.faults.add(status=429, headers={"Retry-After": "3"}, body={}, times=9)
    assert event_of(door.send()).data["upstream"]["attempts"] == 1  # Nobody would hear a second one.


# What was granted


def test_an_operation_that_was_not_granted() -> None:
    answer = Door(sender(operation=None)).send(
        envelope(type="hongyan.apig.add_members", data=json.loads(WRITE)), STRUCTURED
    )
    error = event_of(answer).data["error"]
    assert (answer.status, error["kind"]) == (403, "permission_denied")
    assert "it may run elb.list_members" in error["message"]


@pytest.mark.parametrize(
    ("projects", "named", "outcome"),
    [
        (set(), None, "succeeded"),
        (set(), PROJECT, "succeeded"),
        (set(), "other", "rejected"),
        ({PROJECT}, PROJECT, "succeeded"),
        ({"other"}, None, "rejected"),
        ({"other"}, PROJECT, "rejected"),
        ({"other"}, "elsewhere", "rejected"),
    ],
)
def test_a_project_that_was_not_granted(projects: set[str], named: str | None, outcome: str) -> None:
    body = json.loads(BODY) | ({"project_id": named} if named else {})
    answer = Door(sender(projects=frozenset(projects))).send(json.dumps(body).encode())
    event = event_of(answer)
    assert (event.data["outcome"], answer.status) == (outcome, 200 if outcome == "succeeded" else 403)
    assert outcome == "succeeded" or event.data["error"]["kind"] == "permission_denied"


# What is refused


def test_a_stranger_is_told_a_code_and_the_operator_the_rest(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    door = Door(captures=Captures(str(tmp_path)))
    with caplog.at_level(logging.WARNING, "hongyan"):
        answer = door.send(headers=signed(word="wrong"))
    assert reason_of(answer) == "signature_mismatch"
    assert "no secret" not in problem_of(answer)["detail"]
    assert answer.headers["WWW-Authenticate"] == 'Fake realm="hooks"'
    [record] = caplog.records
    assert (record.message, record.__dict__["facts"]["client"]) == ("sender.refused", "203.0.113.9")
    assert record.__dict__["facts"]["detail"] == "no secret of this sender makes this signature"
    [file] = tmp_path.iterdir()
    assert Capture.from_json(file.read_bytes()).reason == "signature_mismatch"
    assert not door.emulator.journal


def test_nothing_is_read_of_what_is_refused_by_its_head() -> None:
    def never() -> bytes:
        raise AssertionError("the body was read")

    door = Door().door
    for name, headers, method, status in [
        ("nobody", JSON, "POST", 404),
        ("monitoring", JSON, "GET", 405),
        ("monitoring", JSON, "OPTIONS", 405),
        ("monitoring", JSON, "TRACE", 405),
        ("monitoring", JSON | {"Content-Encoding": "gzip"}, "POST", 415),
    ]:
        answer = door.answer(name, HttpRequest(headers, b"", method), never)
        assert answer.status == status
        assert status != 405 or answer.headers["Allow"] == "POST"


def test_the_secret_of_one_sender_is_no_good_on_anothers_path() -> None:
    from events.signatures import Secret, Secrets

    other = sender(name="other", secrets=Secrets("other", (Secret("another", "env OTHER"),)))
    door = Door(sender(), other)
    assert reason_of(door.send(name="other")) == "signature_mismatch"
    assert door.send(name="other", headers=signed(word="another")).status == 200


def test_over_https_only(caplog: pytest.LogCaptureFixture) -> None:
    door = Door(sender(https=True))
    with caplog.at_level(logging.WARNING, "hongyan"):
        assert reason_of(door.send(), 403) == "https_required"
    assert "HONGYAN_PROXIES" in caplog.records[0].__dict__["facts"]["detail"]
    assert door.send(https=True).status == 200


def test_the_body_of_what_came_in_the_clear_is_not_read() -> None:
    def never() -> bytes:
        raise AssertionError("the body was read")

    door = Door(sender(https=True)).door
    assert reason_of(door.answer("monitoring", HttpRequest(JSON, b""), never), 403) == "https_required"


class Undecided(Fake):
    def read(self, delivery: Delivery) -> Signed:
        raise Refusal("try_later", "the certificate cannot be fetched")


def test_what_cannot_be_told_now_comes_back_later() -> None:
    answer = Door(sender(scheme=Undecided())).send()
    assert (reason_of(answer, 503), answer.headers["Retry-After"]) == ("try_later", "5")


def test_over_its_rate() -> None:
    door = Door(sender(rate=Rate(2, 60.0)))
    assert [door.send(headers=signed(NOW + n)).status for n in range(3)] == [200, 200, 429]
    limited = door.send(headers=signed(NOW + 3))
    assert (limited.headers["Retry-After"], problem_of(limited)["kind"]) == ("30", "resource_exhausted")
    door.now += 30
    assert door.send(headers=signed(NOW + 3)).status == 200  # It was not lost: the very same request is taken later.


def test_strangers_do_not_use_up_a_senders_rate() -> None:
    door = Door(sender(rate=Rate(1, 60.0)))
    for _ in range(5):
        assert door.send(headers=signed(word="wrong")).status == 401
    assert door.send().status == 200


def test_a_replayed_request_does_not_use_up_its_senders_rate() -> None:
    door = Door(sender(rate=Rate(2, 60.0)))
    assert door.send().status == 200
    for _ in range(5):
        assert reason_of(door.send()) == "replayed"
    assert door.send(headers=signed(NOW + 1)).status == 200


# Once only


def test_the_very_same_request_again_is_a_replay() -> None:
    door = Door()
    assert door.send().status == 200
    assert reason_of(door.send()) == "replayed"
    assert len(door.emulator.journal) == 1


def test_it_is_a_replay_for_as_long_as_it_is_not_too_old() -> None:
    door = Door()
    door.send()
    for later, reason in ((1, "replayed"), (300, "replayed"), (301, "too_old"), (10**6, "too_old")):
        door.now = NOW + later
        assert reason_of(door.send()) == reason


@pytest.mark.parametrize("later", [5, 300, 1800, 18_000, 6 * 86_400])
def test_the_senders_own_retry_is_not_done_again_however_late(later: float) -> None:
    door = Door()
    assert door.send(headers=signed(id_="d-1")).status == 200
    door.now += later
    assert door.send(headers=signed(door.now, id_="d-1")).status == 200
    assert len(door.emulator.journal) == 1


def test_what_is_partly_done_is_not_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    body = sample("csbs.check_restorable")
    door = Door(sender(operations=frozenset({"csbs.check_restorable"}), operation="csbs.check_restorable"))
    monkeypatch.setattr("events.running.Partial", dict)
    assert event_of(door.send(body, signed(id_="d-1"))).data["outcome"] == "partial"
    assert door.send(body, signed(NOW + 1, id_="d-1")).headers == {"Idempotent-Replayed": "true"}


def test_a_write_in_doubt_that_may_be_repeated_is_taken_again_as_its_sender_was_told() -> None:
    operation = "vpcep.update_connection_descriptions"
    door = Door(sender(operations=frozenset({operation}), operation=operation))
    door.emulator.faults.add(kind="drop_after", times=9)
    first = door.send(sample(operation), signed(id_="d-1"))
    assert (first.status, event_of(first).data["outcome"]) == (503, "unknown")
    door.emulator.faults.clear()
    assert door.send(sample(operation), signed(NOW + 5, id_="d-1")).status == 200


@pytest.mark.parametrize("body", [BODY, b"{}"])
def test_the_sender_is_told_what_became_of_it_even_if_that_cannot_be_remembered(
    body: bytes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise Unavailable("disk full")

    door = Door()
    monkeypatch.setattr(Deliveries, "finish", fails)
    monkeypatch.setattr(Deliveries, "release", fails)
    with caplog.at_level(logging.ERROR, "hongyan"):
        assert door.send(body).status == (200 if body == BODY else 400)
    assert caplog.records[-1].message == "deliveries.unavailable"


class Timeless(Fake):
    def read(self, delivery: Delivery) -> Signed:
        return dataclasses.replace(super().read(delivery), time=None)


def test_where_no_time_is_signed_it_is_remembered_for_the_window_and_no_longer() -> None:
    door = Door(sender(scheme=Timeless(window_s=1000)))
    assert door.send().status == 200
    door.now = NOW + 1000
    assert reason_of(door.send()) == "replayed"
    door.now = NOW + 1001
    assert door.send().status == 200


def test_a_request_signed_in_the_future_is_remembered_until_its_window_is_over() -> None:
    door = Door()
    ahead = signed(NOW + 300)
    assert door.send(headers=ahead).status == 200
    for later in (299, 300, 599, 600):
        door.now = NOW + later
        assert reason_of(door.send(headers=ahead)) == "replayed"
    door.now = NOW + 601
    assert reason_of(door.send(headers=ahead)) == "too_old"


def test_the_senders_own_retry_of_what_was_done_is_answered_and_not_done_again() -> None:
    door = Door()
    assert door.send(headers=signed(id_="d-1")).status == 200
    again = door.send(headers=signed(NOW + 5, id_="d-1"))
    assert (again.status, again.body, again.headers) == (200, b"", {"Idempotent-Replayed": "true"})
    assert len(door.emulator.journal) == 1


def test_two_senders_may_use_the_same_id() -> None:
    door = Door(sender(), sender(name="other"))
    first, second = (event_of(door.send(name=name, headers=signed(id_="d-1"))) for name in ("monitoring", "other"))
    assert first.id != second.id
    assert len(door.emulator.journal) == 2


def test_what_came_to_nothing_may_be_sent_again() -> None:
    door = Door()
    door.emulator.faults.add(kind="throttle_429", times=4)
    assert door.send(headers=signed(id_="d-1")).status == 503
    assert door.send(headers=signed(id_="d-1")).status == 200


def test_a_payload_that_was_rejected_may_be_corrected_under_its_id() -> None:
    door = Door()
    assert door.send(b"{}", signed(id_="d-1")).status == 400
    assert door.send(headers=signed(NOW + 1, id_="d-1")).status == 200


def test_a_write_in_doubt_is_not_done_again() -> None:
    door = Door(sender(operations=frozenset({"apig.add_members"}), operation="apig.add_members"))
    door.emulator.faults.add(kind="drop_after")
    assert event_of(door.send(WRITE, signed(id_="d-1"))).data["outcome"] == "unknown"
    assert reason_of(door.send(WRITE, signed(NOW + 1, id_="d-1")), 409) == "already_handled"
    assert len(door.emulator.journal) == 1


def test_a_batch_with_a_write_in_doubt_is_not_done_again() -> None:
    door = Door(sender(operations=frozenset({"apig.add_members"})))
    door.emulator.faults.add(kind="drop_after")
    write = envelope(type="hongyan.apig.add_members", data=json.loads(WRITE))
    batch = {"Content-Type": "application/cloudevents-batch+json"}
    assert door.send(b"[" + write + b"]", signed(id_="d-1") | batch).status == 200
    assert reason_of(door.send(b"[]", signed(NOW + 1, id_="d-1") | batch), 409) == "already_handled"


def test_a_retry_while_the_first_is_under_way_comes_back_later() -> None:
    door = Door()
    door.deliveries.claim("monitoring", "f", "d-1", NOW + 600, NOW)
    answer = door.send(headers=signed(id_="d-1"))
    assert (reason_of(answer, 409), answer.headers["Retry-After"]) == ("under_way", "5")


def test_when_our_process_dies_in_the_middle_it_is_not_taken_for_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    door = Door()
    with monkeypatch.context() as patched:
        patched.setattr("events.dispatch.Dispatcher.dispatch", dies)
        with pytest.raises(KeyboardInterrupt):
            door.send(headers=signed(id_="d-1"))
    assert reason_of(door.send(headers=signed(NOW + 1, id_="d-1")), 409) == "under_way"
    door.now += 100
    assert reason_of(door.send(headers=signed(door.now, id_="d-1")), 409) == "already_handled"


def test_what_cannot_be_remembered_is_not_done(caplog: pytest.LogCaptureFixture) -> None:
    door = Door()
    door.deliveries.close()
    with caplog.at_level(logging.ERROR, "hongyan"):
        answer = door.send()
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert caplog.records[-1].message == "deliveries.unavailable"
    assert not door.emulator.journal


# Handshakes


class Greeting(Fake):
    reads_get = True

    def verified(self, delivery: Delivery, signed: Signed, secret: Secret, sender: str) -> Verified:
        found = super().verified(delivery, signed, secret, sender)
        return dataclasses.replace(found, answer=HttpAnswer(200, {"Content-Type": "text/plain"}, b"hello"))


def test_a_schemes_own_handshake_is_answered_whenever_it_comes() -> None:
    door = Door(sender(scheme=Greeting(), rate=Rate(1, 60.0)))
    for method in ("GET", "POST", "GET"):
        assert door.send(b"", method=method).body == b"hello"
    assert not door.emulator.journal


class Subscribing(Fake):
    asked: list[str]

    def verified(self, delivery: Delivery, signed: Signed, secret: Secret, sender: str) -> Verified:
        found = super().verified(delivery, signed, secret, sender)
        return dataclasses.replace(found, confirm="https://smn.example/confirm", answer=HttpAnswer(200))

    def confirm(self, url: str) -> None:
        self.asked.append(url)
        if len(self.asked) == 1:
            raise Refusal("body_malformed", "no answer")


def test_a_subscription_is_confirmed_once_and_again_when_that_failed() -> None:
    scheme = Subscribing()
    scheme.asked = []
    door = Door(sender(scheme=scheme))
    assert door.send(headers=signed(id_="d-1")).status == 503
    assert [door.send(headers=signed(NOW + n, id_="d-1")).status for n in range(3)] == [200, 200, 200]
    assert scheme.asked == ["https://smn.example/confirm"] * 2


def ask(door: Door, method: str = "OPTIONS", **headers: str) -> HttpAnswer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return door.send(b"", named, method=method)


def test_the_cloudevents_handshake_consents_to_an_origin_that_is_listed() -> None:
    door = Door(sender(origins=("eventemitter.example.com",), rate=Rate(10, 1.0)))
    answer = ask(door, WebHook_Request_Origin="EventEmitter.example.com", WebHook_Request_Rate="120")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["WebHook-Allowed-Origin"] == "EventEmitter.example.com"
    assert answer.headers["WebHook-Allowed-Rate"] == "120"
    assert answer.headers["Allow"] == "POST, OPTIONS"
    for rate in ("1000", "*", ""):
        assert (
            ask(door, WebHook_Request_Origin="eventemitter.example.com", WebHook_Request_Rate=rate).headers[
                "WebHook-Allowed-Rate"
            ]
            == "600"
        )


def test_the_handshake_names_every_method_of_the_door() -> None:
    door = Door(sender(scheme=Greeting(), origins=("a.example",)))
    assert ask(door, WebHook_Request_Origin="a.example").headers["Allow"] == "POST, GET, OPTIONS"


def test_silence_is_no_consent() -> None:
    answer = ask(Door(sender(origins=("a.example",))), WebHook_Request_Origin="b.example")
    assert answer.status == 204
    assert "WebHook-Allowed-Origin" not in answer.headers


def test_any_origin_when_the_settings_say_so() -> None:
    assert (
        ask(Door(sender(origins=("*",))), WebHook_Request_Origin="b.example").headers["WebHook-Allowed-Origin"]
        == "b.example"
    )


@pytest.mark.parametrize("origin", ["a\r\nX: 1", "é", "https://a.example", "a b", "x" * 400, "-"])
def test_an_origin_that_cannot_be_is_not_echoed(origin: str) -> None:
    answer = ask(Door(sender(origins=("*",))), WebHook_Request_Origin=origin)
    assert answer.status == 400
    assert "WebHook-Allowed-Origin" not in answer.headers


@pytest.mark.parametrize("rate", ["0", "-1", "1.5", "many", "1" * 40])
def test_a_rate_that_cannot_be(rate: str) -> None:
    assert ask(Door(sender(origins=("*",))), WebHook_Request_Origin="a", WebHook_Request_Rate=rate).status == 400


def test_options_without_an_origin_is_no_handshake() -> None:
    answer = ask(Door(sender(origins=("*",))))
    assert (answer.status, answer.headers["Allow"]) == (405, "POST, OPTIONS")
