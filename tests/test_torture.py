"""The crash test in short, on every transport, and its judge: does it see what must not be?"""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from events.cli.terminal import say
from events.queues import Counts, Letter
from functions.cloud.emulator.core import Emulator, Request
from functions.cloud.emulator.journal import Entry
from tests.torture import table
from tests.torture.cloud import Weather, key_of, took_effect
from tests.torture.evidence import Evidence
from tests.torture.judge import judge
from tests.torture.options import Options
from tests.torture.places import TRANSPORTS, place
from tests.torture.plan import OPERATIONS, WRITE, plan
from tests.torture.sink import Told
from tests.torture.whole import torture

if TYPE_CHECKING:
    from pathlib import Path

    from tests.torture.plan import Sent

SHORT = Options(messages=100, kills=6, workers=2, seconds=150, deadly=False)
PLAN = plan(1, 200, "run", "queue", deadly=True)
GOOD = [one for one in PLAN.sent if not one.poison]
WRITES = [one for one in GOOD if one.operation == WRITE]
POISON = next(one for one in PLAN.sent if one.poison)
SERVICES = dict(zip(OPERATIONS, (("apig", "POST"), ("csbs", "POST"), ("elb", "GET"), ("vpcep", "PUT")), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_nothing_is_lost_or_done_twice(transport: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reachable(place(transport, "none", tmp_path).queue)
    verdict = torture(transport, replace(SHORT, seed=20_260_101), print)
    with capsys.disabled():
        say(f"\n{table.table([verdict])}\n{table.figures(verdict)}")
    assert table.faults(verdict) == []
    assert verdict.figures["kills"] == SHORT.kills
    assert verdict.figures["hits"] > 0


def reachable(url: str) -> None:
    """Skip a test whose server does not answer, unless this is CI."""
    parts = urlsplit(url)
    if not parts.hostname:
        return
    try:
        socket.create_connection((parts.hostname, parts.port or 0), 5).close()
    except OSError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no server for {parts.scheme} answers at {parts.hostname}:{parts.port}: {error}")


def asked(one: Sent, **changes: Any) -> Entry:
    """Return what the journal says of a message's request that was answered."""
    service, method = SERVICES[one.operation]
    status = 201 if one.operation == WRITE else 200
    body = {
        "apig": {"members": [{"host": one.key}]},
        "csbs": {"check_restorable": [{"target": {"resource_id": one.key}}]},
        "vpcep": {"connections": [{"description": one.key}]},
    }.get(service)
    entry = Entry(method, "/", f"limit=1&id={one.key}", service, status, one.id, body, "aksk", None)
    return replace(entry, **changes)


def told(one: Sent, at: float, outcome: str = "", **changes: Any) -> Told:
    usual = "succeeded" if not one.poison else "failed" if one.poison == "channel" else "rejected"
    return replace(Told(at, one.event_id, one.id, outcome or usual, taken=True, read_back=False), **changes)


def fine() -> Evidence:
    """Return the evidence of a run in which everything went well."""
    return Evidence(
        "sqlite",
        PLAN,
        told=[told(one, one.number + 0.5) for one in PLAN.sent],
        asked=[(one.number, one.key) for one in PLAN.sent],
        journal=[asked(one) for one in GOOD],
        letters=[Letter(one.message, "failed", 0, event={"id": one.event_id}) for one in PLAN.sent if one.poison],
        counts=Counts(0, 6),
    )


def broken(evidence: Evidence) -> dict[str, list[str]]:
    return {name: found for name, found in judge(evidence).broken.items() if found}


def named(one: Sent) -> list[str]:
    return [f"{one.id} ({one.poison or one.operation})"]


def test_a_good_run_breaks_nothing() -> None:
    assert broken(fine()) == {}


def test_the_plan_is_the_same_for_the_same_seed() -> None:
    again = plan(1, 200, "run", "queue")
    assert [one.id for one in again.published] == [one.id for one in PLAN.published]
    assert [one.message.body for one in again.sent] == [one.message.body for one in PLAN.sent]
    assert plan(2, 200, "run", "queue").sent[0].message.body != PLAN.sent[0].message.body


def test_the_plan_has_all_that_is_wanted_of_it() -> None:
    assert (len(PLAN.sent), len(PLAN.published)) == (200, 210)
    assert len({one.event_id for one in PLAN.sent}) == len({one.id for one in PLAN.sent}) == 200
    assert {one.operation for one in GOOD} == set(OPERATIONS)
    assert len({one.poison for one in PLAN.sent}) == 7
    assert sum(one.message.group is not None for one in PLAN.sent) == 20


@pytest.mark.parametrize("change", [{"taken": False}, {"id": "other"}])
def test_it_sees_a_lost_message(change: dict[str, Any]) -> None:
    evidence, one = fine(), GOOD[0]
    evidence.told = [replace(each, **change) if each.cause == one.id else each for each in evidence.told]
    assert broken(evidence)["lost"] == named(one)


def test_it_sees_a_second_id() -> None:
    evidence, one = fine(), GOOD[0]
    evidence.told.append(told(one, 1000, id="another"))
    evidence.told.append(told(one, 1000, cause="nobody's"))
    found = broken(evidence)["no one id"]
    assert found == [*named(one), "a result of nobody's, which nobody sent"]


def test_it_sees_two_stories_of_one_message() -> None:
    evidence, one = fine(), GOOD[0]
    evidence.told.append(told(one, 1000, "unknown", taken=False))
    assert broken(evidence) == {"outcomes differ": named(one)}


@pytest.mark.parametrize("fate", [{}, {"fault": "drop_after", "status": None}, {"fault": "truncate"}])
def test_it_sees_a_write_done_twice(fate: dict[str, Any]) -> None:
    evidence, one = fine(), WRITES[0]
    evidence.journal.append(asked(one, request_id="second", **fate))
    assert broken(evidence) == {"written twice": named(one), "twice, untold": named(one)}


def test_a_second_write_that_is_told_of_is_counted_only() -> None:
    evidence, one = fine(), WRITES[0]
    evidence.journal.append(asked(one))
    evidence.told = [told(one, 0, "unknown") if each.cause == one.id else each for each in evidence.told]
    assert broken(evidence) == {"written twice": named(one)}


@pytest.mark.parametrize("fate", [{"fault": "drop", "status": None}, {"fault": "answer", "status": 503}])
def test_a_write_that_had_no_effect_may_be_repeated(fate: dict[str, Any]) -> None:
    evidence, one = fine(), WRITES[0]
    evidence.journal.append(asked(one, **fate))
    assert broken(evidence) == {}
    evidence.journal = [entry for entry in evidence.journal if entry.request_id != one.id or entry.fault]
    assert broken(evidence) == {"told, not done": named(one)}


def test_it_sees_dead_letters_that_should_not_be_and_are_not() -> None:
    evidence, one = fine(), GOOD[0]
    lost = evidence.letters.pop(0).message.id
    evidence.letters.append(Letter(one.message, "failed", 0, event={"id": one.event_id}))
    found = broken(evidence)["dead letters amiss"]
    assert len(found) == 2
    assert f"{one.id} (good)" in found
    assert any(name.startswith(lost) for name in found)


def test_it_sees_a_letter_without_its_result() -> None:
    evidence = fine()
    evidence.letters[0] = replace(evidence.letters[0], event=None)
    assert broken(evidence)["dead letters amiss"] == [f"{POISON.id}: its letter has another result beside it"]


def test_it_sees_a_group_out_of_order() -> None:
    evidence = fine()
    first, second, *_ = (one for one in PLAN.sent if one.message.group == GROUP)
    evidence.told = [told(first, second.number + 0.1) if each.cause == first.id else each for each in evidence.told]
    assert broken(evidence) == {"out of order": [f"{second.id} before {first.id}"]}


GROUP = next(one.message.group for one in PLAN.sent if one.message.group)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"counts": Counts(1, 6, 0, 2)}, ["1 ready", "2 in_flight"]),
        ({"counts": None}, ["the queue was not reached"]),
        ({"cut": "given up"}, ["given up"]),
    ],
)
def test_it_sees_what_is_left(changes: dict[str, Any], told: list[str]) -> None:
    assert broken(replace(fine(), **changes)) == {"left behind": told}


def test_it_sees_how_workers_ended() -> None:
    evidence = replace(fine(), ends=[("w1", 0, 1.0), ("w2", 1, 1.0)], unasked=["w3 ended"], wanted=1, unsigned=1)
    evidence.said["call.crashed"] = 1
    assert broken(evidence)["ended badly"] == [
        "w2 ended with 1 after SIGTERM",
        "w3 ended",
        "call.crashed 1 times in the logs",
        "0 kills of 1",
        "1 events not signed as they must be",
    ]


def test_the_table_tells_what_is_broken() -> None:
    evidence = replace(fine(), counts=None)
    verdict = judge(evidence)
    assert "sqlite" in table.table([verdict])
    assert table.faults(verdict) == ["sqlite: left behind: the queue was not reached"]


def test_faults_are_the_same_for_the_same_seed_and_about_a_tenth() -> None:
    def drawn(seed: int) -> list[str]:
        weather = Weather(frozenset({"apig", "csbs", "elb", "vpcep"}), seed)
        weather.now.key = ""
        found = []
        for number in range(2000):
            weather.now.key = str(number)
            fault = weather.take("POST", "/", "apig")
            found.append(fault.kind if fault else "")
        return found

    assert drawn(1) == drawn(1) != drawn(2)
    assert 150 < sum(map(bool, drawn(1))) < 250


def test_an_effect_is_known_by_the_journal() -> None:
    emulator = Emulator()
    emulator.handle(Request("GET", "/nothing"))
    assert not took_effect(emulator.journal[0])
    assert key_of(None, "", None) == ""
