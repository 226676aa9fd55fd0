"""One shape for every service's backends."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.apig import STATES as APIG_STATES
from schemas.apig import ApigBackend
from schemas.backends import HEALTH, STATES, Backend
from schemas.elb import HEALTH as ELB_HEALTH
from schemas.elb import STATES as ELB_STATES
from schemas.elb import ElbBackend

FIELDS = [
    "id",
    "address",
    "public_address",
    "server_id",
    "server_name",
    "port",
    "weight",
    "state",
    "health",
    "listener_ids",
    "channel_id",
    "created_at",
    "updated_at",
    "is_backup",
    "member_group_id",
    "member_group_name",
]


@pytest.mark.parametrize("kind", [Backend, ElbBackend, ApigBackend])
def test_every_backend_has_the_same_fields_in_the_same_order(kind: type[Backend]) -> None:
    told: dict[str, Any] = kind().dump({})
    assert list(told) == FIELDS
    assert told == {**dict.fromkeys(FIELDS), "health": "unknown"}


def test_the_words_for_state_and_health_are_ours() -> None:
    assert {*ELB_STATES.values(), *APIG_STATES.values()} == set(STATES) == {"active", "pending", "inactive", "error"}
    assert set(ELB_HEALTH.values()) == set(HEALTH) == {"healthy", "unhealthy", "unknown"}
    assert Backend().fields["state"].metadata["enum"] == [*STATES, None]
    assert Backend().fields["health"].metadata["enum"] == list(HEALTH)


def test_a_backend_of_no_service_has_no_state() -> None:
    told = Backend().dump({"state": "active", "health": "healthy"})
    assert (told["state"], told["health"]) == (None, "unknown")
