"""What a template holds, each value with its place and its line, for rules that tell what is wrong and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class Table(dict[str, Any]):
    """A mapping of the template. `homes` holds where each key is written, and on which line, counted from 1."""

    def __init__(self) -> None:
        super().__init__()
        self.homes: dict[str, tuple[str, int]] = {}

    def put(self, key: str, value: Any, home: tuple[str, int]) -> None:
        """Set a key's value and where it is written."""
        self[key] = value
        self.homes[key] = home

    def over(self, other: Table) -> Table:
        """Return another table with this one laid over it, as SAM lays a function over `Globals`; each key keeps its home."""
        made = Table()
        for table in (other, self):
            for key, value in table.items():
                below = made.get(key)
                both = isinstance(value, Table) and isinstance(below, Table)
                made.put(key, value.over(below) if both else value, table.homes[key])
        return made


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: its line (counted from 1), where (`ElbListMembersQueue.VisibilityTimeout`), what is wrong, and how it is mended."""

    line: int
    where: str
    wrong: str
    fix: str

    def shown(self, file: str) -> str:
        """Return it as one line of text, as compilers write theirs."""
        return f"{file}:{self.line}: {self.where}: {self.wrong}; {self.fix}"


@dataclass(frozen=True, slots=True)
class Spot:
    """A value and its place; what is absent has the value None, and the line of what it is absent from."""

    value: Any
    where: str
    line: int

    def __truediv__(self, key: str) -> Spot:
        if isinstance(self.value, Table) and key in self.value:
            return Spot(self.value[key], *self.value.homes[key])
        return Spot(None, joined(self.where, key), self.line)

    def each(self) -> list[Spot]:
        """Return what a table or a list holds, in its order; nothing for all else."""
        if isinstance(self.value, Table):
            return [self / key for key in self.value]
        if isinstance(self.value, list):
            return [Spot(value, f"{self.where}[{index}]", self.line) for index, value in enumerate(self.value)]
        return []

    def wrong(self, told: str, fix: str) -> Mistake:
        """Return a mistake of this place."""
        return Mistake(self.line, self.where or "the template", told, fix)


def joined(where: str, key: str) -> str:
    """Return the place of a key; what every resource and event has, `Resources` and `Properties`, is left out."""
    if key == "Properties":
        return where
    return key if where in ("", "Resources") else f"{where}.{key}"
