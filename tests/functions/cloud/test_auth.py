"""Credentials: requests are signed so that the emulator's own verifier agrees; tokens are fetched once, kept, and renewed once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from functions.cloud.auth import AkSk, IamToken
from functions.cloud.client import Client
from functions.cloud.deadline import Deadline
from functions.cloud.emulator.adapter import EmulatorAdapter
from functions.cloud.emulator.core import Emulator
from functions.cloud.emulator.credentials import fake_credentials
from functions.cloud.errors import CloudRefused, NotSent, OutOfTime, UnreadableAnswer
from functions.cloud.iam import fetch_token
from functions.cloud.outgoing import Outgoing
from functions.cloud.retry import Retry
from functions.cloud.transport import Transport
from tests.support import LISTENER, says, scripted, settings

FAKE = fake_credentials()
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
LONG = Deadline.after(3600)
USER: dict[str, Any] = {
    "access_key": "",
    "secret_key": "",
    "username": FAKE.user,
    "password": FAKE.password,
    "domain_name": FAKE.domain,
    "project_id": FAKE.project_id,
}


def outgoing() -> Outgoing:
    return Outgoing(
        "GET", "https://elb.example.com", "/v1.0/p/x", [("a", "b")], b"", {"x-project-id": "p", "accept": "a"}
    )


def emulated(**changes: Any) -> tuple[Client, Emulator]:
    emulator = Emulator()
    client = Client(settings(emulator="local", **changes), retry=Retry(sleep=lambda _: None))
    client.transport._session.mount("http://", EmulatorAdapter(emulator))
    return client, emulator


def members(client: Client) -> list[object]:
    template = "/v1.0/{project_id}/elbaas/listeners/{listener_id}/members"
    found = client.call(LONG, reads=True).get("elb", template, path={"listener_id": LISTENER}, returns=list)
    return list(found)


def test_what_a_key_adds() -> None:
    request = outgoing()
    AkSk("AK", "sk", "token", clock=lambda: NOW).authorize(request, LONG)
    assert request.headers["host"] == "elb.example.com"
    assert request.headers["x-sdk-date"] == "20260101T000000Z"
    assert request.headers["x-security-token"] == "token"
    assert "SignedHeaders=host;x-project-id;x-sdk-date;x-security-token," in request.headers["authorization"]
    assert "sk" not in repr(AkSk("AK", "sk-secret", "t-secret")).replace("AkSk", "")


def test_a_wrong_signature_is_never_repeated() -> None:
    client, emulator = emulated(access_key=FAKE.access_key, secret_key="wrong", project_id=FAKE.project_id)
    with pytest.raises(CloudRefused) as caught:
        members(client)
    assert (caught.value.kind, caught.value.status, len(emulator.journal)) == ("unauthenticated", 401, 1)


def test_temporary_keys_are_taken_with_their_token_only() -> None:
    keys = {
        "access_key": "EMULATORTEMPORARY00",
        "secret_key": "emulator-temporary-key-not-a-secret",
        "project_id": FAKE.project_id,
    }
    client, _ = emulated(**keys, security_token="emulator-security-token-not-a-secret")
    assert len(members(client)) == 2
    with pytest.raises(CloudRefused):
        members(emulated(**keys)[0])


def test_a_token_is_fetched_once_and_used_by_all() -> None:
    client, emulator = emulated(**USER)
    assert len(members(client)) == len(members(client)) == 2
    assert [entry.path.split("/")[1] for entry in emulator.journal] == ["v3", "v1.0", "v1.0"]


def test_a_stale_token_is_renewed_once() -> None:
    client, emulator = emulated(**USER)
    members(client)
    emulator.expire_tokens()
    call = client.call(LONG)  # neither reads nor idempotent: a refusal is safe to repeat all the same
    template = "/v1.0/{project_id}/elbaas/listeners/{listener_id}/members"
    assert len(call.get("elb", template, path={"listener_id": LISTENER}, returns=list)) == 2
    assert (call.upstream.attempts, call.in_doubt) == (2, False)
    assert [entry.status for entry in emulator.journal] == [201, 200, 401, 201, 200]


def test_a_token_that_stays_refused_is_not_renewed_for_ever() -> None:
    stale = {"error_code": "APIGW.0307", "error_msg": "The token must be updated.", "request_id": "r"}
    token = says(201, {"token": {}}, "X-Subject-Token: t")
    with scripted(token, says(401, stale), token, says(401, stale)) as server, pytest.raises(CloudRefused) as caught:
        members(Client(settings(server.url, **USER)))
    assert caught.value.code == "APIGW.0307"
    assert len(server.asked) == 4


def test_a_wrong_password_is_asked_once() -> None:
    client, emulator = emulated(**USER | {"password": "wrong"})
    with pytest.raises(CloudRefused) as caught:
        members(client)
    assert (caught.value.kind, len(emulator.journal)) == ("unauthenticated", 1)


def test_trouble_with_iam_leaves_no_doubt_about_the_call_itself() -> None:
    with scripted(says(201, {"token": {}}), says(201, b"")) as server:
        client = Client(settings(server.url, **USER))
        call = client.call(LONG)
        with pytest.raises(UnreadableAnswer) as caught:
            call.put("vpcep", "/v1/{project_id}/x", path={})
    assert (caught.value.in_doubt, caught.value.refused, call.in_doubt, call.upstream.attempts) == (
        False,
        True,
        False,
        0,
    )


@pytest.mark.parametrize(
    ("body", "header", "text"),
    [
        ({"token": {"expires_at": "2020-01-04T09:05:22.701000Z"}}, "", "without a token"),
        ({"token": {"expires_at": "tomorrow"}}, "X-Subject-Token: t", "not a time"),
        ({"token": {"expires_at": 5}}, "X-Subject-Token: t", "not a time"),
        ([], "X-Subject-Token: t", "not an object"),
    ],
)
def test_an_answer_of_iam_that_is_none(body: object, header: str, text: str) -> None:
    with scripted(says(201, body, *([header] if header else []))) as server:
        own = settings(server.url, **USER)
        with pytest.raises(UnreadableAnswer, match=text):
            fetch_token(own, Transport(own, {}), own.project_id, LONG)


def test_a_password_that_iam_repeats_is_not_repeated_by_us() -> None:
    own = settings("http://127.0.0.1:1", **USER)
    with scripted(says(401, {"error": {"code": 401, "message": f"wrong: {own.password}", "title": "x"}})) as server:
        own = settings(server.url, **USER)
        with pytest.raises(CloudRefused, match=r"wrong: \*\*\*") as caught:
            fetch_token(own, Transport(own, {}), own.project_id, LONG)
    assert own.password not in caught.value.message


def test_what_iam_is_asked_and_when_its_token_ends() -> None:
    answer = says(201, {"token": {"expires_at": "2030-01-04T09:05:22.701000Z"}}, "X-Subject-Token: t")
    with scripted(answer, says(201, {"token": "x"}, "X-Subject-Token: u")) as server:
        own = settings(server.url, **USER)
        token, expires = fetch_token(own, Transport(own, {}), own.project_id, LONG)
        _, unsaid = fetch_token(own, Transport(own, {}), own.project_id, LONG)
    assert (token, expires) == ("t", datetime(2030, 1, 4, 9, 5, 22, tzinfo=timezone.utc))
    assert timedelta(minutes=55) < unsaid - datetime.now(timezone.utc) <= timedelta(hours=1)
    assert server.asked[0].startswith(b"POST /v3/auth/tokens?nocatalog=true ")
    assert f'"scope": {{"project": {{"id": "{FAKE.project_id}"}}}}'.encode() in server.asked[0]


class Tokens:
    """Counts how often a token was fetched; each lasts an hour of the test's own clock."""

    def __init__(self) -> None:
        self.now = NOW
        self.fetched = 0

    def fetch(self, project_id: str, _: Deadline) -> tuple[str, datetime]:
        self.fetched += 1
        return f"token-{self.fetched}" + ("" if project_id == "p" else f"-{project_id}"), self.now + timedelta(hours=1)

    def credentials(self) -> IamToken:
        return IamToken(self.fetch, lambda: self.now)


def test_a_token_is_renewed_shortly_before_it_ends() -> None:
    tokens = Tokens()
    credentials = tokens.credentials()
    carried = []
    for minutes in (0, 49, 51):
        tokens.now = NOW + timedelta(minutes=minutes)
        request = outgoing()
        credentials.authorize(request, LONG)
        carried.append(request.headers["x-auth-token"])
    assert carried == ["token-1", "token-1", "token-2"]


def test_many_threads_fetch_one_token() -> None:
    tokens = Tokens()
    credentials, start = tokens.credentials(), threading.Barrier(8)

    def use(_: int) -> str:
        start.wait()
        request = outgoing()
        credentials.authorize(request, LONG)
        return request.headers["x-auth-token"]

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(use, range(8))) == {"token-1"}
    assert tokens.fetched == 1


def test_a_token_that_another_thread_renewed_is_kept() -> None:
    tokens = Tokens()
    credentials, first, second = tokens.credentials(), outgoing(), outgoing()
    credentials.authorize(first, LONG)
    assert credentials.renew(first)
    credentials.authorize(second, LONG)
    assert credentials.renew(first)
    credentials.authorize(first, LONG)
    assert (first.headers["x-auth-token"], tokens.fetched) == ("token-2", 2)
    assert credentials.renew(outgoing()) is False


def test_each_project_has_a_token_of_its_own() -> None:
    credentials, other = Tokens().credentials(), outgoing()
    other.headers["x-project-id"] = "q"
    for request in (first := outgoing(), other):
        credentials.authorize(request, LONG)
    assert (first.headers["x-auth-token"], other.headers["x-auth-token"]) == ("token-1", "token-2-q")


def test_a_token_that_ends_before_time_began_is_not_kept() -> None:
    tokens = Tokens()
    credentials = IamToken(lambda *_: ("t", datetime.min.replace(tzinfo=timezone.utc)), lambda: tokens.now)
    for _ in range(2):
        request = outgoing()
        credentials.authorize(request, LONG)
        assert request.headers["x-auth-token"] == "t"


def test_a_user_whom_iam_refused_is_not_tried_again_for_a_minute() -> None:
    tokens, asked = Tokens(), []

    def wrong(project_id: str, _: Deadline) -> tuple[str, datetime]:
        asked.append(project_id)
        raise CloudRefused("wrong password", kind="unauthenticated", status=401)

    credentials = IamToken(wrong, lambda: tokens.now)
    for seconds in (0, 59, 61):
        tokens.now = NOW + timedelta(seconds=seconds)
        with pytest.raises(CloudRefused, match="wrong password"):
            credentials.authorize(outgoing(), LONG)
    assert len(asked) == 2


def test_waiting_for_anothers_token_ends_with_the_deadline() -> None:
    inside, release = threading.Event(), threading.Event()

    def slow(_: str, __: Deadline) -> tuple[str, datetime]:
        inside.set()
        release.wait()
        raise NotSent("m")

    credentials = IamToken(slow)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(credentials.authorize, outgoing(), LONG)
        assert inside.wait(20)
        with pytest.raises(OutOfTime):
            credentials.authorize(outgoing(), Deadline.after(0.05))
        release.set()
        assert isinstance(other.exception(), NotSent)
