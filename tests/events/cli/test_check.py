from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import functions
from events.cli import check
from functions.registry import names
from tests.events.cli.support import ROOT, lines, run

if TYPE_CHECKING:
    from collections.abc import Callable

TEMPLATE = (ROOT / "template.yaml").read_text(encoding="utf-8")


@pytest.fixture
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "for_people", lambda *, as_json: not as_json)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def write(*changes: tuple[str, str]) -> Path:
        text = TEMPLATE
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "template.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def without(operation: str) -> str:
    return re.sub(rf"(?ms)^  # --- {re.escape(operation)}\n.*?(?=^  # --- |^Outputs|\Z)", "", TEMPLATE)


def test_the_template_of_the_project_is_right() -> None:
    result = run("check")
    assert result.exit_code == 0
    [line] = lines(result)
    assert (line["operations"], line["mistakes"]) == (names(), 0)
    assert line["file"].endswith("template.yaml")


@pytest.mark.usefixtures("_terminal")
def test_a_person_is_told_so_in_a_line() -> None:
    result = run("check")
    assert result.exit_code == 0
    assert re.fullmatch(r"✓ \S*template.yaml: \d+ operations, and each has all that it needs\n", result.stdout)


def test_a_pipe_gets_a_line_for_each_mistake(file: Callable[..., Path]) -> None:
    path = file(("VisibilityTimeout: 180", "VisibilityTimeout: 60"), ("python3.13", "python3.9"))
    result = run("check", "--template", str(path))
    assert result.exit_code == 1
    found = lines(result)
    assert [line["where"] for line in found] == ["Globals.Function.Runtime", "ApigAddMembersQueue.VisibilityTimeout"]
    assert all(line.keys() == {"file", "line", "where", "wrong", "fix"} for line in found)
    text = path.read_text(encoding="utf-8").splitlines()
    assert [text[line["line"] - 1].strip() for line in found] == ["Runtime: python3.9", "VisibilityTimeout: 60"]


@pytest.mark.usefixtures("_terminal")
def test_a_person_gets_place_mistake_and_fix(file: Callable[..., Path]) -> None:
    path = file(("VisibilityTimeout: 180", "VisibilityTimeout: 60"))
    result = run("check", "--template", str(path))
    assert result.exit_code == 1
    assert re.search(
        rf"^{re.escape(str(path))}:\d+: ApigAddMembersQueue.VisibilityTimeout$", result.stdout, re.MULTILINE
    )
    assert "  → write 175 or more\n" in result.stdout
    assert result.stdout.endswith(f"{path}: {len(names())} operations, 1 mistake\n")


@pytest.mark.usefixtures("_terminal")
def test_a_person_hears_how_a_missing_operation_is_added(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(without("elb.list_members"), encoding="utf-8")
    result = run("check", "--template", str(path))
    assert result.exit_code == 1
    assert "elb.list_members has no function" in result.stdout
    assert result.stdout.endswith("check --write adds what is missing\n")


def test_what_is_missing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(without("elb.list_members"), encoding="utf-8")
    path.chmod(0o640)
    result = run("check", "--write", "--template", str(path))
    assert (result.exit_code, lines(result)[0]["mistakes"]) == (0, 0)
    assert re.search(r"t\.yaml: \d+ lines added", result.stderr)
    assert path.read_text(encoding="utf-8") == TEMPLATE
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_operation_file_is_missing_until_it_is_written(
    file: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "obs_list_buckets.py").write_text("", encoding="utf-8")
    monkeypatch.setattr(functions, "__path__", [*functions.__path__, str(tmp_path)])
    path = str(file())
    [line] = lines(run("check", "--template", path))
    assert line["wrong"] == "obs.list_buckets has no function"
    assert run("check", "--write", "--template", path).exit_code == 0
    assert run("check", "--template", path).exit_code == 0


def test_nothing_is_written_where_nothing_is_missing(file: Callable[..., Path]) -> None:
    path = file()
    before = path.stat().st_mtime_ns
    result = run("check", "--write", "--template", str(path))
    assert result.exit_code == 0
    assert "nothing to add" in result.stderr
    assert path.stat().st_mtime_ns == before


def test_what_cannot_be_copied_is_said(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(without("elb.list_members").replace("  # --- ", "  # "), encoding="utf-8")
    result = run("check", "--write", "--template", str(path))
    assert result.exit_code == 1
    assert "elb.list_members: no block begins with a comment" in result.stderr


def test_what_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    path = tmp_path / "t.yaml"
    path.write_text(without("elb.list_members"), encoding="utf-8")
    monkeypatch.setattr(Path, "write_text", full)
    result = run("check", "--write", "--template", str(path))
    assert result.exit_code == 1
    assert "it cannot be written: No space left on device" in result.stderr
    assert path.read_text(encoding="utf-8") == without("elb.list_members")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"Resources: {A: *x}\n", ":1: an alias"),
        (b"\xff\xfe", "it is not UTF-8 text"),
        (b"a: \x1b[31m\n", ":1: this is not YAML"),
        (b"#" * (1 << 20) + b"#", "it is larger than 1024 KiB"),
        (b"Resources: [\n", ":2: this is not YAML"),
    ],
)
def test_what_is_no_template_is_refused_in_a_line(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_bytes(content)
    result = run("check", "--template", str(path))
    assert result.exit_code == 1
    assert f"{path}" in result.stderr
    assert told in result.stderr
    assert result.stderr.count("\n") == 1
    assert "\x1b" not in result.stderr


def test_a_file_that_is_not_there_is_refused() -> None:
    result = run("check", "--template", "no/such.yaml")
    assert result.exit_code == 1
    assert "there is no such file" in result.stderr


def test_without_pyyaml_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    result = run("check")
    assert result.exit_code == 1
    assert "pip install '.[deploy]'" in result.stderr
