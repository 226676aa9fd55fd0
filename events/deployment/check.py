"""Holds a template against the code: every operation has its function, and each function is as it must be."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from events.deployment import doors, functions, letters, queues, variables, watching
from events.deployment.deployed import Deployed
from events.deployment.template import Template

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from events.deployment.deployed import Rule
    from events.deployment.tree import Mistake

RULES: tuple[Rule, ...] = (
    functions.handler,
    functions.runtime,
    functions.deadline,
    functions.role,
    doors.called,
    doors.closed,
    queues.fed,
    queues.batched,
    queues.hidden,
    queues.shared,
    letters.given_up,
    letters.often_enough,
    letters.kept,
    variables.there,
    variables.secret,
    variables.taken,
    watching.logged,
    watching.alarmed,
)
"""What is asked of each function."""

_TRANSFORM = "AWS::Serverless-2016-10-31"


def check(text: str, operations: Sequence[str]) -> list[Mistake]:
    """Return every mistake of a template, in the order of its lines, [] when it is right; `operations` are those of the code.

    Raises NotATemplate and NoYAML.
    """
    template = Template(text)
    found = [*_transformed(template), *_missing(template, operations)]
    for one in deployed(template):
        known = one.operation in operations
        found.extend(_told(one, template, operations))
        found.extend(mistake for rule in RULES if known for mistake in rule(one))
    return sorted(dict.fromkeys(found), key=lambda mistake: mistake.line)


def deployed(template: Template) -> Iterator[Deployed]:
    """Yield the functions of a template; the operation is "" where none is named."""
    for name, own in template.of_type("AWS::Serverless::Function"):
        function = template.with_globals(own, "Function")
        written = template.known((function / "Environment" / "Variables" / "HONGYAN_OPERATION").value)
        yield Deployed(template, name, written if isinstance(written, str) else "", function)


def missing(text: str, operations: Sequence[str]) -> list[str]:
    """Return the operations that a template has no function for. Raises NotATemplate and NoYAML."""
    there = {one.operation for one in deployed(Template(text))}
    return [operation for operation in operations if operation not in there]


def _transformed(template: Template) -> Iterator[Mistake]:
    spot = template.root / "Transform"
    if spot.value != _TRANSFORM and not (isinstance(spot.value, list) and _TRANSFORM in spot.value):
        yield spot.wrong(
            "without it CloudFormation knows no AWS::Serverless::Function", f"write Transform: {_TRANSFORM}"
        )


def _missing(template: Template, operations: Sequence[str]) -> Iterator[Mistake]:
    there = {one.operation for one in deployed(template)}
    for operation in operations:
        if operation not in there:
            yield (template.root / "Resources").wrong(f"{operation} has no function", "add it by `flask check --write`")


def _told(one: Deployed, template: Template, operations: Sequence[str]) -> Iterator[Mistake]:
    """Yield what is wrong with the operation of a function."""
    spot = one.environment / "HONGYAN_OPERATION"
    if not one.operation:
        yield spot.wrong("the function is for no operation", "write HONGYAN_OPERATION: <operation>")
    elif one.operation not in operations:
        near = difflib.get_close_matches(one.operation[:100], operations, 1)
        meant = f"write {near[0]}, or take the function away" if near else "take the function away"
        yield spot.wrong("there is no such operation", meant)
    others = [other.name for other in deployed(template) if other.operation == one.operation and one.operation]
    if others.index(one.name) if others else 0:
        yield spot.wrong(f"{others[0]} runs {one.operation} already", "take one of the two away")
