from typing import Any

import pytest

from functions.cloud.emulator.fault_spec import Fault, FaultError, read_fault

SERVICES = frozenset({"apig", "elb"})


def test_the_defaults() -> None:
    assert read_fault({"kind": "drop"}, SERVICES) == Fault("drop", {}, 1, None, None, {}, 0)
    assert read_fault({"status": 503}, SERVICES) == Fault("answer", {}, 1, 503, None, {}, 0)
    assert read_fault({"delay_s": 0.5}, SERVICES) == Fault("delay", {}, 1, None, None, {}, 0.5)
    assert read_fault({"status": 503, "delay_s": 1}, SERVICES).kind == "answer"
    assert read_fault({"kind": "truncate", "delay_s": 1}, SERVICES).kind == "truncate"


def test_every_field() -> None:
    match = {"method": "POST", "path": "*/members", "service": "apig"}
    spec = {
        "kind": "answer",
        "match": match,
        "times": 3,
        "status": 500,
        "body": {},
        "headers": {"A": "b"},
        "delay_s": 1,
    }
    assert read_fault(spec, SERVICES) == Fault("answer", match, 3, 500, {}, {"A": "b"}, 1)


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({}, "kind"),
        ({"kind": "explode"}, "kind"),
        ({"kind": None}, "kind"),
        ({"kind": ["drop"]}, "kind"),
        ({"kind": "drop", "color": "red"}, "color"),
        ({"kind": "drop", "times": 0}, "times"),
        ({"kind": "drop", "times": True}, "times"),
        ({"kind": "drop", "times": 1.0}, "times"),
        ({"status": 199}, "status"),
        ({"status": 600}, "status"),
        ({"status": "503"}, "status"),
        ({"kind": "answer"}, "status"),
        ({"status": None}, "status"),
        ({"kind": "drop", "status": 503}, "status"),
        ({"kind": "drop", "body": "x"}, "body"),
        ({"kind": "throttle_429", "body": "x"}, "body"),
        ({"kind": "drop", "headers": {}}, "headers"),
        ({"status": 503, "headers": []}, "headers"),
        ({"status": 503, "headers": {"Retry-After": 2}}, "headers"),
        ({"status": 503, "headers": {"A": "b\r\nC: d"}}, "headers"),
        ({"status": 503, "headers": {"A": "鸿"}}, "headers"),
        ({"delay_s": -1}, "delay_s"),
        ({"delay_s": 0}, "delay_s"),
        ({"kind": "delay"}, "delay_s"),
        ({"delay_s": float("nan")}, "delay_s"),
        ({"delay_s": float("inf")}, "delay_s"),
        ({"delay_s": True}, "delay_s"),
        ({"delay_s": "1"}, "delay_s"),
        ({"kind": "drop", "match": "x"}, "match"),
        ({"kind": "drop", "match": {"host": "x"}}, "match.host"),
        ({"kind": "drop", "match": {"path": 1}}, "match.path"),
        ({"kind": "drop", "match": {"path": ""}}, "match.path"),
        ({"kind": "drop", "match": {"method": None}}, "match.method"),
        ({"kind": "drop", "match": {"service": "smn"}}, "match.service"),
        ({"kind": "drop", "match": {"service": ["elb"]}}, "match.service"),
    ],
)
def test_a_wrong_field_is_named(spec: dict[str, Any], field: str) -> None:
    with pytest.raises(FaultError) as caught:
        read_fault(spec, SERVICES)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")
