"""`flask replay`: what was refused is signed afresh and taken, or it is said why it cannot be."""

from __future__ import annotations

import dataclasses
import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from events.captures import Capture
from events.settings import EventSettings
from events.triggers import webhook
from functions.cloud.emulator.server import serving_app
from functions.cloud.settings import CloudSettings
from tests.events.cli.support import lines, run
from tests.events.explain.support import (
    BODY,
    ENVIRON,
    HEX,
    KEYS,
    KNOWN,
    NOW,
    OWN,
    PAYLOAD,
    SIGNERS,
    Doors,
    Sent,
    bearer,
    dingtalk,
    feishu,
    github,
    sealed_feishu,
    senders_file,
    slack,
    standard,
    wecom,
)
from tests.events.triggers.served import SECRETS, TOKEN, served, signed
from tests.support import says, scripted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

pytestmark = pytest.mark.slow

LATE = NOW - 4000


@pytest.fixture
def doors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doors:
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HONGYAN_SENDERS", senders_file(tmp_path))
    return Doors(tmp_path)


@contextmanager
def server(tmp_path: Path) -> Iterator[str]:
    """Serve the senders' doors on an emulator of their own."""
    settings = EventSettings(senders=str(tmp_path / "senders.toml"))
    with serving_app(webhook.create_app(CloudSettings.from_env({"HONGYAN_EMULATOR": "local"}), settings)) as url:
        yield url


def replayed(file: Path | str, *args: str) -> Result:
    result = run("replay", str(file), *args)
    assert not [text for text in KNOWN if text in result.output]
    return result


def kept(folder: Path, sent: Sent, sender: str = "standard", **changes: Any) -> Path:
    """Write a capture with any content."""
    known = Capture(NOW, sender, sender, "too_old", "so it was", "POST", sent.headers, sent.query, sent.body)
    file = folder / "kept.json"
    file.write_bytes(dataclasses.replace(known, **changes).to_json())
    return file


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("standard", standard(key=KEYS["WRONG"])),
        ("standard", standard(at=LATE)),
        ("github", github(key=HEX["WRONG"].encode())),
        ("slack", slack(at=LATE)),
        ("dingtalk", dingtalk(at=LATE)),
        ("bearer", bearer(key=OWN["bearer"]["OLD"])),
        ("header", Sent(BODY, {"x-gitlab-token": OWN["bearer"]["WRONG"].decode()})),
        ("feishu", feishu(at=LATE)),
        ("feishu", sealed_feishu(BODY, at=LATE)),
        ("wecom", wecom(at=LATE)),
    ],
)
def test_what_was_refused_is_taken(tmp_path: Path, doors: Doors, name: str, sent: Sent) -> None:
    file = doors.refused(name, sent)
    with server(tmp_path) as url:
        result = replayed(file, "--url", url, "--unproved")
    [event] = lines(result)
    assert (result.exit_code, event["data"]["outcome"]) == (0, "succeeded")
    assert event["data"]["trigger"]["sender"] == name
    assert f"POST {url}/hooks/{name}, signed with the secret of " in result.stderr
    assert "_NEW" in result.stderr


def test_each_time_it_has_a_new_id_unless_one_is_asked_for(tmp_path: Path, doors: Doors) -> None:
    file = doors.refused("standard", standard(at=LATE))
    with server(tmp_path) as url:
        new = [lines(replayed(file, "--url", url))[0]["causationid"] for _ in range(2)]
        given = lines(replayed(file, "--url", url, "--id", "order-7"))[0]["causationid"]
        same = lines(replayed(file, "--url", url, "--same-id"))[0]["causationid"]
        again = replayed(file, "--url", url, "--same-id")
    assert len({*new, "msg_1", "order-7"}) == 4
    assert (given, same) == ("order-7", "msg_1")
    # The same second: the very same request. A later one: a retry.
    assert "replayed" in again.stderr or "handled before: nothing was done again" in again.stderr


def test_a_retry_that_was_handled_is_no_mistake(tmp_path: Path, doors: Doors) -> None:
    file = doors.refused("bearer", bearer(key=OWN["bearer"]["WRONG"]))
    with server(tmp_path) as url:
        assert replayed(file, "--url", url, "--same-id", "--unproved").exit_code == 0
        result = replayed(file, "--url", url, "--same-id", "--unproved")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "A request with this id was handled before" in result.stderr


@pytest.mark.parametrize(
    ("name", "sent", "header"),
    [
        ("standard", standard(), "webhook-id"),
        ("github", github(), "x-github-delivery"),
        ("bearer", bearer(), "idempotency-key"),
        ("standard", standard().renamed("webhook-id", "svix-id"), "webhook-id"),
        ("bearer", bearer().renamed("idempotency-key", "webhook-id"), "idempotency-key"),
    ],
)
def test_the_same_id_is_sent(tmp_path: Path, doors: Doors, name: str, sent: Sent, header: str) -> None:
    with scripted(says(400, b"{}")) as fake:
        replayed(kept(tmp_path, sent, name), "--url", fake.url, "--same-id", "--unproved")
    head = fake.asked[0].partition(b"\r\n\r\n")[0].lower()
    assert f"\r\n{header}: msg_1".encode() in head


def test_what_is_sent_is_the_body_and_what_says_how_to_read_it(tmp_path: Path, doors: Doors) -> None:
    came = {
        "Content-Type": "application/cloudevents+json",
        "traceparent": "00-1",
        "ce-id": "e1",
        "ce-type": "a\nb",
        "ce-source": "\u540d",
        "user-agent": "somebody",
        "cookie": "[redacted 3 characters]",
        "content-length": "1",
    }
    with scripted(says(400, b"{}")) as fake:
        replayed(kept(tmp_path, Sent(b'{"id": 1 }', came)), "--url", fake.url, "--unproved")
    head, _, body = fake.asked[0].partition(b"\r\n\r\n")
    assert body == b'{"id": 1 }'
    assert b"content-type: application/cloudevents+json" in head.lower()
    assert b"traceparent: 00-1" in head.lower()
    assert b"ce-id: e1" in head.lower()
    assert not re.search(rb"somebody|redacted|ce-type|ce-source|length: 1\r", head, re.IGNORECASE)


def test_a_batch_is_shown_event_by_event(tmp_path: Path, doors: Doors) -> None:
    events = [
        {"specversion": "1.0", "id": str(number), "source": "/s", "type": "hongyan.elb.list_members", "data": data}
        for number, data in enumerate([PAYLOAD, {}])
    ]
    sent = Sent(json.dumps(events).encode(), {"content-type": "application/cloudevents-batch+json"})
    with server(tmp_path) as url:
        result = replayed(kept(tmp_path, sent), "--url", url, "--unproved")
    assert "operation elb.list_members" in result.stderr
    assert [event["data"]["outcome"] for event in lines(result)] == ["succeeded", "rejected"]
    assert result.exit_code == 1


@pytest.mark.parametrize("name", ["slack", "feishu"])
def test_a_handshake_is_answered(tmp_path: Path, doors: Doors, name: str) -> None:
    body = {"type": "url_verification", "challenge": "fake-challenge", "token": ENVIRON["TOKEN_NEW"]}
    file = kept(tmp_path, SIGNERS[name](json.dumps(body).encode(), at=LATE), name)
    with server(tmp_path) as url:
        result = run("replay", str(file), "--url", url)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "the scheme's own handshake" in result.stderr


def test_what_the_server_refuses_is_told_with_its_reason(tmp_path: Path, doors: Doors) -> None:
    file = doors.refused("github", github(key=HEX["WRONG"].encode()))
    with server(tmp_path) as url:
        assert replayed(file, "--url", url, "--unproved").exit_code == 0
        result = replayed(file, "--url", url, "--unproved")
    assert result.exit_code == 1
    assert "HTTP 401 (replayed): " in result.stderr


@pytest.mark.parametrize(
    ("sender", "sent", "changes", "said"),
    [
        ("smn", Sent(BODY), {}, "only Huawei Cloud can sign messages of SMN"),
        ("standard", standard(), {"redacted": True}, "there is no whole body to send"),
        ("wecom", Sent(b""), {"method": "GET"}, "this is no POST but a handshake"),
        ("wecom", wecom(key=b"FakeWRONGToken"), {}, "with the secrets that are here it is not opened: signature_mismatch"),
        ("wecom", Sent(b"<xml><Encrypt>AAAA</Encrypt></xml>"), {}, "with the secrets that are here it is not opened"),
        ("feishu", sealed_feishu(BODY, HEX["WRONG"]), {}, "with the secrets that are here it is not opened"),
        ("weak", Sent(b"no JSON"), {}, "the token is put into the body: give a JSON object"),
        ("public", standard(), {}, "a public key (whpk_) cannot sign"),
        ("ended", standard(), {}, "none of its secrets counts any more"),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_again_is_told(
    tmp_path: Path, doors: Doors, sender: str, sent: Sent, changes: dict[str, Any], said: str
) -> None:
    more = """
[senders.public]
scheme = "standard"
secrets = [{ env = "PUBLIC" }]
operations = ["elb.list_members"]
[senders.ended]
scheme = "standard"
secrets = [{ env = "STANDARD_NEW", until = 2025-06-15T15:06:39Z }]
operations = ["elb.list_members"]
"""
    file = tmp_path / "senders.toml"
    file.write_text(file.read_text() + more)
    result = run("replay", str(kept(tmp_path, sent, sender, **changes)), env={"PUBLIC": PUBLIC})
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr
    assert "POST" not in result.stderr.replace("no POST", "")


PUBLIC = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="  # RFC 8032, 7.1, test 1.


def test_an_id_that_did_not_arrive_cannot_be_sent(tmp_path: Path, doors: Doors) -> None:
    lost = standard().put(webhook_id=None)
    result = replayed(kept(tmp_path, lost), "--same-id")
    assert result.exit_code == 1
    assert "did not arrive" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--url", "http://example.com"], "must start with https://"),
        (["--id", "a b"], "without spaces"),
        (["--id", "a", "--same-id"], "are two ids"),
        (["--senders", "none.toml"], "there is no such file"),
        (["--senders", ""], "--senders FILE, or HONGYAN_SENDERS"),
    ],
)
def test_what_cannot_be_meant_exits_with_2(tmp_path: Path, doors: Doors, arguments: list[str], said: str) -> None:
    result = replayed(kept(tmp_path, standard()), *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_a_sender_that_is_gone_is_told(tmp_path: Path, doors: Doors) -> None:
    result = replayed(kept(tmp_path, standard(), "gone"))
    assert result.exit_code == 2
    assert "no sender 'gone'" in result.stderr


# Whether its sender made it, and what is shown before it is sent


def refused_unless_unproved(file: Path, cause: str, *args: str) -> None:
    with scripted(says(400, b"{}")) as fake:
        result = replayed(file, "--url", fake.url, *args)
        assert (result.exit_code, result.stdout, fake.asked) == (1, "", [])
        told = " ".join(result.stderr.split())
        assert f"made this request ({cause})" in told
        assert "add --unproved" in told
        assert "Not sent: POST " in told
        replayed(file, "--url", fake.url, "--unproved", *args)
    assert len(fake.asked) == 1


@pytest.mark.parametrize(
    ("name", "sent", "reason", "cause"),
    [
        ("standard", standard(key=KEYS["WRONG"]), "signature_mismatch", "wrong_secret"),
        ("standard", standard(key=KEYS["WRONG"]), "replayed", "wrong_secret"),
        ("standard", Sent(BODY), "too_old", "header_lost"),
        ("standard", standard(key=KEYS["WRONG"]), "https_required", "wrong_secret"),
        ("standard", Sent(b'{"other": 1}', standard().headers), "too_old", "wrong_secret"),
        ("bearer", bearer(key=TOKEN.encode()), "https_required", "wrong_secret"),
        ("bearer", bearer().put(authorization="Bearer [redacted 40 characters]"), "token_mismatch", "token_mismatch"),
        ("bearer", bearer().put(authorization="Bearer [redacted 40 characters]"), "https_required", "https_required"),
        ("dingtalk", Sent(BODY), "header_missing", "header_lost"),
        ("dingtalk", dingtalk().put(sign="[redacted 44 characters]"), "signature_mismatch", "signature_mismatch"),
        ("feishu", feishu(b"[1]"), "body_malformed", "body_malformed"),
    ],
)
def test_what_nothing_proves_to_be_its_senders_is_not_sent(
    tmp_path: Path, doors: Doors, name: str, sent: Sent, reason: str, cause: str
) -> None:
    refused_unless_unproved(kept(tmp_path, sent, name, reason=reason), cause)


@pytest.mark.parametrize(
    ("name", "sent", "reason", "cause"),
    [
        ("standard", standard(), "https_required", "ok"),
        ("standard", standard(at=LATE), "too_old", "clock_off"),
        ("standard", standard(key=KEYS["OLD"]), "signature_mismatch", "older_secret"),
        ("standard", standard(key=OWN["standard"]["NEW"].hex().encode()), "signature_mismatch", None),
        ("github", github(key=bytes.fromhex(HEX["NEW"])), "signature_mismatch", "secret_of_another_kind"),
        ("github", Sent(BODY, github(json.dumps(PAYLOAD).encode()).headers), "signature_mismatch", "body_reserialised"),
        ("bearer", bearer().put(authorization="Bearer [redacted 40 characters]"), "already_handled", "already_handled"),
        ("bearer", bearer(key=OWN["bearer"]["OLD"]), "token_mismatch", "older_secret"),
        ("dingtalk", dingtalk().put(sign="[redacted 44 characters]"), "too_old", "too_old"),
    ],
)
def test_what_a_secret_of_the_sender_made_is_sent(
    tmp_path: Path, doors: Doors, name: str, sent: Sent, reason: str, cause: str | None
) -> None:
    with scripted(says(400, b"{}")) as fake:
        result = replayed(kept(tmp_path, sent, name, reason=reason), "--url", fake.url)
    assert len(fake.asked) == (cause is not None)
    assert f"as captured: {cause or 'wrong_secret'}" in " ".join(result.stderr.split())


def test_what_was_found_under_another_scheme_proves_nothing(tmp_path: Path, doors: Doors) -> None:
    hidden = dingtalk().put(sign="[redacted 44 characters]")
    refused_unless_unproved(kept(tmp_path, hidden, "dingtalk", scheme="smn"), "too_old")


def test_what_is_sent_is_shown_first_without_control_characters_and_secrets(tmp_path: Path, doors: Doors) -> None:
    hostile = f'{{"a": "\x1b[2J\x9b\u202e", "t": "{ENVIRON["STANDARD_NEW"]}", "b": "{"y" * 5000}"}}'.encode()
    with scripted(says(400, b"{}")) as fake:
        result = replayed(kept(tmp_path, standard(hostile)), "--url", fake.url)
    told = result.stderr
    assert f"POST {fake.url}/hooks/standard, signed with the secret of env STANDARD_NEW" in told
    assert f"sender standard · operation elb.list_members · {len(hostile)} bytes · as captured: ok" in " ".join(
        told.split()
    )
    assert '{"a": " [2J' in told
    assert "[redacted]" in told
    assert "yyy…" in told
    assert told.count("y" * 20) * 20 < 600
    assert all(char.isprintable() or char == "\n" for char in told)


def test_of_what_was_encrypted_the_content_is_shown_without_its_token(tmp_path: Path, doors: Doors) -> None:
    event = {"header": {"event_id": "e1", "token": ENVIRON["TOKEN_NEW"]}, "listener_id": "abc"}
    with scripted(says(400, b"{}")) as fake:
        result = replayed(kept(tmp_path, sealed_feishu(json.dumps(event).encode()), "feishu"), "--url", fake.url)
    assert '"token": "[redacted]"' in " ".join(result.stderr.split())
    assert '"listener_id": "abc"' in " ".join(result.stderr.split())


# All of it, over a real socket


def test_a_real_server_refuses_and_the_request_is_explained_and_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(tmp_path) as server:
        headers = signed(json.dumps(PAYLOAD).encode(), "d-1")
        assert server.send("/hooks/monitoring", BODY, headers)[0] == 401
        [file] = (tmp_path / "captures").iterdir()
        for name, value in {**SECRETS, "TOKEN": TOKEN}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("HONGYAN_SENDERS", str(tmp_path / "senders.toml"))
        verified = run("verify", str(file))
        again = run("replay", str(file), "--url", f"http://127.0.0.1:{server.port}")
    assert (verified.exit_code, lines(verified)[0]["cause"]) == (1, "body_reserialised")
    assert (again.exit_code, lines(again)[0]["data"]["outcome"]) == (0, "succeeded")
