"""The worker's settings: defaults, and a mistake in each told by its name."""

from __future__ import annotations

import pytest

from events.triggers.worker.settings import WorkerSettings
from functions.cloud.errors import ConfigurationError

QUEUE = {"HONGYAN_QUEUE": "sqlite:///q.sqlite"}


def test_the_defaults() -> None:
    own = WorkerSettings.from_env(QUEUE)
    assert (own.threads, own.tries, own.retry_s, own.retry_most_s, own.stop_s) == (16, 5, 1.0, 300.0, 30.0)
    assert (own.queue.name, own.queue.lease_s, own.operation, own.payload) == ("hongyan", 30.0, "", None)


@pytest.mark.parametrize(
    ("queue", "store", "found"),
    [
        ("sqlite:///q.sqlite?queue=x", "", "sqlite:///q.sqlite"),
        ("sqlite:////a%23b/q.sqlite", "", "sqlite:////a%23b/q.sqlite"),
        ("redis://u:p@h:1/2?queue=x", "", "redis://u:p@h:1/2"),
        ("rediss://h/?ssl_ca_certs=/ca.pem", "", "rediss://h/?ssl_ca_certs=%2Fca.pem"),
        ("amqp://h/", "redis://h", "redis://h"),
        ("amqp://h/", "none", ""),
        ("sqlite:///q.sqlite", "none", ""),
        ("sqlite:///q.sqlite", "sqlite:///s.sqlite", "sqlite:///s.sqlite"),
    ],
)
def test_the_store_is_with_the_queue_unless_it_is_named(queue: str, store: str, found: str) -> None:
    assert WorkerSettings.from_env({"HONGYAN_QUEUE": queue, "HONGYAN_STORE": store}).store == found


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"HONGYAN_QUEUE": ""}, "missing settings: HONGYAN_QUEUE"),
        ({"HONGYAN_QUEUE": "amqp://h/"}, "missing settings: HONGYAN_STORE"),
        ({"HONGYAN_THREADS": "257"}, "HONGYAN_THREADS must be a whole number from 1 to 256"),
        ({"HONGYAN_THREADS": "1.5"}, "HONGYAN_THREADS"),
        ({"HONGYAN_TRIES": "0"}, "HONGYAN_TRIES must be a whole number from 1 to 100"),
        ({"HONGYAN_RETRY_S": "-1"}, "HONGYAN_RETRY_S must be a number from 0.01 to 3600"),
        ({"HONGYAN_RETRY_MOST_S": "x"}, "HONGYAN_RETRY_MOST_S"),
        ({"HONGYAN_KEEP_S": "59"}, "HONGYAN_KEEP_S must be a number from 60"),
        ({"HONGYAN_STOP_S": "0"}, "HONGYAN_STOP_S"),
        ({"HONGYAN_OPERATION": "elb.no"}, "HONGYAN_OPERATION"),
        ({"HONGYAN_PAYLOAD": "/a"}, "HONGYAN_PAYLOAD needs HONGYAN_OPERATION"),
    ],
)
def test_a_mistake_is_told_by_its_name(changes: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        WorkerSettings.from_env({**QUEUE, **changes})


def test_no_secret_is_shown() -> None:
    own = WorkerSettings.from_env(
        {
            "HONGYAN_QUEUE": "redis://u:geheim@h/",
            "HONGYAN_SINKS": "https://u:geheim@h/",
            "HONGYAN_STORE": "redis://:geheim@h",
        }
    )
    assert "geheim" not in repr(own)
