"""The table of a crash test and what stands below it: one row for each transport, the broken properties in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.torture.judge import Verdict

_MOST_NAMED = 10
_BEFORE, _AFTER = ("messages", "kills", "hits", "poison", "dead"), ("unknown", "read back", "found undone")


def table(verdicts: Sequence[Verdict]) -> str:
    """Return the table: figures, then how many break each property (all must be 0), then figures, then seconds."""
    if not verdicts:
        return ""
    heads = ["transport", *_BEFORE, *verdicts[0].broken, *_AFTER, "seconds"]
    rows = [
        [
            one.transport,
            *(str(one.figures[name]) for name in _BEFORE),
            *(str(len(found)) for found in one.broken.values()),
            *(str(one.figures[name]) for name in _AFTER),
            f"{one.seconds:.0f}",
        ]
        for one in verdicts
    ]
    top, bottom = zip(*(_two_lines(head) for head in heads), strict=True)
    lines = [list(top), list(bottom), *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    return "\n".join(
        "  ".join(cell.rjust(width) if place else cell.ljust(width) for place, (cell, width) in enumerate(zip(line, widths, strict=True)))
        for line in lines
    )  # fmt: skip


def faults(verdict: Verdict) -> list[str]:
    """Return the properties that are broken, in words, and what breaks them."""
    told = []
    for name, found in verdict.broken.items():
        if found:
            more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
            told.append(f"{verdict.transport}: {name}: {'; '.join(found[:_MOST_NAMED])}{more}")
    return told


def figures(verdict: Verdict) -> str:
    """Return all figures of a run on one line."""
    return f"{verdict.transport}: " + ", ".join(f"{count} {name}" for name, count in verdict.figures.items())


def _two_lines(head: str) -> tuple[str, str]:
    first, _, second = head.rpartition(" ")
    return first, second
