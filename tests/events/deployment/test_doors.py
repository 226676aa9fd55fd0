from __future__ import annotations

import pytest

from tests.events.deployment.support import OWN, mistakes, only

HOOK = 'Path: "/apig.add_members/hooks/{sender}", Auth: {Authorizer: NONE}'
CALL = "{ApiId: !Ref Api, Method: POST, Path: /functions/apig.add_members}"
DEFAULT = ", DefaultAuthorizer: AWS_IAM"


@pytest.mark.parametrize(
    ("old", "new", "where", "wrong"),
    [
        ("/functions/apig", "/functions/apic", "Call.Path", "runs apig.add_members"),
        ("Method: POST", "Method: PUT", "Call.Method", "called by POST"),
        ("Path: /functions/", "Path: /f/", "", "nothing calls apig.add_members over HTTP"),
        ("/hooks/{sender}", "/hook/{sender}", "Hook.Path", "lets everybody in"),
        ("/apig.add_members/hooks", "/elb.list_members/hooks", "Hook.Path", "lets everybody in"),
        (HOOK, 'Path: "/{proxy+}", Auth: {Authorizer: NONE}', "Hook.Path", "lets everybody in"),
        (CALL, CALL[:-1] + ", Auth: {Authorizer: NONE}}", "Call.Path", "lets everybody in"),
    ],
)
def test_a_function_is_held_to_its_routes(old: str, new: str, where: str, wrong: str) -> None:
    place, told = only((old, new))
    assert place == f"{OWN}Function.Events.{where}".rstrip(".")
    assert wrong in told


def test_without_an_authorizer_of_the_api_each_route_is_open() -> None:
    found = mistakes((DEFAULT, ""))
    assert {mistake.where.rpartition("Function.")[2] for mistake in found} == {"Events.Call.Path"}
    assert len(found) == 2


@pytest.mark.parametrize(
    "own",
    ["    Properties: {Auth: {DefaultAuthorizer: AWS_IAM}}\n", "    Properties: {Auth: {DefaultAuthorizer: Own}}\n"],
)
def test_an_api_may_say_it_itself(own: str) -> None:
    api = "    Type: AWS::Serverless::HttpApi\n"
    assert mistakes((DEFAULT, ""), (api, api + own)) == []


def test_an_event_may_say_it_itself() -> None:
    found = mistakes((DEFAULT, ""), (CALL, CALL[:-1] + ", Auth: {Authorizer: AWS_IAM}}"))
    assert len(found) == 1


def test_an_event_of_no_named_api_has_what_globals_say() -> None:
    assert mistakes((CALL, CALL.replace("ApiId: !Ref Api, ", ""))) == []
    assert len(mistakes((DEFAULT, ""), (CALL, CALL.replace("ApiId: !Ref Api, ", "")))) == 2
