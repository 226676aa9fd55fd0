from typing import Any

import pytest

from tests.functions.cloud.emulator.support import ELB_MEMBERS, LISTENER, PROJECT, call, emulator, seed_copy

FIRST = {
    "server_address": "172.16.0.16",
    "id": "4ac8777333bc20777147ab160ea61baf",
    "status": "ACTIVE",
    "address": "100.64.27.96",
    "listeners": [{"id": "65093734fb966b3d70f6af26cc63e125"}, {"id": "a659fe780a542e1adf204db767a021a3"}],
    "update_time": "2015-12-28 10:35:51",
    "create_time": "2015-12-28 10:35:50",
    "server_name": None,
    "server_id": "97444148-7afb-47cc-b4a3-6e1c94d1ade4",
    "health_status": "NORMAL",
}
SECOND = {
    "server_address": "172.16.0.15",
    "id": "d8a21f107a19d7bd1d05a1f764eb623a",
    "status": "ACTIVE",
    "address": "100.64.27.95",
    "listeners": [{"id": "65093734fb966b3d70f6af26cc63e125"}, {"id": "a659fe780a542e1adf204db767a021a3"}],
    "update_time": "2015-12-28 10:35:51",
    "create_time": "2015-12-28 10:35:50",
    "server_name": None,
    "server_id": "05b731db-d457-41dc-a824-862daba91a59",
    "health_status": "ABNORMAL",
}


def listing(query: str, **options: Any) -> tuple[int, Any]:
    return call(emulator(**options), "GET", f"{ELB_MEMBERS}{query}")


@pytest.mark.parametrize("listener", [LISTENER, "a659fe780a542e1adf204db767a021a3"])
def test_the_pages_example_comes_back_exactly(listener: str) -> None:
    target = f"/v1.0/{PROJECT}/elbaas/listeners/{listener}/members?limit=10&marker=0"
    assert call(emulator(), "GET", target) == (200, [FIRST, SECOND])


def test_a_member_of_another_listener_is_not_listed() -> None:
    seed = seed_copy()
    seed["elb"]["members"][0]["listeners"] = [{"id": "a659fe780a542e1adf204db767a021a3"}]
    assert call(emulator(seed=seed), "GET", ELB_MEMBERS) == (200, [SECOND])


@pytest.mark.parametrize("name", ["server_address", "id", "address", "health_status", "server_id"])
def test_a_filter_keeps_the_members_that_fit(name: str) -> None:
    assert listing(f"?{name}={SECOND[name]}") == (200, [SECOND])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?status=ACTIVE", [FIRST, SECOND]),
        ("?status=ERROR", []),
        ("?status=ACTIVE&health_status=NORMAL", [FIRST]),
        ("?server_name=x&create_time=x&update_time=x&listeners=x&color=x", [FIRST, SECOND]),
        ("?id=unknown&id=4ac8777333bc20777147ab160ea61baf", [FIRST]),
    ],
)
def test_filters_add_up_and_other_parameters_are_ignored(query: str, expected: list[Any]) -> None:
    assert listing(query) == (200, expected)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?limit=0", []),
        ("?limit=1", [FIRST]),
        ("?limit=2147483647", [FIRST, SECOND]),
        ("?marker=", [FIRST, SECOND]),
        ("?marker=0", [FIRST, SECOND]),
        (f"?limit=1&marker={FIRST['id']}", [SECOND]),
        (f"?marker={SECOND['id']}", []),
        (f"?marker={FIRST['id']}&health_status=ABNORMAL", [SECOND]),
        ("?limit=1&health_status=ABNORMAL", [SECOND]),
    ],
)
def test_a_page_starts_after_the_marker_and_holds_what_fits(query: str, expected: list[Any]) -> None:
    assert listing(query) == (200, expected)


def test_a_page_starts_with_the_marker_when_the_option_says_so() -> None:
    assert listing(f"?marker={SECOND['id']}", marker_inclusive=True) == (200, [SECOND])


@pytest.mark.parametrize("limit", ["-1", "2147483648", "99999999999", "ten", "1.0", "", "%201", "٣"])
def test_a_limit_that_is_no_number_of_the_range_is_refused(limit: str) -> None:
    assert listing(f"?limit={limit}") == (400, {"error": {"code": "ELB.2003", "message": "Query member failed."}})


def test_a_marker_that_is_no_member_is_refused() -> None:
    status, body = listing("?marker=4ac8777333bc20777147ab160ea61bae")
    assert (status, body["error"]["code"]) == (400, "ELB.2012")


@pytest.mark.parametrize(
    ("listener", "code"),
    [("6509", "ELB.2010"), ("Z" * 32, "ELB.2020"), ("0" * 32, "ELB.6010"), ("%2E%2E%2F" * 3, "ELB.2010")],
)
def test_a_listener_that_is_not_there_is_a_bad_request(listener: str, code: str) -> None:
    status, body = call(emulator(), "GET", f"/v1.0/{PROJECT}/elbaas/listeners/{listener}/members")
    assert (status, body["error"]["code"]) == (400, code)
