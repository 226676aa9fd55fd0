from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from events.cli import invoke
from events.samples import sample
from events.samples.envelopes import envelope
from events.triggers import aws_lambda, functiongraph
from tests.events.cli.support import lines, run
from tests.support import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

ELB = "elb.list_members"


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process of a platform's keeps its function; each of these runs is a process of its own."""
    for module in (aws_lambda, functiongraph):
        monkeypatch.setattr(module, "_functions", [])
    monkeypatch.setenv("HONGYAN_EMULATOR", "local")


@pytest.fixture
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invoke, "for_people", lambda *, as_json: not as_json)


def event(kind: str, payload: Any = None, count: int = 1) -> dict[str, Any]:
    body = sample(ELB) if payload is None else json.dumps(payload).encode()
    return envelope(kind, ELB, body, count=count)


def invoked(platform: str, value: Any, *arguments: str) -> Result:
    return run("invoke", platform, "-", *arguments, input=json.dumps(value))


def test_a_pipe_gets_the_result_events_and_then_the_answer() -> None:
    result = invoked("lambda", event("sqs", count=2))
    *events, last = lines(result)
    assert result.exit_code == 0
    assert [each["type"] for each in events] == ["hongyan.elb.list_members.succeeded"] * 2
    assert last["answer"] == {"batchItemFailures": []}
    assert (last["done"], last["why"], last["timeout_s"]) == (True, None, 30.0)
    assert 0 <= last["seconds"] < 30
    assert "EMULATOR  nothing is real: the cloud is emulated inside this process" in result.stderr


def test_the_other_platform_has_its_own_handler_and_context(tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text(json.dumps(event("fg-direct")))
    result = run("invoke", "functiongraph", str(tmp_path / "event.json"))
    [last] = lines(result)
    assert result.exit_code == 0
    assert last["answer"]["data"]["trigger"]["kind"].startswith("functiongraph.")


def test_the_same_event_twice_is_a_redelivery() -> None:
    timer = event("fg-timer")
    one, two = (lines(invoked("functiongraph", timer))[0]["id"] for _ in range(2))
    assert one == two


def test_what_is_given_back_to_the_queue_is_not_done() -> None:
    result = invoked("lambda", event("sqs", {}))
    first, last = lines(result)
    assert result.exit_code == 1
    assert first["data"]["outcome"] == "rejected"
    assert len(last["answer"]["batchItemFailures"]) == 1
    assert (last["done"], last["why"]) == (False, "given back to the queue: 1 record")


def test_the_deadline_is_real() -> None:
    # Half a second is kept for the answer, so nothing is begun.
    *events, last = lines(invoked("lambda", event("sqs", count=3), "--timeout", "0.4"))
    assert events == []
    assert last["why"] == "given back to the queue: 3 records"
    assert last["seconds"] < 0.4


@pytest.mark.parametrize(("authenticates", "status", "code"), [("true", 200, 0), ("false", 403, 1)])
def test_variables_are_the_functions_for_one_run(authenticates: str, status: int, code: int) -> None:
    before = dict(os.environ)
    setting = f"HONGYAN_GATEWAY_AUTHENTICATES={authenticates}"
    result = invoked("functiongraph", event("fg-apig"), "--env", "HONGYAN_EMULATOR=local", "--env", setting)
    assert lines(result)[-1]["answer"]["statusCode"] == status
    assert result.exit_code == code
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("platform", "value", "changes", "kind", "told"),
    [
        ("lambda", {"a": 1}, (), "UnknownEvent", "these top-level keys: 'a'"),
        ("functiongraph", [], (), "UnknownEvent", "must be a JSON object"),
        ("lambda", event("sns", {}), (), "CannotSucceed", "1 of 1 records"),
        ("functiongraph", event("fg-smn", {}), (), "CannotSucceed", "1 of 1 records"),
        ("lambda", {}, ("--env", "HONGYAN_OPERATION=elb.nothing"), "ConfigurationError", "HONGYAN_OPERATION"),
        ("lambda", {}, ("--env", "HONGYAN_EMULATOR=http://example.com"), "ConfigurationError", "HONGYAN_EMULATOR"),
    ],
)
def test_what_the_handler_raises_on_purpose_is_told_as_the_platform_does(
    platform: str, value: Any, changes: tuple[str, ...], kind: str, told: str
) -> None:
    result = invoked(platform, value, *changes)
    last = lines(result)[-1]
    assert result.exit_code == 1
    assert (last["errorType"], last["done"]) == (kind, False)
    assert told in last["errorMessage"]
    assert "answer" not in last
    assert "Traceback" not in result.output


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(event: Any, context: Any) -> None:
        raise KeyError("broken")

    monkeypatch.setattr(aws_lambda, "handler", broken)
    assert isinstance(invoked("lambda", {}).exception, KeyError)


def test_the_real_cloud_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PROJECT_ID": PROJECT, "REGION": "cn-north-4", "AK": "FAKE", "SK": "fake"}.items():
        monkeypatch.setenv(f"HUAWEICLOUD_SDK_{name}", value)
    result = invoked("lambda", {"operation": ELB, "payload": {}}, "--env", "HONGYAN_EMULATOR=")
    assert f"REAL CLOUD  calls act on project {PROJECT} in cn-north-4" in result.stderr
    # Refused before anything was sent.
    assert lines(result)[0]["answer"]["data"]["upstream"] is None


def test_without_an_account_no_cloud_is_announced() -> None:
    result = invoked("lambda", {"operation": ELB, "payload": {}}, "--env", "HONGYAN_EMULATOR=")
    assert "calls act on" not in result.stderr
    assert lines(result)[0]["errorMessage"].startswith("missing settings: HUAWEICLOUD_SDK_PROJECT_ID")


def test_an_emulator_elsewhere_is_announced() -> None:
    changes = ("--env", "HONGYAN_EMULATOR=http://127.0.0.1:9")
    assert "emulated at http://127.0.0.1:9" in invoked("lambda", {"a": 1}, *changes).stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["lambda", "-"], 1, "the event is not JSON"),
        (["azure", "-"], 2, "'lambda', 'functiongraph'"),
        (["lambda", "none.json"], 2, "there is no such file"),
        (["lambda", "-", "--timeout", "0"], 2, "--timeout"),
        (["lambda", "-", "--env", "A"], 2, "NAME=VALUE"),
        (["lambda", "-", "--env", "=a"], 2, "NAME=VALUE"),
    ],
)
def test_what_cannot_be_run_says_why(arguments: list[str], code: int, said: str) -> None:
    result = run("invoke", *arguments, input="{")
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr


@pytest.mark.parametrize("raw", [b"\xff", b"[" * 100_000])
def test_bytes_that_are_no_json_are_told_so(raw: bytes) -> None:
    result = run("invoke", "lambda", "-", input=raw)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "the event is not JSON" in result.stderr


@pytest.mark.usefixtures("_terminal")
def test_a_person_sees_what_became_of_each_record_and_of_all() -> None:
    result = invoked("lambda", event("sqs", count=2))
    assert result.exit_code == 0
    assert result.stdout.count("✓ succeeded in ") == 2
    assert '"batchItemFailures": []' in result.stdout
    assert "✓ done, as the platform takes it\n" in result.stdout
    assert "of 30 s" in result.stdout
    assert "call.finished" not in result.stderr


@pytest.mark.usefixtures("_terminal")
def test_a_person_can_ask_for_json() -> None:
    result = invoked("lambda", event("sqs"), "--json")
    assert lines(result)[-1]["done"]
    assert "call.finished" in result.stderr


@pytest.mark.usefixtures("_terminal")
def test_a_person_can_ask_for_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_LOG_LEVEL", "INFO")
    assert "call.finished" in invoked("lambda", event("sqs")).stderr


@pytest.mark.usefixtures("_terminal")
def test_a_person_sees_an_error_in_words() -> None:
    result = invoked("functiongraph", event("fg-smn", {}))
    assert result.exit_code == 1
    assert "✗ rejected in 0 ms" in result.stdout
    assert "CannotSucceed: 1 of 1 records" in result.stdout
    assert "✗ not done: the handler raised an error" in result.stdout


@pytest.mark.usefixtures("_terminal")
@pytest.mark.parametrize("kind", ["apigw-v2", "lambda-direct"])
def test_a_person_sees_the_result_that_an_answer_carries(kind: str) -> None:
    result = invoked("lambda", event(kind))
    assert ("HTTP 200\n" in result.stdout) == (kind == "apigw-v2")
    assert result.stdout.count("✓ succeeded in ") == 1
    assert "172.16.0.16" in result.stdout
    assert "specversion" not in result.stdout


def test_a_timeout_is_a_number() -> None:
    ran = invoked("lambda", "-", "--timeout", "nan")
    assert ran.exit_code == 2
    assert "nan is no number" in ran.output
