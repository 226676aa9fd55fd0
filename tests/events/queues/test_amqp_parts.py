"""Parts of the queue on RabbitMQ that need no broker: whose turn it is, what is acknowledged how, what was confirmed."""

from __future__ import annotations

from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import amqp  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.queues import Delivery, QueueRefused, QueueUnavailable
from events.queues.amqp.away import Away
from events.queues.amqp.confirms import Confirms
from events.queues.amqp.errors import translated
from events.queues.amqp.groups import Groups
from events.queues.amqp.holds import Holds
from events.queues.amqp.inbox import MainInbox
from events.queues.amqp.properties import due_of, from_amqp, to_amqp
from tests.events.queues.support import message

if TYPE_CHECKING:
    from collections.abc import Callable

    from events.queues import Message


class FakeChannel:
    """A broker's channel that delivers when it is told to, and ends what it is told to as AMQP says."""

    def __init__(self) -> None:
        self.events: dict[str, set[Callable[..., None]]] = {
            name: set() for name in ("basic_ack", "basic_nack", "basic_return")
        }
        self.open: set[int] = set()
        self.commands = 0
        self.sent: list[str] = []
        self._tags = count(1)

    def basic_qos(self, size: int, most: int, for_all: bool) -> None:
        self.most = most

    def basic_consume(self, queue: str, callback: Callable[[Any], None], arguments: dict[str, Any]) -> str:
        self.callback = callback
        return queue

    def deliver(self, tag: int | None = None) -> int:
        raw = to_amqp(message(0))
        raw.delivery_info = {"delivery_tag": tag or next(self._tags), "redelivered": False}
        self.open.add(raw.delivery_tag)
        self.callback(raw)
        return int(raw.delivery_tag)

    def basic_ack(self, tag: int, multiple: bool = False) -> None:
        ended = {each for each in self.open if each <= tag} if multiple else {tag} & self.open
        assert tag in ended, "the broker closes a channel for a tag that it does not know"
        self.open -= ended
        self.commands += 1

    def confirm_select(self) -> None:
        pass

    def basic_publish(self, message: amqp.Message, exchange: str, queue: str, mandatory: bool) -> None:
        assert mandatory
        self.sent.append(queue)

    def says(self, event: str, *what: Any) -> None:
        for callback in self.events[event]:
            callback(*what)


class TestAcknowledging:
    @given(st.data())
    def test_exactly_what_has_ended_is_acknowledged(self, data: st.DataObject) -> None:
        channel = FakeChannel()
        inbox = MainInbox(channel, "q")
        inbox.want(100)
        held: dict[int, Delivery] = {}
        ended: set[int] = set()
        delivered: set[int] = set()
        for _ in range(data.draw(st.integers(1, 6))):
            for _ in range(data.draw(st.integers(0, 8))):
                delivered.add(channel.deliver())
            for _ in range(data.draw(st.integers(0, 8))):
                if taken := inbox.take():
                    held[taken.receipt.tag] = taken
            chosen = data.draw(st.lists(st.sampled_from(sorted(held)), unique=True)) if held else []
            inbox.end([held.pop(tag) for tag in chosen])
            ended |= set(chosen)
            assert channel.open == delivered - ended

    def test_a_batch_in_order_takes_one_command(self) -> None:
        channel = FakeChannel()
        inbox = MainInbox(channel, "q")
        inbox.want(10)
        for _ in range(10):
            channel.deliver()
        taken = [one for _ in range(10) if (one := inbox.take())]
        inbox.end(taken[5:7])
        assert channel.commands == 2
        inbox.end(reversed(taken[:5]))
        assert channel.commands == 3
        inbox.end(taken[7:])
        assert (channel.commands, channel.open) == (4, set())


class TestGroups:
    @pytest.fixture
    def groups(self) -> Groups:
        return Groups()

    def put(self, groups: Groups, group: str, *numbers: int) -> None:
        for number in numbers:
            groups.add(Delivery(message(number, group), losses=number))

    def test_one_of_each_group_in_turn(self, groups: Groups) -> None:
        self.put(groups, "a", 1, 2)
        self.put(groups, "b", 3)
        first, second = groups.take(0.0), groups.take(0.0)
        assert first is not None
        assert second is not None
        assert (first.message.id, second.message.id, groups.take(0.0)) == ("m1", "m3", None)
        assert (groups.waiting, groups.held) == (1, 0)
        groups.end(second)
        groups.end(first)
        third = groups.take(0.0)
        assert third is not None
        assert (third.message.id, third.losses) == ("m2", 0)
        groups.end(third)
        assert (groups.waiting, groups.held, groups.take(9e9)) == (0, 0, None)

    def test_one_that_is_held_comes_at_its_time_and_before_its_group(self, groups: Groups) -> None:
        self.put(groups, "a", 1, 2)
        self.put(groups, "b", 3)
        for until in (5.0, 3.0):
            taken = groups.take(0.0)
            assert taken is not None
            groups.hold(taken, until)
        assert (groups.next_at(), groups.held, groups.waiting, groups.take(2.9)) == (3.0, 2, 1, None)
        order = [one.message.id for at in (3.0, 5.0) if (one := groups.take(at))]
        assert order == ["m3", "m1"]
        assert groups.next_at() is None


class TestConfirms:
    @pytest.fixture
    def channel(self) -> FakeChannel:
        return FakeChannel()

    @pytest.fixture
    def confirms(self, channel: FakeChannel) -> Confirms:
        confirms = Confirms(channel)
        for number in range(4):
            confirms.send("q", to_amqp(message(number)))
        return confirms

    def test_they_are_counted(self, channel: FakeChannel, confirms: Confirms) -> None:
        assert confirms.open == 4
        channel.says("basic_ack", 2, False)
        assert confirms.open == 3
        channel.says("basic_ack", 3, True)
        assert confirms.open == 1
        channel.says("basic_ack", 4, True)
        assert confirms.open == 0
        confirms.check()

    @pytest.mark.parametrize(
        ("event", "what", "told"),
        [("basic_nack", (4, True), "refused a message"), ("basic_return", (None, "", "q", None), "queue q is gone")],
    )
    def test_what_was_not_taken_is_told_once(
        self, channel: FakeChannel, confirms: Confirms, event: str, what: tuple[Any, ...], told: str
    ) -> None:
        channel.says(event, *what)
        channel.says("basic_ack", 4, True)
        assert confirms.open == 0
        with pytest.raises(QueueUnavailable, match=told):
            confirms.check()
        confirms.check()


def test_what_was_delayed_is_remembered_until_it_comes_or_should_have() -> None:
    now = SimpleNamespace(s=0.0)
    away = Away(lambda: now.s)
    away.add("a", 10.0)
    away.add("b", 1.0)
    away.came("never sent")
    assert len(away) == 2
    now.s = 12.0
    assert len(away) == 1
    away.came("a")
    assert len(away) == 0
    for number in range(3000):
        now.s += 1.0
        away.add(str(number), 0.0)
    assert len(away._until) < 1_100


class TestHolds:
    @pytest.fixture
    def now(self) -> SimpleNamespace:
        return SimpleNamespace(s=100.0)

    @pytest.fixture
    def holds(self, now: SimpleNamespace) -> Holds:
        return Holds(lambda: now.s)

    def test_what_comes_once_more_is_as_it_was_given_back(self, holds: Holds) -> None:
        assert holds.add(message(1, "g", tries=2), 5_000.0) == 5_100.0
        again, until = holds.recall(Delivery(message(1, "g"), losses=1))
        assert (again.message, again.losses, until) == (message(1, "g", tries=2), 1, 5_100.0)

    @pytest.mark.parametrize("other", [message(1, "h"), message(2, "g"), message(1, "g", runs=1)])
    def test_others_are_none_of_its_business(self, holds: Holds, other: Message) -> None:
        holds.add(message(1, "g", tries=2), 5.0)
        assert holds.recall(Delivery(other)) == (Delivery(other), 0.0)

    def test_what_has_ended_is_forgotten(self, holds: Holds) -> None:
        holds.add(message(1, "g", tries=2), 5.0)
        holds.forget(message(1, "g"))
        holds.forget(message(1, "g"))
        assert holds.recall(Delivery(message(1, "g"))) == (Delivery(message(1, "g")), 0.0)

    def test_what_others_have_ended_is_forgotten_in_the_end(self, holds: Holds, now: SimpleNamespace) -> None:
        holds.add(message(0, "long"), 1e9)
        for number in range(10_000):
            now.s += 10.0
            holds.add(message(number, "g"), 1.0)
        assert len(holds) < 1_100
        assert holds.recall(Delivery(message(0, "long")))[1] == 1e9 + 100.0


@pytest.mark.parametrize(
    ("due", "read"), [(None, 0.0), (1_750_000_000.25, 1_750_000_000.25), (1e12, 9e11), (float("inf"), 9e11)]
)
def test_when_a_message_is_due_stands_beside_it(due: float | None, read: float) -> None:
    raw = to_amqp(message(1), due)
    assert (due_of(raw), from_amqp(raw)) == (read, message(1))


@pytest.mark.parametrize("said", ["", "soon", "-1", "nan", "1e5", "9" * 13, 5, None])
def test_a_time_that_is_none_is_long_ago(said: object) -> None:
    assert due_of(amqp.Message(b"", application_headers={"hongyan-due": said})) == 0.0


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (amqp.NotAllowed("NOT_ALLOWED - vhost is down not found"), QueueRefused),
        (amqp.NotAllowed("NOT_ALLOWED - access to vhost '/' refused for user 'u'"), QueueRefused),
        (amqp.NotAllowed("NOT_ALLOWED - access to vhost '/' refused for user 'u': vhost '/' is down"), QueueUnavailable),
        (amqp.NotAllowed("NOT_ALLOWED - access to vhost '/' refused for user 'u': connection limit (5) is reached"), QueueUnavailable),
        (amqp.NotAllowed("NOT_ALLOWED - connection refused for user 'u': user connection limit (5) is reached"), QueueUnavailable),
        (amqp.InternalError("INTERNAL_ERROR - access to vhost '/' refused for user 'u': vhost '/' is down"), QueueUnavailable),
        (amqp.ConnectionForced("CONNECTION_FORCED - vhost '/' is down"), QueueUnavailable),
    ],
)  # fmt: skip
def test_a_virtual_host_that_is_starting_or_full_is_unavailable(error: Exception, kind: type[Exception]) -> None:
    assert type(translated(error, "amqp://h/")) is kind


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (amqp.AccessRefused("ACCESS_REFUSED - no", reply_code=403), r"amqp://h/: ACCESS_REFUSED - no; check the user"),
        (amqp.NotAllowed("NOT_ALLOWED - vhost x not found"), "vhost x not found; check"),
        (amqp.PreconditionFailed("PRECONDITION_FAILED - delivery acknowledgement timed out"), "timed out$"),
        (amqp.RecoverableConnectionError(), "amqp://h/: .*unknown error"),
        (TimeoutError("timed out"), "does not answer$"),
        (ConnectionResetError(104, "Connection reset by peer"), "Connection reset by peer$"),
        (OSError("Server unexpectedly closed connection"), "unexpectedly closed"),
        (OSError(), "OSError$"),
    ],
)
def test_failures_are_told_in_the_brokers_words(error: Exception, told: str) -> None:
    with pytest.raises((QueueUnavailable, QueueRefused), match=told):
        raise translated(error, "amqp://h/")
