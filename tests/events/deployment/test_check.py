from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.deployment import Mistake, NotATemplate
from events.deployment.check import check, missing
from functions.registry import names
from tests.events.deployment.support import OWN, TWO, changed, mistakes, only, template, two


def test_the_template_of_the_project_is_right() -> None:
    assert check(template(), names()) == []
    assert missing(template(), names()) == []


def test_a_new_operation_has_no_function_yet() -> None:
    [found] = check(template(), [*names(), "obs.list_buckets"])
    assert (found.where, found.wrong) == ("Resources", "obs.list_buckets has no function")
    assert "flask check --write" in found.fix
    assert template().splitlines()[found.line - 1] == "Resources:"
    assert missing(template(), [*names(), "obs.list_buckets"]) == ["obs.list_buckets"]


@pytest.mark.parametrize(
    ("written", "where", "wrong"),
    [
        ("apig.add_member", "HONGYAN_OPERATION", "no such operation"),
        ("zzz", "HONGYAN_OPERATION", "no such operation"),
        ('""', "HONGYAN_OPERATION", "for no operation"),
        ("[apig.add_members]", "HONGYAN_OPERATION", "for no operation"),
        ("elb.list_members", "ElbListMembersFunction", "runs elb.list_members already"),
    ],
)
def test_every_function_is_for_one_operation(written: str, where: str, wrong: str) -> None:
    found = mistakes(("HONGYAN_OPERATION: apig.add_members", f"HONGYAN_OPERATION: {written}"))
    assert "apig.add_members has no function" in [mistake.wrong for mistake in found]
    assert any(where in mistake.where and wrong in mistake.wrong for mistake in found)


def test_a_near_name_is_meant() -> None:
    found = mistakes(("HONGYAN_OPERATION: apig.add_members", "HONGYAN_OPERATION: apig.add_member"))
    assert "write apig.add_members, or take the function away" in [mistake.fix for mistake in found]


def test_without_sam_there_are_no_functions() -> None:
    assert only(("Transform: AWS::Serverless-2016-10-31\n", "")) == (
        "Transform",
        "without it CloudFormation knows no AWS::Serverless::Function",
    )
    several = (
        "Transform: AWS::Serverless-2016-10-31",
        "Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]",
    )
    assert mistakes(several) == []


def test_all_mistakes_are_told_at_once_in_the_order_of_lines() -> None:
    found = mistakes(
        ("VisibilityTimeout: 180", "VisibilityTimeout: 1"),
        ("python3.13", "python2.7"),
        ("BatchSize: 100", "BatchSize: 0"),
    )
    assert [mistake.where for mistake in found] == [
        "Globals.Function.Runtime",
        f"{OWN}Function.Events.Queue.BatchSize",
        f"{OWN}Queue.VisibilityTimeout",
    ]
    lines = changed(("python3.13", "python2.7")).splitlines()
    assert lines[found[0].line - 1] == "    Runtime: python2.7"


def test_a_mistake_is_one_line() -> None:
    assert Mistake(7, "A.B", "it is wrong", "mend it").shown("t.yaml") == "t.yaml:7: A.B: it is wrong; mend it"


_VALUES = [
    found.span()
    for found in re.finditer(r"(?<=: )(\[[^\[\]\n]*\]|\{[^{}\n]*\}|![A-Za-z]+ [^\n,}\]]+|[^\n,{}\[\]!]+)", two())
]
_JUNK = [
    "null",
    "[]",
    "{}",
    "7",
    "x",
    "[[1]]",
    "{Ref: {}}",
    "!Ref [a]",
    "!GetAtt {a: b}",
    "!Sub 1",
    "!GetAtt [a]",
    "[{}]",
    ".nan",
]


@given(st.dictionaries(st.sampled_from(_VALUES), st.sampled_from(_JUNK), min_size=1, max_size=4))
@settings(max_examples=40)
def test_whatever_is_written_there_is_a_list_of_mistakes_or_a_refusal(junk: dict[tuple[int, int], str]) -> None:
    text = two()
    for (start, end), value in sorted(junk.items(), reverse=True):
        text = text[:start] + value + text[end:]
    try:
        found = check(text, TWO)
    except NotATemplate:
        return
    assert all(isinstance(mistake, Mistake) for mistake in found)
