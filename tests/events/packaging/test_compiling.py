from __future__ import annotations

import marshal
import os
import sys
from importlib.util import MAGIC_NUMBER, cache_from_source
from typing import TYPE_CHECKING

import pytest

from events.packaging import NotPackaged
from events.packaging.compiling import compiled

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "/var/task"
# What marshal may write in one order or another: sets, and names that the interpreter may have met before.
SETS = "def f(x):\n    return x in {'a', 'b', 'utf-8', 'POSIX', 'strict', 'surrogateescape', 'c', 1, 2.5, None}\n"
FILES = {"index.py": b"X = 1\n", "a/b.py": SETS.encode(), "a/__init__.py": b"", "a/data.json": b"{}"}


def test_every_source_gets_its_pyc_and_nothing_else_does() -> None:
    made = compiled(FILES, sys.executable, FOLDER)
    assert sorted(made) == sorted(cache_from_source(name) for name in FILES if name.endswith(".py"))


def test_they_are_of_this_version_never_checked_and_name_the_files_as_they_are_deployed() -> None:
    made = compiled(FILES, sys.executable, FOLDER)[cache_from_source("a/b.py")]
    assert made[:4] == MAGIC_NUMBER
    # PEP 552: by hash (1), and not to be checked (no 2).
    assert int.from_bytes(made[4:8], "little") == 1
    code = marshal.loads(made[16:])
    assert code.co_filename == "/var/task/a/b.py"


def test_the_same_bytes_come_of_it_elsewhere_and_in_another_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = compiled(FILES, sys.executable, FOLDER)
    elsewhere = tmp_path / "a folder with a längere name"
    elsewhere.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))
    monkeypatch.chdir(elsewhere)
    (elsewhere / "json.py").write_text("raise SystemExit('not the json that was meant')\n")
    for name, value in {
        "LANG": "de_DE.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PYTHONHASHSEED": "7",
        "PYTHONOPTIMIZE": "2",
    }.items():
        monkeypatch.setenv(name, value)
    before = os.umask(0o077)
    try:
        assert compiled(dict(reversed(FILES.items())), sys.executable, FOLDER) == first
    finally:
        os.umask(before)


def test_a_source_that_is_none_is_named_with_the_way_out() -> None:
    with pytest.raises(NotPackaged) as caught:
        compiled({"a/b.py": b"def f(:\n"}, sys.executable, FOLDER)
    assert str(caught.value).startswith("not compiled: a/b.py: ")
    assert "SyntaxError" in str(caught.value)
    assert str(caught.value).endswith("--no-compile leaves it to the platform")


def test_an_interpreter_that_ends_without_a_word_is_told() -> None:
    with pytest.raises(NotPackaged, match="/bin/false ended without a word"):
        compiled(FILES, "/bin/false", FOLDER)
