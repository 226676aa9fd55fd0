from __future__ import annotations

import socket
import threading

from events.triggers.receiving import Reaper


def test_a_connection_is_ended_when_its_request_takes_too_long() -> None:
    near, far = socket.socketpair()
    with near, far, Reaper(0.01).watching(lambda: near) as watch:
        assert near.recv(1) == b""  # Nobody closed it: the reaper ended the reading.
        assert watch.expired
        near.sendall(b"an answer")
        assert far.recv(9) == b"an answer"


def test_a_request_that_arrived_is_left_alone() -> None:
    reaper = Reaper(0.05)
    near, far = socket.socketpair()
    late, other = socket.socketpair()
    with near, far, late, other:
        with reaper.watching(lambda: near) as watch:
            pass
        with reaper.watching(lambda: late):
            assert late.recv(1) == b""  # Later than the first would have been ended.
        far.sendall(b"x")
        assert near.recv(1) == b"x"
    assert not watch.expired


def test_stopping_twice_is_no_matter() -> None:
    reaper = Reaper(10)
    with socket.socket() as connection, reaper.watching(lambda: connection) as watch:
        reaper.stop(watch)


def test_a_connection_that_is_closed_already_is_no_matter() -> None:
    reaper = Reaper(0.01)
    connection = socket.socket()
    connection.close()
    near, far = socket.socketpair()
    with near, far, reaper.watching(lambda: connection), reaper.watching(lambda: near):
        assert near.recv(1) == b""


def test_many_at_once_are_all_ended() -> None:
    reaper = Reaper(0.05)
    ended: list[bytes] = []

    def wait() -> None:
        near, far = socket.socketpair()
        with near, far, reaper.watching(lambda: near):
            ended.append(near.recv(1))

    threads = [threading.Thread(target=wait) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == [b""] * 20
