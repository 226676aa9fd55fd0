"""What is counted of calls, queues and sinks: exactly so much, under labels that are ours, and never at the cost of a call."""

from __future__ import annotations

import json
import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import logs
from events.metrics import Metrics
from events.metrics.counted import BUCKETS_S, ENDS, OTHER, SINKS, TAKEN, TRIGGERS, UNKNOWN, Counted
from events.queues import Counts
from functions.cloud.errors import KINDS
from functions.registry import names
from schemas.result import OUTCOMES
from tests.events.metrics.support import Run, ours, text_of, value, values

if TYPE_CHECKING:
    from collections.abc import Callable


NONE_AGAIN = "hongyan_redeliveries_total 0.0"


@pytest.fixture
def counted() -> Counted:
    return Counted("local")


@pytest.fixture
def run(counted: Counted, monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(counted, monkeypatch)


# Calls


def test_a_few_calls_are_told_exactly_so(counted: Counted, run: Run) -> None:
    run.emulator.faults.add(kind="throttle_429", times=1)
    assert run("elb.list_members").outcome == "succeeded"
    assert run("elb.list_members", trigger="queue.redis").outcome == "succeeded"
    assert run("apig.add_members", {}).outcome == "rejected"
    run.emulator.faults.add(kind="drop_after")
    assert run("apig.add_members").outcome == "unknown"
    low = [f'le="{bound}"' for bound in ("0.005", "0.01", "0.025", "0.05", "0.1")]
    high = [f'le="{bound}"' for bound in ("0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "15.0", "30.0", "60.0", "+Inf")]

    def buckets(operation: str) -> list[str]:
        name = "hongyan_event_duration_seconds"
        return [
            *(f'{name}_bucket{{{each},operation="{operation}"}} 0.0' for each in low),
            *(f'{name}_bucket{{{each},operation="{operation}"}} 2.0' for each in high),
            f'{name}_count{{operation="{operation}"}} 2.0',
            f'{name}_sum{{operation="{operation}"}} 0.5',
        ]

    assert ours(text_of(counted)) == [
        'hongyan_events_total{operation="elb.list_members",outcome="succeeded",trigger="webhook"} 1.0',
        'hongyan_events_total{operation="elb.list_members",outcome="succeeded",trigger="queue.redis"} 1.0',
        'hongyan_events_total{operation="apig.add_members",outcome="rejected",trigger="webhook"} 1.0',
        'hongyan_events_total{operation="apig.add_members",outcome="unknown",trigger="webhook"} 1.0',
        'hongyan_upstream_attempts_total{operation="elb.list_members"} 3.0',
        'hongyan_upstream_attempts_total{operation="apig.add_members"} 1.0',
        'hongyan_errors_total{kind="invalid_argument",operation="apig.add_members"} 1.0',
        'hongyan_errors_total{kind="unknown",operation="apig.add_members"} 1.0',
        *buckets("elb.list_members"),
        *buckets("apig.add_members"),
        NONE_AGAIN,
    ]


def test_a_call_that_did_not_come_back_is_counted_and_not_timed(counted: Counted, run: Run) -> None:
    run.dispatcher.lost(run.call("apig.add_members"))
    text = text_of(counted)
    labels = {"operation": "apig.add_members"}
    assert value(text, "hongyan_events_total", outcome="unknown", trigger="webhook", **labels) == 1
    assert value(text, "hongyan_event_duration_seconds_count", **labels) is None


def test_without_metrics_a_dispatcher_counts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(None, monkeypatch)
    assert run("elb.list_members").outcome == "succeeded"
    idle = Metrics()
    assert Run(idle, monkeypatch)("elb.list_members").outcome == "succeeded"
    assert idle.answer("", near=True).status == 404


def test_calls_from_many_threads_are_all_counted(counted: Counted) -> None:
    def work() -> None:
        for _ in range(500):
            counted.finished(data(), 0.2)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    text = text_of(counted)
    labels = {"operation": "elb.list_members"}
    assert value(text, "hongyan_events_total", outcome="succeeded", trigger="webhook", **labels) == 4000
    assert value(text, "hongyan_event_duration_seconds_count", **labels) == 4000


def test_buckets_lie_between_5_ms_and_a_minute() -> None:
    assert (BUCKETS_S[0], BUCKETS_S[-1]) == (0.005, 60.0)
    assert list(BUCKETS_S) == sorted(set(BUCKETS_S))


# Labels


def data(**changes: Any) -> dict[str, Any]:
    """Return as much of a result event's data as is looked at."""
    known: dict[str, Any] = {
        "operation": "elb.list_members",
        "outcome": "succeeded",
        "error": None,
        "upstream": {"attempts": 1},
        "trigger": {"kind": "webhook", "id": "id-of-the-sender", "sender": "monitoring"},
    }
    return known | changes


CLOSED: dict[str, set[str]] = {
    "operation": {*names(), UNKNOWN},
    "outcome": {*OUTCOMES, UNKNOWN},
    "kind": {*KINDS, UNKNOWN},
    "trigger": {*TRIGGERS, OTHER},
    "end": {*ENDS, *TAKEN, OTHER},
    "sink_kind": {*SINKS, OTHER},
}
HOSTILE = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["elb.list_members ", "ELB.list_members", "elb.list_members\n", 'x"} 1\nhongyan_events_total{operation="', ""]
    ),
    st.none() | st.integers() | st.booleans() | st.binary(max_size=5),
)


@given(operation=HOSTILE, other=HOSTILE, trigger=HOSTILE)
def test_whatever_is_said_labels_stay_within_our_own_words(operation: Any, other: Any, trigger: Any) -> None:
    counted = Counted("local")
    counted.finished(
        data(operation=operation, outcome=other, error={"kind": other}, trigger={"kind": trigger, "id": other}), 0.1
    )
    counted.settled(other, redelivered=True)
    counted.emitted(other, operation)
    counted.paused(operation, paused=True)
    assert not counted.failed
    found = values(text_of(counted))
    assert sum(held for (name, _), held in found.items() if name == "hongyan_events_total") == 1
    for name, labels in found:
        if name.startswith("hongyan_"):
            for label, said in labels:
                assert label == "le" or said in CLOSED[label]


@pytest.mark.parametrize("operation", ["elb.delete_everything", "a.b", "Ünsinn", "x" * 5000, "elb_list_members", ""])
def test_operations_that_there_are_none_of_are_one_series(counted: Counted, run: Run, operation: str) -> None:
    assert run(operation, {}, trigger="chat.made-up").outcome == "rejected"
    labels = {"operation": "unknown", "outcome": "rejected", "trigger": "other"}
    assert value(text_of(counted), "hongyan_events_total", **labels) == 1
    assert value(text_of(counted), "hongyan_errors_total", operation="unknown", kind="unimplemented") == 1


def test_the_number_of_series_has_a_bound_that_no_sender_moves(counted: Counted) -> None:
    for place in range(2000):
        counted.finished(data(operation=f"a.b{place}", error={"kind": f"k{place}"}, trigger={"kind": f"t{place}"}), 0.1)
    assert len([name for name, _ in values(text_of(counted)) if name == "hongyan_events_total"]) == 1
    assert counted._events.cache_info().currsize == 1  # type: ignore[attr-defined]


def test_nothing_of_a_sender_is_in_it(counted: Counted) -> None:
    counted.finished(data(), 0.1)
    assert "id-of-the-sender" not in text_of(counted)
    assert "monitoring" not in text_of(counted)


# Queues, deliveries, sinks, pauses


def test_what_a_queue_holds_is_told_as_it_was_seen_last(counted: Counted) -> None:
    counted.observe_queue("orders", Counts(ready=9, dead=1, delayed=2, in_flight=3, oldest_s=4.5))
    counted.observe_queue("orders", Counts(ready=3, dead=2, delayed=0, in_flight=1, oldest_s=7.25))
    assert ours(text_of(counted)) == [
        'hongyan_queue_messages{queue="orders",state="ready"} 3.0',
        'hongyan_queue_messages{queue="orders",state="delayed"} 0.0',
        'hongyan_queue_messages{queue="orders",state="in_flight"} 1.0',
        'hongyan_queue_oldest_seconds{queue="orders"} 7.25',
        'hongyan_dead_letters{queue="orders"} 2.0',
        NONE_AGAIN,
    ]


def test_what_a_broker_does_not_tell_is_not_told_nor_is_an_old_figure(counted: Counted) -> None:
    counted.observe_queue("orders", Counts(ready=9, dead=1, delayed=2, in_flight=3, oldest_s=4.5))
    counted.observe_queue("orders", Counts(ready=9, dead=1))
    assert ours(text_of(counted)) == [
        'hongyan_queue_messages{queue="orders",state="ready"} 9.0',
        'hongyan_dead_letters{queue="orders"} 1.0',
        NONE_AGAIN,
    ]
    counted.observe_queue("orders", None)
    counted.observe_queue("never seen", None)
    assert ours(text_of(counted)) == [NONE_AGAIN]


def test_ends_of_deliveries_and_redeliveries_are_counted(counted: Counted) -> None:
    counted.settled("acknowledged")
    counted.settled("acknowledged", redelivered=True)
    counted.settled("returned")
    counted.settled("dead", redelivered=True)
    text = text_of(counted)
    ends = {end: value(text, "hongyan_messages_total", end=end) for end in sorted(ENDS)}
    assert ends == {"acknowledged": 2, "dead": 1, "returned": 1}
    assert value(text, "hongyan_redeliveries_total") == 2


def test_what_sinks_said_is_counted(counted: Counted) -> None:
    for kind, end in (("http", "taken"), ("http", "taken"), ("http", "unavailable"), ("queue", "refused")):
        counted.emitted(kind, end)
    text = text_of(counted)
    assert value(text, "hongyan_sink_events_total", sink_kind="http", end="taken") == 2
    assert value(text, "hongyan_sink_events_total", sink_kind="http", end="unavailable") == 1
    assert value(text, "hongyan_sink_events_total", sink_kind="queue", end="refused") == 1


def test_a_pause_is_told_and_its_end_too(counted: Counted) -> None:
    counted.paused("apig.add_members", paused=True)
    counted.paused("elb.list_members", paused=True)
    counted.paused("elb.list_members", paused=False)
    text = text_of(counted)
    assert value(text, "hongyan_worker_paused", operation="apig.add_members") == 1
    assert value(text, "hongyan_worker_paused", operation="elb.list_members") == 0


# A registry of its own

FAMILIES = {
    "hongyan_dead_letters": "gauge",
    "hongyan_errors_total": "counter",
    "hongyan_event_duration_seconds": "histogram",
    "hongyan_events_total": "counter",
    "hongyan_messages_total": "counter",
    "hongyan_queue_messages": "gauge",
    "hongyan_queue_oldest_seconds": "gauge",
    "hongyan_redeliveries_total": "counter",
    "hongyan_sink_events_total": "counter",
    "hongyan_upstream_attempts_total": "counter",
    "hongyan_worker_paused": "gauge",
}


def test_every_family_has_its_name_its_type_and_its_help(counted: Counted) -> None:
    counted.observe_queue("orders", Counts(ready=1, dead=0, oldest_s=1.0))
    counted.paused("elb.list_members", paused=True)
    lines = [line.split(" ", 3) for line in text_of(counted).splitlines() if line.startswith("# ")]
    ours_only = [line for line in lines if line[2].startswith("hongyan_")]
    assert {name: told for _, what, name, told in ours_only if what == "TYPE"} == FAMILIES
    helps = {name: told for _, what, name, told in ours_only if what == "HELP"}
    assert helps.keys() == FAMILIES.keys()
    assert all(told.endswith(".") for told in helps.values())


def test_two_of_them_know_nothing_of_each_other_nor_of_the_librarys_own_registry(counted: Counted) -> None:
    import prometheus_client

    other = Counted("any")
    other.finished(data(), 0.1)
    assert ours(text_of(counted)) == [NONE_AGAIN]
    assert b"hongyan_" not in prometheus_client.generate_latest()


def test_the_process_and_its_python_are_told_and_no_moment_of_creation(counted: Counted) -> None:
    counted.finished(data(), 0.1)
    text = text_of(counted)
    assert "\nprocess_cpu_seconds_total " in text
    assert "\npython_info{" in text
    assert "_created" not in text


# Never at the cost of a call

RECORDED: dict[str, Callable[[Counted], None]] = {
    "finished": lambda counted: counted.finished(data(), 0.1),
    "settled": lambda counted: counted.settled("dead"),
    "emitted": lambda counted: counted.emitted("http", "taken"),
    "paused": lambda counted: counted.paused("elb.list_members", paused=True),
    "observe_queue": lambda counted: counted.observe_queue("orders", Counts(1, 0)),
}


@pytest.mark.parametrize("name", RECORDED)
def test_a_fault_in_counting_is_logged_once_and_goes_no_further(
    name: str, counted: Counted, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    for attribute in ("_events", "_messages", "_sinks"):
        monkeypatch.setattr(counted, attribute, broken)
    monkeypatch.setattr(counted, "_observed", None)
    with caplog.at_level(logging.ERROR, logs.LOGGER):
        RECORDED[name](counted)
        RECORDED[name](counted)
    assert [record.message for record in caplog.records] == ["metrics.failed"]


def test_a_call_ends_as_ever_when_it_cannot_be_counted(
    counted: Counted, run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(counted, "_events", lambda *_: 1 / 0)
    result = run("elb.list_members")
    assert (result.outcome, json.loads(json.dumps(result.event.data["error"]))) == ("succeeded", None)
    assert "metrics.failed" in caplog.messages
