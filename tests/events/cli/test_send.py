from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from events.cli import send
from events.samples import sample
from events.settings import EventSettings
from events.triggers import webhook
from functions.cloud.emulator.server import serving_app
from functions.cloud.settings import CloudSettings
from functions.registry import names
from tests.events.cli.support import lines, on_terminal, run, server
from tests.events.explain.support import ENVIRON, senders_file
from tests.support import CHANNEL, INSTANCE, says, scripted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

pytestmark = pytest.mark.slow


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
        (["no-such-file"], "there is no such file"),
        (["/dev/zero"], "it is no regular file"),
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


# As a sender


SENDERS = """
[senders.monitoring]
scheme = "standard"
secrets = [{ env = "STANDARD_NEW" }]
operations = ["elb.list_members", "vpcep.update_connection_descriptions"]
operation = "elb.list_members"
[senders.mapped]
scheme = "github"
secrets = [{ env = "TEXT_NEW" }]
operations = ["elb.list_members"]
payload = "/deployment/payload"
[senders.chat]
scheme = "feishu"
secrets = [{ encrypt_key = { env = "TEXT_NEW" }, token = { env = "TOKEN_NEW" } }]
operations = ["elb.list_members"]
[senders.plain]
scheme = "bearer"
secrets = [{ env = "TOKEN_NEW" }]
operations = ["*"]
[senders.topics]
scheme = "smn"
topics = ["urn:smn:cn-north-4:0605767a3300d5762fb7c0186d9e1779:alarms"]
operations = ["elb.list_members"]
"""
OTHER = "vpcep.update_connection_descriptions"


@pytest.fixture
def hooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve the senders' doors on an emulator of their own."""
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    file = senders_file(tmp_path, SENDERS)
    monkeypatch.setenv("HONGYAN_SENDERS", file)
    settings = EventSettings(senders=file)
    with serving_app(webhook.create_app(CloudSettings.from_env({"HONGYAN_EMULATOR": "local"}), settings)) as url:
        yield url


def sent_as(url: str, sender: str, *arguments: str, **options: Any) -> Result:
    result = run("send", *arguments, "--sender", sender, "--url", url, **options)
    assert not [text for text in ENVIRON.values() if text in result.output]
    return result


@pytest.mark.parametrize(
    ("sender", "operation"),
    [
        ("monitoring", "elb.list_members"),
        ("monitoring", OTHER),
        ("chat", "elb.list_members"),
        ("plain", "elb.list_members"),
        ("plain", OTHER),
    ],
)
def test_a_sender_signs_what_it_may_ask_for(hooks: str, sender: str, operation: str) -> None:
    result = sent_as(hooks, sender, operation)
    [event] = lines(result)
    assert result.exit_code == 0
    assert (event["data"]["operation"], event["data"]["trigger"]["sender"]) == (operation, sender)


@pytest.mark.parametrize(("operation", "bare"), [("elb.list_members", True), (OTHER, False)])
def test_what_a_sender_signs_is_bare_where_that_runs_it(hooks: str, operation: str, *, bare: bool) -> None:
    with scripted(says(400, b"{}")) as fake:
        sent_as(fake.url, "monitoring", operation, "--id", "order-7")
    head, _, body = fake.asked[0].partition(b"\r\n\r\n")
    assert b"post /hooks/monitoring " in head.lower()
    assert b"webhook-id: order-7" in head.lower()
    if bare:
        assert body == sample(operation)
    else:
        envelope = json.loads(body)
        assert (envelope["type"], envelope["id"]) == (f"hongyan.{operation}", "order-7")
        assert envelope["data"] == json.loads(sample(operation))
    assert (b"content-type: application/json" in head.lower()) is bare


def test_a_type_begins_with_the_prefix_that_is_set(hooks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_EVENT_PREFIX", "com.example")
    for sender, mode in (("monitoring", []), ("plain", ["--binary"])):
        with scripted(says(400, b"{}")) as fake:
            sent_as(fake.url, sender, OTHER, *mode)
        assert f"com.example.{OTHER}".encode() in fake.asked[0]
    monkeypatch.setenv("HONGYAN_EVENT_PREFIX", "No Prefix")
    assert "HONGYAN_EVENT_PREFIX must be" in sent_as(hooks, "monitoring", OTHER).stderr


def test_a_body_of_another_system_comes_from_a_file(hooks: str) -> None:
    body = json.dumps({"deployment": {"payload": json.loads(sample("elb.list_members"))}})
    result = sent_as(hooks, "mapped", "elb.list_members", "-", input=body)
    assert lines(result)[0]["data"]["outcome"] == "succeeded"
    assert result.exit_code == 0


def test_a_retry_is_told_and_what_is_not_granted_too(hooks: str) -> None:
    assert sent_as(hooks, "plain", "elb.list_members", "--id", "order-7").exit_code == 0
    again = sent_as(hooks, "plain", "elb.list_members", "--id", "order-7")
    assert (again.exit_code, again.stdout) == (0, "")
    assert "handled before: nothing was done again" in again.stderr
    refused = sent_as(hooks, "monitoring", "csbs.check_restorable")
    assert refused.exit_code == 1
    assert "may not run" in lines(refused)[0]["data"]["error"]["message"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["monitoring", "elb.list_members", "--binary"], 2, "which are not signed: leave it out with --sender"),
        (["mapped", "elb.list_members"], 2, "on a payload taken out of its body: give a FILE with such a body"),
        (["mapped", OTHER, "-"], 2, "what mapped posts runs elb.list_members"),
        (["chat", OTHER], 2, "what feishu wraps is taken for a bare payload, with which chat runs elb.list_members"),
        (["nobody", "elb.list_members"], 2, "no sender 'nobody'; it has monitoring, mapped"),
        (["monitoring", "elb.list_members", "--senders", ""], 2, "--senders FILE, or HONGYAN_SENDERS"),
        (["topics", "elb.list_members"], 1, "only Huawei Cloud can sign messages of SMN"),
        (["monitoring", OTHER, "-"], 1, "a CloudEvent carries the payload as JSON"),
        (["monitoring", "elb.list_memberz"], 1, "did you mean elb.list_members?"),
    ],
)
def test_what_a_sender_cannot_ask_is_told(hooks: str, arguments: list[str], code: int, said: str) -> None:
    result = sent_as(hooks, *arguments, input="{")
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in " ".join(result.stderr.split())


def test_a_batch_that_holds_no_result_is_no_answer() -> None:
    batch = "Content-Type: application/cloudevents-batch+json"
    for body in (b"[]", json.dumps([{"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}]).encode()):
        with scripted(says(200, body, batch)) as fake:
            result = run("send", "elb.list_members", "--url", fake.url)
        assert result.exit_code == 1
        assert "is it a server of Hongyan?" in result.stderr
