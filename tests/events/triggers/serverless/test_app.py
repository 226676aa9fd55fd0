"""A deployed function's parts: complete settings or one clear error, and one number for threads and connections."""

from __future__ import annotations

import logging

import pytest

from events.triggers.serverless.app import App
from functions.cloud.errors import ConfigurationError
from tests.events.triggers.serverless.support import emulated


@pytest.fixture(autouse=True)
def logging_as_before() -> object:
    logger = logging.getLogger("hongyan")
    before = (logger.handlers[:], logger.propagate, logger.level)
    yield None
    logger.handlers[:], logger.propagate = before[0], before[1]
    logger.setLevel(before[2])


def test_it_is_built_of_the_environment() -> None:
    app = App.from_env({"HONGYAN_EMULATOR": "local", "HONGYAN_POOL_SIZE": "7", "HONGYAN_OPERATION": "elb.list_members"})
    assert app.own.operation == "elb.list_members"
    assert app.threads.most == app.client.settings.pool_size == 7


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({}, "HUAWEICLOUD_SDK_AK"),
        ({"HONGYAN_EMULATOR": "local", "HONGYAN_MARGIN_S": "x"}, "HONGYAN_MARGIN_S"),
        ({"HONGYAN_EMULATOR": "local", "HONGYAN_DEADLINE_S": "x"}, "HONGYAN_DEADLINE_S"),
        ({"HONGYAN_EMULATOR": "local", "HONGYAN_SENDERS": "no-such-file.toml"}, "no-such-file.toml"),
    ],
)
def test_what_is_missing_or_wrong_is_named(environ: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        App.from_env(environ)


def test_the_senders_file_is_the_deployed_one(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.chdir(str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"senders\.toml:\d+"):
        emulated({"HONGYAN_SENDERS": "events/samples/senders.toml"})
