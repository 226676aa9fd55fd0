from __future__ import annotations

import ast

import pytest

from events.packaging.targets import ARCHITECTURES, FUNCTIONGRAPH, LAMBDA, PYTHONS, Target

BOTH = pytest.mark.parametrize("target", [LAMBDA, FUNCTIONGRAPH], ids=lambda target: target.name)


@BOTH
def test_a_target_offers_what_it_packs_for_when_nothing_is_said(target: Target) -> None:
    assert target.python in target.offered
    assert set(target.offered) <= set(PYTHONS)
    assert target.architecture in ARCHITECTURES
    assert target.output == f"dist/hongyan-{target.name}.zip"


@pytest.mark.parametrize(("python", "newest"), [("3.10", 26), ("3.11", 26), ("3.12", 34), ("3.13", 34)])
def test_lambda_takes_wheels_up_to_the_c_library_that_its_system_has(python: str, newest: int) -> None:
    tags = LAMBDA.platforms(python, "arm64")
    assert tags[:2] == ["manylinux2014_aarch64", "manylinux_2_17_aarch64"]
    assert tags[-1] == f"manylinux_2_{newest}_aarch64"


def test_where_the_c_library_is_not_known_no_more_is_asked_than_all_have() -> None:
    assert FUNCTIONGRAPH.platforms("3.12", "x86_64") == ["manylinux2014_x86_64", "manylinux_2_17_x86_64"]


def test_functiongraph_calls_a_module_at_the_root_that_has_the_triggers_handler() -> None:
    [statement] = ast.parse(FUNCTIONGRAPH.files["index.py"]).body
    assert ast.unparse(statement) == "from events.triggers.functiongraph import handler"
    assert FUNCTIONGRAPH.files["index.py"].count(b"\n") == 1
    assert FUNCTIONGRAPH.handler == "index.handler"
