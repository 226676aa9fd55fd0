from __future__ import annotations

import json
import signal
import socket
import subprocess
import urllib.request
from typing import TYPE_CHECKING

import pytest

from events.cli import emulator
from functions.cloud.emulator.seed import default_seed
from tests.events.cli.support import FLASK, ROOT, environment, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def _ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulator, "_wait", lambda: signal.raise_signal(signal.SIGTERM))


@pytest.mark.usefixtures("_ends_at_once")
def test_it_prints_what_a_shell_needs_and_hints_apart_from_it() -> None:
    before = signal.getsignal(signal.SIGTERM)
    result = run("emulator", "--port", "0")
    assert result.exit_code == 0
    exports = dict(line.removeprefix("export ").split("=", 1) for line in result.stdout.splitlines())
    assert exports.pop("HONGYAN_EMULATOR").startswith("http://127.0.0.1:")
    assert exports == {
        "HUAWEICLOUD_SDK_AK": "EMULATORACCESSKEY00",
        "HUAWEICLOUD_SDK_SK": "emulator-secret-key-not-a-secret",
        "HUAWEICLOUD_SDK_PROJECT_ID": "0605767a3300d5762fb7c0186d9e1779",
        "HUAWEICLOUD_SDK_REGION": "cn-north-4",
    }
    assert "Ctrl-C ends it" in result.stderr
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_taken_port_is_a_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("emulator", "--port", str(port))
    assert result.exit_code == 1
    assert result.stderr == f"Error: cannot listen: port {port} is taken: choose another with --port\n"


def test_any_other_fault_of_the_port_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(emulator, "serving", refused)
    result = run("emulator", "--port", "80")
    assert (result.exit_code, result.stderr) == (1, "Error: cannot listen: port 80: Permission denied\n")


def test_a_reader_who_goes_away_is_no_fault_of_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(emulator, "say", gone)
    result = run("emulator", "--port", "0")
    assert (result.exit_code, result.stderr) == (1, "")


@pytest.mark.usefixtures("_ends_at_once")
def test_a_seed_of_ones_own(tmp_path: Path) -> None:
    seed = default_seed()
    seed["identity"]["access_keys"][0]["access"] = "MYFAKEKEY"
    file = tmp_path / "seed.json"
    file.write_text(json.dumps(seed))
    result = run("emulator", "--port", "0", "--seed", str(file))
    assert result.exit_code == 0
    assert "export HUAWEICLOUD_SDK_AK=MYFAKEKEY\n" in result.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON: "),
        ("{}", "(KeyError: 'identity')"),
        ("[]", "is not shaped as functions/cloud/emulator/seed.json"),
        ('{"identity": {"access_keys": []}}', "is not shaped as functions/cloud/emulator/seed.json"),
    ],
)
def test_a_seed_that_is_none_is_a_clear_error(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "seed.json"
    file.write_text(text)
    result = run("emulator", "--seed", str(file))
    assert result.exit_code == 1
    assert said in result.stderr


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_end(ending: signal.Signals) -> None:
    with subprocess.Popen(
        [*FLASK, "emulator", "--port", "0"],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        try:
            url = next(line for line in process.stdout if "HONGYAN_EMULATOR" in line).strip().partition("=")[2]
            with urllib.request.urlopen(f"{url}/_emulator/requests", timeout=10) as answer:
                assert json.load(answer) == {"requests": []}
        finally:
            process.send_signal(ending)
        hints = process.stderr.read()
    assert process.returncode == 0
    assert "Traceback" not in hints
