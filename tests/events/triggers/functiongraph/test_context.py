"""What the context tells: getters that are missing or give nothing tell nothing, and no credential is shown."""

from __future__ import annotations

from typing import Any

import pytest

from events.triggers.functiongraph.context import Environment, credentials, invoked, told
from functions.cloud.auth import AkSk, GivenToken
from functions.cloud.errors import ConfigurationError
from tests.events.triggers.functiongraph.support import TELLS, Context

SECURITY = {"getSecurityAccessKey": "FAKETEMP", "getSecuritySecretKey": "fake-temp", "getSecurityToken": "fake-token"}
KEYS = {"getAccessKey": "FAKEAK", "getSecretKey": "fake-sk"}
TOKEN = {"getToken": "fake-iam-token"}


def test_an_invocation() -> None:
    found = invoked(Context(), 0.5)
    assert (found.id, found.function) == (TELLS["getRequestID"], "/default/goose")
    assert 15 < found.deadline.remaining() <= 19.5


@pytest.mark.parametrize("nothing", [None, "", " ", 5, "über"])
def test_an_invocation_of_a_context_that_tells_nothing(nothing: Any) -> None:
    context = Context(**dict.fromkeys(TELLS, nothing))
    found = invoked(context, 0.5)
    assert found.function == "/hongyan/function"
    assert found.id != invoked(context, 0.5).id
    assert invoked(object(), 0.5).function == "/hongyan/function"


def test_a_function_in_no_package() -> None:
    assert invoked(Context(getPackage=None), 0.5).function == "/goose"


def test_temporary_keys_come_first_then_keys_then_a_token() -> None:
    assert credentials(Context(**SECURITY, **KEYS, **TOKEN)) == AkSk("FAKETEMP", "fake-temp", "fake-token")
    assert credentials(Context(**KEYS, **TOKEN)) == AkSk("FAKEAK", "fake-sk")
    assert credentials(Context(**TOKEN)) == GivenToken("fake-iam-token")


@pytest.mark.parametrize("nothing", [None, ""])
@pytest.mark.parametrize("without", SECURITY)
def test_temporary_keys_are_of_use_only_all_together(without: str, nothing: Any) -> None:
    assert credentials(Context(**{**SECURITY, without: nothing}, **KEYS)) == AkSk("FAKEAK", "fake-sk")


@pytest.mark.parametrize("tells", [{}, dict.fromkeys([*SECURITY, *KEYS, *TOKEN]), {"getAccessKey": "FAKEAK"}])
def test_no_agency_is_a_mistake_that_says_what_to_do(tells: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"give it an agency.*HUAWEICLOUD_SDK_AK"):
        credentials(Context(**tells))


@pytest.mark.parametrize("getter", [*SECURITY, *KEYS, *TOKEN])
@pytest.mark.parametrize("value", ["fake\r\nx-evil: 1", "fake key", "fake-é", "fake\x00"])
def test_a_key_that_would_break_a_header_is_named_and_not_shown(getter: str, value: str) -> None:
    family = next(each for each in (SECURITY, KEYS, TOKEN) if getter in each)
    with pytest.raises(ConfigurationError, match=getter) as caught:
        credentials(Context(**{**family, getter: value}))
    assert "fake" not in str(caught.value)


def test_credentials_do_not_show() -> None:
    shown = "".join(repr(credentials(Context(**each))) for each in (SECURITY, KEYS, TOKEN))
    assert "fake" not in shown


def test_the_environment_wins_over_user_data() -> None:
    environ = Environment({"A": "1", "B": "", "E": ""}, Context(getUserData={"A": "2", "B": "3", "C": "4 ", "D": None}))
    assert [environ.get(name) for name in "ABCDEF"] == ["1", "3", "4 ", None, "", None]
    assert (dict(environ), len(environ), "C" in environ) == ({"A": "1", "B": "3", "E": ""}, 3, True)


def test_user_data_are_in_one_variable_too_by_which_they_can_be_looked_through() -> None:
    written = '{"A": "2", "HUAWEICLOUD_SDK_REGION_ELB_CN_NORTH_4": "https://elb.example.com", "N": 5}'
    environ = Environment({"A": "1", "RUNTIME_USERDATA": written}, Context())
    assert dict(environ) == {
        "A": "1",
        "HUAWEICLOUD_SDK_REGION_ELB_CN_NORTH_4": "https://elb.example.com",
        "RUNTIME_USERDATA": written,
    }
    for odd in ("", "{", "[]", "null"):
        assert list(Environment({"RUNTIME_USERDATA": odd}, Context())) == ["RUNTIME_USERDATA"]


def test_the_project_is_known_to_the_context() -> None:
    name = "HUAWEICLOUD_SDK_PROJECT_ID"
    assert Environment({}, Context(getProjectID="p"))[name] == "p"
    assert Environment({name: "own"}, Context(getProjectID="p"))[name] == "own"
    assert name not in Environment({}, Context())
    assert "HUAWEICLOUD_SDK_REGION" not in Environment({}, Context(getProjectID="p"))


def test_what_is_no_getter_tells_nothing() -> None:
    context = type("Odd", (), {"getToken": "text"})()
    assert (told(context, "getToken"), told(None, "getToken")) == ("", "")
