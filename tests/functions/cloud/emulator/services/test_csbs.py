from typing import Any

import pytest

from functions.cloud.emulator.seed import Seed
from tests.functions.cloud.emulator.support import CSBS_ACTION, PROVIDER, call, emulator, seed_copy

CHECKPOINT = "8986ce68-3da7-4d29-9cc2-1921e9504975"
SERVER = "5aa119a8-d25b-45a7-8d1b-88e127885635"
RESTORING = "6bb22ab9-e36c-46b8-9e2c-99f238996746"
BACKUP = "7ea119a8-d25b-43a7-8d1b-88e12788513a"
VOLUME = "45baf976-c20a-4894-a7c3-c94b7376bf55"
NOVA = "OS::Nova::Server"


def item(**target: Any) -> dict[str, Any]:
    """The page's example, with parts of its target changed."""
    volumes = [{"backup_id": BACKUP, "volume_id": VOLUME}]
    return {
        "checkpoint_item_id": CHECKPOINT,
        "target": {"resource_type": NOVA, "resource_id": SERVER, "volumes": volumes, **target},
    }


def ask(*items: Any, seed: Seed | None = None, **options: Any) -> tuple[int, Any]:
    return call(emulator(seed=seed, **options), "POST", CSBS_ACTION, {"check_restorable": list(items)})


def reason(seed: Seed | None = None, **target: Any) -> tuple[str, str]:
    status, body = ask(item(**target), seed=seed)
    verdict = body["restorable"][0]
    assert (status, verdict["result"], verdict["resource_id"]) == (200, False, target.get("resource_id", SERVER))
    return verdict["error_code"], verdict["error_msg"]


def changed(what: str, **fields: Any) -> Seed:
    """The seed with its first server, volume, checkpoint or backup changed."""
    seed = seed_copy()
    server, checkpoint = seed["csbs"]["servers"][0], seed["csbs"]["checkpoints"][0]
    parts = {
        "server": server,
        "volume": server["volumes"][0],
        "checkpoint": checkpoint,
        "backup": checkpoint["backups"][0],
    }
    parts[what].update(fields)
    return seed


def test_the_pages_example_is_restorable() -> None:
    verdict = {"resource_id": SERVER, "resource_type": NOVA, "result": True, "error_msg": "", "error_code": ""}
    assert ask(item()) == (200, {"restorable": [verdict]})


def test_the_pages_example_comes_back_exactly_when_the_option_says_so() -> None:
    expected = {
        "resource_id": "6507cb66-90dc-4a12-a573-c9f3398f899d",
        "resource_type": "OS::Nova::Server",
        "result": True,
        "error_msg": "",
        "error_code": "",
    }
    assert ask(item(), page_resource_id=True) == (200, {"restorable": [expected]})


def test_each_item_has_its_verdict_in_the_order_asked() -> None:
    status, body = ask(item(resource_id=RESTORING), item(), item(resource_id="nowhere"))
    assert status == 200
    assert [(one["resource_id"], one["error_code"]) for one in body["restorable"]] == [
        (RESTORING, "CSBS.6015"),
        (SERVER, ""),
        ("nowhere", "CSBS.6000"),
    ]


def test_a_type_that_cannot_be_restored() -> None:
    assert reason(resource_type="OS::Cinder::Volume") == (
        "CSBS.6013",
        f"Resource ({SERVER}) type (OS::Cinder::Volume) is not support restoration.",
    )


def test_a_server_of_another_type_than_the_backup() -> None:
    code, message = reason(resource_type="OS::Ironic::BareMetalServer")
    assert code == "CSBS.6019"
    assert message == (
        f"The source server ({SERVER}) type ({NOVA}) is not the same as the target server ({SERVER})"
        " type (OS::Ironic::BareMetalServer)."
    )


@pytest.mark.parametrize(
    ("what", "fields", "code"),
    [
        ("checkpoint", {"status": "protecting"}, "CSBS.4000"),
        ("server", {"type": "OS::Ironic::BareMetalServer"}, "CSBS.6000"),
        ("server", {"status": "SHUTOFF"}, "CSBS.6001"),
        ("server", {"az": "cn-north-4b"}, "CSBS.6025"),
        ("server", {"volumes": []}, "CSBS.6020"),
        ("volume", {"shareable": True}, "CSBS.6021"),
        ("backup", {"system": False}, "CSBS.6023"),
        ("volume", {"size_gb": 39}, "CSBS.6024"),
    ],
)
def test_the_state_decides(what: str, fields: dict[str, Any], code: str) -> None:
    assert reason(seed=changed(what, **fields))[0] == code


def test_a_backup_that_is_not_in_the_checkpoint() -> None:
    volumes = [{"backup_id": "b", "volume_id": VOLUME}]
    assert reason(volumes=volumes) == (
        "CSBS.6017",
        f"Can not find backup(s) (b) in checkpoint item ({CHECKPOINT}).",
    )


def test_a_volume_that_is_not_on_the_server() -> None:
    volumes = [{"backup_id": BACKUP, "volume_id": "v"}]
    assert reason(volumes=volumes) == ("CSBS.6014", "Volume(s) (v) not found in target server.")


def test_a_backup_that_is_left_out() -> None:
    assert reason(volumes=[]) == (
        "CSBS.6018",
        f"Not assign backup(s) ({BACKUP}) to volume(s), partial restore is not supported.",
    )


def test_an_unknown_checkpoint_is_not_found() -> None:
    unknown = {**item(), "checkpoint_item_id": "nothing"}
    expected = {"error_code": "CSBS.3001", "error_msg": "Checkpoint_item (nothing) is not found."}
    assert ask(item(), unknown) == (404, expected)


def test_a_wrong_provider_is_refused() -> None:
    target = CSBS_ACTION.replace(PROVIDER, "fc4d5750-22e7-4798-8a46-f48f62c4c1db")
    status, body = call(emulator(), "POST", target, {"check_restorable": [item()]})
    assert (status, body) == (400, {"error_code": "CSBS.9001", "error_msg": "provider invalid"})


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (None, "check_restorable"),
        ([], "check_restorable"),
        (b"no", "JSON"),
        ({"check_protectable": []}, "check_restorable"),
        ({"check_restorable": []}, "check_restorable"),
        ({"check_restorable": ["x"]}, "checkpoint_item_id"),
        ({"check_restorable": [{"checkpoint_item_id": 1}]}, "checkpoint_item_id"),
        ({"check_restorable": [{"checkpoint_item_id": "x"}]}, "resource_id"),
        ({"check_restorable": [item(resource_type=None)]}, "resource_type"),
        ({"check_restorable": [item(volumes=None)]}, "volumes"),
        ({"check_restorable": [item(volumes=[{"volume_id": VOLUME}])]}, "backup_id"),
        ({"check_restorable": [item(volumes=[{"backup_id": BACKUP, "volume_id": 1}])]}, "volume_id"),
    ],
)
def test_a_malformed_body_is_refused(body: Any, named: str) -> None:
    status, answer = call(emulator(), "POST", CSBS_ACTION, body)
    assert (status, answer["error_code"]) == (400, "CSBS.9001")
    assert named in answer["error_msg"]
