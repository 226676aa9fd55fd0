"""Which door a path leads to, whatever a gateway puts before it, and who may pass."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from events.samples import sample
from events.triggers.http import HttpRequest
from functions.cloud.deadline import Deadline
from tests.events.triggers.serverless.support import emulated

if TYPE_CHECKING:
    from pathlib import Path

    from events.problems import HttpAnswer

JSON = {"Content-Type": "application/json"}
SENDERS = """
[senders.monitoring]
scheme = "bearer"
secrets = [{ env = "MONITORING_TOKEN" }]
operations = ["elb.list_members"]
"""
TOKEN = "fake-token-of-at-least-32-characters"


def ask(
    path: str, method: str = "POST", *, authenticated: bool = True, env: dict[str, str] | None = None, **more: Any
) -> HttpAnswer:
    app, _ = emulated(env)
    headers = more.pop("headers", JSON)
    request = HttpRequest(headers, b"", method, https=True, kind="test", **more)
    return app.routes.answer(path, request, lambda: sample("elb.list_members"), authenticated=authenticated)


@pytest.mark.parametrize(
    "path", ["/functions/elb.list_members", "/prod/v1/functions/elb.list_members/", "/functions/elb%2Elist_members"]
)
def test_a_path_is_told_by_its_end(path: str) -> None:
    answer = ask(path)
    event = json.loads(answer.body)
    assert (answer.status, event["type"]) == (200, "hongyan.elb.list_members.succeeded")
    assert event["data"]["trigger"]["kind"] == "test"


def test_events_go_to_their_door() -> None:
    assert ask("/prod/events").status == 415  # A bare payload is no CloudEvent.


@pytest.mark.parametrize("path", ["/", "", "/anything", "/elb"])
def test_a_function_deployed_alone_takes_every_other_path(path: str) -> None:
    assert ask(path, env={"HONGYAN_OPERATION": "elb.list_members"}).status == 200
    assert ask(path).status == 404


def test_a_function_deployed_alone_runs_nothing_else() -> None:
    answer = ask("/functions/csbs.check_restorable", env={"HONGYAN_OPERATION": "elb.list_members"})
    assert (answer.status, json.loads(answer.body)["data"]["error"]["kind"]) == (403, "permission_denied")


@pytest.mark.parametrize("path", ["/functions/elb.list_members", "/events"])
def test_who_is_not_proved_may_not_pass(path: str) -> None:
    answer = ask(path, authenticated=False)
    assert (answer.status, json.loads(answer.body)["kind"]) == (403, "permission_denied")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_operations_take_a_post(method: str) -> None:
    answer = ask("/functions/elb.list_members", method)
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(("path", "status"), [("/health/live", "live"), ("/prod/health/ready", "ready")])
def test_health_needs_no_proof(path: str, status: str) -> None:
    answer = ask(path, "GET", authenticated=False)
    assert (answer.status, json.loads(answer.body)["status"]) == (200, status)
    assert ask(path, "POST").status == 405


def test_signed_requests_pass_without_the_gateways_proof(tmp_path: Path) -> None:
    file = tmp_path / "senders.toml"
    file.write_text(SENDERS, encoding="utf-8")
    env = {"HONGYAN_SENDERS": str(file), "MONITORING_TOKEN": TOKEN}
    path = "/elb.list_members/hooks/monitoring"
    signed = JSON | {"Authorization": f"Bearer {TOKEN}"}
    assert ask(path, authenticated=False, env=env, headers=signed).status == 200
    assert ask(path, authenticated=True, env=env).status == 401
    assert ask("/hooks/nobody", env=env, headers=signed).status == 404
    assert ask("/hooks/monitoring").status == 404


@pytest.mark.parametrize("path", ["/functions/elb.list_members", "/hooks/monitoring", "/hooks/patient"])
def test_nothing_is_stored_for_later_whatever_the_settings(path: str, tmp_path: Path) -> None:
    file = tmp_path / "senders.toml"
    file.write_text(SENDERS + SENDERS.replace("monitoring]", "patient]") + "async = true\n", encoding="utf-8")
    queue = f"sqlite:///{tmp_path / 'queue.sqlite'}"
    env = {"HONGYAN_SENDERS": str(file), "MONITORING_TOKEN": TOKEN, "HONGYAN_QUEUE": queue}
    headers = JSON | {"Authorization": f"Bearer {TOKEN}"} | ({} if "patient" in path else {"Prefer": "respond-async"})
    for _ in range(2):
        answer = ask(path, env=env, headers=headers)
        assert (answer.status, "HONGYAN_QUEUE" in json.loads(answer.body)["detail"]) == (501, True)
    assert not (tmp_path / "queue.sqlite").exists()


def test_a_path_without_end_is_refused() -> None:
    assert ask("/" + "%41" * 1000, env={"HONGYAN_OPERATION": "elb.list_members"}).status == 414


def test_nothing_below_hooks_is_another_door() -> None:
    for path in ("/hooks/functions/elb.list_members", "/x/hooks/events", "/hooks/x/y", "/hooks", "/hooks%2Fa/b"):
        answer = ask(path, env={"HONGYAN_OPERATION": "elb.list_members"})
        assert answer.status == (200 if "%2F" in path else 404), path


def test_the_platforms_deadline_is_the_calls() -> None:
    answer = ask("/functions/elb.list_members", deadline=Deadline.after(0))
    assert (answer.status, json.loads(answer.body)["data"]["error"]["kind"]) == (503, "deadline_exceeded")
    assert "Retry-After" in answer.headers
