"""Batches: every record is run or given back, in the order of its group, and never when there is no time for it."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.triggers.serverless.settings import ServerlessSettings
from tests.events.triggers.serverless.support import Scripted, Sunk, batches, invocation, record

if TYPE_CHECKING:
    from events.cloudevents import CloudEvent
    from events.dispatch import Call
    from functions.cloud.deadline import Deadline

HOW = st.sampled_from(["succeeded", "throttled", "refused", "doubt", "wrote"])


def test_each_record_is_run_once_and_told_of_in_their_order() -> None:
    dispatcher, sink = Scripted(), Sunk()
    records = [record(str(number)) for number in range(50)]
    settled = batches(dispatcher, sink)[0].run(records, invocation())
    assert [one.record.id for one in settled] == [str(number) for number in range(50)]
    assert not any(one.returned for one in settled)
    assert sorted(dispatcher.began, key=int) == [str(number) for number in range(50)]
    assert len(sink.events) == 50


def test_nothing_is_run_of_nothing() -> None:
    assert batches(Scripted(), Sunk())[0].run([], invocation()) == []


def test_as_many_run_at_once_as_there_are_workers() -> None:
    together = threading.Barrier(4)

    def meet(call: Call) -> None:
        together.wait(timeout=20)

    dispatcher = Scripted(meet)
    settled = batches(dispatcher, Sunk(), workers=4)[0].run([record(str(number)) for number in range(8)], invocation())
    assert not any(one.returned for one in settled)


def test_a_group_keeps_its_order_and_groups_run_side_by_side() -> None:
    met = threading.Barrier(2)

    def meet(call: Call) -> None:
        if str(call.sender_id).endswith("0"):
            met.wait(timeout=20)

    dispatcher = Scripted(meet)
    records = [record(f"{group}{number}", group=group) for number in range(5) for group in "ab"]
    batches(dispatcher, Sunk())[0].run(records, invocation())
    assert [began for began in dispatcher.began if began[0] == "a"] == [f"a{number}" for number in range(5)]
    assert [began for began in dispatcher.began if began[0] == "b"] == [f"b{number}" for number in range(5)]


def test_a_group_is_one_whatever_is_inside_its_records() -> None:
    dispatcher = Scripted()
    records = [record("1", "throttled", group="g", source="/a"), record("2", group="g", source="/b")]
    settled = batches(dispatcher, Sunk())[0].run(records, invocation(), strict=True)
    assert [one.returned for one in settled] == [True, True]
    assert dispatcher.began == ["1"]


def test_a_group_goes_on_past_what_leaves_for_the_dead_letters() -> None:
    dispatcher, sink = Scripted(), Sunk()
    records = [record("1", "refused", group="g", receives=5), record("2", group="g", receives=5)]
    own = ServerlessSettings(max_receives=5)
    settled = batches(dispatcher, sink, own=own)[0].run(records, invocation(), strict=True)
    assert [one.returned for one in settled] == [True, False]
    assert sink.outcomes == ["failed", "succeeded"]


def test_a_strict_group_ends_at_the_first_that_is_given_back() -> None:
    dispatcher = Scripted()
    records = [
        record("a1", group="a"),
        record("a2", "throttled", group="a"),
        record("a3", group="a"),
        record("b1", group="b"),
    ]
    settled = batches(dispatcher, Sunk())[0].run(records, invocation(), strict=True)
    assert [one.returned for one in settled] == [False, True, True, False]
    assert "a3" not in dispatcher.began


def test_a_group_that_is_not_strict_goes_on() -> None:
    settled = batches(Scripted(), Sunk())[0].run(
        [record("1", "throttled", group="a"), record("2", group="a")], invocation()
    )
    assert [one.returned for one in settled] == [True, False]


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), HOW), max_size=12), st.booleans())
def test_a_group_is_run_in_order_up_to_its_first_failure(drawn: list[tuple[str | None, str]], strict: bool) -> None:
    dispatcher, sink = Scripted(), Sunk()
    records = [record(str(index), how, group=group) for index, (group, how) in enumerate(drawn)]
    settled = batches(dispatcher, sink, workers=1)[0].run(records, invocation(), strict=strict)
    assert [one.record for one in settled] == records
    for name in ("a", "b"):
        group = [one for one in settled if one.record.group == name]
        ids = {one.record.id for one in group}
        began = [one for one in dispatcher.began if one in ids]
        assert [one.record.id for one in group if one.result] == began
        if strict:
            first = next((index for index, one in enumerate(group) if one.returned), len(group))
            assert all(one.returned for one in group[first:])
            assert all(one.result is None for one in group[first + 1 :])
    assert len(sink.events) == sum(one.emitted for one in settled)
    assert all(one.emitted or one.returned for one in settled)


def test_what_there_is_no_time_for_is_given_back_unrun(caplog: pytest.LogCaptureFixture) -> None:
    dispatcher = Scripted()
    with caplog.at_level(logging.WARNING, "hongyan"):
        settled = batches(dispatcher, Sunk())[0].run([record("1"), record("2")], invocation(0.6, margin_s=0.5))
    assert [(one.returned, one.result) for one in settled] == [(True, None), (True, None)]
    assert dispatcher.began == []
    [line] = [one for one in caplog.records if one.getMessage() == "batch.cut"]
    assert line.__dict__["facts"] == {"records": 2, "unrun": 2, "hung": 0, "late": 0}


def test_the_last_delivery_tells_even_that_there_was_no_time() -> None:
    sink, own = Sunk(), ServerlessSettings(max_receives=3)
    records = [record("1", "throttled", receives=3), record("2", receives=2)]
    settled = batches(Scripted(), sink, own=own)[0].run(records, invocation(0.5))
    assert [(one.returned, one.emitted) for one in settled] == [(True, True), (True, False)]
    assert sink.outcomes == ["failed"]


def test_no_call_is_given_more_time_than_the_invocation_has() -> None:
    dispatcher = Scripted()
    ran = invocation(5.0, margin_s=0.5)
    batches(dispatcher, Sunk())[0].run([record("1")], ran)
    batches(dispatcher, Sunk())[0].run([record("1")], invocation(600))
    short, long = (call.deadline for call in dispatcher.calls)
    assert short.at <= ran.deadline.at
    assert 10 < long.remaining() <= 15  # The settings' own.


@pytest.mark.parametrize(("how", "returned", "outcomes"), [("reads", True, []), ("wrote", False, ["unknown"])])
@pytest.mark.parametrize("others", [0, 1])
def test_a_call_that_hangs_beyond_every_deadline(
    how: str,
    returned: bool,
    outcomes: list[str],
    others: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    released, hung = threading.Event(), threading.Event()

    def hang(call: Call) -> None:
        if call.sender_id == "1":
            hung.set()
            released.wait(timeout=20)

    sink = Sunk()
    runner, _ = batches(Scripted(hang), sink, workers=1 + others)
    pool = runner._threads._pool
    records = [record("1", how), *(record(f"other-{number}", "doubt") for number in range(others))]
    settled = runner.run(records, invocation(0.9, margin_s=0.5))
    assert hung.is_set()
    assert settled[0].returned is returned
    assert sink.outcomes == ["unknown"] * others + outcomes
    # The next batch does not wait for the thread that hangs.
    assert not any(one.returned for one in runner.run([record("2")], invocation()))
    released.set()
    pool.shutdown(wait=True)
    assert [one.getMessage() for one in caplog.records if one.getMessage() != "record.unknown"][-1] == "record.late"
    assert len([event for event in sink.events if event.id == "1"]) == len(outcomes)


def test_a_batch_is_not_closed_while_an_event_is_handed_on() -> None:
    slow = SlowSink()
    runner, _ = batches(Scripted(), slow, workers=2)
    slow.until = invocation(1.6, margin_s=0.5).deadline
    settled = runner.run([record("1", "wrote"), record("2", "wrote")], invocation(1.6, margin_s=0.5))
    assert [one.returned for one in settled] == [False, False]
    assert len(slow.events) == 2


class SlowSink(Sunk):
    """A sink that takes an event only when the batch's time is over."""

    until: Deadline

    def emit(self, event: CloudEvent) -> None:
        threading.Event().wait(self.until.remaining() + 0.05)
        super().emit(event)


def test_a_fault_of_ours_on_a_thread_leaves_its_write_in_doubt_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def crash(call: Call) -> None:
        if call.sender_id == "1":
            raise ZeroDivisionError

    sink = Sunk()
    with caplog.at_level(logging.ERROR, "hongyan"):
        settled = batches(Scripted(crash), sink)[0].run([record("1", "wrote"), record("2"), record("3")], invocation())
    assert [one.returned for one in settled] == [False, False, False]
    assert sorted(sink.outcomes) == ["succeeded", "succeeded", "unknown"]
    assert "batch.crashed" in [one.getMessage() for one in caplog.records]


def test_threads_are_kept_between_invocations() -> None:
    seen: set[int] = set()
    runner, _ = batches(Scripted(lambda call: seen.add(threading.get_ident())), Sunk(), workers=2)
    for _ in range(5):
        runner.run([record(str(number)) for number in range(6)], invocation())
    assert len(seen) <= 2


def test_a_record_that_nobody_will_run_again_is_told_of() -> None:
    dispatcher, sink = Scripted(), Sunk()
    settled = batches(dispatcher, sink)[0].unrun(record("1", "throttled"), invocation().deadline)
    assert dispatcher.calls[0].deadline.remaining() == 0.0
    assert (settled.returned, settled.emitted, len(sink.events)) == (True, True, 1)


def test_an_event_that_is_still_being_handed_on_is_no_second_one(caplog: pytest.LogCaptureFixture) -> None:
    stuck = StuckSink()
    runner, _ = batches(Scripted(), stuck, workers=2)
    pool = runner._threads._pool
    settled = runner.run([record("1", "wrote"), record("2")], invocation(0.8, margin_s=0.5))
    # A write is not given back, for it is done; what is safe to run again is.
    assert [one.returned for one in settled] == [False, True]
    assert [line.getMessage() for line in caplog.records if line.getMessage() != "batch.cut"] == ["event.late"] * 2
    stuck.released.set()
    pool.shutdown(wait=True)
    assert sorted(event.id for event in stuck.events) == ["1", "2"]


class StuckSink(Sunk):
    """A sink that takes nothing until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()

    def emit(self, event: CloudEvent) -> None:
        self.released.wait(timeout=20)
        super().emit(event)


def test_with_the_margin_gone_the_last_deliveries_are_logged_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    sink, own = Sunk(), ServerlessSettings(max_receives=1)
    records = [record(str(number), receives=1) for number in range(50)]
    settled = batches(Scripted(), sink, own=own)[0].run(records, invocation(0.01))
    assert all(one.returned and not one.emitted for one in settled)
    [line] = [one.__dict__["facts"] for one in caplog.records if one.getMessage() == "record.untold"]
    assert (line["records"], line["ids"]) == (50, [str(number) for number in range(10)])
