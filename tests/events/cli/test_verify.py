"""`flask verify` on what real doors refused: each fault, in each scheme that can have it, is called by its name."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest

from events.captures import Capture
from events.cli import verify
from events.deliveries import Deliveries
from tests.events.cli.support import lines, on_terminal, run
from tests.events.cli.test_rendering import Terminal, only_ours
from tests.events.explain.support import (
    BODY,
    ENVIRON,
    KNOWN,
    NOW,
    OWN,
    SECRETS,
    SIGNERS,
    SPACED,
    TOKENS,
    Doors,
    Sent,
    bearer,
    sealed_feishu,
    senders_file,
    standard,
    wecom,
)

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

pytestmark = pytest.mark.slow

SIGNING = ["standard", "github", "slack", "dingtalk", "feishu", "wecom"]
LATE = {"standard": 400, "slack": 400, "wecom": 400, "dingtalk": 3700, "feishu": 3700}
OTHER_KINDS = {
    "standard": (SECRETS["NEW"].encode(), "the text of the secret as its key"),
    **dict.fromkeys(
        ("github", "slack", "dingtalk"), (bytes.fromhex(OWN["github"]["NEW"].decode()), "the bytes that the secret stands for in hex")
    ),
    "feishu": (TOKENS["NEW"].encode(), "the wrong way round"),
}  # fmt: skip
LOST = {
    "standard": ("webhook-signature", "webhook-id, webhook-timestamp, webhook-signature"),
    "github": ("x-hub-signature-256", "x-hub-signature-256, x-github-delivery"),
    "slack": ("x-slack-signature", "x-slack-request-timestamp, x-slack-signature"),
    "dingtalk": ("sign", "timestamp, sign"),
    "feishu": ("x-lark-signature", "x-lark-request-timestamp, x-lark-request-nonce, x-lark-signature"),
    "bearer": ("authorization", "authorization, idempotency-key"),
}


@pytest.fixture
def doors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doors:
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HONGYAN_SENDERS", senders_file(tmp_path))
    return Doors(tmp_path)


def explained(*args: str, code: int = 1, **options: Any) -> dict[str, Any]:
    result = run("verify", *args, **options)
    assert result.exit_code == code, result.output
    secret_free(result)
    [found] = lines(result)
    assert set(found) == {"cause", "told", "fix", "notes", "sender", "reason"}
    return dict(found)


def secret_free(result: Result) -> None:
    assert not [text for text in KNOWN if text in result.output]


def judged(doors: Doors, name: str, sent: Sent) -> dict[str, Any]:
    """Explain what a door refused: by its capture, but DingTalk's by options, for its signature is good for any body and not kept."""
    file = doors.refused(name, sent)
    return explained(*options(name, sent), input=sent.body) if name == "dingtalk" else explained(str(file))


# The causes, each by a real refusal


@pytest.mark.parametrize("name", [*SIGNING, "bearer"])
def test_a_wrong_secret(doors: Doors, name: str) -> None:
    found = explained(str(doors.refused(name, SIGNERS[name](key=OWN[name]["WRONG"]))))
    assert (found["cause"], found["sender"]) == ("wrong_secret", name)
    assert found["reason"] == ("token_mismatch" if name == "bearer" else "signature_mismatch")
    assert "Compare the secret" in found["fix"]


@pytest.mark.parametrize("name", sorted(OTHER_KINDS))
def test_a_secret_of_another_kind(doors: Doors, name: str) -> None:
    key, reading = OTHER_KINDS[name]
    found = judged(doors, name, SIGNERS[name](key=key))
    assert found["cause"] == "secret_of_another_kind"
    assert reading in found["told"]
    assert "env " in found["told"]


@pytest.mark.parametrize("name", ["standard", "github", "slack", "feishu"])
def test_a_body_that_was_written_anew(doors: Doors, name: str) -> None:
    sent = Sent(BODY, SIGNERS[name](SPACED).headers)
    found = explained(str(doors.refused(name, sent)))
    assert found["cause"] == "body_reserialised"
    assert "with a blank after each comma and colon" in found["told"]
    assert "byte by byte" in found["fix"]


@pytest.mark.parametrize("name", sorted(LATE))
@pytest.mark.parametrize(("way", "words"), [(-1, "in the past"), (1, "in the future")])
def test_a_clock_that_is_off(doors: Doors, name: str, way: int, words: str) -> None:
    found = judged(doors, name, SIGNERS[name](at=NOW + way * LATE[name]))
    assert (found["cause"], found["reason"]) == ("clock_off", "too_old" if way < 0 else "too_new")
    assert f"its time is {LATE[name]} s" in found["told"]
    assert words in found["told"]


@pytest.mark.parametrize("name", SIGNING)
def test_a_signature_of_an_older_secret(doors: Doors, name: str) -> None:
    found = judged(doors, name, SIGNERS[name](key=OWN[name]["OLD"]))
    assert found["cause"] == "older_secret"
    assert "_OLD" in found["told"]
    assert "until 2025-06-15T15:06:39Z, 1 s before" in found["told"]
    assert "_NEW" in found["fix"]


@pytest.mark.parametrize("name", sorted(LOST))
def test_a_header_that_a_proxy_lost(doors: Doors, name: str) -> None:
    header, needed = LOST[name]
    sent = SIGNERS[name]().put(via="1.1 proxy").renamed(header, header.replace("-", "_"))
    found = explained(str(doors.refused(name, sent if "-" in header else sent.put(**{header: None}))))
    assert (found["cause"], found["reason"]) == ("header_lost", "header_missing")
    assert header in found["told"]
    assert needed in found["told"]
    assert any("through a proxy (via)" in note for note in found["notes"])
    assert "-" not in header or any(f"There is {header.replace('-', '_')} (with _," in note for note in found["notes"])


def test_a_query_that_a_proxy_lost(doors: Doors) -> None:
    found = explained(str(doors.refused("wecom", Sent(wecom().body))))
    assert (found["cause"], found["reason"]) == ("header_lost", "header_missing")
    assert "msg_signature" in found["told"]
    assert "query" in found["fix"]


@pytest.mark.parametrize("name", SIGNING)
def test_a_request_that_came_twice(doors: Doors, name: str) -> None:
    assert doors.send(name, SIGNERS[name]()).status == 200
    found = explained(str(doors.refused(name, SIGNERS[name]())))
    assert (found["cause"], found["reason"]) == ("already_handled", "replayed")


def test_a_retry_of_an_id_that_was_handled(tmp_path: Path, doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / "state"
    assert Doors(tmp_path, str(state)).send("standard", standard()).status == 200
    retry = standard(at=NOW + 5)
    assert explained(*options("standard", retry), code=0, input=BODY)["cause"] == "ok"
    monkeypatch.setenv("HONGYAN_STATE_FILE", str(state))
    found = explained(*options("standard", retry), input=BODY)
    assert (found["cause"], found["reason"]) == ("already_handled", "already_handled")
    assert "answered 200" in found["notes"][0]
    assert explained(*options("standard", standard()), input=BODY)["reason"] == "replayed"
    assert explained(*options("standard", standard(its_id="msg_2")), code=0, input=BODY)["cause"] == "ok"


def options(name: str, sent: Sent, *more: str) -> list[str]:
    """Return the options that describe a request, whose body comes from standard input."""
    headers = [part for header, value in sent.headers.items() for part in ("--header", f"{header.title()}: {value}")]
    query = [part for asked, [value] in sent.query.items() for part in ("--query", f"{asked}={value}")]
    return ["--sender", name, *headers, *query, "--body-file", "-", *(more or ("--at", "2025-06-15T15:06:40Z"))]


# What is told besides


def test_what_came_in_the_clear_is_told_with_what_else_is_wrong(doors: Doors) -> None:
    good, bad = standard(), standard(at=NOW - 400)
    found = explained(str(doors.refused("secure", good, https=False)))
    assert (found["cause"], found["notes"]) == ("https_required", [])
    assert "HONGYAN_PROXIES" in found["fix"]
    [note] = explained(str(doors.refused("secure", bad, https=False)))["notes"]
    assert note.startswith("Over https it would be refused too (clock_off): ")
    assert explained(str(doors.refused("bearer", bearer(), https=False)))["notes"] == []


@pytest.mark.parametrize(
    ("token", "told"),
    [
        (TOKENS["NEW"] + "x", "was it cut, or pasted with more than itself?"),
        (f'"{TOKENS["NEW"]}"', "That many it would have if the sender puts the token in quotation marks."),
        (TOKENS["NEW"][:-1] + "x", "it is another one."),
    ],
)
def test_of_a_token_that_was_not_kept_its_length_tells(doors: Doors, token: str, told: str) -> None:
    found = explained(str(doors.refused("bearer", bearer(key=token.encode()))))
    assert found["cause"] == "wrong_secret"
    assert any(f"The token has {len(token)} characters" in note for note in found["notes"])
    assert any(told in note for note in found["notes"])
    own = Sent(BODY, {"x-gitlab-token": token})
    assert explained(str(doors.refused("header", own)))["notes"] == found["notes"]


@pytest.mark.parametrize(
    ("sent", "cause"),
    [
        (SIGNERS["dingtalk"](key=OWN["dingtalk"]["OLD"]), "wrong_secret"),
        (SIGNERS["dingtalk"](at=NOW - 3700), "clock_off"),
    ],
)
def test_of_a_signature_that_was_not_kept_the_record_tells(doors: Doors, sent: Sent, cause: str) -> None:
    found = explained(str(doors.refused("dingtalk", sent)))
    assert (found["cause"], found["notes"]) == (
        cause,
        ["The signature was not kept, so neither other secrets nor other readings can be tried."],
    )


def test_a_token_that_is_known_here_is_read_otherwise(doors: Doors) -> None:
    found = explained(*options("bearer", bearer(key=f'"{TOKENS["NEW"]}"'.encode())), input=BODY)
    assert (found["cause"], "quotation marks" in found["told"]) == ("secret_of_another_kind", True)
    assert explained(*options("bearer", bearer(key=TOKENS["OLD"].encode())), input=BODY)["cause"] == "older_secret"
    assert explained(*options("bearer", bearer()), code=0, input=BODY)["cause"] == "ok"


def test_it_is_judged_as_of_its_own_time_unless_another_is_given(doors: Doors) -> None:
    file = str(doors.refused("standard", standard(at=NOW - 400)))
    assert "its time is 400 s (6.7 minutes) in the past" in explained(file)["told"]
    found = explained(file, "--now", f"{NOW + 86_400}")
    assert "its time is 86800 s (24.1 hours) in the past" in found["told"]
    assert any("It came at 2025-06-15T15:06:40Z, 400 s (6.7 minutes) after the time" in note for note in found["notes"])
    right = explained(file, "--at", f"{NOW - 400}", code=0)
    assert (right["cause"], right["reason"]) == ("ok", None)
    assert "it was refused as too_old" in right["told"]


def test_what_was_mended_since_is_right(tmp_path: Path, doors: Doors) -> None:
    file = str(doors.refused("standard", standard(key=OWN["standard"]["WRONG"])))
    mended = tmp_path / "mended.toml"
    mended.write_text((tmp_path / "senders.toml").read_text().replace("STANDARD_NEW", "STANDARD_WRONG"))
    assert explained(file, "--senders", str(mended), code=0)["cause"] == "ok"


def test_another_senders_request_is_told(doors: Doors) -> None:
    found = explained(str(doors.refused("standard", standard(key=OWN["standard"]["WRONG"]))))
    assert found["notes"][0] == "A secret of the sender other makes it right: was it meant for /hooks/other?"


def test_what_is_encrypted_is_judged_too(doors: Doors) -> None:
    body = json.dumps({"header": {"token": "fake-other-token"}}).encode()
    assert explained(str(doors.refused("feishu", sealed_feishu(body))))["reason"] == "token_mismatch"
    wrong = wecom(aes=ENVIRON["AES_WRONG"])
    found = explained(str(doors.refused("wecom", wrong)))
    assert (found["cause"], found["reason"]) == ("decrypt_failed", "decrypt_failed")
    assert "aes_key" in found["fix"]


def test_an_event_with_a_token_alone_can_have_an_older_one(doors: Doors) -> None:
    event = {"header": {"event_id": "ev_1", "token": TOKENS["OLD"]}}
    capture = Capture(NOW, "weak", "feishu", "token_mismatch", "no token", "POST", {}, {}, json.dumps(event).encode())
    file = doors.captures.with_name("kept.json")
    file.write_bytes(capture.to_json())
    assert explained(str(file))["cause"] == "older_secret"


def test_what_only_the_cloud_can_tell_is_told_as_it_was_found(doors: Doors) -> None:
    message = Sent(json.dumps({"type": "Notification"}).encode())
    found = explained(str(doors.refused("smn", message)))
    assert (found["cause"], found["reason"]) == ("body_malformed", "body_malformed")
    assert "Certificates are not fetched here" in found["notes"][0]


# The command itself


def test_a_person_sees_the_cause_in_colour(tmp_path: Path, doors: Doors) -> None:
    file = doors.refused("standard", standard(at=NOW - 400))
    known = {**ENVIRON, "HONGYAN_SENDERS": str(tmp_path / "senders.toml")}
    seen, code = on_terminal("verify", str(file), columns=70, **known)
    plain, _ = on_terminal("verify", str(file), columns=70, NO_COLOR="1", **known)
    assert code == 1
    assert "\x1b[31m\x1b[1m✗ clock_off\x1b[0m: standard, refused as too_old" in seen
    assert "\x1b" not in plain
    assert max(map(len, plain.splitlines())) <= 70
    assert "  → Set both clocks" in plain
    assert not [text for text in KNOWN if text in plain]


def test_a_person_sees_what_is_right_and_can_ask_for_json(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "for_people", lambda *, as_json: not as_json)
    right = run("verify", *options("standard", standard()), input=BODY)
    assert right.stdout == "✓ ok: standard\n  The request is right.\n  → Nothing is to be done.\n"
    unknown = doors.captures.with_name("kept.json")
    unknown.write_bytes(Capture(NOW, "smn", "smn", "new", "", "POST", {}, {}, b"").to_json())
    result = run("verify", str(unknown))
    assert result.exit_code == 2
    assert result.stdout.startswith("? not_judged: smn, refused as new\n  It was refused as 'new'.\n")
    noted = run("verify", *options("slack", Sent(BODY, {"via": "a"})), input=BODY)
    assert "\n  · It came through a proxy (via)" in noted.stdout
    assert explained(*options("standard", standard()), "--json", code=0, input=BODY)["cause"] == "ok"


def test_what_cannot_be_told_exits_with_2(doors: Doors) -> None:
    later = doors.captures.with_name("kept.json")
    later.write_bytes(Capture(NOW, "smn", "smn", "try_later", "no answer", "POST", {}, {}, b"").to_json())
    assert explained(str(later), code=2)["cause"] == "not_judged"


HOSTILE = "\x1b[2J\x1b]0;a\x07\x9b8m\r\n\u202e\x1b[8m"


@pytest.mark.parametrize("field", ["reason", "detail", "scheme", "method", "client"])
@pytest.mark.parametrize("name", ["smn", "bearer", "standard"])
def test_no_capture_steers_the_terminal(tmp_path: Path, doors: Doors, name: str, field: str) -> None:
    hidden = {"authorization": "[redacted 9 characters]", HOSTILE: HOSTILE}
    known = Capture(NOW, name, name, "new", HOSTILE, "POST", hidden, {HOSTILE: [HOSTILE]}, HOSTILE.encode())
    file = tmp_path / "kept.json"
    changed: dict[str, Any] = {field: HOSTILE}
    file.write_bytes(dataclasses.replace(known, **changed).to_json())
    seen = Terminal()
    with contextlib.redirect_stdout(seen), contextlib.redirect_stderr(seen), pytest.raises(SystemExit):
        command_of(file)
    only_ours(seen.getvalue())


def test_json_on_a_terminal_is_ascii(tmp_path: Path, doors: Doors) -> None:
    file = tmp_path / "kept.json"
    file.write_bytes(Capture(NOW, "smn", "smn", "new\x9b8m", "", "POST", {}, {}, b"").to_json())
    seen = Terminal()
    with contextlib.redirect_stdout(seen), pytest.raises(SystemExit):
        command_of(file, "--json")
    assert seen.getvalue().isascii()
    assert json.loads(seen.getvalue())["reason"] == "new\x9b8m"


def command_of(file: Path, *args: str) -> None:
    verify.command.main([str(file), *args], "verify")


def test_a_state_file_is_looked_at_and_never_made(
    tmp_path: Path, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    monkeypatch.setenv("HONGYAN_STATE_FILE", str(state))
    assert explained(*options("standard", standard()), code=0, input=BODY)["cause"] == "ok"
    assert not state.exists()
    state.write_bytes(b"no database of anybody's" * 100)
    result = run("verify", *options("standard", standard()), input=BODY)
    assert result.exit_code == 0
    assert "Whether it was received before is not known" in result.stderr
    state.unlink()
    Deliveries(str(state)).close()
    late = explained(*options("standard", standard(at=NOW - 999)), input=BODY)
    assert (late["cause"], late["notes"]) == ("clock_off", [])


def test_without_a_time_it_is_judged_as_of_now(doors: Doors) -> None:
    found = explained("--sender", "standard", *options("standard", standard())[2:-2], input=BODY)
    assert found["cause"] == "clock_off"


def test_headers_and_queries_come_as_a_server_hands_them_over(doors: Doors) -> None:
    sent = standard()
    doubled = [*options("standard", sent), "--header", f"webhook-id: {sent.headers['webhook-id']}"]
    found = explained(*doubled, input=BODY)
    assert found["cause"] == "header_lost"
    assert any("webhook-id came twice" in note for note in found["notes"])
    asked = "&".join(f"{name}={value}" for name, [value] in wecom().query.items())
    good = explained(
        "--sender", "wecom", "--query", f"?{asked}", "--body-file", "-", "--at", f"{NOW}", code=0, input=wecom().body
    )
    assert good["cause"] == "ok"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give a CAPTURE, or --sender"),
        (["senders.toml", "--sender", "standard"], "give a CAPTURE, or --sender"),
        (["senders.toml", "--header", "A: b"], "give a CAPTURE, or --sender"),
        (["senders.toml"], "this is no capture of Hongyan"),
        (["no-such-file"], "there is no such file"),
        (["."], "it is a directory"),
        (["/dev/zero"], "it is no regular file"),
        (["--sender", "standard", "--body-file", "/dev/zero"], "it is no regular file"),
        (["--sender", "nobody"], "no sender 'nobody'; it has standard, github"),
        (["--sender", "standard", "--header", "no colon"], "'Name: value'"),
        (["--sender", "standard", "--header", ": a"], "'Name: value'"),
        (["--sender", "standard", "--at", "tomorrow"], "seconds since 1970"),
        (["--sender", "standard", "--at", "2025-06-15T15:06:40"], "seconds since 1970"),
        (["--sender", "standard", "--at", "0001-01-01T00:00:00Z"], "seconds since 1970"),
        (["--sender", "standard", "--senders", ""], "--senders FILE, or HONGYAN_SENDERS"),
        (["--sender", "standard", "--senders", "none.toml"], "there is no such file"),
    ],
)
def test_what_cannot_be_meant_exits_with_2(
    tmp_path: Path, doors: Doors, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("verify", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_sender_that_is_gone_is_told(tmp_path: Path, doors: Doors) -> None:
    file = doors.refused("slack", Sent(BODY))
    result = run(
        "verify",
        str(file),
        "--senders",
        senders_file(tmp_path, "[senders.a]\nscheme = 'slack'\nsecrets = [{ env = 'TEXT_NEW' }]\noperations = ['*']"),
    )
    assert result.exit_code == 2
    assert "no sender 'slack'; it has a" in result.stderr
