from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.cli import choosing
from events.cli.choosing import Filters, abbreviated, letters_of, named
from events.queues import Counts
from tests.events.cli.queued import bury, letter, url_of
from tests.events.cli.support import lines, run

if TYPE_CHECKING:
    from pathlib import Path

    from events.queues import Letter

NOW = 1_750_000_000.0


def dead_at(seconds_ago: float, **changes: Any) -> Letter:
    return replace(letter(), at=NOW - seconds_ago, **changes)


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (Filters(), True),
        (Filters(operation="apig.add_members"), True),
        (Filters(operation="apig.add_member"), False),
        (Filters(kind="not_found"), True),
        (Filters(kind="unavailable"), False),
        (Filters(reason="failed"), True),
        (Filters(reason="tries"), False),
        (Filters(older_s=60), True),
        (Filters(older_s=60.5), False),
        (Filters(newer_s=60), False),
        (Filters(newer_s=60.5), True),
        (Filters("apig.add_members", "not_found", "failed", 10, 70), True),
        (Filters("apig.add_members", "not_found", "tries", 10, 70), False),
    ],
)
def test_a_letter_is_meant_when_all_fits(wanted: Filters, taken: bool) -> None:
    assert wanted.takes(dead_at(60), NOW) is taken


def test_a_letter_without_an_error_is_of_no_kind() -> None:
    assert not Filters(kind="not_found").takes(dead_at(0, kind=None), NOW)
    assert Filters().takes(dead_at(0, kind=None), NOW)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Return a queue with letters of several operations, kinds, reasons and ages."""
    url = url_of(tmp_path)
    bury(
        url,
        letter("a1", dead_s=86_400 * 3, operation="elb.list_members", kind="unavailable", reason="tries"),
        letter("b2", dead_s=7_300),
        letter("c3", dead_s=600),
        letter("d4", dead_s=5, operation="unknown", kind=None, reason="broker", event=None),
    )
    return url


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ([], "a1 b2 c3 d4"),
        (["--operation", "apig.add_members"], "b2 c3"),
        (["--operation", "apig"], ""),
        (["--kind", "unavailable"], "a1"),
        (["--reason", "failed"], "b2 c3"),
        (["--reason", "broker"], "d4"),
        (["--older-than", "2h"], "a1 b2"),
        (["--older-than", "120m"], "a1 b2"),
        (["--older-than", "2.5h"], "a1"),
        (["--older-than", "2d"], "a1"),
        (["--newer-than", "10s"], "d4"),
        (["--newer-than", "30 min"], "c3 d4"),
        (["--older-than", "5m", "--newer-than", "3h"], "b2 c3"),
        (["--operation", "apig.add_members", "--newer-than", "1h"], "c3"),
    ],
)
def test_the_commands_filter(url: str, options: list[str], found: str) -> None:
    result = run("dead-letters", "list", "--queue", url, *options)
    assert result.exit_code == 0
    assert " ".join(line["id"] for line in lines(result)) == found


@pytest.mark.parametrize("command", [["list"], ["redrive", "--all", "--yes"], ["drop", "--all", "--yes"]])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--older-than", "2"], "an age is written as 90s, 10m, 2h or 3d"),
        (["--newer-than", "-1h"], "an age is written as"),
        (["--newer-than", "1e9h"], "an age is written as"),
        (["--older-than", "\u0661h"], "an age is written as"),
        (["--older-than", "2h", "--newer-than", "2h"], "--older-than and --newer-than leave no letter"),
        (["--reason", "any"], "--reason"),
    ],
)
def test_what_chooses_nothing_is_refused(url: str, command: list[str], options: list[str], said: str) -> None:
    result = run("dead-letters", *command, "--queue", url, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert len(lines(run("dead-letters", "list", "--queue", url))) == 4


# Ids


def those(*ids: str) -> list[Letter]:
    return [letter(its_id) for its_id in ids]


@pytest.mark.parametrize(
    ("beginnings", "found"),
    [
        (["aab"], ["aab"]),
        (["aabc"], ["aabcd"]),
        (["b"], ["bbb"]),
        (["bbb", "aabcd", "b"], ["bbb", "aabcd"]),
    ],
)
def test_a_letter_is_named_by_its_beginning(beginnings: list[str], found: list[str]) -> None:
    letters = those("aab", "aabcd", "bbb")
    assert [each.id for each in named(letters, beginnings)] == found


def test_letters_of_the_same_id_are_named_together() -> None:
    assert len(named(those("aa", "aa", "b"), ["a"])) == 2


@pytest.mark.parametrize(
    ("beginning", "said"),
    [
        ("", "there is no dead letter ''"),
        ("c", "there is no dead letter 'c': `flask dead-letters list` has their ids"),
        ("\x1b[2J" + "x" * 100_000, f"there is no dead letter ' [2J{'x' * 76}': "),
        ("a", "3 dead letters begin with a: aab, aabcd, a b; give more of the id"),
    ],
)
def test_a_beginning_of_none_or_several_is_told(beginning: str, said: str) -> None:
    with pytest.raises(click.ClickException) as caught:
        named(those("aab", "aabcd", "a\x07b", "bbb"), ["bbb", beginning])
    assert caught.value.message.startswith(said)


def test_not_all_of_many_are_told() -> None:
    with pytest.raises(click.ClickException, match=r"9 dead letters begin with a: a0, a1, a2, a3, a4 and 4 more; "):
        named(those(*(f"a{number}" for number in range(9))), ["a"])


def test_eight_characters_are_enough_for_most() -> None:
    letters = those("0123456789", "012345678a", "11111111111", "short")
    assert abbreviated(letters) == {
        "0123456789": "0123456789",
        "012345678a": "012345678a",
        "11111111111": "11111111",
        "short": "short",
    }
    assert abbreviated([]) == {}


@given(st.lists(st.text("ab", max_size=14), max_size=12))
def test_what_is_shown_of_an_id_names_its_letter(ids: list[str]) -> None:
    letters = those(*ids)
    for its_id, short in abbreviated(letters).items():
        if its_id:
            assert {each.id for each in named(letters, [short])} == {its_id}


# Many


class Many:
    def __init__(self, dead: int) -> None:
        self._dead = dead

    def letters(self, most: int) -> list[Letter]:
        return those(*map(str, range(min(most, self._dead))))

    def counts(self) -> Counts:
        return Counts(0, self._dead)


@pytest.mark.parametrize(("dead", "told"), [(2, ""), (3, ""), (4, "The oldest 3 of 4 dead letters were looked at")])
def test_what_is_too_much_to_look_at_is_told(
    dead: int, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(choosing, "MOST", 3)
    queue: Any = Many(dead)
    assert len(letters_of(queue)) == min(3, dead)
    said = capsys.readouterr().err
    assert said.startswith(told)
    assert bool(said) is bool(told)


def test_ages_are_counted_from_now(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    later = time.time() + 3_600
    monkeypatch.setattr(time, "time", lambda: later)
    assert [line["id"] for line in lines(run("dead-letters", "list", "--queue", url, "--newer-than", "65m"))] == ["d4"]
