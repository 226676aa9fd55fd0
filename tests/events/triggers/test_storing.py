"""Messages of many requests on their way into one queue: together, in order, and no longer than each may wait."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from events.queues import Message, QueueRefused, QueueUnavailable
from events.triggers.storing import MOST_S, Storing
from tests.events.triggers.queued import FakePublisher, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def message(name: str) -> Message:
    return Message(b"{}", name)


class Slow(FakePublisher):
    """One that waits, each time, until it is let go."""

    def __init__(self, *faults: Exception | None) -> None:
        super().__init__(*faults)
        self.begun = 0
        self._go = threading.Semaphore(0)
        self.before = self._wait

    def _wait(self, _: Sequence[Message]) -> None:
        self.begun += 1
        assert self._go.acquire(timeout=20)

    def let_go(self, times: int = 1) -> None:
        for _ in range(times):
            self._go.release()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(20) as pool:
        yield pool


def storing(publisher: FakePublisher, **more: Any) -> Storing:
    made: Any = publisher
    return Storing(made, **more)


def begin(
    threads: ThreadPoolExecutor, store: Storing, slow: Slow, *names: str, seconds: float = 10.0
) -> list[Future[None]]:
    """Have the first published, alone and slowly, and the others wait behind it in their order."""
    first, *others = names
    ended = [threads.submit(store.store, [message(first)], seconds)]
    until(lambda: slow.begun == 1)
    for count, name in enumerate(others, 1):
        ended.append(threads.submit(store.store, [message(name)], seconds))
        until(lambda count=count: len(store._waiting) == count)  # type: ignore[misc]
    return ended


def ids(publisher: FakePublisher) -> list[list[str]]:
    return [[message.id for message in each] for each in publisher.published]


def test_it_returns_when_the_queue_has_it() -> None:
    publisher = FakePublisher()
    store = storing(publisher)
    store.store([message("a"), message("b")], 5.0)
    assert ids(publisher) == [["a", "b"]]
    store.store([message("c")], 5.0)
    assert ids(publisher) == [["a", "b"], ["c"]]


def test_what_comes_meanwhile_goes_out_together_in_its_order(threads: ThreadPoolExecutor) -> None:
    slow = Slow()
    ended = begin(threads, storing(slow), slow, "a", "b", "c", "d")
    assert not any(each.done() for each in ended)
    slow.let_go(2)
    assert [each.result(20) for each in ended] == [None] * 4
    assert ids(slow) == [["a"], ["b", "c", "d"]]


def test_not_more_goes_out_together_than_a_queue_takes_well(threads: ThreadPoolExecutor) -> None:
    slow = Slow()
    store = storing(slow)
    ended = begin(threads, store, slow, "a")
    for count, size in enumerate((600, 400, 1, 1200), 1):
        ended.append(threads.submit(store.store, [message(str(size))] * size, 10.0))
        until(lambda count=count: len(store._waiting) == count)  # type: ignore[misc]
    slow.let_go(9)
    assert [each.result(20) for each in ended] == [None] * 5
    assert [len(each) for each in slow.published] == [1, 1000, 1, 1200]


def test_the_queue_is_away_for_all_that_were_to_go_out_together(threads: ThreadPoolExecutor) -> None:
    slow = Slow(None, QueueUnavailable("refused connection"))
    store = storing(slow)
    ended = begin(threads, store, slow, "a", "b", "c")
    slow.let_go(2)
    assert ended[0].result(20) is None
    assert {str(each.exception(20)) for each in ended[1:]} == {"refused connection"}
    assert {type(each.exception(20)) for each in ended[1:]} == {QueueUnavailable}
    slow.let_go()
    store.store([message("d")], 10.0)
    assert ids(slow) == [["a"], ["d"]]


def test_what_the_queue_refuses_is_not_the_fault_of_others(threads: ThreadPoolExecutor) -> None:
    slow = Slow(None, QueueRefused("too large"), None, QueueRefused("too large"))
    ended = begin(threads, storing(slow), slow, "a", "b", "large", "c")
    slow.let_go(5)
    assert [type(each.exception(20)) for each in ended] == [type(None), type(None), QueueRefused, type(None)]
    assert ids(slow) == [["a"], ["b"], ["c"]]


def test_a_fault_of_ours_ends_the_waiting_too(caplog: pytest.LogCaptureFixture) -> None:
    publisher = FakePublisher(ZeroDivisionError())
    store = storing(publisher)
    with pytest.raises(ZeroDivisionError):
        store.store([message("a")], 5.0)
    assert "queue.crashed" in caplog.messages
    store.store([message("b")], 5.0)
    assert ids(publisher) == [["b"]]


def test_nobody_waits_longer_than_it_may_and_what_nobody_waits_for_is_not_begun(threads: ThreadPoolExecutor) -> None:
    slow = Slow()
    store = storing(slow)
    first, second = begin(threads, store, slow, "a", "b", seconds=0.05)
    for each in (first, second):
        assert str(each.exception(20)) == "the queue has not confirmed it in time"
    third = threads.submit(store.store, [message("c")], 10.0)
    until(lambda: len(store._waiting) == 2)
    slow.let_go(2)
    assert third.result(20) is None
    # The first was under way: it is in the queue, as QueueUnavailable says that it may be.
    assert ids(slow) == [["a"], ["c"]]


def test_without_any_time_nothing_is_stored_for_sure() -> None:
    slow = Slow()
    with pytest.raises(QueueUnavailable):
        storing(slow).store([message("a")], 0.0)
    slow.let_go()


def test_a_queue_that_hangs_is_not_waited_for_by_everybody_anew(threads: ThreadPoolExecutor) -> None:
    slow, now = Slow(), [0.0]
    store = storing(slow, clock=lambda: now[0])
    (first,) = begin(threads, store, slow, "a", seconds=0.01)
    assert isinstance(first.exception(20), QueueUnavailable)
    now[0] = MOST_S + 0.1
    with pytest.raises(QueueUnavailable, match="for some time"):
        store.store([message("b")], 10.0)
    slow.let_go()
    until(lambda: store._busy_since is None)
    slow.let_go()
    store.store([message("c")], 10.0)
    assert ids(slow) == [["a"], ["c"]]


def test_no_thread_is_left_when_there_is_nothing_to_do() -> None:
    store = storing(FakePublisher())
    store.store([message("a")], 5.0)
    until(lambda: store._busy_since is None)
    until(lambda: not [thread for thread in threading.enumerate() if thread.name == "storing"])


def test_many_threads_lose_nothing(threads: ThreadPoolExecutor) -> None:
    publisher = FakePublisher()
    store = storing(publisher)
    names = [str(number) for number in range(2000)]
    list(threads.map(lambda name: store.store([message(name)], 10.0), names))
    assert sorted(each.id for each in publisher.messages) == sorted(names)
