"""URLs of queues: what they name, what is refused with which text, and that no password is ever shown."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.queues import QueueRefused, QueueUnavailable
from events.queues.urls import LEASE_S, QueueUrl, connect, read
from functions.cloud.errors import ConfigurationError
from tests.events.queues.support import patiently

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("url", "transport", "path", "shown"),
    [
        ("sqlite:///q.sqlite", "sqlite", "q.sqlite", "sqlite:///q.sqlite?queue=hongyan"),
        ("sqlite:////var/lib/q.sqlite", "sqlite", "/var/lib/q.sqlite", "sqlite:////var/lib/q.sqlite?queue=hongyan"),
        ("sqlite:///a%20b%3F.sqlite", "sqlite", "a b?.sqlite", "sqlite:///a b?.sqlite?queue=hongyan"),
        ("redis://host:6379/2", "redis", "", "redis://host:6379/2?queue=hongyan"),
        ("rediss://:hush@host/2", "redis", "", "rediss://host/2?queue=hongyan"),
        ("amqp://user:hush@[::1]:5672/v", "amqp", "", "amqp://[::1]:5672/v?queue=hongyan"),
        ("amqps://user:hu%40sh@host//", "amqp", "", "amqps://host//?queue=hongyan"),
    ],
)
def test_what_a_url_names(url: str, transport: str, path: str, shown: str) -> None:
    found = read(f" {url} ", "HONGYAN_QUEUE")
    assert (found.transport, found.path, found.shown, found.lease_s) == (transport, path, shown, LEASE_S)
    assert "hush" not in repr(found)


def test_what_it_says_besides() -> None:
    found = read("redis://host/?queue=a.b-c_1&lease_s=7.5&other=%20x&none=", "HONGYAN_QUEUE")
    assert found == QueueUrl("redis", "a.b-c_1", 7.5, "redis://host/", options={"other": " x", "none": ""})
    assert found.shown == "redis://host/?queue=a.b-c_1"


def test_the_name_of_a_queue_may_have_another_default() -> None:
    assert read("redis://host", "V", name="results").name == "results"
    assert read("redis://host?queue=mine", "V", name="results").name == "mine"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "must be a URL that begins with sqlite:///, redis:// or amqp://"),
        ("queue.sqlite", "must be a URL"),
        ("kafka://host/", "must be a URL"),
        ("sqlite://", "must name a file: sqlite:///queue.sqlite"),
        ("sqlite:///", "must name a file"),
        ("sqlite://q.sqlite", "must name a file"),
        ("sqlite://host/q.sqlite", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
        ("sqlite:///a%00b", "no file and no host has"),
        ("redis:///0", "must name a host: redis://host/"),
        ("amqp://", "must name a host: amqp://host/"),
        ("amqp://user:hush@host:port/", "not a URL: look at its host and its port"),
        ("redis://user:hush@host:99999/", "not a URL"),
        ("redis://user:hush@[::1/", "not a URL"),
        ("redis://host?queue=", "queue must be 1 to 100 letters"),
        ("redis://host?queue=a%20b", "queue must be"),
        ("redis://host?queue=.a", "queue must be"),
        ("redis://host?queue=" + "a" * 101, "queue must be"),
        ("redis://host?lease_s=0.1", "lease_s must be a number of seconds from 0.2 to 86400"),
        ("redis://host?lease_s=90000", "lease_s must be"),
        ("redis://host?lease_s=nan", "lease_s must be"),
        ("redis://host?lease_s=1e3", "lease_s must be"),
        ("redis://host?lease_s=-5", "lease_s must be"),
    ],
)
def test_what_names_no_queue_is_told(url: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read(url, "HONGYAN_QUEUE")
    assert str(raised.value).startswith("HONGYAN_QUEUE")
    assert told in str(raised.value)
    assert "hush" not in str(raised.value)


@patiently
@given(st.text(max_size=40) | st.text("sqliteredamp:/?#[]@%&=hush0.", max_size=40).map(lambda text: f"redis://{text}"))
def test_any_text_is_read_or_refused(url: str) -> None:
    try:
        found = read(url, "HONGYAN_QUEUE")
    except ConfigurationError:
        return
    assert found.name
    assert found.shown


def test_a_file_is_connected_to(tmp_path: Path) -> None:
    queue = connect(read(f"sqlite:///{tmp_path}/q.sqlite?queue=mine&lease_s=5", "HONGYAN_QUEUE"), "HONGYAN_QUEUE")
    assert (queue.transport, queue.name, queue.lease_s) == ("sqlite", "mine", 5.0)
    queue.close()


def test_an_option_that_the_transport_does_not_know_is_told(tmp_path: Path) -> None:
    url = read(f"sqlite:///{tmp_path}/q.sqlite?mode=ro&ahead=1", "HONGYAN_QUEUE")
    with pytest.raises(
        ConfigurationError, match=r"^HONGYAN_QUEUE: sqlite has no option 'ahead'; there are queue, lease_s$"
    ):
        connect(url, "HONGYAN_QUEUE")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_reached_and_one_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(QueueUnavailable, match="Is a directory"):
        connect(read(f"sqlite:///{tmp_path}", "HONGYAN_QUEUE"), "HONGYAN_QUEUE")
    (tmp_path / "text").write_text("no database" * 100)
    with pytest.raises(QueueRefused, match="not a database"):
        connect(read(f"sqlite:///{tmp_path}/text", "HONGYAN_QUEUE"), "HONGYAN_QUEUE")


@pytest.mark.parametrize(
    ("url", "extra", "library"), [("redis://h/", "redis", "redis"), ("amqp://h/", "amqp", "kombu")]
)
def test_a_library_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, url: str, extra: str, library: str
) -> None:
    for name in [*sys.modules]:
        ours = name.startswith(("events.queues.redis", "events.queues.amqp", "events.redisserver"))
        if ours or name.split(".")[0] == library:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ConfigurationError) as raised:
        connect(read(url, "HONGYAN_QUEUE"), "HONGYAN_QUEUE")
    assert str(raised.value) == f"HONGYAN_QUEUE needs the extra `{extra}`: pip install '.[{extra}]'"
