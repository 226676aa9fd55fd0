"""TOML files as they are found: read, or refused with a line and without what is in them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.senders import files
from events.senders.document import NotTOML, parse
from events.senders.lines import Lines


def refusal(text: str) -> tuple[int | None, str]:
    with pytest.raises(NotTOML) as caught:
        parse(text)
    assert caught.value.__cause__ is None
    return caught.value.line, str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a = 1\nb = \n", 2, "Invalid value"),
        ('a = 1\n\nsecret = "fake', 3, ""),
        ("a = 1\n[b\n", 2, "Expected ']'"),
        ("a = 1\na = 2", 2, "Cannot overwrite a value"),
        ("[a]\n[b]\n[a]\n", 3, "Cannot declare … twice"),
        ("a = { b = 1, b = 2 }", 1, "Duplicate inline table key 'b'"),
        ("a = { fake-1 = 1, fake-1 = 2 }", 1, "Duplicate inline table key … (column"),
        ('a = { "fake\' \\" 1" = 1, "fake\' \\" 1" = 2 }', 1, "Duplicate inline table key … (column"),
        ("[fake-1.x]\n[fake-1.x]", 2, "Cannot declare … twice"),
        ("a = {}\na.fake-1 = 1", 2, "Cannot mutate immutable namespace …"),
        ("a = '\x01'", 1, "'\\x01'"),
        ("a = [1,\n2,\n", 2, "(at the end)"),
        ("until = 2026-02-30T00:00:00Z", 1, ""),
        ("a = fake-secret", 1, "Invalid value"),
        ("a = 1\r\nb =\r\n", 2, ""),
    ],
)
def test_a_syntax_error_has_its_line(text: str, line: int, words: str) -> None:
    found, told = refusal(text)
    assert found == line
    assert told.startswith("this is not TOML: ")
    assert words in told
    assert "fake" not in told


def test_what_the_parser_cannot_hold_is_refused() -> None:
    deep = [
        "[" * 100_000,
        "a = " + "[" * 20_000 + "]" * 20_000,
        "a = " + "[" * 65 + "]" * 65,
        ".".join("a" * 100) + " = 1",
    ]
    for text in deep:
        assert "this is n" in refusal(text)[1]
    assert parse(".".join("a" * 60) + " = 1")


def test_a_number_of_thousands_of_digits_is_read_or_refused() -> None:
    try:
        assert parse("a = " + "9" * 5000)["a"] > 0
    except NotTOML as error:
        assert str(error) == "this holds a number that is too long to be read"  # noqa: PT017


@settings(deadline=None)
@given(text=st.text(st.sampled_from("ab=[]{}'\"\\\n#., 1-:TZé"), max_size=60) | st.text(max_size=30))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    try:
        table = parse(text)
    except NotTOML as error:
        assert error.line is None or 1 <= error.line <= text.count("\n") + 1  # noqa: PT017
    else:
        assert all(Lines(text).of((key,)) for key in table)


# Files


def unreadable(path: Path, most: int = 1024) -> str:
    with pytest.raises(files.Unreadable) as caught:
        files.read(path, most)
    return str(caught.value)


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"\xef\xbb\xbf" + "é".encode() + b"x" * 1019)
    file.chmod(0o600)
    assert files.read(file, 1024) == ("é" + "x" * 1019, False)
    file.write_bytes(b"x" * 1025)
    assert unreadable(file) == "it is larger than 1 KiB"


@pytest.mark.parametrize(
    ("mode", "exposed"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True), (0o620, True)]
)
def test_others_may_read_it(tmp_path: Path, mode: int, exposed: bool) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    file.chmod(mode)
    assert files.read(file, 9) == ("x", exposed)


def test_what_is_no_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "latin").write_bytes(b"\xe9")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert unreadable(tmp_path / "none") == "there is no such file"
    assert unreadable(tmp_path / "latin" / "x") == "there is no such file"
    assert unreadable(tmp_path) == "it is a directory, not a file"
    assert unreadable(tmp_path / "pipe") == "it is no regular file"
    assert unreadable(Path("/dev/zero")) == "it is no regular file"
    assert unreadable(tmp_path / "latin") == "it is not UTF-8 text"
    assert unreadable(tmp_path / "loop").startswith("it cannot be read: ")
    assert unreadable(tmp_path / "a\0b") == "this is no path of a file"

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    assert unreadable(tmp_path / "latin") == "it may not be read by this process: permission denied"
