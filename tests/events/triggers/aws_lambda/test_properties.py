"""Whatever comes as an event: an answer that JSON can carry or a typed refusal, and batches that are given back as queues want it."""

from __future__ import annotations

import copy
import itertools
import json
import logging
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from events import strictjson
from events.cloudevents import CloudEvent
from events.dispatch import Result
from events.settings import EventSettings
from events.triggers.aws_lambda import Lambda
from events.triggers.serverless.batches import Batches
from events.triggers.serverless.settings import ServerlessSettings
from events.triggers.serverless.settling import Settling
from events.triggers.serverless.shapes import EventRefused
from events.triggers.serverless.threads import Threads
from events.triggers.serverless.whole import NotDone
from functions.cloud.errors import NotSent, PayloadRefused
from tests.events.triggers.aws_lambda.support import (
    ASKS,
    EVENT,
    LIST,
    Context,
    Function,
    Kept,
    asks,
    eventbridge,
    failed,
    http,
    message,
    notification,
    rest,
    sns,
    sqs,
    url,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from events.dispatch import Call
    from events.triggers.serverless.app import App

SENDERS = """
[senders.standard]
scheme = "standard"
secrets = [{ env = "STANDARD" }]
operations = ["elb.list_members"]
origins = ["*"]

[senders.github]
scheme = "github"
secrets = [{ env = "WORD" }]
operations = ["elb.list_members"]

[senders.slack]
scheme = "slack"
secrets = [{ env = "HEX" }]
operations = ["elb.list_members"]

[senders.dingtalk]
scheme = "dingtalk"
secrets = [{ env = "WORD" }]
operations = ["elb.list_members"]

[senders.bearer]
scheme = "bearer"
secrets = [{ env = "WORD" }]
operations = ["*"]
operation = "elb.list_members"
"""
WORD = "fake-secret-of-a-test-with-many-letters"
ENVIRON = {"WORD": WORD, "HEX": "0123456789abcdef" * 2, "STANDARD": "whsec_ZmFrZS1zZWNyZXQtZm9yLXRyeWluZy1pdC1vdXQ="}


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    """Keep thousands of log lines from being captured."""
    logger = logging.getLogger("hongyan")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    yield
    logger.setLevel(before)


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> list[Function]:
    file = tmp_path_factory.mktemp("senders") / "senders.toml"
    file.write_text(SENDERS)
    file.chmod(0o600)
    events = EventSettings(senders=str(file), body_limit=65_536)
    payload = {"listener_id": {"at": "/detail/listener_id"}}
    return [
        Function(events=events, environ=ENVIRON),
        Function(events=events, environ=ENVIRON, operation=LIST, gateway_authenticates=True, dead_letter=False),
        Function(operation=LIST, payload=payload, max_receives=1),
    ]


def check(function: Function, event: Any) -> None:
    """Hold a function to what must be true of any event."""
    before = copy.deepcopy(event)
    with suppress(EventRefused, NotDone):
        answer = function(event)
        assert isinstance(answer, dict)
        strictjson.dumps(answer)
        assert repr(event) == repr(before)
        if "statusCode" in answer:
            assert isinstance(answer["body"], str)
            assert 200 <= answer["statusCode"] < 600
        if "batchItemFailures" in answer:
            assert set(failed(answer)) <= {each["messageId"] for each in event["Records"]}


# Any object

TEXTS = st.text(max_size=8) | st.sampled_from(
    ["\ud800", "终端", "x" * 100_000, "{", '"\\ud800"', "2.0", "POST", "aws:sqs"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
NAMES = ["Records", "requestContext", "httpMethod", "version", "detail-type", "detail", "source", "id", "specversion"]
KEYS = st.sampled_from([*NAMES, "type", "data", "operation", "payload", "body", "headers", "path"])


@given(event=st.dictionaries(KEYS | TEXTS, VALUES, max_size=6), which=st.integers(0, 2))
def test_any_object_is_answered_or_refused(functions: list[Function], event: dict[str, Any], which: int) -> None:
    check(functions[which], event)


# Objects that are nearly events

SIGNATURE = {
    "webhook-id": "1",
    "webhook-timestamp": "1",
    "webhook-signature": "v1,a",
    "x-hub-signature-256": "sha256=a",
}
SIGNATURE |= {"x-slack-signature": "v0=a", "x-slack-request-timestamp": "1", "sign": "a", "timestamp": "1"}
HOOK = {"content-type": "application/json", "authorization": f"Bearer {WORD}", "traceparent": "1", "accept": "*/*"}
BINARY = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/a", "ce-type": f"hongyan.{LIST}", "ce-subject": "%41"}
HANDSHAKE = {"webhook-request-origin": "a.example", "webhook-request-rate": "1"}
SAMPLES: list[dict[str, Any]] = [
    rest(),
    http(),
    url(rawQueryString="a=b"),
    rest("/hooks/standard", headers=HOOK | SIGNATURE, multiValueHeaders=None),
    http("/hooks/github", headers=HOOK | SIGNATURE),
    http("/hooks/slack", headers=HOOK | SIGNATURE),
    http("/hooks/dingtalk", headers=HOOK | SIGNATURE),
    http("/hooks/bearer", headers=HOOK),
    http("/hooks/bearer", headers=HOOK | BINARY | {"idempotency-key": "1"}),
    http("/hooks/standard", method="OPTIONS", headers=HANDSHAKE),
    http("/events", headers=HOOK | BINARY),
    http("/events", json.dumps(EVENT), headers={"content-type": "application/cloudevents+json"}),
    http("/events", json.dumps([EVENT]), headers={"content-type": "application/cloudevents-batch+json"}),
    http("/health/ready", method="GET"),
    sqs(message(), message(id_="m-2", messageAttributes={"operation": {"stringValue": LIST, "dataType": "String"}})),
    sqs(message(group="a"), message(id_="m-2", group="a")),
    sqs(message(json.dumps(notification(asks())))),
    sns(asks(), MessageAttributes={"operation": {"Type": "String", "Value": LIST}}),
    eventbridge(),
    eventbridge(ASKS),
    eventbridge(EVENT),
    EVENT,
    ASKS | {"id": "a"},
]
Path = tuple[Any, ...]


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield where every value inside a value stands."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*path, key)
        yield from paths(inner, (*path, key))


PLACES = [(index, path) for index, each in enumerate(SAMPLES) for path in paths(each)]
ABSENT = object()


def changed(event: Any, path: Path, value: Any) -> Any:
    """Return a copy of an event with one place changed; as it is when an earlier change took that place away."""
    event = copy.deepcopy(event)
    *way, last = path
    holder = event
    with suppress(KeyError, IndexError, TypeError):
        for key in way:
            holder = holder[key]
        if value is ABSENT:
            del holder[last]
        else:
            holder[last] = value
    return event


@given(place=st.sampled_from(PLACES), values=st.lists(VALUES | st.just(ABSENT), min_size=1, max_size=3), data=st.data())
def test_an_object_that_is_nearly_an_event_is_answered_or_refused(
    functions: list[Function], place: tuple[int, Path], values: list[Any], data: st.DataObject
) -> None:
    index, path = place
    event = changed(SAMPLES[index], path, values[0])
    for value in values[1:]:
        event = changed(event, data.draw(st.sampled_from(list(paths(SAMPLES[index])))), value)
    check(functions[data.draw(st.integers(0, 2))], event)


# Batches


class Fake:
    """A dispatcher that notes what is run; a payload's `as` says how it ends."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, str]] = []

    def function(self, app: App, *, dead_letter: bool, workers: int) -> Lambda:
        own = ServerlessSettings(operation=LIST, dead_letter=dead_letter)
        batches = Batches(self, Settling(Kept(), own), EventSettings(), own, Threads(workers, own.margin_s))  # type: ignore[arg-type]
        return Lambda(replace(app, own=own, batches=batches))

    def dispatch(self, call: Call) -> Result:
        self.ran.append((str(call.sender_id), call.payload["body"]))
        ends = {"done": None, "later": NotSent("no connection"), "never": PayloadRefused("wrong")}
        outcome = {"done": "succeeded", "later": "failed", "never": "rejected", "unknown": "unknown"}[
            call.payload["as"]
        ]
        error = ends.get(call.payload["as"], PayloadRefused("lost"))
        event = CloudEvent("id", "/source", "type", {"operation": call.operation})
        return Result(event, outcome, error, repeatable=outcome != "unknown")


# Of each message: its id (the letter is its group), how it ends, and what tells two bodies apart.
QUEUED = st.tuples(
    st.sampled_from(["a1", "a2", "a3", "b1", "b2"]),
    st.sampled_from(["done", "later", "never", "unknown"]),
    st.sampled_from(["", "again"]),
)


@pytest.fixture(scope="module")
def fakes(functions: list[Function]) -> dict[tuple[bool, int], tuple[Fake, Lambda]]:
    """Functions that ask no cloud, by whether they want dead letters and how many records they run at once."""
    made = {}
    for dead_letter, workers in itertools.product((True, False), (1, 3)):
        fake = Fake()
        made[dead_letter, workers] = fake, fake.function(functions[0].app, dead_letter=dead_letter, workers=workers)
    return made


@settings(deadline=None)  # Its threads share the machine with other tests.
@given(
    queued=st.lists(QUEUED, max_size=12), fifo=st.booleans(), dead_letter=st.booleans(), workers=st.sampled_from([1, 3])
)
@example([("a1", "later", ""), ("a1", "later", ""), ("a2", "done", "")], True, True, 3)
@example([("a1", "done", ""), ("a2", "later", ""), ("a1", "later", "")], False, False, 1)
def test_what_a_batch_gives_back(
    fakes: Any, queued: list[tuple[str, str, str]], fifo: bool, dead_letter: bool, workers: int
) -> None:
    fake, function = fakes[dead_letter, workers]
    fake.ran.clear()
    each = []
    for id_, ends, more in queued:
        body = asks({"as": ends, "body": more})
        # Some come through a topic, each through another: what is inside a body is not what a group is made of.
        if ends != "done":
            body = json.dumps(notification(body, MessageId=id_, TopicArn=f"arn:aws:sns:eu-west-1:111122223333:{ends}"))
        each.append(message(body, id_, group=id_[0] if fifo else None))
    returned = failed(function.answer({"Records": each}, Context()))
    assert len(returned) == len(set(returned))
    assert returned == [id_ for id_ in dict.fromkeys(id_ for id_, *_ in queued) if id_ in returned]
    back = {"later", "never"} if dead_letter else {"later"}
    stopped, wanted, ran = set[str](), set[str](), []
    for id_, ends, more in dict.fromkeys(queued):
        stops = fifo and id_[0] in stopped
        if not stops:
            ran.append((id_, more))
        if stops or ends in back:
            wanted.add(id_)
            stopped.add(id_[0])
    assert set(returned) == wanted
    if fifo:
        for group in "ab":
            assert [one for one in fake.ran if one[0][0] == group] == [one for one in ran if one[0][0] == group]
    assert sorted(fake.ran) == sorted(ran)
