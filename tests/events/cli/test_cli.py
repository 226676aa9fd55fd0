from __future__ import annotations

import subprocess

import click
import pytest

from events.cli import _commands, create_app
from functions.cloud.errors import ConfigurationError
from tests.events.cli.support import FLASK, ROOT, environment, run

COMMANDS = sorted(str(command.name) for command in _commands())


def flask(*args: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*FLASK, *args], cwd=ROOT, env=environment(**changes), capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"\n  Example:\n    flask {command}" in result.stdout


def test_help_lists_the_commands_without_an_account() -> None:
    done = flask("--help", HONGYAN_EMULATOR="")
    assert done.returncode == 0
    assert all(f"\n  {command} " in done.stdout for command in COMMANDS)
    assert done.stderr == ""


def test_a_command_works_without_an_account_too() -> None:
    done = flask("functions", HONGYAN_EMULATOR="")
    assert (done.returncode, done.stderr) == (0, "")


def test_without_an_account_nothing_falls_back_to_the_emulator() -> None:
    done = flask("routes", HONGYAN_EMULATOR="")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: missing settings: HUAWEICLOUD_SDK_PROJECT_ID")
    assert "Traceback" not in done.stderr


def test_flaskenv_chooses_the_emulator_for_local_use() -> None:
    done = flask("routes")
    assert done.returncode == 0
    assert "/functions/<operation>" in done.stdout


def test_whoever_asks_outside_of_a_command_gets_the_whole_application(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_EMULATOR", "local")
    assert "run_function" in create_app().view_functions


def test_run_gets_the_application_and_its_banner(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HONGYAN_EMULATOR", "local")
    with click.Context(click.Command("run")) as context:
        context.params = {"host": "127.0.0.1", "port": 8000}
        assert "run_function" in create_app().view_functions
    assert "EMULATOR" in capsys.readouterr().err


def test_settings_that_are_wrong_are_an_error_of_the_command_line() -> None:
    with pytest.raises(click.ClickException, match="missing settings") as caught:
        create_app()
    assert not isinstance(caught.value.__cause__, ConfigurationError)
