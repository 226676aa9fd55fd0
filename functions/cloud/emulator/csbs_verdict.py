"""Why a backup cannot be restored to a server, for the emulated CSBS; codes and reasons are those of its code table."""

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]
Reason = tuple[str, str]
"""A code and its message."""

_TYPES = ("OS::Nova::Server", "OS::Ironic::BareMetalServer")


def verdict(target: Json, checkpoint: Json, server: Json | None) -> Reason | None:
    """Return the first reason against restoring, None when there is none.

    Looked at in this order: the checkpoint, the server, the pairs of backup and volume. `server` is None when there is
    none of that id.
    """
    return (
        _against_type(target, checkpoint)
        or _against_checkpoint(checkpoint)
        or _against_server(target, checkpoint, server)
        or (_against_pairs(target["volumes"], checkpoint, server) if server is not None else None)
    )


def _against_type(target: Json, checkpoint: Json) -> Reason | None:
    server_id, kind, source_kind = target["resource_id"], target["resource_type"], checkpoint["resource_type"]
    if kind not in _TYPES:
        return "CSBS.6013", f"Resource ({server_id}) type ({kind}) is not support restoration."
    if kind != source_kind:
        source = f"The source server ({checkpoint['resource_id']}) type ({source_kind})"
        return "CSBS.6019", f"{source} is not the same as the target server ({server_id}) type ({kind})."
    return None


def _against_checkpoint(checkpoint: Json) -> Reason | None:
    return None if checkpoint["status"] == "available" else ("CSBS.4000", "checkpoint item not available")


def _against_server(target: Json, checkpoint: Json, server: Json | None) -> Reason | None:
    server_id = target["resource_id"]
    if server is None or server["type"] != target["resource_type"]:
        return "CSBS.6000", "server do not exist"
    if server["status"] == "RESTORING":
        return "CSBS.6015", "The server is restoring."
    if server["status"] == "SHUTOFF":
        return "CSBS.6001", "The server has stopped."
    if server["az"] != checkpoint["az"]:
        reason = f"The AZ of local checkpoint item ({checkpoint['id']}) is not support to restore"
        return "CSBS.6025", f"{reason} the resource ({server_id})."
    if not server["volumes"]:
        return "CSBS.6020", f"No volume attached to the server ({server_id}) for restore."
    return None


def _against_pairs(pairs: list[dict[str, str]], checkpoint: Json, server: Json) -> Reason | None:
    backups = {one["id"]: one for one in checkpoint["backups"]}
    volumes = {one["id"]: one for one in server["volumes"]}
    strange = [pair["backup_id"] for pair in pairs if pair["backup_id"] not in backups]
    if strange:
        return "CSBS.6017", f"Can not find backup(s) ({', '.join(strange)}) in checkpoint item ({checkpoint['id']})."
    strange = [pair["volume_id"] for pair in pairs if pair["volume_id"] not in volumes]
    if strange:
        return "CSBS.6014", f"Volume(s) ({', '.join(strange)}) not found in target server."
    left = backups.keys() - {pair["backup_id"] for pair in pairs}
    if left:
        reason = f"Not assign backup(s) ({', '.join(sorted(left))}) to volume(s)"
        return "CSBS.6018", f"{reason}, partial restore is not supported."
    reasons = (_against_pair(backups[pair["backup_id"]], volumes[pair["volume_id"]], server) for pair in pairs)
    return next((reason for reason in reasons if reason is not None), None)


def _against_pair(backup: Json, volume: Json, server: Json) -> Reason | None:
    if volume["shareable"]:
        return "CSBS.6021", f"Volume ({volume['id']}) attached to server ({server['id']}) is shareable volume."
    if volume["system"] and not backup["system"]:
        return "CSBS.6023", f"Can not restore data volume to system volume. server id is ({server['id']})."
    if volume["size_gb"] < backup["size_gb"]:
        target = f"Target volume ({volume['id']}) size ({volume['size_gb']})"
        return "CSBS.6024", f"{target} small than volume backup ({backup['id']}) size ({backup['size_gb']})."
    return None
