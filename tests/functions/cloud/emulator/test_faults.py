import threading
from collections.abc import Iterator

import pytest
import requests
import urllib3

from functions.cloud.emulator.core import Emulator
from functions.cloud.emulator.faults import Faults
from tests.functions.cloud.emulator.doors import Door, opened
from tests.functions.cloud.emulator.support import (
    APIG_MEMBERS,
    ELB_MEMBERS,
    VPCEP_DESCRIPTION,
    Clock,
    call,
    emulator,
    send,
)

LIMIT = "The number of requests exceeded the limit. Please try later."
MEMBER = {"members": [{"host": "10.0.0.1"}]}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["in process", "socket"])
def door(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Door]:
    with opened(request.param, emulator(clock)) as door:
        yield door


def members(door: Door) -> int:
    return int(call(door.emulator, "GET", APIG_MEMBERS)[1]["total"])


def test_without_a_fault_the_answer_is_the_true_one(door: Door) -> None:
    answer = door.request("POST", APIG_MEMBERS, json=MEMBER)
    assert (answer.status_code, answer.reason.lower(), answer.json()["total"]) == (201, "created", 1)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["X-Request-Id"] == door.emulator.journal[-1].request_id
    assert answer.url == door.address + APIG_MEMBERS


@pytest.mark.parametrize(("kind", "stored"), [("drop", 0), ("drop_after", 1)])
def test_a_dropped_connection(door: Door, kind: str, stored: int) -> None:
    door.emulator.faults.add(kind=kind, match={"method": "POST"})
    with pytest.raises(requests.exceptions.ConnectionError) as caught:
        door.request("POST", APIG_MEMBERS, json=MEMBER)
    assert isinstance(caught.value.args[0], urllib3.exceptions.ProtocolError)
    assert members(door) == stored
    assert door.request("POST", APIG_MEMBERS, json=MEMBER).status_code == 201


def test_a_truncated_body(door: Door) -> None:
    door.emulator.faults.add(kind="truncate", match={"method": "POST"})
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        door.request("POST", APIG_MEMBERS, json=MEMBER)
    assert members(door) == 1


def test_a_truncated_body_read_raw(door: Door) -> None:
    door.emulator.faults.add(kind="truncate")
    pieces: list[bytes] = []
    with door.request("GET", ELB_MEMBERS, stream=True) as answer:
        assert answer.status_code == 200
        with pytest.raises(urllib3.exceptions.ProtocolError):
            pieces.extend(iter(lambda: answer.raw.read1(65536, decode_content=True), b""))
    assert len(b"".join(pieces)) == int(answer.headers["Content-Length"]) // 2


def test_an_html_page_in_place_of_json(door: Door) -> None:
    door.emulator.faults.add(kind="not_json", match={"method": "POST"})
    answer = door.request("POST", APIG_MEMBERS, json=MEMBER)
    assert (answer.status_code, answer.headers["Content-Type"], answer.text[:6]) == (201, "text/html", "<html>")
    assert members(door) == 1


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        ("throttle_400", 400, {"error": {"code": "EndPoint.0022", "message": LIMIT}}),
        ("throttle_500", 500, {"error_code": "APIG.9008", "error_msg": "Too many requests"}),
    ],
)
def test_throttling_that_does_not_look_like_it(door: Door, kind: str, status: int, body: object) -> None:
    door.emulator.faults.add(kind=kind, headers={"Retry-After": "2"})
    answer = door.request("POST", APIG_MEMBERS, json=MEMBER)
    assert (answer.status_code, answer.json(), answer.headers["Retry-After"]) == (status, body, "2")
    assert members(door) == 0


def test_throttling_by_the_gateway(door: Door) -> None:
    door.emulator.faults.add(kind="throttle_429")
    answer = door.request("GET", ELB_MEMBERS)
    assert (answer.status_code, answer.json()["error_code"]) == (429, "APIGW.0308")
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("body", "text", "media_type"),
    [
        (None, "", None),
        ("<html>", "<html>", "text/plain; charset=utf-8"),
        ({"a": ["鸿"]}, '{"a": ["鸿"]}', "application/json"),
        ([], "[]", "application/json"),
    ],
)
def test_a_chosen_answer(door: Door, body: object, text: str, media_type: str | None) -> None:
    door.emulator.faults.add(status=494, body=body)
    answer = door.request("GET", ELB_MEMBERS)
    assert (answer.status_code, answer.content.decode(), answer.headers.get("Content-Type")) == (494, text, media_type)


def test_a_chosen_header_wins(door: Door) -> None:
    door.emulator.faults.add(status=503, body="<p>", headers={"content-type": "text/html", "X-A": "1"})
    answer = door.request("GET", ELB_MEMBERS)
    assert (answer.headers["Content-Type"], answer.headers["X-A"]) == ("text/html", "1")


def test_a_delay_within_the_timeout_is_only_a_delay(door: Door, clock: Clock) -> None:
    door.emulator.faults.add(delay_s=2)
    assert door.request("GET", ELB_MEMBERS).status_code == 200
    assert clock.slept == [2]


def test_a_delay_beyond_the_timeout_over_a_socket() -> None:
    gone, reached = threading.Event(), threading.Event()

    def clock() -> float:  # Read while the emulator's lock is held, on the way into the service.
        if gone.is_set():
            reached.set()
        return Clock().now

    slow = Emulator(clock=clock, sleep=lambda _: gone.wait(10))
    with opened("socket", slow) as door:
        slow.faults.add(delay_s=60, match={"method": "POST"})
        with pytest.raises(requests.exceptions.ReadTimeout):
            door.request("POST", APIG_MEMBERS, json=MEMBER, timeout=(5, 0.05))
        gone.set()
        assert reached.wait(10)
        assert members(door) == 1


@pytest.mark.parametrize("timeout", [3, (1, 3.0), urllib3.Timeout(connect=1, read=3)])
def test_a_delay_beyond_the_timeout_in_process(timeout: object) -> None:
    clock = Clock()
    with opened("in process", emulator(clock)) as door:
        door.emulator.faults.add(delay_s=60, match={"method": "POST"})
        with pytest.raises(requests.exceptions.ReadTimeout) as caught:
            door.request("POST", APIG_MEMBERS, json=MEMBER, timeout=timeout)
        assert caught.value.request is not None
        assert clock.slept == [3]
        assert members(door) == 1


def test_without_a_timeout_in_process_one_waits() -> None:
    clock = Clock()
    with opened("in process", emulator(clock)) as door:
        door.emulator.faults.add(delay_s=600)
        assert door.request("GET", ELB_MEMBERS, timeout=None).status_code == 200
        assert clock.slept == [600]


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ({}, True),
        ({"method": "put"}, True),
        ({"method": "POST"}, False),
        ({"path": "*/description"}, True),
        ({"path": "/description"}, True),
        ({"path": "/v1/*/connection?/description"}, True),
        ({"path": "*/members"}, False),
        ({"path": "members"}, False),
        ({"service": "vpcep"}, True),
        ({"service": "apig"}, False),
        ({"service": "vpcep", "method": "PUT", "path": "813d9300"}, True),
        ({"service": "vpcep", "method": "GET"}, False),
    ],
)
def test_a_fault_fits_a_call_when_all_its_parts_do(match: dict[str, str], fits: bool) -> None:
    cloud = emulator()
    cloud.faults.add(status=503, match=match)
    assert (send(cloud, "PUT", VPCEP_DESCRIPTION).status == 503) is fits


def test_a_fault_lasts_as_long_as_told_and_the_oldest_goes_first() -> None:
    faults = Faults(frozenset())
    faults.add(status=501, times=2)
    faults.add(status=502)
    taken = [faults.take("GET", "/", None) for _ in range(4)]
    assert [one and one.status for one in taken] == [501, 501, 502, None]


def test_what_is_left_of_a_fault() -> None:
    faults = Faults(frozenset())
    faults.add(status=501, times=3, match={"method": "GET"})
    faults.take("GET", "/", None)
    assert [(one.status, one.times) for one in faults.waiting()] == [(501, 2)]
    faults.clear()
    assert faults.waiting() == []


def test_a_fault_that_takes_effect_asks_for_a_proof_as_ever() -> None:
    cloud = emulator()
    cloud.faults.add(kind="not_json")
    assert send(cloud, "GET", ELB_MEMBERS).status == 401
