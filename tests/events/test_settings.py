"""Settings of events: defaults, values from the environment, and refusals that name the variable."""

from __future__ import annotations

import pytest

from events.settings import EventSettings
from functions.cloud.errors import ConfigurationError


def test_defaults() -> None:
    assert EventSettings.from_env({}) == EventSettings("hongyan", 15.0, 1_048_576)


def test_from_the_environment() -> None:
    env = {"HONGYAN_EVENT_PREFIX": "com.example", "HONGYAN_DEADLINE_S": "2.5", "HONGYAN_BODY_LIMIT": "2048"}
    assert EventSettings.from_env(env) == EventSettings("com.example", 2.5, 2048)
    assert EventSettings.from_env({"HONGYAN_QUEUE": " sqlite:///q.sqlite\n"}) == EventSettings(
        queue="sqlite:///q.sqlite"
    )


def test_the_process_own_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_DEADLINE_S", "7")
    assert EventSettings.from_env().deadline_s == 7.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HONGYAN_EVENT_PREFIX", "Com.Example"),
        ("HONGYAN_EVENT_PREFIX", "a..b"),
        ("HONGYAN_EVENT_PREFIX", "a\nb"),
        ("HONGYAN_DEADLINE_S", "0"),
        ("HONGYAN_DEADLINE_S", "901"),
        ("HONGYAN_DEADLINE_S", "nan"),
        ("HONGYAN_DEADLINE_S", "-1"),
        ("HONGYAN_BODY_LIMIT", "1e9"),
        ("HONGYAN_BODY_LIMIT", "99999999999999999999"),
    ],
)
def test_a_wrong_value_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        EventSettings.from_env({name: value})
