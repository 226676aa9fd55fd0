from __future__ import annotations

import base64
import sys
from typing import TYPE_CHECKING

import click
import pytest

from events.cli import choosing, dead_letters, queues
from events.queues import Message
from tests.events.cli.queued import bury, bury_raw, event, ids, letter, url_of, waiting
from tests.events.cli.support import lines, on_terminal, run
from tests.events.cli.test_rendering import only_ours

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

A, B, C = "a" * 32, "b" * 32, "c" * 32


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL, which is set, too, of a queue with three letters: A failed, B was tried too often, C is the broker's."""
    url = url_of(tmp_path)
    bury(
        url,
        letter(A, dead_s=7_300),
        letter(B, dead_s=185, operation="elb.list_members", kind="unavailable", code=None, reason="tries"),
        letter(C, dead_s=1, operation="unknown", kind=None, code=None, reason="broker", event=None),
    )
    monkeypatch.setenv("HONGYAN_QUEUE", url)
    return url


@pytest.fixture
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "for_people", lambda *, as_json: not as_json)
    monkeypatch.setenv("COLUMNS", "80")


def asked(*args: str, **options: str) -> Result:
    return run("dead-letters", *args, **options)


# List


@pytest.mark.usefixtures("url")
def test_a_pipe_gets_a_line_for_each_without_its_body() -> None:
    result = asked("list")
    assert result.exit_code == 0
    first, second, third = lines(result)
    assert first["event"] == event()
    assert 7_290 < first["age_s"] < 7_400
    assert "body_base64" not in first["message"]
    assert (first["message"]["id"], first["message"]["tries"]) == (f"message-of-{A}", 2)
    assert (second["reason"], second["kind"], second["code"]) == ("tries", "unavailable", None)
    assert (third["id"], third["operation"], third["event"]) == (C, "unknown", None)
    assert result.stderr == ""


@pytest.mark.usefixtures("url", "_terminal")
def test_a_person_gets_a_table() -> None:
    result = asked("list")
    assert result.exit_code == 0
    assert [line.rstrip() for line in result.stdout.splitlines()[:-1]] == [
        "id        age    tries  reason  operation",
        "aaaaaaaa  2 h    2      failed  apig.add_members",
        "    not_found · APIG.3023 · the cloud answered HTTP 404",
        "bbbbbbbb  3 min  2      tries   elb.list_members",
        "    unavailable · the cloud answered HTTP 404",
        "cccccccc  1 s    2      broker  unknown",
        "    no result event",
    ]
    assert "dead-letters show ID" in result.stdout.splitlines()[-1]
    assert lines(asked("list", "--json"))[0]["id"] == A


@pytest.mark.usefixtures("url", "_terminal")
def test_a_list_that_is_cut_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = asked("list", "--most", "2")
    assert C[:8] not in cut.stdout
    assert "\n2 of 3, the oldest: --most 3 lists them all, --operation, --kind, --reason, " in cut.stdout
    assert "of 3" not in asked("list", "--most", "3").stdout
    monkeypatch.setattr(dead_letters, "_MOST", 1)
    assert "\n1 of 3, the oldest" in asked("list").stdout
    assert "\n1 of 2, the oldest: --most 2" in asked("list", "--older-than", "1m").stdout


@pytest.mark.usefixtures("url")
def test_a_pipe_gets_all_unless_it_asks_for_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "_MOST", 1)
    assert len(lines(asked("list"))) == 3
    cut = asked("list", "--most", "2")
    assert [line["id"] for line in lines(cut)] == [A, B]
    assert cut.stderr.startswith("2 of 3, the oldest: ")


@pytest.mark.usefixtures("url")
def test_where_nothing_fits_a_person_is_told_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = ("list", "--operation", "elb.list_member")
    assert (asked(*nothing).exit_code, asked(*nothing).output) == (0, "")
    monkeypatch.setattr(dead_letters, "for_people", lambda *, as_json: True)
    assert asked(*nothing).stdout == (
        "None of 3 dead letters, which are 1 apig.add_members failed, 1 elb.list_members tries, 1 unknown broker\n"
    )
    asked("drop", "--all", "--yes")
    assert asked("list").stdout == "No dead letters\n"
    assert asked("redrive", "--all", "--yes").stdout == "No dead letters\n"


# Show


@pytest.mark.usefixtures("url", "_terminal")
def test_a_beginning_shows_one() -> None:
    result = asked("show", "bb")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"dead letter {B}\n  reason     tries: it failed too often\n")
    assert "\nresult event\n  ✗ failed in 7 ms" in result.stdout
    assert '\nbody, 15 bytes\n  {\n    "members": []\n  }\n' in result.stdout
    assert result.stdout.endswith("dead-letters redrive bb\n")


@pytest.mark.usefixtures("url")
def test_a_pipe_gets_one_with_its_body() -> None:
    [line] = lines(asked("show", B))
    assert (line["id"], line["event"]) == (B, event())
    assert base64.b64decode(line["message"]["body_base64"]) == b'{"members": []}'


@pytest.mark.parametrize("command", ["show", "redrive", "drop"])
def test_a_beginning_that_names_none_or_several_does_nothing(url: str, command: str) -> None:
    bury(url, letter("ab"))
    yes = [] if command == "show" else ["--yes"]
    for beginning, said in (("x", "there is no dead letter 'x'"), ("a", f"2 dead letters begin with a: {A}, ab; ")):
        result = asked(command, *yes, *([] if command == "show" else [B]), beginning)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith(f"Error: {said}")
    assert len(ids(url)) == 4


# Redrive


def test_a_message_goes_back_with_its_id(url: str) -> None:
    result = asked("redrive", "aaaa")
    assert result.exit_code == 0
    assert lines(result) == [{"redriven": 1, "chosen": [A]}]
    [message] = waiting(url)
    assert (message.id, message.body, message.tries, message.runs) == (f"message-of-{A}", b'{"members": []}', 0, 1)
    assert ids(url) == [B, C]


def test_all_that_the_filters_leave_go_back(url: str) -> None:
    result = asked("redrive", "--all", "--older-than", "2m", "--yes")
    assert lines(result) == [{"redriven": 2, "chosen": [A, B]}]
    assert [message.id for message in waiting(url)] == [f"message-of-{A}", f"message-of-{B}"]
    assert ids(url) == [C]
    assert lines(asked("redrive", "--all", "--yes")) == [{"redriven": 1, "chosen": [C]}]
    assert lines(asked("redrive", "--all", "--yes")) == [{"redriven": 0, "chosen": []}]


@pytest.mark.usefixtures("_terminal")
def test_a_person_is_told_how_many(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        asked("redrive", A, B, "--yes").stdout
        == "✓ 2 dead letters put back into the queue, with the ids that they had\n"
    )
    found = letter(A), letter(C)
    monkeypatch.setattr(dead_letters, "letters_of", lambda queue: found)
    assert asked("redrive", A, C, "--yes").stdout.endswith("with the ids that they had; 1 had gone already\n")
    assert ids(url) == []


# Drop


def test_letters_are_thrown_away(url: str) -> None:
    assert lines(asked("drop", "aa", "cc", "--yes")) == [{"dropped": 2, "chosen": [A, C]}]
    assert ids(url) == [B]
    assert waiting(url) == []
    assert lines(asked("drop", "--all", "--reason", "broker", "--yes")) == [{"dropped": 0, "chosen": []}]
    assert lines(asked("drop", "--all", "--yes")) == [{"dropped": 1, "chosen": [B]}]


# Asking


@pytest.mark.parametrize("command", ["redrive", "drop"])
@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--yes"],
        [A, "--all"],
        [A, "--kind", "not_found"],
        ["--operation", "apig.add_members"],
        [A, "--older-than", "1s"],
    ],
)
def test_which_letters_are_meant_must_be_said(url: str, command: str, arguments: list[str]) -> None:
    result = asked(command, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "name the letters by their ids, or say --all" in result.stderr
    assert len(ids(url)) == 3


@pytest.mark.parametrize(
    "arguments",
    [["redrive", A, B], ["redrive", "--all"], ["drop", A], ["drop", "--all"], ["drop", "--all", "--kind", "x"]],
)
def test_without_a_terminal_nothing_is_done_unasked(url: str, arguments: list[str]) -> None:
    result = asked(*arguments, input="y\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is no terminal to ask on: say --yes" in result.stderr
    assert len(ids(url)) == 3


@pytest.mark.parametrize(("typed", "code", "left"), [("y\n", 0, 0), ("n\n", 1, 3), ("\x04", 1, 3)])
def test_on_a_terminal_a_person_is_asked(url: str, typed: str, code: int, left: int) -> None:
    command = "redrive" if typed == "y\n" else "drop"
    seen, ended = on_terminal("dead-letters", command, "--all", typed=typed, HONGYAN_QUEUE=url)
    assert ended == code, seen
    assert "(1 apig.add_members failed, 1 elb.list_members tries, 1 unknown broker)? [y/N]: " in seen
    assert "Traceback" not in seen
    assert len(ids(url)) == left


def test_one_is_put_back_unasked_but_not_thrown_away(url: str) -> None:
    seen, code = on_terminal("dead-letters", "redrive", A, HONGYAN_QUEUE=url)
    assert code == 0, seen
    assert "[y/N]" not in seen
    seen, code = on_terminal("dead-letters", "drop", B, typed="n\n", HONGYAN_QUEUE=url)
    assert code == 1, seen
    assert "Throw 1 dead letter away for good (1 elb.list_members tries)? [y/N]: " in seen
    assert ids(url) == [B, C]


# Whatever is there


STEERING = "\x1b[2J\x1b]0;a\x07\x9b8m\r\u202e"


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL, which is set, too, of a queue with letters that nobody of good will writes."""
    url = url_of(tmp_path)
    bury(
        url,
        letter("1", message=Message(b"\xff\x1b[2J\x00", "m1", STEERING, meta={STEERING: STEERING})),
        letter("2", operation=STEERING, kind=STEERING, code=STEERING, reason=STEERING),
        letter("3", event={"data": {"error": {"message": STEERING}}, STEERING: [STEERING]}),
        letter("4", at=1e300),
        letter("5", event=event(operation=STEERING, error={"message": STEERING})),
    )
    for raw in (b"\xff\x1b[2J", b"", b"[]", b'{"id": 7}'):
        bury_raw(tmp_path, raw)
    monkeypatch.setenv("HONGYAN_QUEUE", url)
    return url


@pytest.mark.usefixtures("_terminal")
@pytest.mark.parametrize("columns", ["40", "110"])
def test_hostile_letters_are_listed_and_shown_safely(
    hostile: str, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    known = ids(hostile)
    for result in (asked("list"), *(asked("show", its_id) for its_id in known)):
        assert result.exit_code == 0, result.output
        only_ours(result.output)
    every = [line for its_id in known for line in lines(asked("show", its_id, "--json"))]
    assert [line["id"] for line in lines(asked("list", "--json"))] == known == [line["id"] for line in every]
    bodies = [base64.b64decode(line["message"]["body_base64"]) for line in every]
    assert (bodies[0], bodies[-4:]) == (b"\xff\x1b[2J\x00", [b"\xff\x1b[2J", b"", b"[]", b'{"id": 7}'])
    assert {line["reason"] for line in every[-4:]} == {"broker"}


@pytest.mark.parametrize("arguments", [["list"], ["show", "2", "--json"]])
def test_hostile_letters_are_safe_on_a_terminal(hostile: str, arguments: list[str]) -> None:
    seen, code = on_terminal("dead-letters", *arguments, HONGYAN_QUEUE=hostile)
    assert code == 0, seen
    only_ours(seen)


@pytest.mark.usefixtures("_terminal")
def test_a_letter_of_ten_megabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = b"\x1b[2J\xff" * 2_000_000
    monkeypatch.setenv("HONGYAN_QUEUE", url_of(tmp_path))
    bury(url_of(tmp_path), letter("1", message=Message(body, "m1")))
    shown = asked("show", "1")
    only_ours(shown.stdout)
    assert "\nbody, 10000000 bytes\n" in shown.stdout
    assert "… cut after 8192 characters: --json gives all 10000000 bytes, in base64\n" in shown.stdout
    assert len(shown.stdout) < 60_000
    assert len(asked("list", "--json").stdout) < 2_000
    [line] = lines(asked("show", "1", "--json"))
    assert base64.b64decode(line["message"]["body_base64"]) == body


def test_what_is_read_is_bounded(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "MOST", 2)
    result = asked("list")
    assert [line["id"] for line in lines(result)] == [A, B]
    assert result.stderr.startswith("The oldest 2 of 3 dead letters were looked at")


def test_a_closed_standard_input_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(click.UsageError, match="there is no terminal to ask on"):
        queues.check_asking(yes=False)
    queues.check_asking(yes=True)
