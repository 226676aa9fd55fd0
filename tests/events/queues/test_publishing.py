"""The publisher that threads share: one at a time, connected when it is needed, and a lost connection made anew once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from events.queues import Message, QueueRefused, QueueUnavailable, publishing, urls
from events.queues.publishing import Publisher
from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

AWAY, NO = QueueUnavailable("away"), QueueRefused("declared otherwise")
URL = urls.read("redis://user:hunter2@127.0.0.1:1/0?queue=results", "HONGYAN_SINKS")


class Fake:
    """A queue that plays one thing per step, an error to raise or None, and works afterwards; `steps` tells what was done."""

    def __init__(self, *plays: Exception | None) -> None:
        self.plays = list(plays)
        self.steps: list[str] = []
        self.published: list[str] = []
        self._alone = threading.Lock()

    def _step(self, name: str) -> None:
        self.steps.append(name)
        play = self.plays.pop(0) if self.plays else None
        if play:
            raise play

    def publish(self, messages: Sequence[Message]) -> None:
        assert self._alone.acquire(blocking=False), "two threads use one queue"
        try:
            self._step("publish")
            self.published += [message.id for message in messages]
        finally:
            self._alone.release()

    def reconnect(self) -> None:
        self._step("reconnect")

    def close(self) -> None:
        self._step("close")


def publisher(monkeypatch: pytest.MonkeyPatch, *queues: Any) -> Publisher:
    """Return a publisher that connects to one of these after the other; an exception among them is raised instead."""
    left = list(queues)

    def connect(url: urls.QueueUrl, variable: str) -> Any:
        assert (url, variable) == (URL, "HONGYAN_SINKS")
        queue = left.pop(0)
        if isinstance(queue, Exception):
            raise queue
        return queue

    monkeypatch.setattr(publishing, "connect", connect)
    return Publisher(URL, "HONGYAN_SINKS")


def publish(publisher: Publisher, *ids: str) -> None:
    publisher.publish([Message(b"1", id_) for id_ in ids])


def test_nothing_is_connected_before_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Fake()
    made = publisher(monkeypatch, queue)
    made.close()
    publish(made, "a", "b")
    publish(made, "c")
    assert (queue.published, queue.steps) == (["a", "b", "c"], ["publish", "publish"])


def test_it_is_shown_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    assert publisher(monkeypatch).shown == "redis://127.0.0.1:1/0?queue=results"


def test_a_lost_connection_is_made_anew_once(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Fake(None, AWAY)
    made = publisher(monkeypatch, queue)
    publish(made, "a")
    publish(made, "b")
    assert (queue.published, queue.steps) == (["a", "b"], ["publish", "publish", "reconnect", "publish"])


def test_and_no_more_than_once(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Fake(None, AWAY, None, AWAY)
    made = publisher(monkeypatch, queue)
    publish(made, "a")
    with pytest.raises(QueueUnavailable):
        publish(made, "b")
    assert queue.steps == ["publish", "publish", "reconnect", "publish"]
    publish(made, "c")
    assert queue.steps[4:] == ["reconnect", "publish"]
    assert queue.published == ["a", "c"]


def test_what_cannot_be_reached_at_all_is_tried_once_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Fake(AWAY, AWAY, AWAY)
    made = publisher(monkeypatch, queue)
    for _ in range(3):
        with pytest.raises(QueueUnavailable):
            publish(made, "a")
    assert queue.steps == ["publish", "reconnect", "reconnect"]
    publish(made, "b")
    assert queue.published == ["b"]


def test_a_refusal_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Fake(NO)
    made = publisher(monkeypatch, queue)
    with pytest.raises(QueueRefused):
        publish(made, "a")
    publish(made, "b")
    assert queue.steps == ["publish", "publish"]


@pytest.mark.parametrize("error", [AWAY, NO, ConfigurationError("HONGYAN_SINKS has no such option")])
def test_opening_tells_what_is_wrong(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    made = publisher(monkeypatch, error, error, Fake())
    with pytest.raises(type(error)):
        made.open()
    with pytest.raises(type(error)):
        publish(made, "a")
    made.open()


def test_closed_it_connects_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Fake(), Fake()
    made = publisher(monkeypatch, first, second)
    made.open()
    made.close()
    publish(made, "a")
    made.close()
    made.close()
    assert (first.steps, second.steps) == (["close"], ["publish", "close"])


def test_a_connection_that_was_lost_before_it_was_closed_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Fake(AWAY), Fake()
    made = publisher(monkeypatch, first, second)
    with pytest.raises(QueueUnavailable):
        publish(made, "a")
    made.close()
    publish(made, "b")
    assert second.steps == ["publish"]


def test_threads_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Fake(*[None, None, AWAY] * 30)
    made = publisher(monkeypatch, queue)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: publish(made, str(number)), range(200)))
    assert sorted(queue.published) == sorted(str(number) for number in range(200))


def test_a_file_is_opened_by_opening_and_published_into(tmp_path: Path) -> None:
    url = urls.read(f"sqlite:///{tmp_path}/queue.sqlite?queue=results", "HONGYAN_SINKS")
    with closing(Publisher(url, "HONGYAN_SINKS")) as made:
        assert not (tmp_path / "queue.sqlite").exists()
        made.open()
        assert (tmp_path / "queue.sqlite").exists()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: publish(made, str(number)), range(20)))
    with closing(urls.connect(url, "HONGYAN_SINKS")) as queue:
        assert sorted(found.message.id for found in queue.receive(99, 1.0)) == sorted(map(str, range(20)))
