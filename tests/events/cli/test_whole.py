from __future__ import annotations

import logging
import re
import shlex
import subprocess
import urllib.request
from typing import TYPE_CHECKING, Any

import click
import pytest

from events.cli.whole import _without_queries, for_run
from tests.events.cli.support import FLASK, ROOT, environment

if TYPE_CHECKING:
    from pathlib import Path


def banner(capsys: pytest.CaptureFixture[str], **params: Any) -> str:
    for_run({"host": "127.0.0.1", "port": 8000, **params})
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


@pytest.fixture
def _emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_EMULATOR", "local")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "unix:///tmp/socket"])
def test_any_address_but_its_own_is_refused_with_the_reason(host: str) -> None:
    with pytest.raises(click.UsageError, match="serves this machine only"):
        for_run({"host": host, "port": 8000})


@pytest.mark.usefixtures("_emulated")
def test_the_banner_says_that_nothing_is_real(capsys: pytest.CaptureFixture[str]) -> None:
    said = banner(capsys)
    assert "EMULATOR" in said
    assert "nothing is real" in said
    assert "HUAWEICLOUD_SDK_AK" not in said


def test_the_banner_tells_where_another_emulator_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HONGYAN_EMULATOR", "http://127.0.0.1:9000")
    assert "emulated at http://127.0.0.1:9000." in banner(capsys)


@pytest.mark.usefixtures("_emulated")
def test_own_credentials_that_are_not_used_are_mentioned(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUAWEICLOUD_SDK_AK", "FAKEACCESSKEY")
    said = banner(capsys)
    assert "NOT used" in said
    assert "HONGYAN_EMULATOR= " in said
    assert "FAKEACCESSKEY" not in said


@pytest.mark.usefixtures("_emulated")
def test_the_emulators_own_keys_are_nothing_to_mention(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUAWEICLOUD_SDK_AK", "EMULATORACCESSKEY00")
    assert "NOT used" not in banner(capsys)


def test_the_banner_names_the_real_cloud(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AK", "SK", "PROJECT_ID", "REGION"):
        monkeypatch.setenv(f"HUAWEICLOUD_SDK_{name}", "fake-value-1")
    said = banner(capsys)
    assert "REAL CLOUD" in said
    assert "project fake-value-1 in fake-value-1" in said
    assert "EMULATOR" not in said


@pytest.mark.usefixtures("_emulated")
@pytest.mark.parametrize(
    ("params", "url"),
    [
        ({"port": 8123}, "http://127.0.0.1:8123/functions/elb.list_members"),
        ({"host": "::1"}, "http://[::1]:8000/functions/elb.list_members"),
        ({"cert": "adhoc"}, "https://127.0.0.1:8000/functions/elb.list_members"),
    ],
)
def test_the_banner_has_a_line_to_paste(params: dict[str, Any], url: str, capsys: pytest.CaptureFixture[str]) -> None:
    [line] = [line for line in banner(capsys, **params).splitlines() if line.startswith("Try: ")]
    words = shlex.split(line.removeprefix("Try: "))
    sample, header, address = words[2], words[4], words[-1]
    assert (words[0], address) == ("curl", url)
    assert (ROOT / sample.removeprefix("@")).is_file()
    assert header == "Content-Type: application/json"


@pytest.mark.usefixtures("_emulated")
def test_a_port_that_the_system_picks_is_in_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "curl" not in banner(capsys, port=0)


@pytest.mark.usefixtures("_emulated")
def test_the_reloaders_second_process_says_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")
    assert banner(capsys) == ""


@pytest.mark.usefixtures("_emulated")
def test_a_wrong_setting_of_the_logs_is_an_error_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_LOG_LEVEL", "loud")
    with pytest.raises(click.ClickException, match="HONGYAN_LOG_LEVEL"):
        for_run({"host": "127.0.0.1", "port": 8000})


def test_run_refuses_another_address_from_the_environment_too() -> None:
    done = subprocess.run(
        [*FLASK, "run"],
        cwd=ROOT,
        env=environment(FLASK_RUN_HOST="0.0.0.0"),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert "--host 0.0.0.0 is refused" in done.stderr


def test_run_serves_and_logs_json() -> None:
    with subprocess.Popen(
        [*FLASK, "run", "--port", "0"], cwd=ROOT, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as process:
        assert process.stderr
        try:
            start = iter(process.stderr.readline, b"")
            port = next(found[1] for line in start if (found := re.search(rb"Running on .*:(\d+)", line))).decode()
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/functions/elb.list_members",
                (ROOT / "events/samples/elb.list_members.json").read_bytes(),
                {"Content-Type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=10) as answer:
                assert answer.status == 200
            assert any(b'"event": "call.finished"' in line for line in iter(process.stderr.readline, b""))
        finally:
            process.terminate()


@pytest.mark.usefixtures("_emulated")
def test_with_senders_the_banner_shows_how_to_see_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "senders.toml"
    file.write_text(
        '[senders.a]\nscheme = "bearer"\nsecrets = [{ env = "TOKEN_OF_A" }]\noperations = ["elb.list_members"]\n'
    )
    monkeypatch.setenv("TOKEN_OF_A", "fake-token-of-a-sender")
    monkeypatch.setenv("HONGYAN_SENDERS", str(file))
    said = banner(capsys)
    assert f"senders check {file}" in said
    assert "curl" not in said
    assert "fake-token" not in said


def test_the_development_server_does_not_log_what_stands_behind_a_path(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("werkzeug.test")
    logger.addFilter(_without_queries)
    with caplog.at_level(logging.INFO, "werkzeug.test"):
        logger.info('- "%s" %s', "POST /hooks/a?access_token=fake-token HTTP/1.1", 200)
        logger.info("no arguments")
    assert [record.getMessage() for record in caplog.records] == ['- "POST /hooks/a?… HTTP/1.1" 200', "no arguments"]
