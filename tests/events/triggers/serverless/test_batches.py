"""Batches: every record is run or given back, in the order of its group, and never when there is no time for it."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tests.events.triggers.serverless.support import Scripted, Sunk, batches, invocation, record

if TYPE_CHECKING:
    import pytest

    from events.dispatch import Call

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


def test_one_worker_needs_no_thread() -> None:
    seen: list[str] = []
    dispatcher = Scripted(lambda call: seen.append(threading.current_thread().name))
    batches(dispatcher, Sunk(), workers=1)[0].run([record(str(number)) for number in range(3)], invocation())
    assert set(seen) == {threading.current_thread().name}


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


def test_groups_of_different_sources_are_different_groups() -> None:
    dispatcher = Scripted()
    records = [record("1", "throttled", group="g", source="/a"), record("2", group="g", source="/b")]
    settled = batches(dispatcher, Sunk())[0].run(records, invocation(), strict=True)
    assert [one.returned for one in settled] == [True, False]


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
    assert line.__dict__["facts"] == {"records": 2, "returned_unrun": 2}


def test_no_call_is_given_more_time_than_the_invocation_has() -> None:
    dispatcher = Scripted()
    ran = invocation(5.0, margin_s=0.5)
    batches(dispatcher, Sunk())[0].run([record("1")], ran)
    batches(dispatcher, Sunk())[0].run([record("1")], invocation(600))
    short, long = (call.deadline for call in dispatcher.calls)
    assert short.at <= ran.deadline.at
    assert 10 < long.remaining() <= 15  # The settings' own.


def test_a_call_that_hangs_beyond_every_deadline_is_given_back(caplog: pytest.LogCaptureFixture) -> None:
    released, hung = threading.Event(), threading.Event()

    def hang(call: Call) -> None:
        if call.sender_id == "1":
            hung.set()
            released.wait(timeout=20)

    sink = Sunk()
    runner, _ = batches(Scripted(hang), sink)
    settled = runner.run([record("1"), record("2")], invocation(0.9, margin_s=0.5))
    assert hung.is_set()
    assert [(one.record.id, one.returned) for one in settled] == [("1", True), ("2", False)]
    released.set()
    runner._pool.shutdown(wait=True)
    assert [one.getMessage() for one in caplog.records] == ["batch.cut", "record.late"]
    assert len(sink.events) == 1  # The late one has been given back: its event would be a second one.


def test_a_fault_of_ours_on_a_thread_gives_its_record_back_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def crash(call: Call) -> None:
        if call.sender_id == "1":
            raise ZeroDivisionError

    with caplog.at_level(logging.ERROR, "hongyan"):
        settled = batches(Scripted(crash), Sunk())[0].run([record("1"), record("2"), record("3")], invocation())
    assert [one.returned for one in settled] == [True, False, False]
    assert "batch.crashed" in [one.getMessage() for one in caplog.records]


def test_threads_are_kept_between_invocations() -> None:
    seen: set[int] = set()
    runner, _ = batches(Scripted(lambda call: seen.add(threading.get_ident())), Sunk(), workers=2)
    for _ in range(5):
        runner.run([record(str(number)) for number in range(6)], invocation())
    assert len(seen) <= 2


def test_a_record_that_was_not_run_has_a_result_all_the_same() -> None:
    dispatcher = Scripted()
    batches(dispatcher, Sunk())[0].redo(record("1"), invocation().deadline)
    assert dispatcher.calls[0].deadline.remaining() == 0.0
