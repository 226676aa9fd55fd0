from __future__ import annotations

import json

import pytest

from events.cli import functions
from events.samples import NoSample, sample
from functions.registry import names
from tests.events.cli.support import lines, run


@pytest.fixture
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "for_people", lambda *, as_json: not as_json)
    monkeypatch.setenv("COLUMNS", "100")


def test_a_pipe_gets_a_line_for_each_operation() -> None:
    result = run("functions")
    assert result.exit_code == 0
    assert [line["operation"] for line in lines(result)] == names()
    assert all(line.keys() == {"operation", "summary", "reads", "idempotent"} for line in lines(result))


def test_a_pipe_gets_the_fields_of_one() -> None:
    [line] = lines(run("functions", "apig.add_members"))
    fields = {field["name"]: field for field in line["fields"]}
    assert fields["members"]["required"]
    assert fields["members"]["type"] == "list of objects"
    assert fields["members[].weight"]["rule"] == "0 to 100"
    assert line["sample"] == json.loads(sample("apig.add_members"))
    assert (line["reads"], line["idempotent"]) == (False, False)


@pytest.mark.usefixtures("_terminal")
def test_a_person_gets_a_table_of_all() -> None:
    result = run("functions")
    assert result.exit_code == 0
    rows = [line for line in result.stdout.splitlines() if "." in line.split(" ")[0] and "flask" not in line]
    assert [row.split()[0] for row in rows] == names()
    assert "List the members of a classic ELB listener" in result.stdout


@pytest.mark.usefixtures("_terminal")
@pytest.mark.parametrize(
    ("operation", "safety"),
    [
        ("elb.list_members", "It changes nothing"),
        ("vpcep.update_connection_descriptions", "sent twice it has the effect of once"),
        ("apig.add_members", "is not sent again"),
    ],
)
def test_a_person_gets_everything_about_one(operation: str, safety: str) -> None:
    result = run("functions", operation)
    assert result.exit_code == 0
    assert safety in " ".join(result.stdout.split())
    assert sample(operation).decode() in result.stdout
    assert f"send {operation}" in result.stdout
    assert "…" not in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100


@pytest.mark.usefixtures("_terminal")
def test_a_person_can_ask_for_json() -> None:
    assert lines(run("functions", "--json"))[0]["operation"] == names()[0]


@pytest.mark.usefixtures("_terminal")
def test_the_fields_tell_default_and_rule() -> None:
    rows = {line.split()[0]: line for line in run("functions", "elb.list_members").stdout.splitlines() if line.strip()}
    assert rows["listener_id"].split()[:3] == ["listener_id", "string", "yes"]
    assert "true" in rows["follow_pages"]
    assert "1000" in rows["max_items"]
    assert "ACTIVE or PENDING or ERROR" in rows["status"]
    assert "IPv4 or IPv6" in rows["server_address"]


def test_an_unknown_name_is_told_the_nearest() -> None:
    result = run("functions", "elb.list_member")
    assert result.exit_code == 1
    assert "did you mean elb.list_members?" in result.stderr


def test_an_operation_without_a_sample_is_shown_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(operation: str) -> bytes:
        raise NoSample(operation)

    monkeypatch.setattr(functions, "sample", none)
    assert lines(run("functions", "elb.list_members"))[0]["sample"] is None
    monkeypatch.setattr(functions, "for_people", lambda **_: True)
    assert "events/samples" not in run("functions", "elb.list_members").stdout
