"""What a worker cannot read: messages, letters, files of a newer version, a body that is huge or no text: each is refused and recorded."""

from __future__ import annotations

import base64
import json
import sqlite3
import subprocess
import uuid
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import amqp  # type: ignore[import-untyped]
import pytest
import redis

from events.cli import dead_letters
from events.queues import Message, calls
from events.queues.amqp import topology
from events.queues.urls import connect, read
from events.triggers.worker.app import make
from tests.events.cli.support import FLASK, ROOT, environment, lines, run
from tests.events.queues import rabbit
from tests.events.queues.support import until
from tests.events.triggers.worker.scene import WITHIN_S, Scene, at_work, scene
from tests.events.triggers.worker.support import message
from tests.test_torture import reachable
from tests.torture.places import TRANSPORTS, Place, place
from tests.torture.removing import remove
from tests.torture.table import faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from events.queues import Letter, Queue
    from tests.events.triggers.worker.support import Bench

    Make = Callable[..., Bench]

YEAR_S = 365 * 86_400.0


@pytest.fixture
def where(transport: str, tmp_path: Path) -> Iterator[Place]:
    """Give a queue on a transport, with nothing in it."""
    found = place(transport, f"test-{uuid.uuid4().hex[:12]}", tmp_path)
    reachable(found.queue)
    yield found
    remove(found)


@contextmanager
def opened(where: Place) -> Iterator[Queue]:
    with closing(connect(read(where.queue, "URL"), "URL")) as queue:
        yield queue


def worked(where: Place) -> tuple[list[Any], int]:
    """Have a worker empty a queue; return its events and how it ended."""
    settings = {"HONGYAN_QUEUE": where.queue, "HONGYAN_STORE": where.store, "HONGYAN_EMULATOR": "local"}
    done = subprocess.run(
        [*FLASK, "worker", "--until-empty"],
        cwd=ROOT,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode


BAD = {
    "of 10 MB": (
        b'{"operation": "elb.list_members", "payload": "' + b"x" * 10_000_000 + b'"}',
        "larger than 1048576 bytes",
    ),
    "not UTF-8": (b'{"operation": "elb.list_members", "payload": "\xff\xfe\xed\xa0\x80"}', "UTF-8"),
}


@pytest.mark.slow
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("bad", BAD)
def test_what_nobody_can_read_ends_as_a_dead_letter_that_can_be_shown(
    where: Place, bad: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, says = BAD[bad]
    with opened(where) as queue:
        queue.publish([message("before"), Message(body, "bad"), message("behind")])
    events, code = worked(where)
    assert code == 1
    assert [event["data"]["outcome"] for event in events if event["causationid"] != "bad"] == ["succeeded"] * 2
    [event] = [event for event in events if event["causationid"] == "bad"]
    assert event["type"] == "hongyan.unknown.rejected"
    assert says in event["data"]["error"]["message"]
    [listed] = lines(run("dead-letters", "list", "--queue", where.queue))
    assert (listed["reason"], listed["kind"], listed["event"]) == ("rejected", event["data"]["error"]["kind"], event)
    [shown] = lines(run("dead-letters", "show", listed["id"][:8], "--queue", where.queue))
    assert base64.b64decode(shown["message"]["body_base64"]) == body
    [letter] = letters(where)
    assert (letter.message.id, letter.message.body) == ("bad", body)
    monkeypatch.setattr(dead_letters, "for_people", lambda *, as_json: True)
    told = run("dead-letters", "show", listed["id"], "--queue", where.queue).stdout
    assert f"body, {len(body)} bytes" in told
    assert '{"operation": "elb.list_members"' in told
    assert all(line.isprintable() and len(line) < 10_000 for line in told.splitlines())


def letters(where: Place) -> list[Letter]:
    with opened(where) as queue:
        return queue.letters()


NEWER_LETTER = b'{"format": 2, "id": "7", "reason": "rejected", "parcel": {"body64": "e30="}}'


@pytest.mark.slow
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_letter_of_a_newer_version_is_shown_as_it_is_and_never_run(where: Place) -> None:
    with opened(where) as queue:
        queue.receive(1, 0.0)  # Now it is there.
    put(where, NEWER_LETTER)
    [listed] = lines(run("dead-letters", "list", "--queue", where.queue))
    assert (listed["reason"], listed["event"]) == ("broker", None)
    [shown] = lines(run("dead-letters", "show", listed["id"], "--queue", where.queue))
    assert base64.b64decode(shown["message"]["body_base64"]) == NEWER_LETTER
    assert lines(run("dead-letters", "redrive", listed["id"], "--queue", where.queue)) == [
        {"redriven": 1, "chosen": [listed["id"]]}
    ]
    [event], code = worked(where)
    assert (event["data"]["outcome"], event["data"]["error"]["kind"], code) == ("rejected", "unimplemented", 1)
    [letter] = letters(where)
    assert (letter.reason, letter.message.body) == ("rejected", NEWER_LETTER)
    put(where, NEWER_LETTER)
    assert lines(run("dead-letters", "drop", "--all", "--yes", "--queue", where.queue))[0]["dropped"] == 2


def put(where: Place, letter: bytes) -> None:
    """Put something among the dead letters of a queue."""
    if where.transport == "sqlite":
        with closing(sqlite3.connect(read(where.queue, "URL").path)) as file, file:
            file.execute("INSERT INTO letters (queue, id, letter) VALUES (?, '7', ?)", (where.name, letter))
    elif where.transport == "redis":
        with redis.Redis.from_url(read(where.queue, "URL").address) as server:
            server.hset(f"{{hongyan:{where.name}}}:letters", "7", letter)
            server.zadd(f"{{hongyan:{where.name}}}:dead", {"7": 1})
    else:
        with rabbit.channel() as channel:
            dead = amqp.Message(letter, type="hongyan.letter", delivery_mode=2)
            channel.basic_publish(dead, "", topology.dead(where.name))


@pytest.mark.parametrize("part", ["queue", "store"])
def test_a_file_of_a_newer_version_is_refused_and_left_alone(part: str, tmp_path: Path) -> None:
    where = Place("sqlite", "test", f"sqlite:///{tmp_path}/queue.sqlite?queue=test")
    with opened(where) as queue:
        queue.publish([message("1")])
    with closing(sqlite3.connect(tmp_path / "queue.sqlite")) as file:
        with file:
            file.execute("INSERT OR REPLACE INTO parts VALUES (?, 2)", (part,))
        before = file.execute("SELECT * FROM messages").fetchall()
        done = run("worker", "--until-empty", env={"HONGYAN_QUEUE": where.queue, "HONGYAN_EMULATOR": "local"})
        assert done.exit_code == 1
        assert f"{tmp_path}/queue.sqlite: its {part} has format 2, and this version of Hongyan reads 1" in done.stderr
        assert file.execute("SELECT * FROM messages").fetchall() == before
        assert file.execute("SELECT version FROM parts WHERE name = ?", (part,)).fetchall() == [(2,)]


@pytest.mark.slow
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_an_old_worker_refuses_newer_messages_and_a_newer_one_runs_them(
    transport: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reachable(place(transport, "none", tmp_path).queue)
    with scene(transport, tmp_path, 120) as each:
        newer = {one.id for one in each.plan.sent[::4] if not one.poison}
        for_newer = [replace(one, message=replace(one.message, version=2)) for one in each.plan.published]
        sent = [new if one.id in newer else one for one, new in zip(each.plan.published, for_newer, strict=True)]
        old = each.start()
        each.queue.publish([one.message for one in sent[:60]])
        until(lambda: {one.event_id for one in sent[:60]} <= each.sink.taken and each.is_empty(), WITHIN_S)
        refused = {one.message.id for one in each.queue.letters() if one.message.version == 2}
        assert refused == newer & {one.id for one in sent[:60]}
        # From now on there are both.
        monkeypatch.setattr(calls, "READS", frozenset({1, 2}))
        with at_work(make(each.environ("newer"))):
            each.queue.publish([one.message for one in sent[60:]])
            until(lambda: each.told(1.0) and each.is_empty(), WITHIN_S)
            each.stop(old)
            refused |= refusals(each, newer)
            assert each.queue.redrive([one.id for one in each.queue.letters() if one.message.id in refused])
            good = [one for one in each.plan.sent if not one.poison]
            until(lambda: done(each) == len(good) and each.is_empty(), WITHIN_S)
        each.finish()
        differ = each.verdict().broken.pop("outcomes differ")
        assert {one.partition(" ")[0] for one in differ} == refused
        assert [line for line in faults(each.verdict()) if "outcomes differ" not in line] == []


def refusals(each: Scene, newer: set[str]) -> set[str]:
    """Return the ids of messages that were refused for their version: all that have a letter, with the event that says so."""
    found = [one for one in each.queue.letters() if one.message.id in newer]
    told = {one.id for one in each.sink.told if one.outcome == "rejected"}
    for one in found:
        assert one.event is not None
        error = one.event["data"]["error"]
        assert (one.reason, one.kind, error["kind"]) == ("rejected", "unimplemented", "unimplemented")
        assert error["message"] == "the message has format 2, and this worker reads 1: upgrade it, then redrive"
        assert one.event["id"] in told
    return {one.message.id for one in found}


def done(each: Scene) -> int:
    """Return how many messages have succeeded."""
    return len({one.id for one in each.sink.told if one.taken and one.outcome == "succeeded"})
