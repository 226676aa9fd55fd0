from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from events.cli import senders
from events.signatures import registry
from tests.events.cli.support import lines, on_terminal, run
from tests.events.senders.support import ENVIRON, FAKES, NOW
from tests.events.senders.test_schemes import EXPORTS, SAMPLE

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = "0605767a3300d5762fb7c0186d9e1779"
ACCOUNT = {
    "HUAWEICLOUD_SDK_PROJECT_ID": "own",
    "HUAWEICLOUD_SDK_REGION": "cn-north-4",
    "HUAWEICLOUD_SDK_AK": "FAKEACCESSKEY",
    "HUAWEICLOUD_SDK_SK": "fake-secret-key",
}
FILE = """[senders.monitoring]
scheme = "plain"
secrets = [
  { env = "SECRET", until = 2025-06-17T15:06:40Z },
  { env = "OTHER", until = 2025-06-15T00:00:00Z },
  { env = "TWO_LINES" },
  { env = "lower_case", until = 2025-06-16T15:06:40Z },
]
operations = ["elb.list_members", "apig.add_members"]
projects = ["PROJECT"]
rate = "60/hour"
origins = ["*"]

[senders.monitoring-2]
scheme = "feishu"
secrets = [{ token = { env = "SHORTEST" } }]
operations = ["elb.list_members"]
payload = { listener_id = { at = "/a/b" }, limit = 10 }

[senders.alarms]
scheme = "topics"
topics = []
operations = ["elb.list_members"]
payload = "/deployment"
""".replace("PROJECT", PROJECT)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the path of the file above, with schemes that are fakes and a clock that stands."""
    monkeypatch.setattr(registry, "names", lambda: sorted(FAKES))
    monkeypatch.setattr(registry, "find", FAKES.get)
    monkeypatch.setattr(time, "time", lambda: NOW)
    for name, value in {**ENVIRON, "SHORTEST": "fake-shortest"}.items():
        monkeypatch.setitem(os.environ, name, value)
    (tmp_path / "senders.toml").write_text(FILE)
    return str(tmp_path / "senders.toml")


@pytest.fixture
def _account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ACCOUNT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "for_people", lambda *, as_json: not as_json)
    monkeypatch.setenv("COLUMNS", "100")


def changed(file: str, old: str, new: str) -> str:
    path = file.replace("senders.toml", "changed.toml")
    with open(path, "w") as other:  # noqa: PTH123
        other.write(FILE.replace(old, new))
    return path


def test_a_pipe_gets_a_line_for_each_sender(file: str) -> None:
    result = run("senders", "check", file)
    assert result.exit_code == 0
    first, second, third = lines(result)
    assert first.pop("secrets") == [
        {"origin": "env SECRET", "until": "2025-06-17T15:06:40Z", "days_left": 2},
        {"origin": "env OTHER", "until": "2025-06-15T00:00:00Z", "days_left": 0},
        {"origin": "env TWO_LINES", "until": None, "days_left": None},
        {"origin": "env lower_case", "until": "2025-06-16T15:06:40Z", "days_left": 1},
    ]
    assert [warning["line"] for warning in first.pop("warnings")] == [5, 6]
    assert first == {
        "sender": "monitoring",
        "path": "/hooks/monitoring",
        "scheme": "plain",
        "about": "A scheme that wants eight characters.",
        "headers": ["x-plain"],
        "operations": ["apig.add_members", "elb.list_members"],
        "operation": None,
        "projects": [PROJECT],
        "rate": {"count": 60, "per_s": 3600.0},
        "window_s": 300.0,
        "answer_within_s": None,
        "payload": None,
        "origins": ["*"],
        "https": False,
        "async": False,
    }
    assert (second["https"], second["answer_within_s"], len(second["warnings"])) == (True, 3.0, 1)
    assert second["payload"] == {"listener_id": {"at": "/a/b"}, "limit": 10}
    assert (third["secrets"], third["payload"], third["warnings"]) == ([], "/deployment", [])


@pytest.mark.usefixtures("_terminal")
def test_a_person_gets_everything_in_words(file: str) -> None:
    result = run("senders", "check", file)
    assert result.exit_code == 0
    said = " ".join(result.stdout.split())
    for words in (
        "monitoring POST /hooks/monitoring scheme plain: A scheme that wants eight characters. headers x-plain",
        "secrets env SECRET, until 2025-06-17T15:06:40Z: 2 days left env OTHER, over env TWO_LINES, no end",
        "env lower_case, until 2025-06-16T15:06:40Z: 1 day left",
        "operations apig.add_members elb.list_members bare body not taken: CloudEvents name the operation",
        f"projects {PROJECT} rate 60 requests per hour",
        "window 300 s",
        "handshake consent to *",
        "! line 5: senders.monitoring.secrets[1].until: this secret counts no longer: remove it",
        "monitoring-2 POST /hooks/monitoring-2, https only",
        "bare body runs elb.list_members payload listener_id = what is at /a/b in the body limit = 10",
        "answer within 3 s",
        "secrets none is needed",
        "payload what is at /deployment in the body projects the server's own",
        "senders.toml: 3 senders, 3 warnings, no mistake",
    ):
        assert words in said
    assert max(map(len, result.stdout.splitlines()[:-1])) <= 100


@pytest.mark.parametrize("terminal", [True, False])
def test_no_secret_is_shown(file: str, terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "for_people", lambda *, as_json: terminal)
    assert "fake" not in run("senders", "check", file).output


def test_mistakes_go_to_standard_error_and_the_command_fails(file: str) -> None:
    path = changed(file, 'scheme = "feishu"', 'scheme = "fieshu"\nzzz = 1')
    result = run("senders", "check", path)
    assert (result.exit_code, result.stdout) == (1, "")
    first, second, *_ = result.stderr.splitlines()
    assert first == f"{path}:15: senders.monitoring-2.scheme: there is no scheme 'fieshu'; did you mean feishu?"
    assert second.startswith(f"{path}:16: senders.monitoring-2.zzz: there is no such key")
    assert "Traceback" not in result.output


def test_a_number_that_is_too_long_to_be_shown_is_a_mistake(file: str) -> None:
    result = run("senders", "check", changed(file, "limit = 10", f"limit = 0x{'f' * 5000}"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "senders.monitoring-2.payload.limit: a whole number beyond 64 bits" in result.stderr


def test_the_file_is_the_one_that_the_server_would_read(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_SENDERS", file)
    assert len(lines(run("senders", "check"))) == 3


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_file_there_is_nothing_to_check(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is not None:
        monkeypatch.setenv("HONGYAN_SENDERS", value)
    result = run("senders", "check")
    assert result.exit_code == 2
    assert "name a file, or set HONGYAN_SENDERS" in result.stderr


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    result = run("senders", "check", str(tmp_path / "none"))
    assert (result.exit_code, result.stderr) == (1, f"{tmp_path / 'none'}: there is no such file\n")


# Projects


def test_without_an_account_projects_are_not_judged(file: str) -> None:
    assert "Projects were judged not at all: missing settings: HUAWEICLOUD_SDK_" in run("senders", "check", file).stderr


def test_with_settings_that_cannot_be_neither(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUAWEICLOUD_SDK_AK", "a b")
    result = run("senders", "check", file)
    assert result.exit_code == 0
    assert "not at all: HUAWEICLOUD_SDK_AK holds a blank" in result.stderr


@pytest.mark.usefixtures("_account")
def test_with_an_account_they_are(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("senders", "check", file)
    assert result.exit_code == 1
    told = f"the server may not use project {PROJECT}: add it to HONGYAN_ALLOWED_PROJECTS"
    assert result.stderr == f"{file}:10: senders.monitoring.projects[0]: {told}\n"
    monkeypatch.setenv("HONGYAN_ALLOWED_PROJECTS", PROJECT)
    assert (run("senders", "check", file).exit_code, run("senders", "check", file).stderr) == (0, "")


def test_on_the_emulator_they_are_the_emulators(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_EMULATOR", "local")
    result = run("senders", "check", file)
    assert result.exit_code == 0
    assert result.stderr == "Projects were judged as on the emulator: HONGYAN_EMULATOR is set\n"
    assert "judged" not in run("senders", "check", changed(file, f'projects = ["{PROJECT}"]', "")).stderr


# The example


def test_the_example_is_printed_as_it_is() -> None:
    result = run("senders", "example")
    assert (result.exit_code, result.stdout) == (0, SAMPLE)


def test_the_example_passes_its_own_check_on_a_terminal(tmp_path: Path) -> None:
    file: Any = tmp_path / "senders.toml"
    file.write_text(SAMPLE, encoding="utf-8")
    seen, code = on_terminal("senders", "check", str(file), **EXPORTS)
    assert code == 0, seen
    assert f"{file}: 4 senders, 0 warnings, no mistake" in seen
    assert not [secret for secret in EXPORTS.values() if secret in seen]
