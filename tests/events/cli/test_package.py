from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from events.cli import package
from events.packaging import NotPackaged, packing
from events.packaging.packing import Package, Plan
from events.packaging.targets import FUNCTIONGRAPH, LAMBDA
from tests.events.cli.support import lines, run

if TYPE_CHECKING:
    from pathlib import Path

PACKED = Package(
    size=1_800_000,
    unpacked=4_700_000,
    files=431,
    sha256="ab" * 32,
    packages={"idna": "3.20", "requests": "2.34.2"},
    senders=["conf/senders.toml"],
    warnings=["something to know"],
)


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[Plan, Path]]:
    """Return what is packed from here on, which is nothing: the plan is kept and an answer made up."""
    kept: list[tuple[Plan, Path]] = []

    def pack(plan: Plan, folder: Path) -> Package:
        kept.append((plan, folder))
        return PACKED

    monkeypatch.setattr(packing, "pack", pack)
    monkeypatch.chdir(tmp_path)
    return kept


def test_without_options_the_platforms_own_choices_are_packed(plans: list[tuple[Plan, Path]], tmp_path: Path) -> None:
    for name in ("lambda", "functiongraph"):
        assert run("package", name).exit_code == 0
    assert [(plan.target, plan.python, plan.architecture, str(plan.output)) for plan, _ in plans] == [
        (LAMBDA, "3.13", "arm64", "dist/hongyan-lambda.zip"),
        (FUNCTIONGRAPH, "3.12", "x86_64", "dist/hongyan-functiongraph.zip"),
    ]
    assert {folder for _, folder in plans} == {tmp_path}
    assert all(plan.compile and not plan.force and not plan.include and not plan.extras for plan, _ in plans)


def test_every_option_reaches_the_plan(plans: list[tuple[Plan, Path]]) -> None:
    options = "--python 3.10 --architecture x86_64 --output a.zip --extra crypto --include a.toml --include b.pem"
    assert run("package", "lambda", *options.split(), "--no-compile", "--force").exit_code == 0
    [(plan, _)] = plans
    assert (plan.python, plan.architecture, str(plan.output)) == ("3.10", "x86_64", "a.zip")
    assert (plan.extras, plan.include, plan.compile, plan.force) == (("crypto",), ("a.toml", "b.pem"), False, True)


@pytest.mark.usefixtures("plans")
def test_a_pipe_gets_one_line_of_json() -> None:
    [line] = lines(run("package", "lambda"))
    assert line == {
        "target": "lambda",
        "output": "dist/hongyan-lambda.zip",
        "handler": "events.triggers.aws_lambda.handler",
        "runtime": "python3.13",
        "python": "3.13",
        "architecture": "arm64",
        "compiled": True,
        "size": 1_800_000,
        "unpacked": 4_700_000,
        "files": 431,
        "sha256": "ab" * 32,
        "packages": {"idna": "3.20", "requests": "2.34.2"},
        "senders": ["conf/senders.toml"],
        "warnings": ["something to know"],
    }
    assert lines(run("package", "functiongraph", "--python", "3.13"))[0]["runtime"] is None


@pytest.mark.usefixtures("plans")
def test_a_person_gets_what_to_configure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "for_people", lambda *, as_json: not as_json)
    monkeypatch.setenv("COLUMNS", "80")
    result = run("package", "functiongraph", "--python", "3.13", "--no-compile")
    assert result.exit_code == 0
    said = " ".join(result.stdout.split())
    for words in (
        "✓ dist/hongyan-functiongraph.zip zip 1.72 MiB, of 40 in a direct upload unpacked 4.48 MiB, of 1500 files 431",
        f"packages idna 3.20, requests 2.34.2 sha256 {'ab' * 32} runtime Python 3.13, x86_64 handler index.handler",
        "senders HONGYAN_SENDERS=/opt/function/code/conf/senders.toml ! something to know",
    ):
        assert words in said
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "431, everything compiled" in run("package", "lambda").stdout
    assert lines(run("package", "lambda", "--json"))


def test_a_refusal_is_an_error_without_what_could_steer_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        raise NotPackaged("pip could not:\nERROR: \x1b[31mno")

    monkeypatch.setattr(packing, "pack", refused)
    result = run("package", "lambda")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "Error: pip could not:\nERROR:  [31mno\n")


@pytest.mark.parametrize("option", [("--python", "3.9"), ("--architecture", "mips")])
def test_what_the_project_does_not_run_on_is_a_wrong_use(option: tuple[str, str]) -> None:
    result = run("package", "lambda", *option)
    assert result.exit_code == 2
    assert f"Invalid value for '{option[0]}'" in result.stderr


@pytest.mark.parametrize(("module", "is_told"), [("packaging", True), ("events.packaging.archive", False)])
def test_without_what_it_needs_the_extra_is_named(module: str, is_told: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("requirements", "distributions", "fetching", "packing"):
        monkeypatch.delitem(sys.modules, f"events.packaging.{name}")
        monkeypatch.delattr(f"events.packaging.{name}")
    for name in [name for name in sys.modules if name.partition(".")[0] == "packaging"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    result = run("package", "lambda")
    assert result.exit_code == 1
    assert (result.stderr == "Error: this needs the extra deploy: pip install '.[deploy]'\n") is is_told
    assert isinstance(result.exception, ModuleNotFoundError) is not is_told
