"""Which dead letters are meant: by the beginnings of their ids, or by operation, kind, reason and age; for `flask dead-letters`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import wraps
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import click

from events.cli.queues import counted
from events.cli.terminal import clean, say, waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from events.queues import Letter, Queue

REASONS = {
    "rejected": "its payload is wrong",
    "failed": "the cloud refused it for good",
    "tries": "it failed too often",
    "losses": "its workers died too often",
    "sink": "a sink refuses its result event",
    "broker": "the broker gave it up by itself",
}
"""What each reason means (`events.queues.Letter`)."""
MOST = 10_000
"""Letters that are looked at, the oldest first: they are held in memory, with their bodies."""

_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "days": 86_400}
_AGE = re.compile(rf"([0-9]{{1,9}}(?:\.[0-9]{{1,3}})?) ?({'|'.join(_UNITS)})")
_SHORTEST = 8  # Characters of an id that are shown.
_NAMED = 5  # Letters that are named where a beginning is that of several.
_LONGEST = 80  # Characters of an id that are repeated in an error.


@dataclass(frozen=True, slots=True)
class Filters:
    """What letters must have to be meant, None for anything: `operation`, `kind` and `reason`, and ages in seconds."""

    operation: str | None = None
    kind: str | None = None
    reason: str | None = None
    older_s: float | None = None
    newer_s: float | None = None

    def takes(self, letter: Letter, now: float) -> bool:
        """Tell whether a letter is meant; `now` in seconds since 1970."""
        wanted = ((self.operation, letter.operation), (self.kind, letter.kind), (self.reason, letter.reason))
        if any(asked is not None and asked != has for asked, has in wanted):
            return False
        since = now - letter.at
        return (self.older_s is None or since >= self.older_s) and (self.newer_s is None or since < self.newer_s)


def _age(_context: click.Context, _parameter: click.Parameter, given: str | None) -> float | None:
    if given is None:
        return None
    found = _AGE.fullmatch(given.strip())
    if not found:
        raise click.BadParameter("an age is written as 90s, 10m, 2h or 3d")
    return float(found[1]) * _UNITS[found[2]]


_OPTIONS = (
    click.option("--operation", help="Only those of this operation."),
    click.option("--kind", help="Only those whose error is of this kind, as not_found."),
    click.option("--reason", type=click.Choice(list(REASONS)), help="Only those that are dead for this reason."),
    click.option("--older-than", "older_s", metavar="AGE", callback=_age, help="Only those dead for as long, as 2h."),
    click.option("--newer-than", "newer_s", metavar="AGE", callback=_age, help="Only those dead for less, as 10m."),
)


def filters(run: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that choose letters, all of them as one argument `wanted`."""

    @wraps(run)
    def filtered(
        *arguments: Any,
        operation: str | None,
        kind: str | None,
        reason: str | None,
        older_s: float | None,
        newer_s: float | None,
        **options: Any,
    ) -> None:
        if older_s is not None and newer_s is not None and newer_s <= older_s:
            raise click.UsageError("--older-than and --newer-than leave no letter: --newer-than must be the longer one")
        run(*arguments, wanted=Filters(operation, kind, reason, older_s, newer_s), **options)

    for option in reversed(_OPTIONS):
        option(filtered)
    return filtered


def letters_of(queue: Queue) -> list[Letter]:
    """Return the dead letters of a queue, oldest first; if there are more than `MOST`, that is said on standard error."""
    with waiting("reading the dead letters ..."):
        found = queue.letters(MOST)
        dead = queue.counts().dead if len(found) >= MOST else 0
    if dead > len(found):
        say(
            f"The oldest {len(found)} of {dead} dead letters were looked at: redrive or drop some to see the others",
            err=True,
        )
    return found


def named(letters: Sequence[Letter], beginnings: Sequence[str]) -> list[Letter]:
    """Return the letters whose ids are given, or so much of each that it is no other's. Raises click.ClickException."""
    whole: dict[str, list[Letter]] = {}
    for letter in letters:
        whole.setdefault(letter.id, []).append(letter)
    # Twice named is once meant.
    ids = dict.fromkeys(given if given in whole else _only(whole, given) for given in beginnings)
    return [letter for one in ids for letter in whole[one]]


def abbreviated(letters: Sequence[Letter]) -> dict[str, str]:
    """Return for each id so much of it as tells it from those of the other letters, and at least some characters."""
    ids = sorted({letter.id for letter in letters})
    shared = [0, *(_common(one, other) for one, other in pairwise(ids)), 0][: len(ids) + 1]
    return {
        one: one[: max(_SHORTEST, 1 + max(before, after))]
        for one, (before, after) in zip(ids, pairwise(shared), strict=True)
    }


def _only(ids: dict[str, list[Letter]], beginning: str) -> str:
    found = [one for one in ids if beginning and one.startswith(beginning)]
    shown = clean(beginning[:_LONGEST])
    if not found:
        raise click.ClickException(f"there is no dead letter {shown!r}: `flask dead-letters list` has their ids")
    if len(found) > 1:
        several = ", ".join(clean(one[:_LONGEST]) for one in found[:_NAMED])
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        told = f"{counted(len(found), 'dead letter')} begin with {shown}: {several}{more}; give more of the id"
        raise click.ClickException(told)
    return found[0]


def _common(one: str, other: str) -> int:
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
