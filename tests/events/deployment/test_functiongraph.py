"""The Terraform files for FunctionGraph name what the code has: there is no Terraform to ask where these tests run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from events.packaging.targets import FUNCTIONGRAPH
from functions.registry import names

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "functiongraph"


def text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def default(variable: str) -> str:
    found = re.search(rf'(?s)variable "{variable}" \{{.*?default += (.*?)\n', text("variables.tf"))
    assert found is not None
    return found[1].strip('"')


def test_operations_are_the_files_that_the_registry_finds() -> None:
    [pattern] = set(re.findall(r'regex\("(\^\(.*?)", file\)', text("locals.tf")))
    found = (re.match(pattern.replace("\\\\", "\\"), path.name) for path in (ROOT / "functions").glob("*.py"))
    assert sorted(".".join(match.groups()) for match in found if match) == names()


def test_it_runs_what_is_packaged() -> None:
    assert f'handler             = "{FUNCTIONGRAPH.handler}"' in text("main.tf")
    assert default("runtime") == FUNCTIONGRAPH.offered[FUNCTIONGRAPH.python]
    assert (FOLDER / default("package")).resolve() == ROOT / FUNCTIONGRAPH.output
    allowed = re.search(r"contains\((\[.*?\]), var.runtime\)", text("variables.tf"))
    assert allowed is not None
    assert re.findall(r'"(.*?)"', allowed[1]) == list(FUNCTIONGRAPH.offered.values())


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\bHONGYAN_[A-Z_]+", text("locals.tf")))))
def test_every_variable_that_it_sets_is_documented(name: str) -> None:
    assert f"`{name}`" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_a_gateway_that_authenticates_stands_beside_no_open_one() -> None:
    locals_ = text("locals.tf")
    assert 'HONGYAN_GATEWAY_AUTHENTICATES = local.authenticated ? "true" : ""' in locals_
    assert re.search(r'authenticated += try\(var.gateway.auth != "NONE", false\)', locals_)
    assert locals_.count('"DEDICATEDGATEWAY"') == 1
