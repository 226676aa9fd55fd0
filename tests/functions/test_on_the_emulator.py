"""The four functions against the emulator, which was written without knowing them: state, paging, verdicts, disagreements."""

from __future__ import annotations

import json
from typing import Any

import pytest

from events.samples import sample
from functions.cloud.client import Client
from functions.cloud.deadline import Deadline
from functions.cloud.emulator.adapter import EmulatorAdapter
from functions.cloud.emulator.core import Emulator
from functions.cloud.emulator.seed import default_seed
from functions.cloud.errors import CloudRefused
from functions.cloud.settings import CloudSettings
from functions.registry import Partial, find
from tests.support import LISTENER

RESTORING = "6bb22ab9-e36c-46b8-9e2c-99f238996746"
UNKNOWN_SERVICE = "813d9300-8473-405b-bfcd-f711117bad66"
FAILED_SERVICE = "924ea411-9584-416c-a0de-082228cbe76f"
FAILED_CONNECTION = "1ef89a08-46c1-4ba4-8e28-1cd1696f657c"


def run(operation: str, changes: dict[str, Any] | None = None, emulator: Emulator | None = None) -> Any:
    """Return what a function makes of its sample, changed, and its result as it would go out."""
    client = Client(CloudSettings.from_env({"HONGYAN_EMULATOR": "local"}))
    client.transport._session.mount("http://", EmulatorAdapter(emulator or Emulator()))
    function = find(operation)
    payload = function.payload.load(json.loads(sample(operation)) | (changes or {}))
    answer = function.call(
        payload, client.call(Deadline.after(20), reads=function.reads, idempotent=function.idempotent)
    )
    return isinstance(answer, Partial), function.result.dump(answer)


def crowd(size: int, *, marker_inclusive: bool = False) -> Emulator:
    seed = default_seed()
    member = seed["elb"]["members"][0]
    seed["elb"]["members"] = [member | {"id": f"{number:032x}"} for number in range(size)]
    return Emulator(seed, marker_inclusive=marker_inclusive)


@pytest.mark.parametrize("marker_inclusive", [False, True])
@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 200, 250])
@pytest.mark.parametrize("limit", [None, 7])
def test_every_member_once_however_pages_are_cut(size: int, limit: int | None, marker_inclusive: bool) -> None:
    emulator = crowd(size, marker_inclusive=marker_inclusive)
    _, result = run("elb.list_members", {} if limit is None else {"limit": limit}, emulator)
    assert [member["id"] for member in result["members"]] == [f"{number:032x}" for number in range(size)]
    assert (result["count"], result["truncated"], result["next_marker"]) == (size, False, None)
    assert result["health"] == {"healthy": size, "unhealthy": 0, "unknown": 0}


@pytest.mark.parametrize("marker_inclusive", [False, True])
def test_a_list_that_is_cut_goes_on_where_it_ended(marker_inclusive: bool) -> None:
    emulator = crowd(250, marker_inclusive=marker_inclusive)
    _, first = run("elb.list_members", {"max_items": 120}, emulator)
    assert (first["count"], first["truncated"]) == (120, True)
    _, rest = run("elb.list_members", {"marker": first["next_marker"], "max_items": 1000}, emulator)
    ids = {member["id"] for member in first["members"]} | {member["id"] for member in rest["members"]}
    assert len(ids) == 250
    assert rest["truncated"] is False


def test_a_filter_reaches_the_cloud() -> None:
    _, result = run("elb.list_members", {"health_status": "ABNORMAL"})
    assert [member["server_id"] for member in result["members"]] == ["05b731db-d457-41dc-a824-862daba91a59"]


def test_adding_the_same_address_again_updates_it() -> None:
    emulator = Emulator()
    run("apig.add_members", {"members": [{"host": "192.168.2.25", "weight": 1}]}, emulator)
    partial, again = run("apig.add_members", {"members": [{"host": "192.168.2.25", "weight": 9}]}, emulator)
    assert not partial
    assert [(member["address"], member["weight"]) for member in again["members"]] == [("192.168.2.25", 9)]


def test_a_server_that_cannot_be_restored_to_is_an_answer() -> None:
    question = json.loads(sample("csbs.check_restorable"))["check_restorable"][0]
    no = question | {"target": question["target"] | {"resource_id": RESTORING}}
    partial, result = run("csbs.check_restorable", {"check_restorable": [no, question]})
    verdicts = {item["resource_id"]: (item["restorable"], item["code"]) for item in result["items"]}
    assert verdicts == {RESTORING: (False, "CSBS.6015"), question["target"]["resource_id"]: (True, None)}
    assert (partial, result["all_restorable"], result["missing"]) == (False, False, [])


def test_the_pages_own_answer_names_another_server() -> None:
    partial, result = run("csbs.check_restorable", None, Emulator(page_resource_id=True))
    assert (partial, result["all_restorable"]) == (False, True)
    assert result["items"][0]["resource_id"] == "6507cb66-90dc-4a12-a573-c9f3398f899d"
    assert result["items"][0]["checkpoint_item_id"] == "8986ce68-3da7-4d29-9cc2-1921e9504975"


def test_connections_come_back_in_another_order_and_are_matched() -> None:
    asked = json.loads(sample("vpcep.update_connection_descriptions"))["connections"]
    partial, result = run("vpcep.update_connection_descriptions")
    answered = {connection["id"]: connection["description"] for connection in result["connections"]}
    assert [connection["id"] for connection in result["connections"]] != [connection["id"] for connection in asked]
    assert answered == {connection["id"]: connection["description"] for connection in asked}
    assert not partial


def test_a_failed_connection_makes_it_partial() -> None:
    connections = [{"id": FAILED_CONNECTION, "description": "x"}]
    changes = {"vpc_endpoint_service_id": FAILED_SERVICE, "connections": connections}
    partial, result = run("vpcep.update_connection_descriptions", changes)
    assert (partial, result["failed"], result["missing"]) == (True, [FAILED_CONNECTION], [])
    assert result["connections"][0]["errors"][0]["code"]
    assert result["connections"][0]["marker_id"] > 2**53


@pytest.mark.parametrize(
    ("operation", "changes", "code", "kind"),
    [
        ("elb.list_members", {"listener_id": LISTENER[::-1]}, "ELB.6010", "invalid_argument"),
        ("elb.list_members", {"marker": "nobody"}, "ELB.2012", "not_found"),
        ("apig.add_members", {"vpc_channel_id": "0" * 32}, "APIG.3023", "not_found"),
        ("apig.add_members", {"instance_id": "0" * 32}, "APIG.3030", "not_found"),
        ("csbs.check_restorable", {"provider_id": "other"}, "CSBS.9001", "invalid_argument"),
        (
            "vpcep.update_connection_descriptions",
            {"vpc_endpoint_service_id": UNKNOWN_SERVICE},
            "EndPoint.2003",
            "not_found",
        ),
    ],
)
def test_a_refusal_keeps_the_clouds_own_code(operation: str, changes: dict[str, Any], code: str, kind: str) -> None:
    with pytest.raises(CloudRefused) as caught:
        run(operation, changes)
    assert (caught.value.code, caught.value.kind) == (code, kind)
    assert caught.value.request_id
