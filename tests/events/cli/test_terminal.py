from __future__ import annotations

import io
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from events.cli import terminal

if TYPE_CHECKING:
    from pathlib import Path


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")


def watched(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


def test_a_person_sits_at_a_terminal_and_did_not_ask_for_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert terminal.for_people(as_json=False)
    assert not terminal.for_people(as_json=True)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert not terminal.for_people(as_json=False)


@pytest.mark.parametrize(("columns", "width"), [("20", 40), ("72", 72), ("500", 110)])
def test_the_width_is_the_terminals_within_reason(columns: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert terminal.width() == width


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = watched(monkeypatch)
    terminal.say("\x1b[31mred\x1b[0m")
    monkeypatch.setenv("NO_COLOR", "1")
    terminal.say("\x1b[31mred\x1b[0m", err=True)
    assert seen.getvalue() == "\x1b[31mred\x1b[0m\nred\n"


def test_what_the_terminal_cannot_show_is_a_question_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, "ascii", write_through=True) as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        terminal.say("✓ 终端")
        assert raw.getvalue() == b"? ??\n"


def test_text_of_others_cannot_steer_the_terminal() -> None:
    assert terminal.clean("a\x1b[2J\r\nb\u202e") == "a [2J  b "


def test_chinese_characters_take_two_columns() -> None:
    assert terminal.columns("终端a\u0301") == 5
    assert terminal.padded("终端", 6) == "终端  "


@pytest.mark.parametrize(("text", "most", "shown"), [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("终端节点", 6, "终端…")])
def test_a_text_is_cut_to_its_columns(text: str, most: int, shown: str) -> None:
    assert terminal.clipped(text, most) == shown
    assert terminal.columns(terminal.clipped(text, most)) <= most


def test_a_text_is_wrapped_between_words() -> None:
    lines = terminal.wrapped("word " * 30, "  ", "    ")
    assert lines[0].startswith("  word")
    assert lines[1].startswith("    word")
    assert max(map(len, lines)) <= 60
    assert terminal.wrapped("", "  ") == [""]


def test_a_table_lines_up_and_leaves_out_what_has_no_room() -> None:
    rows = [["172.16.0.16", "x" * 30, "y" * 32], ["终端", "z", ""]]
    head, *lines = terminal.table(["address", "name", "id"], rows, indent="  ")
    assert "address      name" in head
    assert "id" not in head
    assert lines == [f"  172.16.0.16  {'x' * 30}", "  终端         z"]


def test_prose_in_a_table_is_cut_to_fit() -> None:
    _, line = terminal.table(["name", "text", "id"], [["n" * 30, "some words " * 9, "1"]])
    assert line == f"{'n' * 30}  {'some words ' * 2}some …"
    assert len(line) == 60


def test_a_first_column_is_shown_whatever_its_size() -> None:
    _, line = terminal.table(["name"], [["n" * 100]], most=200)
    assert line == "n" * 59 + "…"


def test_the_last_cell_of_a_row_can_go_on_below() -> None:
    rows = list(terminal.unfolded(["name", "rule"], [["n" * 30, "some words " * 4], ["m", ""]]))
    assert rows == [["n" * 30, "some words some words some"], ["", "words some words"], ["m", ""]]
    assert "words some words" in terminal.table(["name", "rule"], rows)[2]


def test_flask_is_named_as_the_shell_finds_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ours = tmp_path / "bin" / "flask"
    ours.parent.mkdir()
    ours.touch(0o755)
    monkeypatch.setattr(sys, "executable", str(ours.with_name("python")))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(ours.parent))
    assert terminal.flask_command() == "flask"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert terminal.flask_command() == "bin/flask"


def test_a_wait_shows_itself_and_then_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = watched(monkeypatch)
    shown = threading.Event()
    write = seen.write

    def notice(text: str) -> int:
        shown.set()
        return write(text)

    monkeypatch.setattr(seen, "write", notice)
    with terminal.waiting("waiting for http://127.0.0.1:8000", after_s=0.01):
        assert shown.wait(5)
    assert seen.getvalue().startswith("\rwaiting for http://127.0.0.1:8000 0 s")
    assert seen.getvalue().endswith(" \r")


def test_a_short_wait_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = watched(monkeypatch)
    with terminal.waiting("waiting", after_s=60):
        pass
    assert seen.getvalue() == ""


def test_nobody_waits_at_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    before = threading.active_count()
    with terminal.waiting("waiting", after_s=0.01):
        assert threading.active_count() == before
    assert stream.getvalue() == ""
