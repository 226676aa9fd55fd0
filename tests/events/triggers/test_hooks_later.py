"""The senders' doors with a queue: what is stored for later, once only, by whom and for which projects, whoever dies when."""

from __future__ import annotations

import dataclasses
import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from events.deliveries import Unavailable
from events.queues import QueueRefused, QueueUnavailable
from events.settings import EventSettings
from events.signatures import registry
from events.triggers.storing import Storing
from events.triggers.webhook import create_app
from functions.cloud.settings import CloudSettings
from tests.events.signatures.fakes import Fake, sender
from tests.events.triggers.queued import FakePublisher, asked
from tests.events.triggers.test_hooks import (
    BODY,
    JSON,
    NOW,
    STRUCTURED,
    Door,
    Unsigned,
    envelope,
    event_of,
    problem_of,
    reason_of,
    signed,
)
from tests.support import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from events.problems import HttpAnswer
    from events.signatures import Delivery, Secret, Signed, Verified

ASYNC = {"Prefer": "respond-async"}
# Seconds after which whoever had a request is taken for dead: a call's deadline and a minute.
DEAD_S = 15.0 + 60.0


class Died(BaseException):
    """The process was killed."""


def told(answer: HttpAnswer) -> Any:
    assert (answer.status, answer.headers["Content-Type"]) == (202, "application/json"), answer
    return json.loads(answer.body)


def prefers(at: float = NOW, id_: str | None = None) -> dict[str, str]:
    return signed(at, id_) | ASYNC


def dies(
    door: Door, queue: FakePublisher, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch, *, stored: bool
) -> None:
    """Send a request whose process is killed before, or right after, the queue has confirmed."""

    def killed(*_: Any) -> None:
        raise Died

    with monkeypatch.context() as patched:
        # What is dead remembers nothing.
        patched.setattr(door.door, "_settle", killed)
        if not stored:
            patched.setattr(Storing, "store", killed)
        with pytest.raises(Died):
            door.send(headers=headers)
    assert len(queue.published) == stored


# What is stored


def test_a_request_that_prefers_it_is_stored_and_its_sender_known() -> None:
    queue = FakePublisher()
    door = Door(queue=queue)
    answer = door.send(headers=prefers(id_="d-1"))
    found = told(answer)
    assert (found["id"], found["operation"]) == ("d-1", "elb.list_members")
    assert answer.headers["Preference-Applied"] == "respond-async"
    (message,) = queue.messages
    assert message.meta == {"trigger": "webhook", "sender": "monitoring", "sender_id": "d-1", "projects": ""}
    assert not door.emulator.journal
    event = door.dispatcher.dispatch(asked(message)).event
    assert (event.id, event.data["outcome"]) == (found["result_id"], "succeeded")
    assert event.data["trigger"] == {"kind": "webhook", "id": "d-1", "sender": "monitoring"}


def test_the_senders_setting_stands_for_the_preference() -> None:
    queue = FakePublisher()
    answer = Door(sender(later=True), queue=queue).send()
    assert told(answer)["id"] == queue.messages[0].id
    assert "Preference-Applied" not in answer.headers  # It preferred nothing.


def test_the_result_has_the_id_that_it_would_have_had_at_once() -> None:
    door = Door(queue=FakePublisher())
    found = told(door.send(headers=prefers(id_="d-1")))
    assert found["result_id"] == event_of(Door().send(headers=signed(id_="d-1"))).id


def test_a_batch_is_stored_in_one_call_and_only_what_was_granted() -> None:
    queue = FakePublisher()
    batch = b"[" + envelope(partitionkey="p") + b"," + envelope(id="e2", type="hongyan.apig.add_members") + b"]"
    found = told(Door(queue=queue).send(batch, prefers() | {"Content-Type": "application/cloudevents-batch+json"}))
    assert found[1]["rejected"]["data"]["error"]["kind"] == "permission_denied"
    assert [[(message.id, message.group) for message in each] for each in queue.published] == [[("e1", "monitoring/p")]]


class Quiet(Fake):
    quiet = True


def test_a_sender_to_whom_a_body_is_a_reply_is_answered_200_and_nothing() -> None:
    queue = FakePublisher()
    door = Door(sender(scheme=Quiet(), later=True), queue=queue)
    assert dataclasses.astuple(door.send()) == (200, {}, b"")
    assert len(queue.messages) == 1
    refused = door.send(b"{}", signed(NOW + 1))
    assert (refused.status, event_of(refused).data["outcome"]) == (400, "rejected")


def test_which_schemes_are_quiet() -> None:
    kinds = {name: registry.find(name) for name in registry.names()}
    assert {name for name, kind in kinds.items() if kind and kind.quiet} == {
        "slack",
        "feishu",
        "dingtalk",
        "wecom",
        "smn",
    }


# What was granted


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize(
    ("projects", "named", "taken"),
    [
        ((), None, True),
        ((), "other", False),
        ((PROJECT,), PROJECT, True),
        (("other",), "other", True),
        (("other",), None, False),
        (("other",), PROJECT, False),
        (("other", PROJECT), "other", True),
        (("other",), "elsewhere", False),
    ],
)
def test_a_project_that_was_not_granted_is_refused_at_the_door(
    projects: tuple[str, ...], named: str | None, taken: bool, later: bool
) -> None:
    queue = FakePublisher()
    door = Door(sender(projects=frozenset(projects), later=later), queue=queue)
    body = json.loads(BODY) | ({"project_id": named} if named else {})
    answer = door.send(json.dumps(body).encode(), prefers())
    assert answer.status == (202 if taken else 403)
    assert bool(queue.messages) is taken


@pytest.mark.parametrize("projects", [frozenset(), frozenset({PROJECT})])
def test_a_senders_grants_are_looked_at_once_more_where_its_call_is_run(projects: frozenset[str]) -> None:
    queue = FakePublisher()
    door = Door(sender(projects=projects), queue=queue)
    told(door.send(headers=prefers()))
    call = asked(queue.messages[0])
    assert (call.sender, call.projects) == ("monitoring", projects)
    assert door.dispatcher.dispatch(call).outcome == "succeeded"
    # `other` is a project that the server may use, and this sender may not.
    forbidden = door.dispatcher.dispatch(dataclasses.replace(call, payload=call.payload | {"project_id": "other"}))
    assert forbidden.event.data["error"]["message"] == "this sender may not use this project"


@pytest.mark.parametrize("name", ["sender", "projects", "trigger", "senderid", "operation", "meta", "group"])
def test_attributes_that_look_like_ours_gain_nothing(name: str) -> None:
    queue = FakePublisher()
    door = Door(queue=queue)
    told(door.send(envelope(**{name: "other"}), STRUCTURED | ASYNC))
    call = asked(queue.messages[0])
    assert (call.sender, call.projects, call.trigger, call.sender_id) == ("monitoring", frozenset(), "webhook", "e1")
    assert (call.operation, queue.messages[0].group) == ("elb.list_members", None)


@pytest.mark.parametrize(
    "kind",
    [
        "hongyan.apig.add_members",
        "hongyan.elb.list_members ",
        "hongyan..elb.list_members",
        "elb.list_members",
        "hongyan.",
    ],
)
def test_a_type_that_was_not_granted_is_not_stored(kind: str) -> None:
    queue = FakePublisher()
    answer = Door(queue=queue).send(envelope(type=kind), STRUCTURED | ASYNC)
    assert answer.status in (403, 501)
    assert event_of(answer).data["outcome"] == "rejected"
    assert not queue.published


def test_a_partition_key_of_one_sender_is_never_anothers() -> None:
    queue = FakePublisher()
    first, second = (Door(sender(name=name, operation=None), queue=queue) for name in ("a", "b"))
    told(first.send(envelope(partitionkey="b/x"), STRUCTURED | ASYNC, name="a"))
    told(second.send(envelope(partitionkey="x"), STRUCTURED | ASYNC, name="b"))
    assert [message.group for message in queue.messages] == ["a/b/x", "b/x"]


def test_the_preference_lets_nobody_in() -> None:
    queue = FakePublisher()
    door = Door(sender(later=True), queue=queue)
    assert reason_of(door.send(headers=signed(word="wrong") | ASYNC)) == "signature_mismatch"
    assert reason_of(door.send(headers=JSON | {"X-Fake": f"word@{NOW - 999}"} | ASYNC)) == "too_old"
    assert not queue.published


# Once only


def test_what_is_stored_is_done_for_its_sender() -> None:
    queue = FakePublisher()
    door = Door(queue=queue)
    told(door.send(headers=prefers(id_="d-1")))
    assert reason_of(door.send(headers=prefers(id_="d-1"))) == "replayed"
    for headers in (prefers(NOW + 1, "d-1"), signed(NOW + 2, "d-1")):
        again = door.send(headers=headers)
        assert (again.status, again.headers, again.body) == (200, {"Idempotent-Replayed": "true"}, b"")
    assert len(queue.messages) == 1
    assert not door.emulator.journal


@pytest.mark.parametrize(("fault", "status"), [(QueueUnavailable("away"), 503), (QueueRefused("no"), 500)])
def test_what_was_not_stored_may_be_sent_again_as_it_was(fault: Exception, status: int) -> None:
    queue = FakePublisher(fault)
    door = Door(sender(later=True), queue=queue)
    answer = door.send(headers=signed(id_="d-1"))
    assert (answer.status, answer.headers.get("Retry-After")) == (status, "5" if status == 503 else None)
    assert problem_of(answer)
    assert told(door.send(headers=signed(id_="d-1")))["id"] == "d-1"


def test_a_request_without_an_id_has_the_same_one_each_time_it_comes() -> None:
    queue = FakePublisher(QueueUnavailable("away, perhaps stored"))
    stored: list[str] = []
    queue.before = lambda messages: stored.extend(message.id for message in messages)
    door = Door(queue=queue)
    assert door.send(headers=prefers()).status == 503
    first = told(door.send(headers=prefers()))["id"]
    second = told(door.send(headers=prefers(NOW + 1)))["id"]
    assert stored == [first, first, second]
    assert first != second


class Timeless(Fake):
    def verified(self, delivery: Delivery, signed: Signed, secret: Secret, sender: str) -> Verified:
        return dataclasses.replace(super().verified(delivery, signed, secret, sender), time=None)


def test_what_signs_nothing_gives_no_two_requests_one_id() -> None:
    door = Door(sender(scheme=Unsigned()), queue=FakePublisher())
    assert len({told(door.send(headers=prefers()))["id"] for _ in range(3)}) == 3


def test_where_no_time_is_signed_the_same_body_is_another_request_one_day() -> None:
    queue = FakePublisher(QueueUnavailable("away"))
    door = Door(sender(scheme=Timeless()), queue=queue)
    door.send(headers=prefers())
    assert uuid.UUID(told(door.send(headers=prefers()))["id"]).version == 4


def test_what_was_refused_may_be_sent_again_as_it_was() -> None:
    door = Door(queue=FakePublisher())
    assert [door.send(b"{}", prefers(id_="d-1")).status for _ in range(2)] == [400, 400]
    assert told(door.send(headers=prefers(id_="d-1")))


@pytest.mark.parametrize("stored", [False, True])
def test_a_process_that_dies_while_it_stores_errs_to_the_side_of_twice(
    stored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = FakePublisher()
    door = Door(sender(later=True), queue=queue)
    dies(door, queue, signed(id_="d-1"), monkeypatch, stored=stored)
    door.now += 1
    assert reason_of(door.send(headers=signed(door.now, "d-1")), 409) == "under_way"
    door.now += DEAD_S
    found = told(door.send(headers=signed(door.now, "d-1")))
    # Twice under one id, which whoever takes them out does once.
    assert [message.id for message in queue.messages] == ["d-1"] * (1 + stored)
    assert found["id"] == "d-1"
    door.now += 1
    assert door.send(headers=signed(door.now, "d-1")).headers == {"Idempotent-Replayed": "true"}


def test_the_very_same_request_is_taken_after_such_a_death_and_then_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = FakePublisher()
    door = Door(queue=queue)
    dies(door, queue, prefers(), monkeypatch, stored=True)
    assert reason_of(door.send(headers=prefers())) == "replayed"
    door.now += DEAD_S + 1
    told(door.send(headers=prefers()))
    first, second = queue.messages
    assert first.id == second.id
    assert reason_of(door.send(headers=prefers())) == "replayed"


def test_the_first_request_is_no_way_around_its_own_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = FakePublisher()
    door = Door(queue=queue)
    dies(door, queue, prefers(NOW, "d-1"), monkeypatch, stored=False)
    door.now += DEAD_S + 1
    told(door.send(headers=prefers(door.now, "d-1")))
    door.now += DEAD_S + 1
    assert reason_of(door.send(headers=prefers(NOW, "d-1"))) == "replayed"
    assert len(queue.messages) == 1


def test_who_died_while_it_stored_is_not_done_at_once_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = FakePublisher()
    door = Door(queue=queue)
    dies(door, queue, prefers(id_="d-1"), monkeypatch, stored=True)
    door.now += DEAD_S + 1
    # What is done at once would not know of what is in the queue.
    assert reason_of(door.send(headers=signed(door.now, "d-1")), 409) == "already_handled"
    assert not door.emulator.journal


def test_who_died_while_it_asked_the_cloud_is_not_stored_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = FakePublisher()
    door = Door(queue=queue)

    def killed(*_: Any) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(door.door, "_settle", killed)
        with pytest.raises(Died):
            door.send(headers=signed(id_="d-1"))
    door.now += DEAD_S + 1
    assert reason_of(door.send(headers=prefers(door.now, "d-1")), 409) == "already_handled"
    assert not queue.published


def test_a_memory_that_fails_after_storing_takes_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = FakePublisher()
    door = Door(queue=queue)

    def fails(*_: Any) -> None:
        raise Unavailable("full")

    with monkeypatch.context() as patched:
        patched.setattr(door.deliveries, "finish", fails)
        assert told(door.send(headers=prefers(id_="d-1")))["id"] == "d-1"
    door.now += DEAD_S + 1
    assert told(door.send(headers=prefers(door.now, "d-1")))["id"] == "d-1"


# Without a queue


@pytest.mark.parametrize(("later", "headers"), [(True, {}), (False, ASYNC)])
def test_without_a_queue_the_setting_is_named_and_nothing_remembered(later: bool, headers: dict[str, str]) -> None:
    door = Door(sender(later=later))
    for _ in range(2):
        found = problem_of(door.send(headers=signed(id_="d-1") | headers))
        assert (found["status"], found["kind"]) == (501, "unimplemented")
        assert "HONGYAN_QUEUE" in found["detail"]
    assert not door.emulator.journal


SENDERS = """
[senders.one]
scheme = "bearer"
secrets = [{ env = "FAKE_TOKEN" }]
operations = ["elb.list_members"]
async = true

[senders.two]
scheme = "bearer"
secrets = [{ env = "FAKE_TOKEN" }]
operations = ["elb.list_members"]
"""


def test_a_server_that_starts_without_a_queue_says_which_senders_need_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("FAKE_TOKEN", "fake-token-of-a-test-sender")
    file = tmp_path / "senders.toml"
    file.write_text(SENDERS)
    file.chmod(0o600)
    create_app(CloudSettings.from_env({"HONGYAN_EMULATOR": "local"}), EventSettings(senders=str(file)))
    (line,) = [record for record in caplog.records if record.message == "queue.missing"]
    assert vars(line)["facts"] == {"variable": "HONGYAN_QUEUE", "senders": ["one"]}
