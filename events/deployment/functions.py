"""Rules for a function itself: what runs it, from which package, for how long, and what it may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.deployment.template import attribute
from events.packaging.targets import ARCHITECTURES, LAMBDA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from events.deployment.deployed import Deployed
    from events.deployment.tree import Mistake, Spot

GATEWAY_S = 30
"""Seconds after which an HTTP API gives up."""

_DEADLINE_S = 15.0


def handler(one: Deployed) -> Iterator[Mistake]:
    """Require our handler, and the package that is made for it."""
    for key, expected, told in (
        ("Handler", LAMBDA.handler, "this is not our handler"),
        ("CodeUri", LAMBDA.output, "this is not the package that `flask package lambda` makes"),
    ):
        spot = one.function / key
        if one.template.known(spot.value) != expected:
            yield spot.wrong(told, f"write {key}: {expected}")


def runtime(one: Deployed) -> Iterator[Mistake]:
    """Require a Python that the project supports, on an architecture that is named."""
    spot = one.function / "Runtime"
    if one.template.known(spot.value) not in LAMBDA.offered.values():
        yield spot.wrong("the project does not run on this", f"write one of {', '.join(LAMBDA.offered.values())}")
    spot = one.function / "Architectures"
    if not isinstance(spot.value, list) or len(spot.value) != 1 or spot.value[0] not in list(ARCHITECTURES):
        yield spot.wrong(
            "the package is made for one architecture, which is not named here",
            "write " + " or ".join(f"[{each}]" for each in ARCHITECTURES),
        )


def deadline(one: Deployed) -> Iterator[Mistake]:
    """Require that a call ends before the function is stopped, and before the gateway gives up."""
    spot = one.function / "Timeout"
    if one.timeout_s is None:
        yield spot.wrong("this is no number of seconds", "write a whole number, like 29")
        return
    where = one.environment / "HONGYAN_DEADLINE_S"
    seconds = _seconds(one, where)
    if seconds is not None and seconds >= one.timeout_s:
        yield (where if where.value is not None else spot).wrong(
            f"a call may take {seconds:g} s, and the function is stopped after {one.timeout_s} s",
            f"set HONGYAN_DEADLINE_S to less than {one.timeout_s}, or Timeout to more than {seconds:g}",
        )
    elif seconds is not None and seconds >= GATEWAY_S and one.events("HttpApi"):
        yield where.wrong(
            f"a call may take {seconds:g} s, and the HTTP API gives up after {GATEWAY_S} s",
            f"set it to less than {GATEWAY_S}",
        )


def role(one: Deployed) -> Iterator[Mistake]:
    """Require a role that reaches nothing but what is named: the one that SAM would make reaches every queue."""
    spot = one.function / "Role"
    name = attribute(spot.value, "Arn")
    found = one.template.properties(name, "AWS::IAM::Role")
    if found is None:
        yield spot.wrong(
            "without a role of this template SAM makes one that reaches every queue",
            f"write Role: !GetAtt {one.name.removesuffix('Function')}Role.Arn, and that role",
        )
        return
    if (found / "ManagedPolicyArns").value:
        yield (found / "ManagedPolicyArns").wrong(
            "a managed policy reaches more than this function needs",
            "leave it out, and write what is needed in Policies",
        )
    for resource in _resources(found):
        if resource.value == "*" or (isinstance(resource.value, list) and "*" in resource.value):
            yield resource.wrong("this allows an action on everything", "name the function's own queue or log")


def _seconds(one: Deployed, spot: Spot) -> float | None:
    """Return the seconds that a call may take; None when they are not known or no number, which is another rule's mistake."""
    if spot.value is None:
        return _DEADLINE_S
    try:
        return float(one.template.known(spot.value))
    except (TypeError, ValueError):
        return None


def _resources(found: Spot) -> Iterator[Spot]:
    for policy in (found / "Policies").each():
        statements = policy / "PolicyDocument" / "Statement"
        for statement in statements.each() if isinstance(statements.value, list) else [statements]:
            if (statement / "Effect").value == "Allow":
                yield statement / "Resource"
