"""One shape for the backends of every load balancer and gateway: ELB's and APIG's members look the same in a result."""

from __future__ import annotations

from schemas.answers import Result, SaidFlag, SaidIds, SaidText, SaidTime, SaidWhole, SaidWord

STATES = ("active", "pending", "inactive", "error")
HEALTH = ("healthy", "unhealthy", "unknown")


class Backend(Result):
    """A backend: what a service does not know of it is null, and its health then `unknown`."""

    id = SaidText()
    address = SaidText(metadata={"description": "private address, or the host as it was given"})
    public_address = SaidText()
    server_id = SaidText()
    server_name = SaidText()
    port = SaidWhole()
    weight = SaidWhole()
    state = SaidWord({}, other=None, metadata={"enum": [*STATES, None]})
    health = SaidWord({}, other="unknown", metadata={"enum": list(HEALTH)})
    listener_ids = SaidIds()
    channel_id = SaidText()
    created_at = SaidTime()
    updated_at = SaidTime()
    is_backup = SaidFlag()
    member_group_id = SaidText()
    member_group_name = SaidText()
