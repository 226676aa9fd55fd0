"""What a sender is granted: operations that exist, projects that the server may use; nothing that is not written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events.senders.mistakes import meant, shown
from functions.cloud.settings import PROJECT_ID
from functions.registry import names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from events.senders.mistakes import Place

ALL = "*"
_EXAMPLE = '["elb.list_members"]'


def operations(table: Mapping[str, Any], place: Place) -> frozenset[str]:
    """Return the operations that a sender's table grants, with mistakes noted: to grant none is one."""
    at, known = place / "operations", names()
    if "operations" not in table:
        at.wrong(f'is missing: write operations = {_EXAMPLE}, or ["{ALL}"] for all; there are {", ".join(known)}')
        return frozenset()
    given = at.texts(table["operations"], _EXAMPLE)
    if table["operations"] == []:
        at.wrong(f"is empty, so that this sender may do nothing; there are {', '.join(known)}")
    for inner, name in given:
        if name != ALL and name not in known:
            inner.wrong(f"there is no operation {shown(name)}; {meant(name, known) or 'there are ' + ', '.join(known)}")
    granted = {name for _, name in given}
    return frozenset(known if ALL in granted else granted & set(known))


def operation(table: Mapping[str, Any], granted: frozenset[str], place: Place) -> str | None:
    """Return what a bare payload runs: what the table says, else the only operation that is granted, else None."""
    at = place / "operation"
    if "operation" not in table:
        if len(granted) > 1 and "payload" in table:
            at.wrong("is missing: a payload taken from elsewhere in the body does not say what to run")
        return next(iter(granted)) if len(granted) == 1 else None
    name: Any = table["operation"]
    if not at.is_a(str, name, '"elb.list_members"'):
        return None
    if granted and name not in granted:
        at.wrong(f"{shown(name)} is not among this sender's operations, {', '.join(sorted(granted))}")
    return str(name)


def projects(table: Mapping[str, Any], place: Place, allowed: Callable[[str], bool]) -> frozenset[str]:
    """Return the projects that the table grants, none for the server's own; `allowed` tells which ones the server may use."""
    at = place / "projects"
    given = at.texts(table.get("projects", []), '["0605767a3300d5762fb7c0186d9e1779"]')
    for inner, project in given:
        if not PROJECT_ID.fullmatch(project):
            inner.wrong(f"{shown(project)} is no project id: 1 to 64 letters, digits and hyphens")
        elif not allowed(project):
            inner.wrong(f"the server may not use project {project}: add it to HONGYAN_ALLOWED_PROJECTS")
    return frozenset(project for _, project in given)
