"""What every store of calls must do, as one class of tests: a store's own tests subclass it and say how it is opened."""

from __future__ import annotations

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

import pytest

from events.idempotency import Busy, Claim, Finished, LeaseLost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from events.idempotency import Store

SHORT_S = 0.3
"""The lease in tests that let it run out."""
WITHIN_S = 20.0
DONE = Finished("succeeded", b'{"id": "1"}')
FAILED = Finished("failed", b'{"id": "2"}')


class Open(Protocol):
    """Opens the test's store once more, as another process would."""

    def __call__(self) -> Store: ...


def claimed(store: Store, key: bytes, lease_s: float = 30.0, run: int = 0) -> Claim:
    """Claim a call that is free."""
    found = store.claim(key, lease_s, run)
    assert isinstance(found, Claim)
    return found


def claimed_late(store: Store, key: bytes, lease_s: float = 30.0) -> Claim:
    """Claim a call as soon as its lease has run out."""
    end = time.monotonic() + WITHIN_S
    while time.monotonic() < end:
        found = store.claim(key, lease_s)
        if isinstance(found, Claim):
            return found
        assert isinstance(found, Busy)
        time.sleep(min(0.02, found.wait_s))
    raise AssertionError("the lease never ran out")


def ended(store: Store, key: bytes, *, announced: bool = False) -> Claim:
    """Return a claim whose lease has ended, and that nobody has claimed since."""
    lease_s = 0.02
    claim = claimed(store, key, lease_s)
    while announced:
        try:
            store.announce(claim)
            break
        except LeaseLost:
            # The machine was busy meanwhile.
            store.release(claim)
            lease_s *= 2
            claim = claimed(store, key, lease_s)
    # Of two equal leases the later one ends later.
    claimed(store, key + b"later", lease_s)
    claimed_late(store, key + b"later")
    return claim


def until_forgotten(store: Store, key: bytes) -> Claim:
    """Claim a call as soon as its end is not remembered any more."""
    end = time.monotonic() + WITHIN_S
    while isinstance(found := store.claim(key, 30.0), Finished):
        assert time.monotonic() < end
        time.sleep(0.01)
    assert isinstance(found, Claim)
    return found


class StoreContract:
    """Subclass it as `class TestRedis(StoreContract)` and define `open`."""

    @pytest.fixture
    def open(self) -> Iterator[Open]:
        """Yield what opens the store; close what it opened and delete everything afterwards."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, open: Open) -> Store:  # noqa: A002 - the fixture
        return open()

    @pytest.fixture
    def key(self) -> bytes:
        return uuid.uuid4().bytes * 2

    # Claiming

    def test_a_new_call_is_claimed(self, store: Store, key: bytes) -> None:
        found = claimed(store, key)
        assert (found.key, found.in_doubt) == (key, False)

    def test_a_claimed_one_is_busy(self, store: Store, open: Open, key: bytes) -> None:  # noqa: A002
        claimed(store, key, 30.0)
        for each in (store, open()):
            found = each.claim(key, 30.0)
            assert isinstance(found, Busy)
            assert 10 < found.wait_s <= 30

    def test_others_are_not(self, store: Store, key: bytes) -> None:
        claimed(store, key)
        claimed(store, key[::-1] + b"x")

    def test_a_finished_one_is_told(self, store: Store, open: Open, key: bytes) -> None:  # noqa: A002
        store.finish(claimed(store, key), DONE, 60.0)
        assert store.claim(key, 30.0) == DONE
        assert open().claim(key, 30.0) == DONE

    @pytest.mark.parametrize("event", [b"", b"\xff\x00", '{"名": "é"}'.encode(), b"x" * 1_000_000])
    def test_events_come_as_they_went(self, store: Store, key: bytes, event: bytes) -> None:
        store.finish(claimed(store, key), Finished("partial", event), 60.0)
        assert store.claim(key, 30.0) == Finished("partial", event)

    def test_a_released_one_is_free(self, store: Store, open: Open, key: bytes) -> None:  # noqa: A002
        first = claimed(store, key)
        store.release(first)
        second = claimed(open(), key)
        assert second.token != first.token
        assert not second.in_doubt

    def test_a_result_is_kept_as_long_as_asked(self, store: Store, key: bytes) -> None:
        store.finish(claimed(store, key), DONE, SHORT_S)
        began = time.monotonic()
        assert not until_forgotten(store, key).in_doubt
        assert time.monotonic() - began >= SHORT_S - 0.1

    def test_the_end_of_what_was_announced_is_kept_longer(self, store: Store, key: bytes) -> None:
        first, other = claimed(store, key), claimed(store, key + b"other")
        store.announce(first)
        store.finish(first, DONE, 0.01)
        store.finish(other, DONE, 0.01)
        until_forgotten(store, other.key)
        assert store.claim(key, 30.0) == DONE

    def test_so_is_that_of_what_somebody_announced_before(self, store: Store, key: bytes) -> None:
        ended(store, key, announced=True)
        other = claimed(store, key + b"other")
        store.finish(claimed(store, key), DONE, 0.01)
        store.finish(other, DONE, 0.01)
        until_forgotten(store, other.key)
        assert store.claim(key, 30.0) == DONE

    @pytest.mark.parametrize("announced", [False, True])
    def test_finishing_twice_with_the_same_end_is_harmless(
        self,
        store: Store,
        open: Open,  # noqa: A002
        key: bytes,
        announced: bool,
    ) -> None:
        first = claimed(store, key)
        if announced:
            store.announce(first)
        for each in (store, store, open()):
            each.finish(first, DONE, 60.0)
        for other in (FAILED, Finished(DONE.outcome, FAILED.event), Finished(FAILED.outcome, DONE.event)):
            with pytest.raises(LeaseLost):
                store.finish(first, other, 60.0)
        assert store.claim(key, 30.0) == DONE

    # Leases and fences

    def test_a_lease_runs_out(self, store: Store, open: Open, key: bytes) -> None:  # noqa: A002
        began = time.monotonic()
        first = claimed(store, key, SHORT_S)
        second = claimed_late(open(), key)
        assert time.monotonic() - began >= SHORT_S - 0.05
        assert second.token > first.token
        assert not second.in_doubt

    def test_after_its_lease_a_claim_announces_nothing(self, store: Store, key: bytes) -> None:
        first = ended(store, key)
        with pytest.raises(LeaseLost):
            store.announce(first)
        # Nothing was sent, so nothing is in doubt.
        assert not claimed(store, key).in_doubt

    def test_nor_does_it_again(self, store: Store, key: bytes) -> None:
        first = ended(store, key, announced=True)
        with pytest.raises(LeaseLost):
            store.announce(first)
        assert claimed(store, key).in_doubt

    @pytest.mark.parametrize("announced", [False, True])
    def test_after_its_lease_a_claim_that_nobody_took_finishes(
        self,
        store: Store,
        key: bytes,
        announced: bool,
    ) -> None:
        store.finish(ended(store, key, announced=announced), DONE, 60.0)
        assert store.claim(key, 30.0) == DONE

    def lost(self, store: Store, key: bytes) -> tuple[Claim, Claim]:
        """Return a claim that was lost, and the one that took its place."""
        return claimed(store, key, 0.01), claimed_late(store, key)

    def test_a_lost_claim_announces_nothing(self, store: Store, key: bytes) -> None:
        first, second = self.lost(store, key)
        with pytest.raises(LeaseLost):
            store.announce(first)
        store.finish(second, DONE, 60.0)

    def test_a_lost_claim_finishes_nothing(self, store: Store, key: bytes) -> None:
        first, second = self.lost(store, key)
        with pytest.raises(LeaseLost):
            store.finish(first, FAILED, 60.0)
        assert isinstance(store.claim(key, 30.0), Busy)
        store.finish(second, DONE, 60.0)
        with pytest.raises(LeaseLost):
            store.finish(first, FAILED, 60.0)
        assert store.claim(key, 30.0) == DONE

    def test_a_lost_claim_releases_nothing(self, store: Store, key: bytes) -> None:
        first, second = self.lost(store, key)
        store.release(first)
        found = store.claim(key, 30.0)
        assert isinstance(found, Busy)
        assert found.wait_s <= 30
        store.announce(second)
        store.finish(second, DONE, 60.0)

    def test_what_was_released_or_finished_is_over(self, store: Store, key: bytes) -> None:
        first = claimed(store, key)
        store.release(first)
        for _ in range(2):
            with pytest.raises(LeaseLost):
                store.announce(first)
            with pytest.raises(LeaseLost):
                store.finish(first, DONE, 60.0)
            store.release(first)
        second = claimed(store, key)
        store.finish(second, DONE, 60.0)
        with pytest.raises(LeaseLost):
            store.announce(second)
        with pytest.raises(LeaseLost):
            store.finish(second, FAILED, 60.0)
        store.release(second)
        assert store.claim(key, 30.0) == DONE

    def test_tokens_rise_through_releases(self, store: Store, key: bytes) -> None:
        tokens = []
        for _ in range(5):
            claim = claimed(store, key)
            tokens.append(claim.token)
            store.release(claim)
        assert len(set(tokens)) == 5

    def test_claims_that_ran_out_in_a_row_are_counted(self, store: Store, open: Open, key: bytes) -> None:  # noqa: A002
        assert claimed(store, key, 0.01).losses == 0
        for losses in (1, 2):
            assert claimed_late(open(), key, 0.01).losses == losses
        third = claimed_late(store, key)
        assert third.losses == 3
        store.release(third)
        assert claimed(store, key).losses == 0

    def test_an_end_ends_the_count(self, store: Store, key: bytes) -> None:
        claimed(store, key, 0.01)
        store.finish(claimed_late(store, key), FAILED, 60.0)
        assert claimed(store, key, run=1).losses == 0

    # Doubt

    def test_announced_and_never_finished_is_in_doubt(self, store: Store, open: Open, key: bytes) -> None:  # noqa: A002
        ended(store, key, announced=True)
        assert claimed(open(), key).in_doubt

    def test_doubt_stays_until_it_ends(self, store: Store, key: bytes) -> None:
        ended(store, key, announced=True)
        for _ in range(2):
            # Its holder dies as well.
            assert claimed_late(store, key, 0.01).in_doubt
        third = claimed_late(store, key)
        store.finish(third, Finished("unknown", b"{}"), 60.0)
        assert store.claim(key, 30.0) == Finished("unknown", b"{}")

    def test_a_release_ends_the_doubt(self, store: Store, key: bytes) -> None:
        first = claimed(store, key)
        store.announce(first)
        store.release(first)
        assert not claimed(store, key).in_doubt

    def test_announcing_twice_is_harmless(self, store: Store, key: bytes) -> None:
        first = claimed(store, key)
        store.announce(first)
        store.announce(first)
        store.finish(first, DONE, 60.0)

    # Runs

    @pytest.mark.parametrize("outcome", ["failed", "rejected"])
    def test_what_had_no_effect_may_be_run_again_when_redriven(self, store: Store, key: bytes, outcome: str) -> None:
        end = Finished(outcome, b"{}")
        store.finish(claimed(store, key), end, 60.0, run=0)
        assert store.claim(key, 30.0, run=0) == end
        again = claimed(store, key, run=1)
        assert not again.in_doubt
        assert isinstance(store.claim(key, 30.0, run=1), Busy)
        store.finish(again, end, 60.0, run=1)
        assert store.claim(key, 30.0, run=1) == end
        assert store.claim(key, 30.0, run=0) == end
        claimed(store, key, run=2)

    @pytest.mark.parametrize("outcome", ["succeeded", "partial", "unknown"])
    def test_what_had_its_effect_is_never_run_again(self, store: Store, key: bytes, outcome: str) -> None:
        end = Finished(outcome, b"{}")
        store.finish(claimed(store, key), end, 60.0, run=0)
        assert [store.claim(key, 30.0, run=run) for run in (0, 1, 5)] == [end] * 3

    def test_the_fence_holds_through_runs(self, store: Store, key: bytes) -> None:
        first = claimed(store, key)
        store.finish(first, FAILED, 60.0)
        second = claimed(store, key, run=1)
        assert second.token > first.token
        with pytest.raises(LeaseLost):
            store.finish(first, DONE, 60.0)
        with pytest.raises(LeaseLost):
            store.finish(first, FAILED, 60.0)
        store.finish(second, DONE, 60.0, run=1)
        assert store.claim(key, 30.0, run=9) == DONE

    def test_a_run_that_was_released_leaves_the_call_free(self, store: Store, key: bytes) -> None:
        store.finish(claimed(store, key), FAILED, 60.0)
        store.release(claimed(store, key, run=1))
        claimed(store, key, run=1)

    # Threads

    def test_one_of_many_threads_gets_it(self, store: Store, open: Open, key: bytes) -> None:  # noqa: A002
        stores = [store, store, store, open()]
        barrier = threading.Barrier(4)

        def race(mine: Store) -> list[bool]:
            won = []
            for number in range(50):
                barrier.wait()
                won.append(isinstance(mine.claim(key + bytes([number]), 30.0), Claim))
            return won

        with ThreadPoolExecutor(4) as pool:
            rounds = zip(*pool.map(race, stores), strict=True)
            assert [sum(each) for each in rounds] == [1] * 50

    def test_one_of_many_threads_takes_over(self, store: Store, open: Open, key: bytes) -> None:  # noqa: A002
        ended(store, key, announced=True)
        stores = [store, store, store, open()]
        barrier = threading.Barrier(4)

        def race(mine: Store) -> list[Claim]:
            barrier.wait()
            end = time.monotonic() + 0.2
            found = []
            while time.monotonic() < end:
                one = mine.claim(key, 30.0)
                found += [one] if isinstance(one, Claim) else []
            return found

        with ThreadPoolExecutor(4) as pool:
            won = [claim for each in pool.map(race, stores) for claim in each]
        assert [claim.in_doubt for claim in won] == [True]
