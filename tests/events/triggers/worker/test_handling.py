"""One message: claimed, run once, remembered, told of; what is given back and when, what is dead and why."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from events.cloudevents.json import to_envelope
from events.idempotency import Busy, Claim, Finished, LeaseLost, StoreUnavailable, key_of
from events.metrics import Metrics
from events.queues import VERSION, Delivery, Message
from events.sinks import SinkGone, SinkRefused, SinkUnavailable
from events.triggers.worker.handling import MOST_LOSSES
from events.triggers.worker.verdicts import GONE, Back, Dead, Done
from tests.events.triggers.worker.support import ADD, LIST, Sunk, adds, message

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from events.triggers.worker.verdicts import Verdict
    from tests.events.triggers.worker.support import Bench

    Make = Callable[..., Bench]

THROTTLED = {"kind": "throttle_429", "times": 99}
AWAY = {"status": 502, "times": 99}


def tried(times: int, one: Message) -> Delivery:
    return Delivery(Message(one.body, one.id, tries=times))


def run_out(store: Any, key: bytes) -> None:
    """Let a claim's lease end now."""
    with store._file.transaction() as file:
        file.execute("UPDATE calls SET ends = 0 WHERE key = ?", (key,))


def back(verdict: Verdict) -> tuple[bool, str]:
    assert isinstance(verdict, Back)
    return verdict.failed, verdict.why


def dead(verdict: Verdict) -> tuple[str, str, str | None]:
    assert isinstance(verdict, Dead)
    assert verdict.letter.event is not None
    assert verdict.letter.event["data"]["outcome"] == verdict.outcome
    return verdict.letter.reason, verdict.letter.operation, verdict.letter.kind


def test_a_message_is_run_remembered_and_told_of_in_this_order(bench: Make) -> None:
    each = bench()
    assert each.handler().handle(Delivery(adds("1", "10.0.0.1"))) == Done("succeeded")
    assert each.steps == ["received", "claimed", "announced", "answered", "recorded", "emitted"]
    assert each.sink.outcomes == ["succeeded"]
    assert each.sink.events[0].data["trigger"] == {"kind": "queue.sqlite", "id": "1", "sender": None}
    assert each.sink.events[0].extensions["causationid"] == "1"


def test_a_second_delivery_is_answered_from_the_store_with_the_same_event(bench: Make) -> None:
    each = bench()
    handler = each.handler()
    assert [handler.handle(Delivery(adds("1", "10.0.0.1"))) for _ in range(3)] == [Done("succeeded")] * 3
    first, *others = map(to_envelope, each.sink.events)
    assert others == [first] * 2
    assert each.posts() == 1


def test_without_a_store_it_runs_again_and_its_event_has_the_same_id(bench: Make) -> None:
    each = bench(HONGYAN_STORE="none")
    handler = each.handler()
    assert [handler.handle(Delivery(message("1"))) for _ in range(2)] == [Done("succeeded")] * 2
    assert (len(each.sink.events), len(each.sink.ids)) == (2, 1)


def test_what_is_under_way_elsewhere_comes_later_and_is_no_failure(bench: Make) -> None:
    each = bench()
    assert each.store is not None
    assert isinstance(each.store.claim(key_of("hongyan", "/test", "1", LIST), 60.0), Claim)
    verdict = each.handler().handle(Delivery(message("1")))
    assert back(verdict) == (False, "busy")
    assert isinstance(verdict, Back)
    assert 0 < verdict.delay_s <= 5
    assert each.sink.events == []


@pytest.mark.parametrize(
    ("one", "kind", "says"),
    [
        (message("1", payload={"listener_id": ""}), "invalid_argument", "listener_id"),
        (message("1", "elb.no_such", {}), "unimplemented", "there is no such operation"),
        (Message(b"\xff\xfe", "1"), "invalid_argument", "UTF-8"),
        (Message(b"{", "1"), "invalid_argument", "not JSON"),
        (Message(b"{}", "1"), "unimplemented", "nothing says what to run"),
        (Message(b'"' + b"x" * 10_000_000 + b'"', "1"), "invalid_argument", "larger than 1048576 bytes"),
        (Message(message("1").body, "1", version=VERSION + 1), "unimplemented", "upgrade"),
        (Message(message("1").body, "1", version=0), "unimplemented", "format 0"),
        (message("1", projects="0e0e", sender="s"), "permission_denied", "project"),
    ],
)
def test_what_can_never_succeed_is_dead_at_once_with_its_event(bench: Make, one: Message, kind: str, says: str) -> None:
    each = bench()
    reason, _, found = dead(each.handler().handle(Delivery(one)))
    assert (reason, found) == ("rejected", kind)
    assert each.sink.outcomes == ["rejected"]
    assert says in each.sink.events[0].data["error"]["message"]
    assert each.emulator.journal == []


def test_what_the_cloud_refuses_for_good_is_dead(bench: Make) -> None:
    each = bench()
    each.emulator.faults.add(status=404, body={"error_code": "APIG.3023", "error_msg": "no"})
    assert dead(each.handler().handle(Delivery(adds("1", "10.0.0.1")))) == ("failed", ADD, "not_found")


def test_a_dead_one_that_is_delivered_again_is_dead_again_and_one_that_is_redriven_is_run(bench: Make) -> None:
    each = bench()
    handler, one = each.handler(), adds("1", "10.0.0.1")
    each.emulator.faults.add(status=404, body={"error_code": "APIG.3023", "error_msg": "no"})
    assert dead(handler.handle(Delivery(one))) == ("failed", ADD, "not_found")
    assert dead(handler.handle(Delivery(one))) == ("failed", ADD, "not_found")
    assert each.posts() == 1
    again = Message(one.body, one.id, runs=1)
    assert handler.handle(Delivery(again)) == Done("succeeded")
    assert handler.handle(Delivery(Message(one.body, one.id, runs=2))) == Done("succeeded")
    assert (each.posts(), len(each.sink.ids)) == (2, 1)


def test_what_may_work_later_is_given_back_without_an_event_until_its_last_try(bench: Make) -> None:
    each = bench(HONGYAN_TRIES="3", HONGYAN_RETRY_S="2")
    each.emulator.faults.add(**AWAY)
    handler, one = each.handler(), message("1")
    delays = []
    for tries in range(2):
        verdict = handler.handle(tried(tries, one))
        assert back(verdict) == (True, "retry")
        assert isinstance(verdict, Back)
        delays.append(verdict.delay_s)
    assert 1 <= delays[0] <= 2 <= delays[1] <= 4
    assert each.sink.events == []
    assert dead(handler.handle(tried(2, one))) == ("tries", LIST, "unavailable")
    assert each.sink.outcomes == ["failed"]
    # From the store, it is the same.
    assert dead(handler.handle(tried(2, one))) == ("tries", LIST, "unavailable")


def test_the_clouds_own_wait_is_kept(bench: Make) -> None:
    each = bench()
    each.emulator.faults.add(status=503, headers={"Retry-After": "77"}, body={"error_code": "X", "error_msg": "no"})
    verdict = each.handler().handle(Delivery(message("1")))
    assert isinstance(verdict, Back)
    assert verdict.delay_s >= 77


def test_throttling_pauses_the_operation_and_burns_no_tries(bench: Make) -> None:
    each = bench(HONGYAN_RETRY_S="30")
    each.emulator.faults.add(**THROTTLED)
    handler = each.handler()
    for number in range(9):
        assert back(handler.handle(tried(99, message(str(number))))) == (False, "paused" if number else "throttled")
    assert len(each.emulator.journal) == 1
    each.emulator.faults.clear()
    assert handler.handle(Delivery(message("x", "csbs.check_restorable"))) == Done("succeeded")
    assert each.sink.outcomes == ["succeeded"]


def test_a_wrong_message_between_does_not_shorten_a_pause(bench: Make) -> None:
    each = bench(HONGYAN_RETRY_S="0.05")
    each.emulator.faults.add(**THROTTLED)
    handler, waits, now = each.handler(), [], [0.0]
    handler._settling.pauses._clock = lambda: now[0]
    for number in range(4):
        verdict = handler.handle(Delivery(message(f"t{number}")))
        assert isinstance(verdict, Back)
        waits.append(verdict.delay_s)
        now[0] += verdict.delay_s
        dead(handler.handle(Delivery(message(f"w{number}", payload={}))))
    assert waits == [0.05, 0.1, 0.2, 0.4]


class Counted(Metrics):
    """Metrics that keep what they are told."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []

    def finished(self, data: Any, seconds: float | None) -> None:
        assert seconds is not None
        self.outcomes.append(data["outcome"])


def test_events_are_counted_when_they_go_out_and_tries_are_not(bench: Make) -> None:
    each = bench()
    each.metrics = Counted()
    each.emulator.faults.add(**AWAY)
    handler = each.handler()
    assert back(handler.handle(Delivery(message("1")))) == (True, "retry")
    assert each.metrics.outcomes == []
    each.emulator.faults.clear()
    for _ in range(2):
        assert handler.handle(Delivery(message("1"))) == Done("succeeded")
    assert each.metrics.outcomes == ["succeeded"]


def test_our_credentials_are_no_messages_fault(bench: Make) -> None:
    each = bench(HONGYAN_RETRY_S="30")
    each.emulator.faults.add(status=401, body={"error_code": "APIGW.0301", "error_msg": "no"}, times=9)
    handler = each.handler()
    assert back(handler.handle(Delivery(message("1")))) == (False, "credentials")
    assert back(handler.handle(Delivery(message("2", "csbs.check_restorable")))) == (False, "paused")
    assert each.sink.events == []


class TestInDoubt:
    """A write whose answer was lost, or whose worker died."""

    def test_it_is_asked_after_and_found_done(self, bench: Make) -> None:
        each = bench(HONGYAN_DEADLINE_S="2")
        each.emulator.faults.add(kind="drop_after")
        handler, one = each.handler(), adds("1", "10.0.0.1")
        verdict = handler.handle(Delivery(one))
        assert back(verdict) == (True, "in doubt")
        assert isinstance(verdict, Back)
        assert verdict.delay_s >= 5  # The lease.
        assert each.sink.events == []
        # Until its claim ends it is busy: what was sent may still arrive.
        assert back(handler.handle(tried(1, one))) == (False, "busy")
        each.store = self.later(each)
        assert each.handler().handle(tried(1, one)) == Done("succeeded")
        assert (each.posts(), each.sink.outcomes) == (1, ["succeeded"])

    def test_it_is_run_when_the_cloud_has_nothing_of_it(self, bench: Make) -> None:
        each = bench()
        self.died(each, "1", ADD)
        assert each.handler().handle(Delivery(adds("1", "10.0.0.1"))) == Done("succeeded")
        assert [entry.method for entry in each.emulator.journal] == ["GET", "POST"]

    def test_it_is_unknown_where_the_cloud_does_not_tell(self, bench: Make) -> None:
        each = bench()
        each.handler().handle(Delivery(adds("0", "10.0.0.1")))
        self.died(each, "1", ADD)
        one = message(
            "1", ADD, {**json.loads(adds("1", "x").body)["data"], "members": [{"host": "10.0.0.1", "weight": 9}]}
        )
        assert each.handler().handle(Delivery(one)) == Done("unknown")
        assert each.sink.outcomes == ["succeeded", "unknown"]
        assert each.posts() == 1

    def test_it_stays_in_doubt_while_the_cloud_cannot_be_asked(self, bench: Make) -> None:
        each = bench(HONGYAN_TRIES="2")
        self.died(each, "1", ADD)
        each.emulator.faults.add(**AWAY)
        one = adds("1", "10.0.0.1")
        assert back(each.handler().handle(Delivery(one))) == (True, "in doubt")
        each.store = self.later(each)
        assert each.handler().handle(tried(1, one)) == Done("unknown")
        assert each.posts() == 0

    @pytest.mark.parametrize(
        ("status", "code", "why"),
        [(429, "APIGW.0308", "throttled"), (401, "APIGW.0301", "credentials"), (500, "APIG.9999", "in doubt")],
    )
    def test_what_keeps_it_from_being_asked_after_decides_nothing(
        self, bench: Make, status: int, code: str, why: str
    ) -> None:
        each = bench()
        self.died(each, "1", ADD)
        each.emulator.faults.add(status=status, body={"error_code": code, "error_msg": "no"}, times=9)
        verdict = each.handler().handle(Delivery(adds("1", "10.0.0.1")))
        assert back(verdict) == (why == "in doubt", why)
        assert isinstance(verdict, Back)
        assert verdict.delay_s >= 5  # The lease: the claim is left to end by itself.
        each.emulator.faults.clear()
        each.store = self.later(each)
        assert each.handler().handle(Delivery(adds("1", "10.0.0.1"))) == Done("succeeded")
        assert (each.posts(), each.sink.outcomes) == (1, ["succeeded"])

    def test_nothing_is_sent_under_a_claim_whose_time_is_over(self, bench: Make) -> None:
        each = bench()
        store, key = each.store, key_of("hongyan", "/test", "1", ADD)

        class Slow:
            """A worker that sleeps between its claim and its write."""

            def dispatch(self, call: Any) -> Any:
                run_out(store, key)
                return real.dispatch(call)

        real, each.dispatcher = each.dispatcher, Slow()
        assert back(each.handler().handle(Delivery(adds("1", "10.0.0.1")))) == (False, "store")
        assert (each.posts(), each.sink.events) == (0, [])

    def test_a_claim_outlives_the_calls_deadline(self, bench: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        each = bench(HONGYAN_DEADLINE_S="15")
        now = [1000.0]
        monkeypatch.setattr("events.triggers.worker.handling.since_boot", lambda: now[0])
        store, calls = each.store, list[Any]()

        class Late:
            def __getattr__(self, name: str) -> Any:
                return getattr(store, name)

            def claim(self, *args: Any) -> Any:
                found = store.claim(*args)
                assert args[1] >= 17
                now[0] += 4.0  # The answer takes its time.
                return found

        class Noting:
            def dispatch(self, call: Any) -> Any:
                calls.append(call)
                return real.dispatch(call)

        real, each.dispatcher, each.store = each.dispatcher, Noting(), Late()
        each.handler().handle(Delivery(message("1")))
        assert calls[0].deadline.at == 1015.0

    def test_without_a_store_what_a_dead_worker_may_have_sent_is_asked_after(self, bench: Make) -> None:
        each = bench(HONGYAN_STORE="none")
        handler = each.handler()
        assert handler.handle(Delivery(adds("1", "10.0.0.1"))) == Done("succeeded")
        assert handler.handle(Delivery(adds("1", "10.0.0.1"), losses=1)) == Done("succeeded")
        assert handler.handle(Delivery(adds("2", "10.0.0.2"), losses=1)) == Done("succeeded")
        assert each.posts() == 2

    def test_without_a_store_it_is_unknown_at_once(self, bench: Make) -> None:
        each = bench(HONGYAN_STORE="none")
        each.emulator.faults.add(kind="drop_after")
        assert each.handler().handle(Delivery(adds("1", "10.0.0.1"))) == Done("unknown")

    def test_nothing_is_sent_under_a_claim_that_is_lost(self, bench: Make) -> None:
        each = bench()
        store = each.store

        class Lost:
            def __getattr__(self, name: str) -> Any:
                return getattr(store, name)

            def announce(self, claim: Claim) -> None:
                raise LeaseLost

        each.store = Lost()
        assert back(each.handler().handle(Delivery(adds("1", "10.0.0.1")))) == (False, "store")
        assert (each.posts(), each.sink.events) == (0, [])

    @staticmethod
    def died(each: Bench, id: str, operation: str) -> None:  # noqa: A002
        """Leave a claim as a worker does that dies after it announced, and whose lease has ended since."""
        key = key_of("hongyan", "/test", id, operation)
        claim = each.store.claim(key, 60.0)
        each.store.announce(claim)
        run_out(each.store, key)

    @staticmethod
    def later(each: Bench) -> Any:
        """Return the store as it is once all claims have ended."""
        store = each.store

        class Later:
            def __getattr__(self, name: str) -> Any:
                return getattr(store, name)

            def claim(self, key: bytes, lease_s: float, run: int = 0) -> Any:
                assert store is not None
                found = store.claim(key, lease_s, run)
                if isinstance(found, Busy):
                    run_out(store, key)
                    found = store.claim(key, lease_s, run)
                return found

        return Later()


def test_a_message_that_kills_its_workers_is_not_run_for_ever(bench: Make) -> None:
    each = bench()
    for its_id, times in (("0", MOST_LOSSES - 1), ("1", MOST_LOSSES)):
        for _ in range(times):
            each.store.claim(key_of("hongyan", "/test", its_id, LIST), 0.0)
    assert each.handler().handle(Delivery(message("0"))) == Done("succeeded")
    assert dead(each.handler().handle(Delivery(message("1")))) == ("losses", LIST, "internal")
    assert each.sink.outcomes == ["succeeded", "failed"]


def test_one_that_only_waited_with_workers_that_died_is_run(bench: Make) -> None:
    assert bench().handler().handle(Delivery(message("1"), losses=MOST_LOSSES)) == Done("succeeded")


def test_without_a_store_every_loss_of_the_queue_counts(bench: Make) -> None:
    each = bench(HONGYAN_STORE="none")
    assert each.handler().handle(Delivery(message("0"), losses=MOST_LOSSES - 1)) == Done("succeeded")
    assert dead(each.handler().handle(Delivery(message("1"), losses=MOST_LOSSES))) == ("losses", LIST, "internal")


def test_what_is_refused_is_not_in_doubt_after_a_loss(bench: Make) -> None:
    each = bench(HONGYAN_STORE="none")
    wrong = Delivery(message("1", "torture.explode", {}), losses=1)
    assert dead(each.handler().handle(wrong)) == ("rejected", "torture.explode", "unimplemented")
    empty = Delivery(message("2", ADD, {"members": []}), losses=1)
    assert dead(each.handler().handle(empty)) == ("rejected", ADD, "invalid_argument")


def test_a_fault_of_ours_costs_no_message_and_ends_in_the_dead_letters(bench: Make) -> None:
    def crash(_: Any) -> None:
        raise RuntimeError("a fault of ours")

    each = bench(sink=Sunk(before=crash), HONGYAN_TRIES="2")
    handler = each.handler()
    assert back(handler.handle(Delivery(message("1")))) == (True, "crashed")
    verdict = handler.handle(tried(1, message("1")))
    assert isinstance(verdict, Dead)
    assert (verdict.letter.reason, verdict.letter.message.id) == ("tries", "1")
    # What was done is known: it goes with the letter.
    assert verdict.letter.event is not None
    assert (verdict.outcome, verdict.letter.event["data"]["outcome"]) == ("succeeded", "succeeded")


def test_a_fault_of_ours_before_anything_is_done_is_told_with_the_letter(bench: Make) -> None:
    each = bench(HONGYAN_TRIES="1")

    class Broken:
        def dispatch(self, call: Any) -> Any:
            if call.refusal is None:
                raise RuntimeError("a fault of ours")
            return real.dispatch(call)

    real, each.dispatcher = each.dispatcher, Broken()
    verdict = each.handler().handle(Delivery(message("1")))
    assert isinstance(verdict, Dead)
    assert verdict.letter.event is not None
    assert (verdict.letter.kind, verdict.outcome) == ("internal", "failed")


class TestSinks:
    """The event leaves, or the message stays."""

    def test_an_event_that_is_refused_goes_to_the_dead_letters_with_its_message(self, bench: Make) -> None:
        def refuse(_: Any) -> None:
            raise SinkRefused("too large")

        each = bench(sink=Sunk(before=refuse))
        verdict = each.handler().handle(Delivery(message("1")))
        assert isinstance(verdict, Dead)
        assert (verdict.letter.reason, verdict.outcome) == ("sink", "succeeded")

    def test_a_sink_that_is_gone_ends_the_work(self, bench: Make) -> None:
        def leave(_: Any) -> None:
            raise SinkGone("410")

        assert back(bench(sink=Sunk(before=leave)).handler().handle(Delivery(message("1")))) == (False, GONE)

    def test_a_stop_does_not_wait_for_a_sink_that_is_down_and_the_event_is_not_lost(self, bench: Make) -> None:
        each = bench()

        def down(_: Any) -> None:
            each.ending.set()
            raise SinkUnavailable("down")

        each.sink.before = down
        assert back(each.handler().handle(Delivery(adds("1", "10.0.0.1")))) == (False, "sink")
        each.sink.before = lambda _: None
        each.ending.clear()
        assert each.handler().handle(Delivery(adds("1", "10.0.0.1"))) == Done("succeeded")
        assert (each.posts(), each.sink.outcomes) == (1, ["succeeded"])


class Flaky:
    """A store that refuses some of its methods, so many times."""

    def __init__(self, store: Any, **times: int) -> None:
        self._store = store
        self.times = times

    def __getattr__(self, name: str) -> Any:
        if self.times.get(name, 0) > 0:
            self.times[name] -= 1

            def refuse(*_: Any) -> None:
                raise StoreUnavailable("disk is full")

            return refuse
        return getattr(self._store, name)


class TestStore:
    """A store that cannot be used loses nothing and doubles nothing."""

    def test_nothing_is_run_until_it_can_be_claimed(self, bench: Make, caplog: pytest.LogCaptureFixture) -> None:
        each = bench()
        each.store = Flaky(each.store, claim=3)
        with caplog.at_level("INFO", "hongyan.events"):
            assert each.handler().handle(Delivery(message("1"))) == Done("succeeded")
        said = [record.getMessage() for record in caplog.records if record.getMessage().startswith("store.")]
        assert said == ["store.unavailable", "store.available"]

    def test_a_stop_does_not_wait_for_it(self, bench: Make) -> None:
        each = bench()
        each.store = Flaky(each.store, claim=99)
        timer = threading.Timer(0.05, each.ending.set)
        timer.start()
        assert back(each.handler().handle(Delivery(message("1")))) == (False, "busy")
        timer.join()

    def test_a_write_that_cannot_be_announced_is_not_sent(self, bench: Make) -> None:
        each = bench()
        each.store = Flaky(each.store, announce=1)
        handler = each.handler()
        assert back(handler.handle(Delivery(adds("1", "10.0.0.1")))) == (False, "store")
        assert each.posts() == 0
        assert handler.handle(Delivery(adds("1", "10.0.0.1"))) == Done("succeeded")

    def test_what_was_done_is_told_of_once_it_is_remembered(self, bench: Make) -> None:
        each = bench()
        each.store = Flaky(each.store, finish=3)
        assert each.handler().handle(Delivery(adds("1", "10.0.0.1"))) == Done("succeeded")
        assert (each.posts(), each.sink.outcomes) == (1, ["succeeded"])

    def test_a_stop_while_it_cannot_be_remembered_leaves_it_to_be_asked_after(self, bench: Make) -> None:
        each = bench()
        store = each.store
        each.store = Flaky(store, finish=99)
        timer = threading.Timer(0.05, each.ending.set)
        timer.start()
        assert back(each.handler().handle(Delivery(adds("1", "10.0.0.1")))) == (False, "store")
        timer.join()
        assert each.sink.events == []
        run_out(store, key_of("hongyan", "/test", "1", ADD))
        each.store = store
        each.ending.clear()
        assert each.handler().handle(Delivery(adds("1", "10.0.0.1"))) == Done("succeeded")
        assert (each.posts(), each.sink.outcomes) == (1, ["succeeded"])

    def test_a_claim_that_cannot_be_released_ends_by_itself(self, bench: Make) -> None:
        each = bench()
        each.emulator.faults.add(status=502)
        each.store = Flaky(each.store, release=1)
        assert back(each.handler().handle(Delivery(message("1")))) == (True, "retry")

    def test_two_queues_with_one_store_do_not_answer_for_each_other(self, bench: Make, tmp_path: Path) -> None:
        each = bench()
        other = bench(HONGYAN_QUEUE=f"sqlite:///{tmp_path / 'queue.sqlite'}?queue=other")
        assert each.handler().handle(Delivery(adds("1", "10.0.0.1"))) == Done("succeeded")
        assert other.handler().handle(Delivery(adds("1", "10.0.0.1"))) == Done("succeeded")
        assert (each.posts(), other.posts()) == (1, 1)

    def test_who_lost_the_claim_tells_nothing(self, bench: Make) -> None:
        each = bench()
        store: Any = each.store
        real = each.dispatcher

        class Slow:
            def dispatch(self, call: Any) -> Any:
                # Meanwhile the claim ends, and somebody else brings the call to its end.
                run_out(store, key_of("hongyan", "/test", "1", LIST))
                other = store.claim(key_of("hongyan", "/test", "1", LIST), 60.0)
                assert isinstance(other, Claim)
                store.finish(other, Finished("succeeded", b"{}"), 60.0)
                return real.dispatch(call)

        each.dispatcher = Slow()
        handler = each.handler()
        assert back(handler.handle(Delivery(message("1")))) == (False, "lost")
        assert each.sink.events == []
