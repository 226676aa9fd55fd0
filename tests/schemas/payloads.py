"""Strategies of valid payloads, one per operation, for every test that needs more of them than the pages' examples."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from schemas.fields import HAN

Payloads = st.SearchStrategy[dict[str, Any]]

ASCII_IDS = st.from_regex("[A-Za-z0-9_-]{1,64}", fullmatch=True)
PROJECTS = st.from_regex("[A-Za-z0-9-]{1,64}", fullmatch=True)
ANY_IDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=64)
ADDRESSES = st.ip_addresses().map(str).filter(lambda address: "%" not in address)
UUIDS = st.uuids().flatmap(lambda known: st.sampled_from([str(known), str(known).upper(), known.hex]))

LIST_MEMBERS: Payloads = st.fixed_dictionaries(
    {"listener_id": ASCII_IDS},
    optional={
        "project_id": PROJECTS,
        "limit": st.integers(0, 2_147_483_647),
        "marker": st.just("") | ANY_IDS,
        "follow_pages": st.booleans(),
        "max_items": st.integers(1, 100_000),
        "id": ANY_IDS,
        "server_id": ANY_IDS,
        "server_address": ADDRESSES,
        "address": ADDRESSES,
        "status": st.sampled_from(["ACTIVE", "PENDING", "ERROR"]),
        "health_status": st.sampled_from(["NORMAL", "ABNORMAL", "UNAVAILABLE"]),
    },
)

_HOSTS = ADDRESSES | st.from_regex("[A-Za-z0-9._-]{1,255}", fullmatch=True)
_BY_HOST = st.fixed_dictionaries({"host": _HOSTS})
_BY_SERVER = st.fixed_dictionaries(
    {"ecs_id": ASCII_IDS, "ecs_name": st.from_regex(f"[{HAN}A-Za-z0-9_.-]{{1,64}}", fullmatch=True)}
)
_DETAILS = st.fixed_dictionaries(
    {},
    optional={
        "weight": st.integers(0, 100),
        "port": st.integers(1, 65_535),
        "is_backup": st.booleans(),
        "member_group_name": st.from_regex(f"[{HAN}A-Za-z][{HAN}A-Za-z0-9_.-]{{2,63}}", fullmatch=True),
        "status": st.sampled_from([1, 2]),
    },
)
_MEMBERS = st.builds(
    lambda address, details: {**address, **details},
    _BY_HOST | _BY_SERVER | st.builds(lambda one, other: {**one, **other}, _BY_HOST, _BY_SERVER),
    _DETAILS,
)


def _address(name: str) -> Any:
    return lambda member: member[name].lower() if name in member else id(member)


ADD_MEMBERS: Payloads = st.fixed_dictionaries(
    {
        "instance_id": ASCII_IDS,
        "vpc_channel_id": ASCII_IDS,
        "members": st.lists(_MEMBERS, min_size=1, max_size=4, unique_by=(_address("host"), _address("ecs_id"))),
    },
    optional={"project_id": PROJECTS},
)

_TARGETS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "resource_id": ANY_IDS,
        "resource_type": st.sampled_from(["OS::Nova::Server", "OS::Ironic::BareMetalServer"]),
        "volumes": st.lists(st.fixed_dictionaries({"backup_id": ANY_IDS, "volume_id": ANY_IDS}), max_size=3),
    }
)
_QUESTIONS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"checkpoint_item_id": ANY_IDS, "target": _TARGETS}
)
CHECK_RESTORABLE: Payloads = st.fixed_dictionaries(
    {
        "check_restorable": st.lists(
            _QUESTIONS, min_size=1, max_size=4, unique_by=lambda question: question["target"]["resource_id"].lower()
        )
    },
    optional={"project_id": PROJECTS, "provider_id": ASCII_IDS},
)

_DESCRIPTIONS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<>") | st.sampled_from("\t\n\r"), max_size=300
)
UPDATE_DESCRIPTIONS: Payloads = st.fixed_dictionaries(
    {
        "vpc_endpoint_service_id": st.uuids().map(str) | st.from_regex("[A-Za-z0-9_-]{32,64}", fullmatch=True),
        "connections": st.lists(
            st.fixed_dictionaries({"id": UUIDS, "description": _DESCRIPTIONS}),
            min_size=1,
            max_size=4,
            unique_by=lambda connection: connection["id"].replace("-", "").lower(),
        ),
    },
    optional={"project_id": PROJECTS},
)
