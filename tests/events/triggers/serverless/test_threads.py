"""Threads that are kept, shared by invocations, and left behind when they hang."""

from __future__ import annotations

import threading

from events.triggers.serverless.threads import Threads
from functions.cloud.deadline import Deadline


def test_work_is_done_by_as_many_threads_as_there_are() -> None:
    met = threading.Barrier(3)
    tasks = Threads(3, 0).run(9, lambda: met.wait(timeout=20), Deadline.after(20))
    assert len(tasks) == 3
    assert all(task.done() for task in tasks)


def test_nothing_is_done_by_none() -> None:
    assert Threads(3, 0).run(0, lambda: None, Deadline.after(1)) == []


def test_a_thread_that_hangs_does_not_hold_up_the_next() -> None:
    released, threads = threading.Event(), Threads(1, 0)
    [hung] = threads.run(1, lambda: released.wait(timeout=20), Deadline.after(0.01))
    assert not hung.done()
    [next_one] = threads.run(1, lambda: "done", Deadline.after(20))
    assert next_one.result() == "done"
    released.set()


def test_another_invocation_may_go_on_with_the_threads_that_were_left() -> None:
    released, threads = threading.Event(), Threads(2, 0)
    pool = threads._pool
    threads.run(1, lambda: released.wait(timeout=20), Deadline.after(0.01))
    assert threads._pool is not pool
    assert pool.submit(lambda: "done").result(timeout=20) == "done"
    released.set()


def test_what_work_raises_is_in_its_task() -> None:
    [task] = Threads(1, 0).run(1, lambda: 1 / 0, Deadline.after(20))
    assert isinstance(task.exception(), ZeroDivisionError)
