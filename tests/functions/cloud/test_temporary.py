"""Keys that a platform hands over with each invocation: awaited by the settings, swapped whole, and never shown."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from functions.cloud.auth import AkSk, GivenToken, NotGiven
from functions.cloud.client import Client
from functions.cloud.deadline import Deadline
from functions.cloud.emulator.adapter import EmulatorAdapter
from functions.cloud.emulator.core import Emulator
from functions.cloud.emulator.credentials import fake_credentials
from functions.cloud.errors import CloudRefused, ConfigurationError
from functions.cloud.iam import fetch_token
from functions.cloud.settings import CloudSettings, is_key
from tests.support import LISTENER, says, scripted, settings

LONG = Deadline.after(3600)
TEMPORARY = AkSk("EMULATORTEMPORARY00", "emulator-temporary-key-not-a-secret", "emulator-security-token-not-a-secret")
FAKE = fake_credentials()


def awaiting(**changes: Any) -> Client:
    own = settings(emulator="local", access_key="", secret_key="", project_id=FAKE.project_id, **changes)
    return Client(replace(own, temporary_keys=True))


def members(client: Client) -> int:
    template = "/v1.0/{project_id}/elbaas/listeners/{listener_id}/members"
    return len(client.call(LONG, reads=True).get("elb", template, path={"listener_id": LISTENER}, returns=list))


def test_settings_that_await_keys_need_a_place_only() -> None:
    assert CloudSettings(temporary_keys=True).missing() == ["HUAWEICLOUD_SDK_PROJECT_ID", "HUAWEICLOUD_SDK_REGION"]
    assert CloudSettings(temporary_keys=True, project_id="p", region="cn-north-4").missing() == []


@pytest.mark.parametrize("named", ["access_key", "secret_key", "security_token", "username", "password"])
def test_any_part_of_an_account_is_a_choice(named: str) -> None:
    assert CloudSettings(**{named: "fake"}).names_credentials()  # type: ignore[arg-type]
    assert not CloudSettings(domain_name="domain", region="cn-north-4").names_credentials()


def test_nothing_is_sent_before_keys_are_given() -> None:
    with scripted(says(200, [])) as server:
        client = Client(replace(settings(server.url, access_key="", secret_key=""), temporary_keys=True))
        with pytest.raises(ConfigurationError, match="handed over"):
            members(client)
        assert server.asked == []
    assert NotGiven().renew(object()) is False  # type: ignore[arg-type]


def test_keys_that_are_given_are_used_from_then_on() -> None:
    client = awaiting()
    client.use(TEMPORARY)
    assert members(client) == 2
    client.use(AkSk("EMULATORTEMPORARY00", "another-fake-key", TEMPORARY.security_token))
    with pytest.raises(CloudRefused):
        members(client)


def test_a_token_that_is_given_is_used_and_not_renewed() -> None:
    emulator = Emulator()
    client = awaiting(username=FAKE.user, password=FAKE.password, domain_name=FAKE.domain)
    client.transport._session.mount("http://", EmulatorAdapter(emulator))
    client.use(GivenToken(fetch_token(client.settings, client.transport, FAKE.project_id, LONG)[0]))
    assert members(client) == 2
    emulator.expire_tokens()
    with pytest.raises(CloudRefused) as caught:
        members(client)
    assert (caught.value.code, [entry.status for entry in emulator.journal]) == ("APIGW.0307", [201, 200, 401])


def test_threads_never_sign_with_some_of_the_old_and_some_of_the_new() -> None:
    client = awaiting()
    permanent = AkSk(FAKE.access_key, FAKE.secret_key)
    client.use(permanent)

    def ask(number: int) -> int:
        client.use((TEMPORARY, permanent)[number % 2])
        return members(client)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(32))) == {2}


def test_no_credential_shows() -> None:
    shown = repr(TEMPORARY) + repr(GivenToken("fake-token")) + repr(NotGiven())
    assert not [secret for secret in ("temporary-key", "security-token", "fake-token") if secret in shown]


@pytest.mark.parametrize(
    ("text", "good"), [("AbC+/=_-.~", True), ("", True), ("a b", False), ("a\n", False), ("é", False)]
)
def test_what_can_be_a_key(text: str, good: bool) -> None:
    assert is_key(text) is good
