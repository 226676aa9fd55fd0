"""Files on the command line are read whole, never without end."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

import click
import pytest

from events.cli import reading
from events.cli.reading import whole

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = reading.MOST


def read(name: str | None) -> bytes | None:
    command = click.Command("c")
    return whole(click.Context(command), click.Argument(["file"]), name)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST", 8)


def test_a_capture_of_the_largest_body_fits() -> None:
    assert LARGEST > 64 * 1_048_576 * 4 / 3 + 6 * 100 * 8_190


def test_files_and_standard_input_are_read_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"\xff\r\n")
    assert read(None) is None
    assert read(str(tmp_path / "a")) == b"\xff\r\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xfe\r\n")))
    assert read("-") == b"\xfe\r\n"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none", "there is no such file"),
        (".", "it is a directory"),
        ("pipe", "it is no regular file"),
        ("/dev/zero", "it is no regular file"),
        ("large", "it is larger than"),
        ("-", "it is larger than"),
        ("a\0b", "no path of a file"),
    ],
)
def test_what_cannot_be_read_or_has_no_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    (tmp_path / "large").write_bytes(b"x" * 9)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x" * 1_000)))
    with pytest.raises(click.BadParameter) as caught:
        read(name)
    assert said in caught.value.message
