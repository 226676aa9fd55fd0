import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.cloud.emulator import journal
from functions.cloud.emulator.core import Emulator, Request
from functions.cloud.emulator.routes import service_names
from functions.cloud.emulator.seed import default_seed
from tests.functions.cloud.emulator.support import (
    APIG_MEMBERS,
    CSBS_ACTION,
    ELB_MEMBERS,
    VPCEP_DESCRIPTION,
    Clock,
    call,
    emulator,
    login,
    seed_copy,
    send,
    token,
)

ONE_MEMBER = {"members": [{"host": "10.0.0.1"}]}


def total(cloud: Emulator) -> int:
    status, body = call(cloud, "GET", APIG_MEMBERS)
    assert status == 200
    return int(body["total"])


def test_the_folder_of_services_is_the_list_of_services() -> None:
    assert service_names() == {"apig", "csbs", "elb", "iam", "vpcep"}


def test_two_emulators_share_nothing() -> None:
    one, two = Emulator(), Emulator()
    call(one, "POST", APIG_MEMBERS, ONE_MEMBER)
    one.faults.add(kind="drop", match={"method": "DELETE"})
    assert (total(one), total(two)) == (1, 0)
    assert (len(one.faults.waiting()), len(two.faults.waiting())) == (1, 0)
    assert len(two.journal) == 2
    assert send(two, "GET", ELB_MEMBERS, X_Auth_Token=token(one)).status == 401


def test_a_seed_is_copied() -> None:
    seed = seed_copy()
    cloud = emulator(seed=seed)
    call(cloud, "POST", APIG_MEMBERS, ONE_MEMBER)
    seed["elb"]["listeners"].clear()
    assert seed["apig"] == default_seed()["apig"]
    assert call(cloud, "GET", ELB_MEMBERS)[0] == 200


def test_options_come_from_the_seed_and_the_caller_wins() -> None:
    seed = {**seed_copy(), "options": {"marker_inclusive": True}}
    assert emulator(seed=seed).options == {"marker_inclusive": True, "page_resource_id": False}
    assert emulator(seed=seed, marker_inclusive=False, page_resource_id=True).options == {
        "marker_inclusive": False,
        "page_resource_id": True,
    }
    assert emulator().options == {"marker_inclusive": False, "page_resource_id": False}


def test_a_reset_makes_it_as_new() -> None:
    cloud = emulator()
    old = token(cloud)
    call(cloud, "POST", APIG_MEMBERS, ONE_MEMBER)
    cloud.faults.add(kind="drop")
    cloud.reset()
    assert (cloud.journal, cloud.faults.waiting()) == ([], [])
    assert total(cloud) == 0
    assert send(cloud, "GET", ELB_MEMBERS, X_Auth_Token=old).status == 401


@pytest.mark.parametrize("path", ["/", "", "/v9/nothing", ELB_MEMBERS + "/", ELB_MEMBERS[1:], "//" + ELB_MEMBERS, "*"])
def test_an_unknown_path_is_not_implemented_and_named(path: str) -> None:
    response = send(emulator(), "GET", path)
    body = json.loads(response.body)
    assert (response.status, body["error_code"]) == (501, "EMULATOR.0501")
    assert path in body["error_msg"]


@pytest.mark.parametrize(
    ("path", "method", "allow"),
    [
        ("/v3/auth/tokens", "GET", "POST"),
        (ELB_MEMBERS, "POST", "GET"),
        (APIG_MEMBERS, "DELETE", "POST, GET"),
        (CSBS_ACTION, "GET", "POST"),
        (VPCEP_DESCRIPTION, "POST", "PUT"),
    ],
)
def test_a_known_path_with_another_method_is_not_allowed(path: str, method: str, allow: str) -> None:
    response = send(emulator(), method, path)
    assert (response.status, response.headers["Allow"]) == (405, allow)
    assert json.loads(response.body)["error_code"] == "EMULATOR.0405"


def test_every_answer_has_a_request_id_of_its_own() -> None:
    cloud = emulator()
    answers = [send(cloud, "GET", path) for path in ("/", ELB_MEMBERS, "/_emulator/requests", "/_emulator/nothing")]
    ids = {answer.headers["X-Request-Id"] for answer in answers}
    assert len(ids) == 4
    assert ids >= {entry.request_id for entry in cloud.journal}


def test_json_is_utf_8_and_unescaped() -> None:
    response = send(emulator(), "GET", "/鸿雁")
    assert response.headers["Content-Type"] == "application/json"
    assert "鸿雁" in response.body.decode()


def test_path_parameters_are_decoded_by_segment() -> None:
    assert call(emulator(), "GET", ELB_MEMBERS.replace("listeners/6", "listeners/%36"))[0] == 200
    status, body = call(emulator(), "GET", APIG_MEMBERS.replace("instances/", "instances/a%2Fb"))
    assert (status, "id:a/b" in body["error_msg"]) == (404, True)


def test_the_journal_tells_what_happened() -> None:
    cloud = emulator()
    mine = token(cloud)
    send(cloud, "POST", f"{APIG_MEMBERS}?a=%20", ONE_MEMBER, X_Auth_Token=mine)
    cloud.faults.add(kind="drop")
    send(cloud, "PUT", VPCEP_DESCRIPTION, b"not json", X_Auth_Token=mine)
    send(cloud, "GET", "/nowhere", {"password": "p"})
    issued, added, dropped, unknown = [entry.as_json() for entry in cloud.journal]
    assert (issued["service"], issued["status"], issued["body"], issued["auth"]) == ("iam", 201, None, None)
    assert len(added.pop("request_id")) == 32
    assert added == {
        "method": "POST",
        "path": APIG_MEMBERS,
        "query": "a=%20",
        "service": "apig",
        "status": 201,
        "body": ONE_MEMBER,
        "auth": "token",
        "fault": None,
    }
    assert (dropped["status"], dropped["fault"], dropped["body"], dropped["service"]) == (None, "drop", None, "vpcep")
    assert (unknown["status"], unknown["service"], unknown["body"]) == (501, None, None)


def test_the_journal_keeps_no_secret() -> None:
    cloud = emulator()
    mine = token(cloud)
    send(cloud, "GET", ELB_MEMBERS, X_Auth_Token=mine)
    send(cloud, "GET", ELB_MEMBERS, Authorization="SDK-HMAC-SHA256 Access=a, Signature=sig", X_Security_Token="st")
    send(cloud, "GET", "/v3/auth/tokens", login())
    kept = json.dumps([entry.as_json() for entry in cloud.journal])
    for secret in (mine, "emulator-password-not-a-secret", "Signature", "sig", '"st"'):
        assert secret not in kept
    assert [entry.auth for entry in cloud.journal] == [None, "token", "aksk", None]


def test_the_journal_keeps_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    assert journal.KEPT == 10_000
    monkeypatch.setattr(journal, "KEPT", 2)
    cloud = emulator()
    for number in range(3):
        send(cloud, "GET", f"/{number}")
    assert [entry.path for entry in cloud.journal] == ["/1", "/2"]


def test_deep_nesting_does_not_break_the_journal() -> None:
    cloud = emulator()
    send(cloud, "POST", APIG_MEMBERS, b"[" * 100_000)
    assert cloud.journal[-1].body is None


def test_a_delayed_call_holds_up_no_other() -> None:
    waiting, go_on = threading.Event(), threading.Event()

    def sleep(_: float) -> None:
        waiting.set()
        assert go_on.wait(10)

    cloud = Emulator(clock=Clock(), sleep=sleep)
    cloud.faults.add(kind="delay", delay_s=1, match={"method": "GET"})
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(call, cloud, "GET", ELB_MEMBERS)
        assert waiting.wait(10)
        assert call(cloud, "GET", APIG_MEMBERS)[0] == 200
        go_on.set()
        assert slow.result(10)[0] == 200


def test_calls_from_many_threads_lose_nothing() -> None:
    cloud = emulator()
    bodies = [{"members": [{"host": f"10.0.{number}.1"}]} for number in range(100)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: call(cloud, "POST", APIG_MEMBERS, body)[0], bodies))
    assert answers == [201] * 100
    assert total(cloud) == 100


@given(method=st.text(max_size=8), target=st.text(max_size=60), body=st.binary(max_size=60))
def test_nothing_a_client_sends_breaks_it(method: str, target: str, body: bytes) -> None:
    assert Emulator(clock=Clock()).handle(Request(method, target, {}, body)).status >= 400


NAMES = ["members", "check_restorable", "connections", "auth", "identity", "target", "volumes", "host", "id", "scope"]
LEAVES = st.none() | st.booleans() | st.integers() | st.text()


@given(
    body=st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
        max_leaves=12,
    )
)
def test_no_body_breaks_a_service(body: object) -> None:
    cloud = emulator()
    mine = token(cloud)
    for method, path in (
        ("POST", APIG_MEMBERS),
        ("POST", CSBS_ACTION),
        ("PUT", VPCEP_DESCRIPTION),
        ("POST", "/v3/auth/tokens"),
    ):
        assert send(cloud, method, path, body, X_Auth_Token=mine).status in (400, 401, 504)
