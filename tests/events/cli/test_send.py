from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from events.cli import send
from events.samples import sample
from functions.registry import names
from tests.events.cli.support import lines, on_terminal, run, server
from tests.support import CHANNEL, INSTANCE, says, scripted

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send, "for_people", lambda *, as_json: not as_json)


@pytest.mark.parametrize("operation", names())
def test_the_sample_of_every_operation_succeeds(operation: str) -> None:
    with server() as url:
        result = run("send", operation, "--url", url)
    [event] = lines(result)
    assert result.exit_code == 0
    assert event["type"] == f"hongyan.{operation}.succeeded"


def test_what_did_not_succeed_exits_with_1() -> None:
    with server() as url:
        result = run("send", "elb.list_members", "-", "--url", f"{url}/", input=b"{}")
    assert result.exit_code == 1
    assert lines(result)[0]["data"]["outcome"] == "rejected"


def test_what_succeeded_in_part_exits_with_0() -> None:
    payload = {"vpc_endpoint_service_id": "924ea411-9584-416c-a0de-082228cbe76f", "connections": [
        {"id": "1ef89a08-46c1-4ba4-8e28-1cd1696f657c", "description": "终端"}]}  # fmt: skip
    with server() as url:
        result = run("send", "vpcep.update_connection_descriptions", "-", "--url", url, input=json.dumps(payload))
    assert lines(result)[0]["data"]["outcome"] == "partial"
    assert result.exit_code == 0


def test_a_file_is_sent_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "payload.json"
    file.write_bytes(b'{"listener_id": "none"')
    with scripted(says(400, b"{}")) as fake:
        run("send", "elb.list_members", str(file), "--url", fake.url)
    assert fake.asked[0].endswith(b'\r\n\r\n{"listener_id": "none"')


def test_an_id_makes_two_deliveries_one() -> None:
    with server() as url:
        one, two = (lines(run("send", "elb.list_members", "--url", url, "--id", "order-7"))[0] for _ in range(2))
        other = lines(run("send", "elb.list_members", "--url", url))[0]
    assert one["id"] == two["id"] != other["id"]
    assert one["causationid"] == "order-7"


def test_binary_mode_goes_both_ways() -> None:
    with server() as url:
        result = run("send", "elb.list_members", "--url", url, "--binary", "--id", "order-7")
    [event] = lines(result)
    assert result.exit_code == 0
    assert (event["causationid"], event["data"]["trigger"]["id"]) == ("order-7", "order-7")
    with scripted(says(400, b"{}")) as fake:
        run("send", "elb.list_members", "--url", fake.url, "--binary")
    head, _, body = fake.asked[0].partition(b"\r\n\r\n")
    assert b"ce-source: /hongyan/cli" in head.lower()
    assert b"accept: application/json" in head.lower()
    assert body == sample("elb.list_members")


@pytest.mark.usefixtures("_terminal")
def test_a_person_sees_the_result() -> None:
    with server() as url:
        result = run("send", "elb.list_members", "--url", url)
    assert result.exit_code == 0
    assert result.stdout.startswith("✓ succeeded in ")
    assert "172.16.0.16" in result.stdout


@pytest.mark.usefixtures("_terminal")
def test_a_person_sees_what_is_wrong_and_can_ask_for_json() -> None:
    payload = json.dumps(
        {"instance_id": INSTANCE, "vpc_channel_id": CHANNEL, "members": [{"host": "a", "weight": 101}]}
    )
    with server() as url:
        result = run("send", "apig.add_members", "-", "--url", url, input=payload)
        as_json = run("send", "apig.add_members", "-", "--url", url, "--json", input=payload)
    assert result.exit_code == 1
    assert "members.0.weight: " in result.stdout
    assert lines(as_json)[0]["data"]["error"]["kind"] == "invalid_argument"


def test_a_server_that_is_not_there_says_how_to_start_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    result = run("send", "elb.list_members", "--url", f"http://127.0.0.1:{port}")
    assert result.exit_code == 1
    assert "make run" in result.stderr
    assert result.stdout == ""


def test_a_server_that_never_answers_is_not_waited_for_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send, "_MARGIN_S", -0.45)
    monkeypatch.setenv("HONGYAN_DEADLINE_S", "0.5")
    with scripted("hang") as fake:
        result = run("send", "elb.list_members", "--url", fake.url)
    assert result.exit_code == 1
    assert "did not answer within 0.05 s" in result.stderr


def test_a_wrong_setting_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_DEADLINE_S", "soon")
    result = run("send", "elb.list_members")
    assert result.exit_code == 1
    assert "HONGYAN_DEADLINE_S" in result.stderr


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"detail": "compressed bodies are not read\x1b[2J"}, "HTTP 415: compressed bodies are not read [2J"),
        ({"error": "other"}, "is it a server of Hongyan?"),
        ([], "is it a server of Hongyan?"),
        (b"<html>", "is it a server of Hongyan?"),
    ],
)
def test_an_answer_without_a_result_event_is_explained(body: Any, said: str) -> None:
    with scripted(says(415, body)) as fake:
        result = run("send", "elb.list_members", "--url", fake.url)
    assert result.exit_code == 1
    assert said in result.stderr


def test_an_unknown_operation_is_told_the_nearest() -> None:
    result = run("send", "elb.list_member")
    assert result.exit_code == 1
    assert "did you mean elb.list_members?" in result.stderr


def test_an_operation_that_only_the_server_knows_can_be_sent_from_a_file() -> None:
    with server() as url:
        result = run("send", "elb.no/such", "-", "--url", url, input=b"{}")
    assert result.exit_code == 1
    assert "Error: HTTP 404: " in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--url", "http://example.com"], "must start with https://"),
        (["--url", "file:///etc/hosts"], "must be a base URL"),
        (["--id", "a b"], "without spaces"),
        (["--id", ""], "without spaces"),
        (["no-such-file"], "No such file"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_sent(arguments: list[str], said: str) -> None:
    result = run("send", "elb.list_members", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_on_a_terminal_it_is_coloured() -> None:
    with server() as url:
        seen, code = on_terminal("send", "elb.list_members", "--url", url, columns=60)
        plain, _ = on_terminal("send", "elb.list_members", "--url", url, columns=60, NO_COLOR="1")
    assert code == 0
    assert "\x1b[32m\x1b[1m✓ succeeded\x1b[0m in " in seen
    assert "\x1b" not in plain
    assert max(map(len, plain.splitlines())) <= 60
