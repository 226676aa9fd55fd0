"""What is wrong in a senders file, each with its line: collected while it is read, told all at once."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from events.senders.lines import Lines

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SHOWN = 60
_KINDS = {bool: "true or false", str: "text in quotes", int: "a whole number", list: "a list", dict: "a table"}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake or warning: `line` counted from 1 (None: of the whole file), `where` as `senders.github.scheme`, `told` with the fix."""

    line: int | None
    where: str
    told: str

    def shown(self, file: str) -> str:
        """Return it as one line of text, as compilers write theirs."""
        place = file if self.line is None else f"{file}:{self.line}"
        return ": ".join(filter(None, (place, self.where, self.told)))


class SendersRefused(ConfigurationError):
    """The senders file cannot be used; the message has a line for each of its `mistakes`, and no secret."""

    def __init__(self, file: str, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(mistake.shown(file) for mistake in mistakes))
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True, slots=True)
class Notes:
    """Mistakes and warnings while one file is read."""

    lines: Lines
    mistakes: list[Mistake] = field(default_factory=list)
    warnings: list[Mistake] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the file, by its keys: what is found there is noted with its line."""

    notes: Notes
    keys: tuple[str | int, ...] = ()

    def __truediv__(self, key: str | int) -> Place:
        return Place(self.notes, (*self.keys, key))

    def __str__(self) -> str:
        steps = (f"[{key}]" if isinstance(key, int) else f".{_quoted(key)}" for key in self.keys)
        return "".join(steps).removeprefix(".")

    @property
    def line(self) -> int | None:
        """The line of this key, or of the nearest one around it."""
        return self.notes.lines.of(self.keys)

    def wrong(self, told: str) -> None:
        """Note a mistake."""
        self.notes.mistakes.append(Mistake(self.line, str(self), told))

    def wrong_once(self, told: str) -> None:
        """Note a mistake unless one is noted of this very place."""
        if not any(mistake.where == str(self) for mistake in self.notes.mistakes):
            self.wrong(told)

    def warn(self, told: str) -> None:
        """Note a warning."""
        self.notes.warnings.append(Mistake(self.line, str(self), told))

    def is_a(self, kind: type, value: Any, example: str = "") -> bool:
        """Tell whether a value is of a kind; note the mistake otherwise. The value itself, which may be a secret, is not repeated."""
        if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
            return True
        self.wrong(f"must be {_KINDS[kind]}{example and ', like '}{example}")
        return False

    def texts(self, value: Any, example: str) -> list[tuple[Place, str]]:
        """Return the texts of a list with their places; what is none is noted as a mistake."""
        if not self.is_a(list, value, example):
            return []
        each = [(self / index, item) for index, item in enumerate(value)]
        return [(place, item) for place, item in each if place.is_a(str, item, f"in {example}")]

    def only(self, table: Iterable[str], known: Sequence[str]) -> None:
        """Note every key of a table that is not known."""
        for key in table:
            if key not in known:
                (self / key).wrong(f"there is no such key; {meant(key, known) or 'the keys are ' + ', '.join(known)}")


def meant(name: str, known: Iterable[str]) -> str:
    """Return "did you mean …?" with the nearest of the known names, "" when none is near."""
    near = difflib.get_close_matches(name[:100].lower(), list(known), 1)
    return f"did you mean {near[0]}?" if near else ""


def shown(value: str) -> str:
    """Return a text to be repeated in a message: quoted, on one line, cut."""
    return repr(value if len(value) <= _SHOWN else value[:_SHOWN] + "…")


def _quoted(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key[:_SHOWN])
