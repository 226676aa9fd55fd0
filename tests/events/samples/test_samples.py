from __future__ import annotations

import json

import pytest

from events.dispatch import Call, Dispatcher
from events.samples import NoSample, sample
from events.settings import EventSettings
from functions.cloud.client import Client
from functions.cloud.deadline import Deadline
from functions.cloud.settings import CloudSettings
from functions.registry import names


@pytest.mark.parametrize("operation", names())
def test_every_operation_has_a_sample_that_succeeds_on_a_fresh_emulator(operation: str) -> None:
    client = Client(CloudSettings.from_env({"HONGYAN_EMULATOR": "local"}), environ={})
    call = Call(operation, json.loads(sample(operation)), Deadline.after(10), source="/test", trigger="test")
    assert Dispatcher(client, EventSettings()).dispatch(call).outcome == "succeeded"


def test_the_text_of_the_page_is_kept() -> None:
    first, second = json.loads(sample("vpcep.update_connection_descriptions"))["connections"]
    assert first["description"] == "终端节点节点1, 属于账户[0605767a3300d5762fb7c0186d9e1779]iaas_commonnet_odin_26"
    assert second["description"] == "终端节点节点2, 属于账户[7876999999999]iaas_commonnet_odin_26"


@pytest.mark.parametrize("operation", ["elb.delete_members", "../../pyproject", "", "__init__"])
def test_what_has_no_sample_is_told_what_has(operation: str) -> None:
    with pytest.raises(NoSample, match=r"there is no sample of .*; there are samples of .*apig\.add_members"):
        sample(operation)
