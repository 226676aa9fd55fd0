import json
from typing import Any

import pytest

from tests.functions.cloud.emulator.support import (
    ELB_MEMBERS,
    OTHER_PROJECT,
    PROJECT,
    Clock,
    emulator,
    login,
    send,
    token,
)

TOKENS = "/v3/auth/tokens"


def ask(body: Any) -> tuple[int, Any]:
    response = send(emulator(), "POST", TOKENS, body)
    return response.status, json.loads(response.body)


def test_a_token_is_issued_for_a_day() -> None:
    response = send(emulator(Clock(1578042322.701)), "POST", f"{TOKENS}?nocatalog=true", login())
    described = json.loads(response.body)["token"]
    assert response.status == 201
    assert response.headers["X-Subject-Token"]
    assert (described["issued_at"], described["expires_at"]) == (
        "2020-01-03T09:05:22.701000Z",
        "2020-01-04T09:05:22.701000Z",
    )
    domain = {"id": "05b5408a0a80d2b10f06c0184a774460", "name": "emulator-domain"}
    assert described["project"] == {"id": PROJECT, "name": "cn-north-4", "domain": domain}
    assert (described["user"]["name"], described["user"]["domain"]) == ("emulator-user", domain)
    assert (described["methods"], described["catalog"]) == (["password"], [])


@pytest.mark.parametrize(
    ("scope", "project", "status"),
    [
        ({"project": {"id": PROJECT}}, PROJECT, 200),
        ({"project": {"name": "cn-north-4"}}, PROJECT, 200),
        ({"project": {"name": "cn-north-4"}, "domain": {"name": "emulator-domain"}}, PROJECT, 200),
        ({"project": {"name": "cn-north-4_other"}}, OTHER_PROJECT, 403),
        ({"domain": {"name": "emulator-domain"}}, None, 403),
    ],
)
def test_the_scope_decides_which_project_may_be_used(scope: Any, project: str | None, status: int) -> None:
    cloud = emulator()
    described = json.loads(send(cloud, "POST", TOKENS, login(**scope)).body)["token"]
    assert described.get("project", {}).get("id") == project
    assert send(cloud, "GET", ELB_MEMBERS, X_Auth_Token=token(cloud, **scope)).status == status


def test_a_token_without_a_scope_is_of_the_account() -> None:
    body = login()
    del body["auth"]["scope"]
    assert ask(body)[1]["token"]["domain"]["name"] == "emulator-domain"


def test_a_token_lives_for_a_day_and_not_longer() -> None:
    clock = Clock()
    cloud = emulator(clock)
    mine = token(cloud)
    clock.now += 24 * 3600 - 1
    assert send(cloud, "GET", ELB_MEMBERS, X_Auth_Token=mine).status == 200
    clock.now += 1
    late = send(cloud, "GET", ELB_MEMBERS, X_Auth_Token=mine)
    assert (late.status, json.loads(late.body)["error_code"]) == (401, "APIGW.0307")


def test_a_new_token_does_not_end_the_old_one() -> None:
    cloud = emulator()
    old, new = token(cloud), token(cloud)
    assert old != new
    assert send(cloud, "GET", ELB_MEMBERS, X_Auth_Token=old).status == 200


@pytest.mark.parametrize("field", ["name", "password"])
@pytest.mark.parametrize("value", ["wrong", "", None, 1, "\ud800"])
def test_a_wrong_name_or_password_is_refused(field: str, value: Any) -> None:
    body = login()
    body["auth"]["identity"]["password"]["user"][field] = value
    message = "The username or password is wrong."
    assert ask(body) == (401, {"error": {"code": 401, "message": message, "title": "Unauthorized"}})


def test_an_unknown_account_is_refused() -> None:
    body = login()
    body["auth"]["identity"]["password"]["user"]["domain"] = {"name": "another"}
    assert ask(body)[0] == 401


@pytest.mark.parametrize("project", [{"id": "unknown"}, {"name": "unknown"}, {}])
def test_an_unknown_project_is_not_found(project: Any) -> None:
    status, body = ask(login(project=project))
    assert (status, body["error"]["code"], body["error"]["title"]) == (404, 404, "Not Found")


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        b"{",
        {},
        {"auth": {}},
        {"auth": {"identity": {"methods": ["assume_role"]}}},
        {"auth": {"identity": {"methods": ["password"], "password": {}}}},
        {"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "x"}}}}},
        login(project="x"),
        {**login(), "auth": {**login()["auth"], "scope": 1}},
    ],
)
def test_a_malformed_body_is_a_bad_request(body: Any) -> None:
    status, answer = ask(body)
    assert (status, answer["error"]["code"], answer["error"]["title"]) == (400, 400, "Bad Request")


def test_a_body_that_is_not_declared_as_json_is_refused() -> None:
    assert send(emulator(), "POST", TOKENS, b"{}", Content_Type="text/plain").status == 415
