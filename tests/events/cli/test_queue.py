from __future__ import annotations

import json
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from events import strictjson
from events.calls import MOST_NAME
from events.cli import queue
from events.queues import Counts, Message, QueueRefused, QueueUnavailable, urls
from events.queues.calls import to_call
from events.samples import NoSample, sample
from events.settings import EventSettings
from events.triggers.records import Record
from functions.cloud.deadline import Deadline
from tests.events.cli.queued import bury, connected, letter, url_of, waiting
from tests.events.cli.support import lines, on_terminal, run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ELB = "elb.list_members"


class Fake:
    """A queue of which a test says what it counts, and which batch it refuses how."""

    transport, name, lease_s = "amqp", "hongyan", 30.0

    def __init__(self, counts: Counts | None = None, failure: Exception | None = None, good: int = 0) -> None:
        self._counts = counts
        self._failure = failure
        self._good = good
        self.batches: list[int] = []
        self.closed = False

    def counts(self) -> Counts:
        if self._failure:
            raise self._failure
        assert self._counts
        return self._counts

    def publish(self, messages: Sequence[Message]) -> None:
        if self._failure and len(self.batches) == self._good:
            raise self._failure
        self.batches.append(len(messages))

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def url(tmp_path: Path) -> str:
    return url_of(tmp_path)


@pytest.fixture
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "for_people", lambda *, as_json: not as_json)
    monkeypatch.setenv("COLUMNS", "80")


def faked(monkeypatch: pytest.MonkeyPatch, fake: Fake) -> tuple[str, ...]:
    monkeypatch.setattr(urls, "connect", lambda url, variable: fake)
    return ("--queue", "amqp://user:geheim@127.0.0.1/")


def filled(url: str) -> None:
    """Leave three messages ready, of which the oldest is three minutes old, one delayed and one dead."""
    bury(url, letter())
    with closing(connected(url)) as held:
        held.publish([Message(b"1", "late")])
        (late,) = held.receive(1, 5.0)
        held.give_back(late, 600.0, failed=True)
        held.publish([Message(b"1", f"m{number}", sent_at=time.time() - 190 + number) for number in range(3)])


# Status


def test_a_pipe_gets_the_numbers(url: str) -> None:
    filled(url)
    with closing(connected(url)) as held:
        held.receive(1, 5.0)
        [line] = lines(run("queue", "status", "--queue", url))
    assert 180 < line.pop("oldest_s") < 200
    assert line == {
        "transport": "sqlite",
        "queue": "hongyan",
        "url": f"{url}?queue=hongyan",
        "ready": 2,
        "delayed": 1,
        "in_flight": 1,
        "dead": 1,
    }


@pytest.mark.usefixtures("_terminal")
def test_a_person_gets_a_table(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(url)
    monkeypatch.setenv("HONGYAN_QUEUE", url)
    result = run("queue", "status")
    assert result.exit_code == 0
    shown, head, row, hint = result.stdout.splitlines()
    assert shown == f"{url}?queue=hongyan"
    assert head.split() == ["ready", "delayed", "in", "flight", "dead", "oldest"]
    assert row.split() == ["3", "1", "0", "1", "3", "min"]
    assert hint.endswith("dead-letters list")


@pytest.mark.usefixtures("_terminal")
def test_an_empty_queue_has_nothing_that_waits(url: str) -> None:
    with closing(connected(url)):
        pass
    assert run("queue", "status", "--queue", url).stdout.splitlines()[2:] == [
        "0      0        0          0     none waits"
    ]


@pytest.mark.usefixtures("_terminal")
def test_what_a_broker_does_not_tell_is_not_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Fake(Counts(4, 0))
    option = faked(monkeypatch, fake)
    result = run("queue", "status", *option)
    assert result.stdout.splitlines()[0] == "amqp://127.0.0.1/?queue=hongyan"
    assert result.stdout.splitlines()[2].split("  ")[0] == "4"
    assert result.stdout.count("not told") == 3
    [line] = lines(run("queue", "status", *option, "--json"))
    assert (line["delayed"], line["in_flight"], line["oldest_s"]) == (None, None, None)
    assert fake.closed


def test_a_broker_that_is_away_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Fake(failure=QueueUnavailable("it is\x1b[2J away"))
    result = run("queue", "status", *faked(monkeypatch, fake))
    assert (result.exit_code, result.output) == (1, "Error: it is [2J away\n")
    assert fake.closed


# Publish


def test_the_sample_is_published_and_its_id_told(url: str) -> None:
    result = run("queue", "publish", ELB, "--queue", url)
    assert result.exit_code == 0
    [message] = waiting(url)
    assert lines(result) == [{"id": message.id, "operation": ELB, "group": None}]
    said = json.loads(message.body)
    assert (said["id"], said["source"], said["type"]) == (message.id, "/hongyan/cli", f"hongyan.{ELB}")
    assert said["data"] == json.loads(sample(ELB))
    assert (dict(message.meta), message.group, message.tries) == ({}, None, 0)


def test_a_worker_reads_what_is_published(url: str) -> None:
    run("queue", "publish", ELB, "-", "--id", "order-7", "--group", "gateway 1", "--queue", url, input='{"a": "终"}')
    [message] = waiting(url)
    assert message.group == "/gateway 1"

    class Own:
        operation, payload = "", None

    with closing(connected(url)) as held:
        call = to_call(message, held, Deadline.after(9), EventSettings(), Own())
    assert (call.operation, call.id, call.payload, call.refusal) == (ELB, "order-7", {"a": "终"}, None)
    assert (call.trigger, call.extensions["partitionkey"]) == ("queue.sqlite", "gateway 1")


def test_types_are_those_that_are_set(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_EVENT_PREFIX", "com.example")
    run("queue", "publish", ELB, "--queue", url)
    assert json.loads(waiting(url)[0].body)["type"] == f"com.example.{ELB}"


def test_a_file_is_the_payload(url: str, tmp_path: Path) -> None:
    (tmp_path / "payload.json").write_text("[1, 2]")
    assert run("queue", "publish", ELB, str(tmp_path / "payload.json"), "--queue", url).exit_code == 0
    assert json.loads(waiting(url)[0].body)["data"] == [1, 2]


def test_many_have_ids_of_their_own(url: str) -> None:
    asked = ("queue", "publish", ELB, "--count", "3", "--queue", url)
    assert [line["id"] for line in lines(run(*asked, "--id", "order"))] == ["order-1", "order-2", "order-3"]
    assert [message.id for message in waiting(url)] == ["order-1", "order-2", "order-3"]
    fresh = [line["id"] for line in lines(run(*asked))]
    assert [message.id for message in waiting(url)] == fresh
    assert len(set(fresh)) == 3


def test_they_are_published_by_the_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Fake()
    result = run("queue", "publish", ELB, "--count", "250", *faked(monkeypatch, fake))
    assert (fake.batches, len(lines(result)), fake.closed) == ([100, 100, 50], 250, True)


@pytest.mark.usefixtures("_terminal")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--id", "a"], "1 message of elb.list_members published to amqp://127.0.0.1/?queue=hongyan: a"),
        (["--id", "a", "--count", "2"], "2 messages of elb.list_members published to"),
        (["--id", "a", "--count", "2"], "queue=hongyan: a-1, a-2"),
        (["--id", "a", "--count", "6"], "queue=hongyan: a-1 to a-6"),
    ],
)
def test_a_person_gets_a_sentence(arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("queue", "publish", ELB, *arguments, *faked(monkeypatch, Fake()))
    assert result.exit_code == 0
    assert said in result.stdout
    assert len(result.stdout.splitlines()) == 1


def test_how_far_it_came_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    option = faked(monkeypatch, Fake(failure=QueueUnavailable("it went away"), good=2))
    result = run("queue", "publish", ELB, "--count", "250", *option)
    assert (result.exit_code, len(lines(result))) == (1, 200)
    assert result.stderr == "Error: it went away; 200 of 250 were published, and 50 others may have been\n"


def test_what_a_queue_never_takes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    option = faked(monkeypatch, Fake(failure=QueueRefused("it is too large")))
    assert run("queue", "publish", ELB, *option).output == "Error: it is too large\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["elb.list_member"], 1, "there is no such operation; did you mean elb.list_members?"),
        ([ELB, "-"], 1, "the payload is not JSON: "),
        ([ELB, "/nowhere"], 2, "'/nowhere'"),
        ([ELB, "--id", "a b"], 2, "an id is 1 to 255 characters"),
        ([ELB, "--group", ""], 2, f"a group is 1 to {MOST_NAME} visible characters"),
        ([ELB, "--group", "组"], 2, "a group is"),
        ([ELB, "--count", "0"], 2, "--count"),
    ],
)
def test_what_cannot_be_published_says_why(
    url: str, tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    result = run("queue", "publish", *arguments, "--queue", url, input='{"a":\x1b')
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert "\x1b" not in result.output
    assert not list(tmp_path.iterdir())


def test_an_operation_without_a_sample_wants_a_file(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(operation: str) -> bytes:
        raise NoSample(f"there is no sample of {operation}")

    monkeypatch.setattr(queue, "sample", none)
    result = run("queue", "publish", ELB, "--queue", url)
    assert (result.exit_code, result.stderr) == (1, f"Error: there is no sample of {ELB}\n")


def test_what_is_published_is_read_as_one_record(url: str) -> None:
    """No matter which trigger's records carry the body, it asks for the same."""
    run("queue", "publish", ELB, "--id", "a", "--queue", url)
    body = waiting(url)[0].body
    own: Any = type("Own", (), {"operation": "", "payload": None})()
    call = Record("sqs", "/sqs", "1", strictjson.loads(body)).asks(Deadline.after(9), EventSettings(), own)
    assert (call.operation, call.id, call.refusal) == (ELB, "a", None)


# The real thing


def test_on_a_terminal_many_show_their_progress(url: str) -> None:
    seen, code = on_terminal("queue", "publish", ELB, "--count", "250", "--id", "order", HONGYAN_QUEUE=url)
    assert code == 0, seen
    assert "publishing" in seen
    assert "100%" in seen
    assert "250 messages of elb.list_members published to" in seen
    assert "order-1 to order-250" in seen
    assert len(waiting(url)) == 250


def test_on_a_terminal_the_status_is_a_table(url: str) -> None:
    filled(url)
    seen, code = on_terminal("queue", "status", HONGYAN_QUEUE=url)
    assert code == 0, seen
    assert "3 min" in seen
