"""Triggers that repeat all or nothing: they are asked to, as long as that does nothing twice."""

from __future__ import annotations

import logging

import pytest

from events.triggers.serverless.settings import ServerlessSettings
from events.triggers.serverless.whole import CannotSucceed, TryAgain, Whole
from tests.events.triggers.serverless.support import Scripted, Sunk, batches, invocation, record


def whole(sink: Sunk, dispatcher: Scripted | None = None, own: ServerlessSettings | None = None) -> Whole:
    return Whole(*batches(dispatcher or Scripted(), sink, own=own))


def test_what_is_done_is_summed_up() -> None:
    sink = Sunk()
    answer = whole(sink).answer([record("1"), record("2", "doubt")], invocation())
    assert answer == {"records": 2, "outcomes": {"succeeded": 1, "unknown": 1}}
    assert len(sink.events) == 2


def test_nothing_is_summed_up_as_nothing() -> None:
    assert whole(Sunk()).answer([], invocation()) == {"records": 0, "outcomes": {}}


def test_what_is_worth_another_try_is_asked_for_again() -> None:
    sink = Sunk()
    with pytest.raises(TryAgain, match=r"1 of 2 records: 1 x resource_exhausted \(X\.1\): throttled"):
        whole(sink).answer([record("1"), record("2", "throttled")], invocation())
    assert sink.outcomes == ["succeeded"]


def test_what_cannot_succeed_is_left_to_the_platforms_dead_letters() -> None:
    sink = Sunk()
    with pytest.raises(CannotSucceed, match="1 of 1 records: 1 x not_found"):
        whole(sink).answer([record("1", "refused")], invocation())
    assert sink.outcomes == ["failed"]


def test_it_is_acknowledged_where_the_settings_say_so() -> None:
    answer = whole(Sunk(), own=ServerlessSettings(dead_letter=False)).answer([record("1", "refused")], invocation())
    assert answer == {"records": 1, "outcomes": {"failed": 1}}


@pytest.mark.parametrize("done", ["wrote", "doubt"])
def test_nothing_is_repeated_where_a_write_would_be_too(done: str, caplog: pytest.LogCaptureFixture) -> None:
    sink = Sunk()
    with caplog.at_level(logging.ERROR, "hongyan"):
        answer = whole(sink).answer([record("1", done), record("2", "throttled"), record("3", "refused")], invocation())
    assert answer["records"] == 3
    assert sorted(event.id for event in sink.events) == ["1", "2", "3"]
    assert "record.failed" in [line.getMessage() for line in caplog.records]


def test_who_never_repeats_is_told_of_everything_at_once() -> None:
    sink = Sunk()
    answer = whole(sink).answer([record("1", "throttled")], invocation(), repeats=False)
    assert (answer, sink.outcomes) == ({"records": 1, "outcomes": {"failed": 1}}, ["failed"])


def test_a_record_without_time_is_told_of_too() -> None:
    sink, dispatcher = Sunk(), Scripted()
    answer = whole(sink, dispatcher).answer([record("1", "throttled")], invocation(0.45), repeats=False)
    assert (answer["records"], len(sink.events)) == (1, 1)
    assert dispatcher.calls[0].deadline.remaining() == 0.0


def test_a_record_without_time_is_asked_for_again() -> None:
    with pytest.raises(TryAgain, match="1 x not run, there was no time"):
        whole(Sunk()).answer([record("1")], invocation(0.5))


def test_an_event_that_nobody_takes_is_not_lost_quietly() -> None:
    with pytest.raises(TryAgain, match="1 x its result event could not be handed on"):
        whole(Sunk(full=True)).answer([record("1")], invocation())
    with pytest.raises(TryAgain, match="may do again what was done"):
        whole(Sunk(full=True)).answer([record("1", "wrote")], invocation())
    with pytest.raises(TryAgain, match="may do again what was done"):
        whole(Sunk(full=True)).answer([record("1")], invocation(0.45), repeats=False)


def test_reasons_are_counted_and_the_list_of_them_is_short() -> None:
    records = [record(str(number), "throttled") for number in range(200)]
    with pytest.raises(TryAgain, match="200 of 200 records: 200 x resource_exhausted") as raised:
        whole(Sunk()).answer(records, invocation())
    assert len(str(raised.value)) < 2000


def test_with_the_margin_gone_the_log_alone_tells(caplog: pytest.LogCaptureFixture) -> None:
    sink = Sunk()
    with caplog.at_level(logging.ERROR, "hongyan"), pytest.raises(TryAgain):
        whole(sink).answer([record("1")], invocation(0.01), repeats=False)
    assert (sink.events, [line.getMessage() for line in caplog.records]) == ([], ["record.untold"])
