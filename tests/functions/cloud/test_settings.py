"""Settings come from the environment under the official SDK's names; what is missing or wrong is named, secrets are not shown."""

from __future__ import annotations

import pytest

from functions.cloud.endpoints import checked, domain, endpoint
from functions.cloud.errors import ConfigurationError
from functions.cloud.settings import CloudSettings
from tests.support import PROJECT

KEYS = {
    "HUAWEICLOUD_SDK_AK": "FAKEAK",
    "HUAWEICLOUD_SDK_SK": "fake-sk",
    "HUAWEICLOUD_SDK_PROJECT_ID": PROJECT,
    "HUAWEICLOUD_SDK_REGION": "cn-north-4",
}
USER = {
    "HUAWEICLOUD_SDK_USERNAME": "user",
    "HUAWEICLOUD_SDK_PASSWORD": "fake-password",
    "HUAWEICLOUD_SDK_DOMAIN_NAME": "domain",
}


def test_access_keys() -> None:
    found = CloudSettings.from_env(KEYS | {"HUAWEICLOUD_SDK_SECURITY_TOKEN": "fake-token"}).require()
    assert (found.access_key, found.secret_key, found.security_token) == ("FAKEAK", "fake-sk", "fake-token")
    assert found.endpoint("elb") == "https://elb.cn-north-4.myhuaweicloud.com"


def test_no_secret_shows() -> None:
    shown = repr(CloudSettings.from_env(KEYS | USER | {"HUAWEICLOUD_SDK_SECURITY_TOKEN": "fake-token"}))
    assert not [secret for secret in ("fake-sk", "fake-token", "fake-password") if secret in shown]


@pytest.mark.parametrize("name", sorted(KEYS))
def test_each_missing_variable_is_named(name: str) -> None:
    env = {key: value for key, value in KEYS.items() if key != name}
    with pytest.raises(ConfigurationError, match=name):
        CloudSettings.from_env(env).require()


def test_nothing_falls_back_to_the_emulator() -> None:
    assert CloudSettings.from_env({}).missing() == [
        f"HUAWEICLOUD_SDK_{name}" for name in ("PROJECT_ID", "REGION", "AK", "SK")
    ]


def test_a_user_instead_of_keys() -> None:
    account = {key: KEYS[key] for key in ("HUAWEICLOUD_SDK_PROJECT_ID", "HUAWEICLOUD_SDK_REGION")}
    assert CloudSettings.from_env(account | USER).missing() == []
    without = {key: value for key, value in USER.items() if "PASSWORD" not in key}
    assert CloudSettings.from_env(account | without).missing() == ["HUAWEICLOUD_SDK_PASSWORD"]


@pytest.mark.parametrize("where", ["local", "http://127.0.0.1:9000", "http://localhost:9000/"])
def test_the_emulator_brings_its_own_keys_and_real_ones_are_never_sent_to_it(where: str) -> None:
    found = CloudSettings.from_env(KEYS | {"HONGYAN_EMULATOR": where}).require()
    assert found.access_key.startswith("EMULATOR")
    assert found.endpoint("elb") == found.endpoint("iam")
    assert "myhuaweicloud" not in found.endpoint("elb")


@pytest.mark.parametrize(
    "where", ["https://emulator.example.com", "http://10.0.0.1:9000", "true", "http://[::1", "http://127.0.0.1:x"]
)
def test_an_emulator_is_on_this_machine(where: str) -> None:
    with pytest.raises(ConfigurationError, match="HONGYAN_EMULATOR"):
        CloudSettings.from_env({"HONGYAN_EMULATOR": where})


def test_projects() -> None:
    found = CloudSettings.from_env(KEYS | {"HONGYAN_ALLOWED_PROJECTS": "other-1, other-2\nother-3"})
    assert [found.may_use(project) for project in (PROJECT, "other-1", "other-3", "other-4", "")] == [
        True,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HONGYAN_ALLOWED_PROJECTS", "a/b"),
        ("HONGYAN_ALLOWED_PROJECTS", "x" * 65),
        ("HUAWEICLOUD_SDK_PROJECT_ID", "../x"),
        ("HONGYAN_ATTEMPTS", "0"),
        ("HONGYAN_ATTEMPTS", "11"),
        ("HONGYAN_ATTEMPTS", "2.5"),
        ("HONGYAN_POOL_SIZE", "٣"),
    ],
)
def test_a_wrong_value_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        CloudSettings.from_env(KEYS | {name: value})


def test_numbers() -> None:
    found = CloudSettings.from_env(KEYS | {"HONGYAN_ATTEMPTS": "2", "HONGYAN_POOL_SIZE": " 64 "})
    assert (found.attempts, found.pool_size) == (2, 64)


def test_endpoints() -> None:
    overrides = {
        "HUAWEICLOUD_SDK_REGION_ELB_CN_NORTH_4": "https://elb.example.com/,https://second.example.com",
        "HUAWEICLOUD_SDK_IAM_ENDPOINT": "https://iam.example.com",
    }
    assert endpoint("elb", "cn-north-4", overrides) == "https://elb.example.com"
    assert endpoint("elb", "cn-north-1", overrides) == "https://elb.cn-north-1.myhuaweicloud.com"
    assert endpoint("iam", "cn-north-4", overrides) == "https://iam.example.com"
    assert (domain("cn-north-4"), domain("eu-west-101")) == ("myhuaweicloud.com", "myhuaweicloud.eu")
    assert endpoint("apig", "eu-west-101", {}) == "https://apig.eu-west-101.myhuaweicloud.eu"


@pytest.mark.parametrize("region", ["cn", "cn-north-4.evil.com", "cn-north-4/", "CN-NORTH-4", "a@b-1", "cn north"])
def test_a_region_that_is_none(region: str) -> None:
    with pytest.raises(ConfigurationError, match="HUAWEICLOUD_SDK_REGION"):
        CloudSettings.from_env(KEYS | {"HUAWEICLOUD_SDK_REGION": region})


@pytest.mark.parametrize("name", ["HUAWEICLOUD_SDK_REGION_ELB_CN_NORTH_4", "HUAWEICLOUD_SDK_IAM_ENDPOINT"])
def test_an_override_that_cannot_be_is_an_error_at_start(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        CloudSettings.from_env(KEYS | {name: "http://elb.example.com"})
    assert CloudSettings.from_env(KEYS | {name: " "}).missing() == []


@pytest.mark.parametrize("name", ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN"])
@pytest.mark.parametrize("value", ["fake\nwrapped", "fake key", "fake-é", "fake\x00"])
def test_a_key_that_was_cut_or_wrapped_is_an_error_at_start_that_does_not_show_it(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name) as caught:
        CloudSettings.from_env(KEYS | {name: value})
    assert "fake" not in str(caught.value)


def test_blanks_around_a_key_go_and_those_of_a_password_stay() -> None:
    found = CloudSettings.from_env(KEYS | {"HUAWEICLOUD_SDK_AK": " FAKEAK\n", "HUAWEICLOUD_SDK_PASSWORD": "fake "})
    assert (found.access_key, found.password) == ("FAKEAK", "fake ")


@pytest.mark.parametrize(
    "url",
    [
        "http://elb.example.com",
        "elb.example.com",
        "https://",
        "https://u:p@e.com",
        "https://e.com?a=b",
        "https://e.com#a",
        "https://e.com/gw",
        "ftp://127.0.0.1",
    ],
)
def test_a_base_url_that_is_none(url: str) -> None:
    with pytest.raises(ConfigurationError, match="NAME"):
        checked("NAME", url)
