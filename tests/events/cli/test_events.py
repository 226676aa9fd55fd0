from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from events.cli import events
from events.samples import sample
from events.samples.envelopes import envelope, kinds
from events.triggers import aws_lambda, functiongraph
from tests.events.cli.support import lines, run
from tests.events.explain.support import ENVIRON, entry, senders_file

if TYPE_CHECKING:
    from pathlib import Path

ELB = ("--operation", "elb.list_members")


@pytest.fixture
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "for_people", lambda *, as_json: not as_json)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def senders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    for module in (aws_lambda, functiongraph):
        monkeypatch.setattr(module, "_functions", [])
    monkeypatch.chdir(tmp_path)
    text = entry("signing", "standard", 'env = "STANDARD_NEW"') + entry("asking", "dingtalk", 'env = "TEXT_NEW"')
    return senders_file(tmp_path, text)


def test_a_pipe_gets_the_event_and_nothing_else() -> None:
    result = run("events", "sample", "sqs", *ELB, "--count", "2")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == envelope("sqs", "elb.list_members", sample("elb.list_members"), count=2)
    assert result.stdout.startswith('{\n  "Records": [\n')
    assert "invoke lambda EVENT.json\n" in result.stderr


def test_what_is_printed_is_the_payloads_own_text(tmp_path: Path) -> None:
    (tmp_path / "payload.json").write_text('{"description": "终端"}', encoding="utf-8")
    asked = ("events", "sample", "eventbridge", "--operation", "vpcep.any")
    result = run(*asked, "--payload", str(tmp_path / "payload.json"))
    assert json.loads(result.stdout)["detail"] == {"description": "终端"}
    assert "终端" in result.stdout
    assert json.loads(run(*asked, "--payload", "-", input="[]").stdout)["detail"] == []


def test_types_are_those_that_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_EVENT_PREFIX", "com.example")
    event = json.loads(run("events", "sample", "eventbridge", *ELB).stdout)
    assert event["detail-type"] == "com.example.elb.list_members"


def test_the_settings_that_a_function_needs_are_told() -> None:
    told = run("events", "sample", "fg-obs", *ELB, "--payload", "-", input='{"listener_id": "a b"}').stderr
    assert "invoke functiongraph EVENT.json --env HONGYAN_OPERATION=elb.list_members" in told
    assert """ --env 'HONGYAN_PAYLOAD={"listener_id":"a b"}'\n""" in told


def test_without_a_kind_the_kinds_are_listed() -> None:
    listed = lines(run("events", "sample"))
    assert [line["kind"] for line in listed] == kinds()
    assert all(line.keys() == {"kind", "platform", "about"} for line in listed)


@pytest.mark.usefixtures("_terminal")
def test_a_person_gets_a_table_of_the_kinds() -> None:
    result = run("events", "sample")
    assert [line.split()[0] for line in result.stdout.splitlines() if line[0] != " "][1:] == kinds()
    assert "…" not in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_help_has_a_line_for_each_kind() -> None:
    told = run("events", "sample", "--help").stdout
    listed = told[told.index("Kinds:\n") : told.index("Example:")].splitlines()[1:]
    assert [line.split()[0] for line in listed if line.strip()] == kinds()
    assert "flask events sample apigw-v2" in told


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["sqs-fif", *ELB], 1, "did you mean sqs-fifo?"),
        (["nothing", *ELB], 1, "the kinds are apigw-v1, "),
        (["sqs"], 2, "--operation, as elb.list_members"),
        (["sqs", "--operation", "elb.list_member"], 1, "did you mean elb.list_members?"),
        (["fg-timer", *ELB, "--count", "2"], 1, "an event of fg-timer brings one payload"),
        (["fg-timer", *ELB, "--payload", "-"], 1, "fg-timer carries the payload as a JSON value"),
        (["sqs", *ELB, "--count", "0"], 2, "--count"),
        (["sqs", *ELB, "--signed-by", "signing"], 2, "sqs brings none"),
        (["fg-apig", *ELB, "--signed-by", "signing"], 2, "name the senders file"),
    ],
)
def test_what_cannot_be_made_says_why(arguments: list[str], code: int, said: str) -> None:
    result = run("events", "sample", *arguments, input="{")
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr


@pytest.mark.parametrize("sender", ["signing", "asking"])
@pytest.mark.parametrize("kind", ["apigw-v1", "apigw-v2", "function-url", "fg-apig"])
def test_a_signed_request_is_taken_by_its_platform(
    senders: str, monkeypatch: pytest.MonkeyPatch, kind: str, sender: str
) -> None:
    monkeypatch.setenv("HONGYAN_EMULATOR", "local")
    made = run("events", "sample", kind, *ELB, "--signed-by", sender, "--senders", "senders.toml")
    assert made.exit_code == 0, made.stderr
    # The function does not stand in this folder, so the path is told in full.
    assert f"--env HONGYAN_SENDERS={senders}\n" in made.stderr
    assert not [text for text in ENVIRON.values() if text in made.output]
    platform = "functiongraph" if kind == "fg-apig" else "lambda"
    ended = run("invoke", platform, "-", "--env", f"HONGYAN_SENDERS={senders}", input=made.stdout)
    assert ended.exit_code == 0, ended.output
    assert json.loads(lines(ended)[-1]["answer"]["body"])["data"]["trigger"]["sender"] == sender


def test_a_signed_request_is_one(senders: str) -> None:
    asked = ("events", "sample", "fg-apig", *ELB, "--signed-by", "signing", "--senders", senders)
    result = run(*asked, "--count", "2")
    assert result.exit_code == 1
    assert "brings one payload" in result.stderr
