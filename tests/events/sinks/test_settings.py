"""HONGYAN_SINKS: what it may name, what it must not, and that a mistake is told at start without a secret."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from standardwebhooks import Webhook

from events.queues import QueueUnavailable, urls
from events.queues.publishing import Publisher
from events.sinks import SinkUnavailable
from events.sinks.places import of_queue, of_receiver
from events.sinks.settings import open_sinks
from events.sinks.several import Several
from functions.cloud.errors import ConfigurationError
from tests.events.sinks.support import EVENT, receiving
from tests.support import scripted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from events.sinks.several import Named

ROOT = Path(__file__).parents[3]
SECRET = "whsec_" + base64.b64encode(b"not a real secret, only for tests").decode()
ENVIRON = {"SINK_SECRET": SECRET, "BOTH": f" {SECRET}\n{SECRET} ", "EMPTY": " ", "SHORT": "whsec_c2hvcnQ="}


@pytest.fixture
def opened(request: pytest.FixtureRequest) -> Iterator[Opened]:
    made = Opened()
    yield made
    for sink in made.sinks:
        sink.close()


class Opened:
    """Opens sinks, which are closed in the end."""

    def __init__(self) -> None:
        self.sinks: list[Named] = []

    def __call__(self, text: str, consumed: str = "") -> list[Named]:
        read = urls.read(consumed, "HONGYAN_QUEUE") if consumed else None
        found = open_sinks(text, ENVIRON, consumed=read)
        self.sinks += found
        return found


def shown(sinks: list[Named]) -> list[str]:
    return [sink.shown for sink in sinks]


@pytest.mark.parametrize("text", ["", "  \n", "stdout:"])
def test_standard_output_unless_told_otherwise(text: str, opened: Opened, capsys: pytest.CaptureFixture[str]) -> None:
    (sink,) = opened(text)
    sink.sink.emit(EVENT)
    assert (sink.shown, json.loads(capsys.readouterr().out)["id"]) == ("stdout:", EVENT.id)


def test_several_of_every_kind(opened: Opened, tmp_path: Path) -> None:
    text = f"""
        stdout: https://user:hunter2@Receiver.example:8443/secret-path?key=hunter2#secret=SINK_SECRET
        http://receiver.example sqlite:///{tmp_path}/q.sqlite redis://:hunter2@127.0.0.1:6379/3?queue=told
    """
    assert shown(opened(text)) == [
        "stdout:",
        "https://receiver.example:8443",
        "http://receiver.example",
        f"sqlite:///{tmp_path}/q.sqlite?queue=hongyan-results",
        "redis://127.0.0.1:6379/3?queue=told",
    ]


def test_two_paths_of_one_host_are_told_apart(opened: Opened) -> None:
    found = opened("https://h/a https://other/ https://h/b")
    assert shown(found) == ["https://h (URL 1)", "https://other", "https://h (URL 3)"]


def test_options_stand_in_the_fragment_and_are_not_sent(opened: Opened) -> None:
    with receiving() as receiver:
        found = opened(f"{receiver.url}/a?b=c#mode=binary&secret=SINK_SECRET&timeout_s=2.5")
        Several(found).emit(EVENT)
        found[0].close()
    (post,) = receiver.posts
    assert (post.path, post.headers["ce-id"]) == ("/a?b=c", EVENT.id)
    Webhook(SECRET).verify(post.body, post.headers)


def test_a_variable_may_hold_two_secrets(opened: Opened) -> None:
    with receiving() as receiver:
        (sink,) = opened(f"{receiver.url}#secret=BOTH")
        sink.sink.emit(EVENT)
        sink.close()
    first, second = receiver.posts[0].headers["webhook-signature"].split()
    assert first == second


def test_a_receiver_that_hangs_is_waited_for_as_long_as_is_said(opened: Opened) -> None:
    with scripted("hang") as served:
        (sink,) = opened(f"{served.url}#timeout_s=0.3")
        with pytest.raises(SinkUnavailable, match="did not answer within"):
            sink.sink.emit(EVENT)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ftp://host/", "must begin with one of stdout:, http://, https://, sqlite://"),
        ("stdout", "must begin with one of"),
        ("stdout:x", "must begin with one of"),
        ("https://", "must name a host"),
        ("https:///path", "must name a host"),
        ("https://host:99999/", "must name a host"),
        ("https://host:x/", "must name a host"),
        ("https://[::1/", "must name a host"),
        ("https://é\u0080.example/", "is not one that events can be posted to"),
        ("https://h#mode=batch", "mode must be structured or binary"),
        ("https://h#mode=", "mode must be structured or binary"),
        ("https://h#mode", "mode must be structured or binary"),
        ("https://h#colour=red", "mode, secret, timeout_s"),
        ("https://h#mode=binary&mode=binary", "mode, secret, timeout_s"),
        ("https://h#timeout_s=0", "timeout_s must be a number of seconds from 0.1 to 120"),
        ("https://h#timeout_s=121", "timeout_s must be"),
        ("https://h#timeout_s=1e1", "timeout_s must be"),
        ("https://h#timeout_s=nan", "timeout_s must be"),
        ("https://h#secret=", "secret must name the environment variable"),
        ("https://h#secret=NOT_SET", "the variable NOT_SET is not set"),
        ("https://h#secret=EMPTY", "the variable EMPTY is not set"),
        ("https://h#secret=SHORT", "24 to 64 bytes"),
        ("redis://", "must name a host"),
        ("redis://[::1", "is not a URL"),
        ("redis://h:99999/", "is not a URL"),
        ("redis://h/#queue=x", "stand after a ?"),
        ("redis://h/?queue=a%20b", "queue must be"),
        ("redis://h/?colour=red", "has no option 'colour'"),
        ("sqlite:///", "must name a file"),
        ("sqlite:////no/such/folder/q.sqlite", "/no/such/folder/q.sqlite"),
    ],
)
def test_mistakes(text: str, told: str, opened: Opened) -> None:
    with pytest.raises(ConfigurationError) as caught:
        opened(text)
    assert told in str(caught.value)
    assert str(caught.value).startswith("HONGYAN_SINKS")
    with pytest.raises(ConfigurationError) as caught:
        opened(f"stdout: {text}")
    assert str(caught.value).startswith("HONGYAN_SINKS (URL 2)")


@pytest.mark.parametrize(
    "text",
    [
        "https://user:hunter2@h:x/",
        "https://user:hunter2@h/?hunter2#hunter2=1",
        "https://h#secret=whsec_hunter2",
        "https://h#secret=hunter2",
        "https://h#secret=hunter2+/=",
        "https://hunter2@[h",
        "amqp://user:hunter2@h:x/",
        "amqp://user:hunter2@/",
        "amqp://user:hunter2@h/#x",
        "amqp://user:hunter2@h/?queue=hunter2%20",
        "hunter2://h",
    ],
)
def test_a_mistake_tells_no_secret(text: str, opened: Opened) -> None:
    with pytest.raises(ConfigurationError) as caught:
        opened(text)
    assert "hunter2" not in str(caught.value)


def test_what_was_opened_before_a_mistake_is_closed(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []
    close = Publisher.close

    def closes(publisher: Publisher) -> None:
        closed.append(publisher.shown)
        close(publisher)

    monkeypatch.setattr(Publisher, "close", closes)
    with pytest.raises(ConfigurationError, match="/no/such"):
        opened(f"sqlite:///{tmp_path}/q.sqlite?queue=a sqlite:////no/such/folder/q.sqlite")
    assert closed == [f"sqlite:///{tmp_path}/q.sqlite?queue=a"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("stdout:", "stdout:"),
        ("https://h/a", "https://user:pass@H:443/a#mode=binary"),
        ("http://h", "http://h:80/"),
        ("http://localhost:8/a", "http://127.0.0.1:8/a"),
        ("sqlite:///q.sqlite", "sqlite:///./q.sqlite?lease_s=5"),
        ("sqlite:///q.sqlite", "sqlite:///q.sqlite?queue=hongyan-results"),
        ("redis://h", "redis://user:pass@h:6379/0"),
        ("amqp://h", "amqp://guest:guest@H:5672/%2F"),
    ],
)
def test_a_sink_is_named_once(one: str, other: str, opened: Opened) -> None:
    with pytest.raises(ConfigurationError, match=r"\(URL 2\) names a sink that is named before"):
        opened(f"{one} {other}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://h/a", "https://h/a?b"),
        ("https://h/a", "http://h/a"),
        ("https://h/", "https://h:8443/"),
        ("redis://h/0", "redis://h/1"),
        ("redis://h", "redis://h?queue=b"),
        ("amqp://h/a", "amqp://h/b"),
        ("sqlite:///a", "sqlite:///b"),
    ],
)
def test_these_are_two(one: str, other: str) -> None:
    def place(url: str) -> tuple[str, ...]:
        return of_receiver(url) if url.startswith("http") else of_queue(urls.read(url, "HONGYAN_SINKS"))

    assert place(one) != place(other)


@pytest.mark.parametrize(
    ("sink", "consumed"),
    [
        ("redis://h?queue=jobs", "redis://user:pass@h:6379/0?queue=jobs"),
        ("sqlite:///q.sqlite?queue=hongyan", "sqlite:///q.sqlite"),
        ("amqp://127.0.0.1/?queue=hongyan", "amqp://localhost"),
    ],
)
def test_the_queue_that_is_consumed_is_no_sink(sink: str, consumed: str, opened: Opened) -> None:
    with pytest.raises(ConfigurationError, match="is the queue that is consumed: add"):
        opened(sink, consumed)


def test_another_queue_of_its_broker_is(opened: Opened) -> None:
    assert len(opened("redis://h", "redis://h")) == 1


def test_a_queue_that_cannot_be_opened_is_told_at_start(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(url: urls.QueueUrl, variable: str) -> None:
        raise QueueUnavailable("the disk is full")

    monkeypatch.setattr("events.queues.publishing.connect", fails)
    with pytest.raises(ConfigurationError, match="HONGYAN_SINKS: the disk is full"):
        opened("redis://h")


def test_requests_is_imported_where_an_http_sink_is_named_only() -> None:
    code = (
        "import sys; from events.sinks.settings import open_sinks\n"
        "open_sinks('stdout:', {}); assert 'requests' not in sys.modules\n"
        "open_sinks('https://h', {}); assert 'requests' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
