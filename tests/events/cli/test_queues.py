from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from events.cli.queues import age, counted, moment
from tests.events.cli.queued import connected, url_of
from tests.events.cli.support import run

if TYPE_CHECKING:
    from pathlib import Path

ALL = [["queue", "status"], ["dead-letters", "list"], ["dead-letters", "show", "a"], ["dead-letters", "redrive", "a"]]
PUBLISH = ["queue", "publish", "elb.list_members"]


@pytest.mark.parametrize("command", [["queue"], ["dead-letters"]])
def test_a_command_without_more_lists_what_there_is(command: list[str]) -> None:
    listed = run(*command)
    assert "Commands:" in listed.output


@pytest.mark.parametrize(
    "command",
    [
        *(["queue", name] for name in ("status", "publish")),
        *(["dead-letters", name] for name in ("list", "show", "redrive", "drop")),
    ],
)
def test_every_command_has_help_with_an_example(command: list[str]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert f"\n  Example:\n    flask {' '.join(command)}" in result.stdout
    assert "HONGYAN_QUEUE" in result.stdout


@pytest.mark.parametrize("command", [*ALL, PUBLISH])
@pytest.mark.parametrize("value", [None, "", " "])
def test_without_a_queue_there_is_nothing_to_look_at(
    command: list[str], value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value is not None:
        monkeypatch.setenv("HONGYAN_QUEUE", value)
    result = run(*command)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "name the queue: --queue URL, or HONGYAN_QUEUE" in result.stderr


@pytest.mark.parametrize("command", ALL)
def test_a_file_that_is_not_there_is_not_made(command: list[str], tmp_path: Path) -> None:
    result = run(*command, "--queue", url_of(tmp_path))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: there is no file {tmp_path / 'queue.sqlite'}: ")
    assert not list(tmp_path.iterdir())


def test_whoever_publishes_makes_the_file(tmp_path: Path) -> None:
    assert run(*PUBLISH, "--queue", url_of(tmp_path)).exit_code == 0
    assert (tmp_path / "queue.sqlite").is_file()


def test_the_option_wins_over_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(connected(url_of(tmp_path))):
        pass
    monkeypatch.setenv("HONGYAN_QUEUE", "sqlite:////nowhere")
    assert run("queue", "status").exit_code == 1
    assert run("queue", "status", "--queue", url_of(tmp_path)).exit_code == 0


@pytest.mark.parametrize("command", [ALL[0], PUBLISH])
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://user:geheim@h/", "must be a URL that begins with sqlite:///, redis:// or amqp://"),
        ("amqp://user:geheim@/", "must name a host"),
        ("redis://user:geheim@[::1", "is not a URL"),
        ("amqp://user:geheim@h/?geheim=1", "amqp has no option"),
        ("sqlite:///a?lease_s=x", "lease_s must be a number"),
    ],
)
def test_a_wrong_url_names_where_it_was_given_and_no_password(
    command: list[str], url: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = run(*command, "--queue", url)
    assert given.stderr.startswith("Error: --queue")
    monkeypatch.setenv("HONGYAN_QUEUE", url)
    found = run(*command)
    assert found.stderr.startswith("Error: HONGYAN_QUEUE")
    for result in (given, found):
        assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (1, "", 1)
        assert said in result.stderr
        assert "user:geheim" not in result.stderr


@pytest.mark.parametrize("command", [ALL[0], ALL[1], PUBLISH])
@pytest.mark.parametrize("transport", ["redis", "amqp"])
def test_a_broker_that_is_not_there_is_one_line_without_a_password(command: list[str], transport: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result = run(*command, "--queue", f"{transport}://user:geheim@127.0.0.1:{port}/")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: ")
    assert len(result.stderr.splitlines()) == 1
    assert "geheim" not in result.output


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("a%00b", "holds a character"),
        ("folder", "irectory"),
        ("folder/%1B[2J/x", "no file"),
        ("text", "not a database"),
    ],
)
def test_a_path_that_is_no_queue_is_one_line(path: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("some text that is no database at all" * 100)
    result = run("queue", "status", "--queue", f"sqlite:///{tmp_path}/{path}")
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-1e300, "0 s"),
        (0.4, "0 s"),
        (119.4, "119 s"),
        (120, "2 min"),
        (7_199, "119 min"),
        (7_200, "2 h"),
        (172_799, "47 h"),
        (172_800, "2 days"),
        (86_400 * 9_998, "9998 days"),
        (1e300, "over 9999 days"),
    ],
)
def test_ages_are_in_words(seconds: float, said: str) -> None:
    assert age(seconds) == said


def test_times_are_those_of_rfc_3339() -> None:
    assert moment(1_750_000_000.9) == "2025-06-15T15:06:40Z"
    assert [moment(at) for at in (1e300, -1e300, 1e12)] == [None, None, None]


def test_what_is_counted_is_in_the_plural() -> None:
    assert [counted(number, "letter") for number in (0, 1, 2)] == ["0 letters", "1 letter", "2 letters"]
