"""The queue sink: an event is a message of its own id in the JSON format, and what a queue says becomes what a sink says."""

from __future__ import annotations

import traceback
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from events import strictjson
from events.cloudevents.json import from_envelope
from events.queues import QueueRefused, QueueUnavailable, urls
from events.queues.publishing import Publisher
from events.sinks import SinkRefused, SinkUnavailable
from events.sinks.queue import QueueSink
from tests.events.sinks.support import EVENT, event

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from events.queues import Message


class Fake(Publisher):
    """A publisher that raises what it is told to, whatever is asked of it."""

    def __init__(self, fault: Exception) -> None:
        super().__init__(urls.read("amqp://user:hunter2@localhost/", "HONGYAN_SINKS"), "HONGYAN_SINKS")
        self._fault = fault

    def publish(self, messages: Sequence[Message]) -> None:
        raise self._fault

    def close(self) -> None:
        raise self._fault


def url(path: Path) -> urls.QueueUrl:
    return urls.read(f"sqlite:///{path}/queue.sqlite?queue=results", "HONGYAN_SINKS")


def received(path: Path) -> list[Message]:
    with closing(urls.connect(url(path), "HONGYAN_SINKS")) as queue:
        return [found.message for found in queue.receive(99, 1.0)]


def test_an_event_is_a_message(tmp_path: Path) -> None:
    with closing(QueueSink(Publisher(url(tmp_path), "HONGYAN_SINKS"))) as sink:
        sink.emit(EVENT)
    (message,) = received(tmp_path)
    assert (message.id, message.group, message.tries, dict(message.meta)) == (EVENT.id, None, 0, {})
    assert from_envelope(strictjson.loads(message.body)) == EVENT


def test_events_come_in_their_order(tmp_path: Path) -> None:
    with closing(QueueSink(Publisher(url(tmp_path), "HONGYAN_SINKS"))) as sink:
        for number in range(5):
            sink.emit(event(number))
    assert [message.id for message in received(tmp_path)] == ["e0", "e1", "e2", "e3", "e4"]


@pytest.mark.parametrize(
    ("fault", "told"),
    [(QueueUnavailable("no route"), "no route"), (QueueRefused("declare it anew"), "declare it anew")],
)
def test_what_a_queue_does_not_take_may_be_taken_later(fault: Exception, told: str) -> None:
    with pytest.raises(SinkUnavailable, match=told) as caught:
        QueueSink(Fake(fault)).emit(EVENT)
    assert not isinstance(caught.value, SinkRefused)
    assert "amqp://localhost" in str(caught.value)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_a_connection_that_is_lost_needs_no_closing() -> None:
    QueueSink(Fake(QueueUnavailable("no route"))).close()


def test_it_is_shown_without_its_password() -> None:
    sink: Any = QueueSink(Fake(QueueUnavailable("")))
    assert sink.shown == "amqp://localhost/?queue=hongyan"
