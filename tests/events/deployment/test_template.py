from __future__ import annotations

from typing import Any

import pytest

from events.deployment.template import Template, attribute, refers, sub
from events.deployment.tree import Table

TEMPLATE = Template(
    """
Parameters:
  Count: {Type: Number, Default: 5}
  Name: {Type: String}
  Text: nonsense
Globals: {Function: {Timeout: 29}}
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: mine}}
  Bare: {Type: AWS::SQS::Queue}
  Log: {Type: AWS::Logs::LogGroup}
"""
)


@pytest.mark.parametrize(
    ("value", "known"),
    [
        ({"Ref": "Count"}, 5),
        ({"Ref": "Name"}, None),
        ({"Ref": "Text"}, None),
        ({"Ref": "Queue"}, None),
        ({"Fn::Sub": "${Count} of ${Count}"}, "5 of 5"),
        ({"Fn::Sub": "${Name}"}, None),
        ({"Fn::Sub": "${AWS::StackName}"}, None),
        ({"Fn::Sub": "plain"}, "plain"),
        ({"Fn::If": ["a", 1, 2]}, None),
        ([1], None),
        ("text", "text"),
        (7, 7),
        (None, None),
    ],
)
def test_a_value_is_known_before_a_deployment_or_is_not(value: Any, known: Any) -> None:
    assert TEMPLATE.known(value) == known


@pytest.mark.parametrize(
    ("value", "number"),
    [(7, 7), ("7", 7), ({"Ref": "Count"}, 5), (True, None), (1.5, None), ("1.5", None), ("", None), (None, None)],
)
def test_a_number_may_be_a_text(value: Any, number: int | None) -> None:
    assert TEMPLATE.number(value) == number


def test_a_parameter_is_found_by_its_reference() -> None:
    found = TEMPLATE.parameter({"Ref": "Count"})
    assert found is not None
    assert (found / "Type").value == "Number"
    assert TEMPLATE.parameter("Count") is None
    assert TEMPLATE.parameter({"Ref": "Text"}) is None


def test_resources_are_found_by_type() -> None:
    assert [name for name, _ in TEMPLATE.of_type("AWS::SQS::Queue")] == ["Queue", "Bare"]
    found = TEMPLATE.properties("Queue", "AWS::SQS::Queue")
    assert found is not None
    assert (found / "QueueName").value == "mine"
    assert TEMPLATE.properties("Log", "AWS::SQS::Queue") is None
    assert TEMPLATE.properties(None, "AWS::SQS::Queue") is None


def test_globals_are_below_what_a_resource_has() -> None:
    bare = TEMPLATE.resource("Bare") / "Properties"
    assert (TEMPLATE.with_globals(bare, "Function") / "Timeout").value == 29
    assert TEMPLATE.with_globals(bare, "Api").value is None
    assert isinstance(TEMPLATE.with_globals(bare, "Function").value, Table)


@pytest.mark.parametrize(
    "value", [None, "Queue", 7, [], {}, {"Ref": 1}, {"Ref": "A", "B": 1}, {"Fn::GetAtt": 1}, {"Fn::Sub": []}]
)
def test_what_is_no_function_refers_to_nothing(value: Any) -> None:
    assert (refers(value), attribute(value, "Arn"), sub(value)) == (None, None, None)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("Queue.Arn", "Queue"),
        (["Queue", "Arn"], "Queue"),
        ("Queue.Url", None),
        ([1, "Arn"], None),
        ("Arn", None),
        ([], None),
    ],
)
def test_an_attribute_is_written_in_two_ways(value: Any, name: str | None) -> None:
    assert attribute({"Fn::GetAtt": value}, "Arn") == name
