"""Emulated CSBS v1: can these backups be restored to these servers (API page "query restoration capabilities")."""

from collections.abc import Mapping
from typing import Any

from functions.cloud.emulator.csbs_verdict import verdict
from functions.cloud.emulator.message import Response, json_response
from functions.cloud.emulator.payload import read_json
from functions.cloud.emulator.refusal import Refusal, flat
from functions.cloud.emulator.routes import Call, route

Json = Mapping[str, Any]


@route("POST", "/v1/{project_id}/providers/{provider_id}/resources/action")
def check_restorable(call: Call) -> Response:
    """Answer 200 with a verdict for each item, in the order asked; a refusal of one item is not an error of the call.

    Refuses the whole call: 400 CSBS.9001 for a wrong provider or a malformed body, 404 CSBS.3001 for an unknown
    checkpoint item.
    """
    if call.path["provider_id"] != call.data["provider_id"]:
        raise flat(400, "CSBS.9001", "provider invalid")
    items = _items(read_json(call.request, _refusal))
    checkpoints = [_checkpoint(call.data, item) for item in items]
    answers = [_answer(call, item, checkpoint) for item, checkpoint in zip(items, checkpoints, strict=True)]
    return json_response(200, {"restorable": answers})


def _answer(call: Call, item: Json, checkpoint: Json) -> dict[str, Any]:
    target = item["target"]
    server = next((one for one in call.data["servers"] if one["id"] == target["resource_id"]), None)
    code, message = verdict(target, checkpoint, server) or ("", "")
    shown = call.data["page_resource_id"] if call.options.page_resource_id else target["resource_id"]
    return {
        "resource_id": shown,
        "resource_type": target["resource_type"],
        "result": code == "",
        "error_msg": message,
        "error_code": code,
    }


def _checkpoint(data: Json, item: Json) -> Json:
    wanted = item["checkpoint_item_id"]
    found: Json | None = next((one for one in data["checkpoints"] if one["id"] == wanted), None)
    if found is None:
        raise flat(404, "CSBS.3001", f"Checkpoint_item ({wanted}) is not found.")
    return found


def _items(body: Any) -> list[Any]:
    items = _list(body, "check_restorable")
    if not items:
        raise _refusal(400, "check_restorable is empty")
    for item in items:
        _texts(item, "checkpoint_item_id")
        target = item.get("target")
        _texts(target, "resource_id", "resource_type")
        for volume in _list(target, "volumes"):
            _texts(volume, "backup_id", "volume_id")
    return items


def _list(value: Any, name: str) -> list[Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(found, list):
        raise _refusal(400, f"{name} is not a list")
    return found


def _texts(value: Any, *names: str) -> None:
    for name in names:
        if not isinstance(value, Mapping) or not isinstance(value.get(name), str):
            raise _refusal(400, f"{name} is not a text")


def _refusal(status: int, message: str) -> Refusal:
    return flat(status, "CSBS.9001", f"Invalid parameter: {message}")
