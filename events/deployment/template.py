"""A template as rules ask for it: resources by type, functions with what `Globals` gives them, and what a reference stands for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from events.deployment.reading import read
from events.deployment.tree import Spot, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLACE = re.compile(r"\$\{([A-Za-z0-9]+)\}")


class Template:
    """One template; `root` is the whole of it."""

    def __init__(self, text: str) -> None:
        """Read a template's text. Raises NotATemplate and NoYAML."""
        self.root = read(text)

    def resource(self, name: str) -> Spot:
        """Return the resource of a logical id."""
        return self.root / "Resources" / name

    def of_type(self, kind: str) -> Iterator[tuple[str, Spot]]:
        """Yield the logical ids and the properties of all resources of a type, as `AWS::SQS::Queue`, in their order."""
        for name in (self.root / "Resources").value:
            if (self.resource(name) / "Type").value == kind:
                yield name, self.resource(name) / "Properties"

    def properties(self, name: str | None, kind: str) -> Spot | None:
        """Return the properties of a resource, None when there is none of that id and type."""
        found = self.resource(name or "")
        return found / "Properties" if (found / "Type").value == kind else None

    def with_globals(self, properties: Spot, section: str) -> Spot:
        """Return properties laid over those that a section of `Globals` gives to all, as `Function`."""
        shared, own = (self.root / "Globals" / section).value, properties.value
        if isinstance(shared, Table):
            own = (own if isinstance(own, Table) else Table()).over(shared)
        return Spot(own, properties.where, properties.line)

    def parameter(self, value: Any) -> Spot | None:
        """Return the parameter that `!Ref` refers to, None when the value is no reference to one."""
        name = refers(value)
        found = self.root / "Parameters" / name if name else None
        return found if found and isinstance(found.value, Table) else None

    def known(self, value: Any) -> Any:
        """Return what a value is where nobody chooses otherwise: itself, or its parameter's default; None for what cannot be known."""
        if parameter := self.parameter(value):
            return (parameter / "Default").value
        if text := sub(value):
            known = {name: (self.root / "Parameters" / name / "Default").value for name in _PLACE.findall(text)}
            filled = _PLACE.sub(lambda found: str(known[found[1]]), text)
            return None if None in known.values() or "${" in filled else filled
        return None if isinstance(value, (dict, list)) else value

    def number(self, value: Any) -> int | None:
        """Return a whole number, which may be written as a text; None when it is none or not known."""
        found = self.known(value)
        if isinstance(found, str) and re.fullmatch(r"[0-9]{1,9}", found):
            return int(found)
        return found if isinstance(found, int) and not isinstance(found, bool) else None


def refers(value: Any) -> str | None:
    """Return the name that `!Ref` refers to, None for all else."""
    found = value.get("Ref") if isinstance(value, dict) and len(value) == 1 else None
    return found if isinstance(found, str) else None


def attribute(value: Any, name: str) -> str | None:
    """Return the logical id whose attribute `!GetAtt` gets (`!GetAtt Queue.Arn` for the name `Arn`), None for all else."""
    found = value.get("Fn::GetAtt") if isinstance(value, dict) and len(value) == 1 else None
    parts = found.split(".") if isinstance(found, str) else found
    return parts[0] if isinstance(parts, list) and parts[1:] == [name] and isinstance(parts[0], str) else None


def sub(value: Any) -> str | None:
    """Return the text of `!Sub`, None for all else."""
    found = value.get("Fn::Sub") if isinstance(value, dict) and len(value) == 1 else None
    return found if isinstance(found, str) else None
