"""Helpers of the deployment's tests: the project's own template, broken in one way, and what the check says of it."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from events.deployment.check import check

if TYPE_CHECKING:
    from events.deployment import Mistake

OWN = "ApigAddMembers"
"""What the logical ids of the template's first operation begin with."""

TWO = ["apig.add_members", "elb.list_members"]


@lru_cache
def template() -> str:
    return (Path(__file__).parents[3] / "template.yaml").read_text(encoding="utf-8")


@lru_cache
def two() -> str:
    """Return the template with two of its operations: enough to break, and half as long to read."""
    return re.sub(r"(?ms)^  # --- (csbs|vpcep)\..*?(?=^  # --- |^Outputs|\Z)", "", template())


def changed(*changes: tuple[str, str]) -> str:
    """Return the template of two operations with the first place of each text replaced by another one."""
    text = two()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def mistakes(*changes: tuple[str, str]) -> list[Mistake]:
    return check(changed(*changes), TWO)


def only(*changes: tuple[str, str]) -> tuple[str, str]:
    """Return where the only mistake is, and what is wrong."""
    [found] = mistakes(*changes)
    assert found.fix
    return found.where, found.wrong
