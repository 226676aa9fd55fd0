"""Settings of a deployed function: each mistake names its variable."""

from __future__ import annotations

import pytest

from events.triggers.serverless.settings import ServerlessSettings
from functions.cloud.errors import ConfigurationError


def test_defaults() -> None:
    assert ServerlessSettings.from_env({}) == ServerlessSettings()
    assert ServerlessSettings().dead_letter


def test_everything_may_be_set() -> None:
    found = ServerlessSettings.from_env(
        {
            "HONGYAN_OPERATION": " elb.list_members ",
            "HONGYAN_PAYLOAD": '{"listener_id": {"at": "/id"}, "limit": 5}',
            "HONGYAN_ON_FINAL_FAILURE": "acknowledge",
            "HONGYAN_MAX_RECEIVES": "5",
            "HONGYAN_GATEWAY_AUTHENTICATES": "true",
            "HONGYAN_MARGIN_S": "1.5",
        }
    )
    payload = {"listener_id": {"at": "/id"}, "limit": 5}
    assert found == ServerlessSettings("elb.list_members", payload, False, 5, True, 1.5)
    pointed = ServerlessSettings.from_env({"HONGYAN_OPERATION": "elb.list_members", "HONGYAN_PAYLOAD": "/detail"})
    assert pointed.payload == "/detail"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("HONGYAN_OPERATION", "elb.list_member", "did you mean elb.list_members"),
        ("HONGYAN_PAYLOAD", "detail", "a JSON pointer, like /detail/payload"),
        ("HONGYAN_PAYLOAD", "/a~", '"~" is written ~0'),
        ("HONGYAN_PAYLOAD", "[1]", "must be a JSON pointer"),
        ("HONGYAN_PAYLOAD", '{"a": {"at": 1}}', "HONGYAN_PAYLOAD.a.at: must be text"),
        ("HONGYAN_ON_FINAL_FAILURE", "drop", "dead-letter or acknowledge"),
        ("HONGYAN_MAX_RECEIVES", "0", "1 to 1000"),
        ("HONGYAN_MAX_RECEIVES", "x", "1 to 1000"),
        ("HONGYAN_GATEWAY_AUTHENTICATES", "yes", "true or false"),
        ("HONGYAN_MARGIN_S", "0", "0.05 to 60"),
        ("HONGYAN_MARGIN_S", "a", "0.05 to 60"),
    ],
)
def test_a_mistake_names_its_variable(name: str, value: str, told: str) -> None:
    operation = {} if name == "HONGYAN_OPERATION" else {"HONGYAN_OPERATION": "elb.list_members"}
    with pytest.raises(ConfigurationError, match=name) as raised:
        ServerlessSettings.from_env({**operation, name: value})
    assert told in raised.value.message


def test_a_payload_that_is_looked_for_needs_an_operation() -> None:
    with pytest.raises(ConfigurationError, match="HONGYAN_PAYLOAD needs HONGYAN_OPERATION"):
        ServerlessSettings.from_env({"HONGYAN_PAYLOAD": "/detail"})
