"""Adds the operations that a template lacks, by copying a neighbour's block with its names replaced, so that nobody edits it by hand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from events.deployment.check import check, missing
from events.deployment.reading import NotATemplate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MARK = re.compile(r"  # --- ([a-z0-9]+\.[a-z0-9_]+)\n?")
_SECTION = re.compile(r"[A-Za-z]")


class CannotCopy(ValueError):
    """No block can be copied; the text says why."""


@dataclass(frozen=True, slots=True)
class _Block:
    """The lines of one operation in one section, from its comment `# --- <operation>` to the next one."""

    section: int
    operation: str
    start: int
    end: int


def add(text: str, operations: Sequence[str]) -> str:
    """Return a template's text with a block for each of `operations` that it has no function for, else the text as it is.

    Nothing is returned that is not checked: what was added has no mistake, and the rest none that it did not have.

    Raises CannotCopy, NotATemplate and NoYAML.
    """
    for operation in missing(text, operations):
        text = _added(text, operation, operations)
    return text


def prefix(operation: str) -> str:
    """Return what an operation's logical ids begin with: `ElbListMembers` for `elb.list_members`."""
    return "".join(word.capitalize() for word in re.split(r"[._]", operation))


def renamed(block: str, old: str, new: str) -> str:
    """Return a block with another operation's names: as they are, in logical ids, and in names of queues, which hold no dot."""
    for its, other in ((prefix(old), prefix(new)), (old, new), (old.replace(".", "-"), new.replace(".", "-"))):
        block = block.replace(its, other)
    return block


def _added(text: str, operation: str, operations: Sequence[str]) -> str:
    service = operation.partition(".")[0]
    models = dict.fromkeys(block.operation for block in _blocks(text.splitlines(keepends=True)))
    before, wanted = _facts(text, operations), f"{operation} has no function"
    told = "no block begins with a comment `# --- <operation>`"
    for model in sorted(models, key=lambda name: (name.partition(".")[0] != service, name)):
        made = _copied(text, model, operation)
        try:
            new = [fact for fact in _facts(made, operations) if fact not in before]
        except NotATemplate as error:
            new = [(f"line {error.line}", str(error))]
        if not new and operation not in missing(made, operations):
            return made
        told = f"a copy of {model} would not be right: {': '.join(new[0]) if new else wanted}"
    raise CannotCopy(f"{operation}: {told}")


def _facts(text: str, operations: Sequence[str]) -> list[tuple[str, str]]:
    return [(mistake.where, mistake.wrong) for mistake in check(text, operations)]


def _copied(text: str, model: str, operation: str) -> str:
    """Return a text with a copy of each block of `model`, in the order of names among the blocks of its section."""
    lines = [*text.rstrip("\n").splitlines(keepends=True)]
    lines = [*lines[:-1], lines[-1].rstrip("\n") + "\n", "\n"]
    blocks = list(_blocks(lines))
    for block in reversed([block for block in blocks if block.operation == model]):
        beside = [each for each in blocks if each.section == block.section]
        after = [each.start for each in beside if each.operation > operation]
        at = after[0] if after else beside[-1].end
        body = "".join(lines[block.start : block.end]).rstrip("\n") + "\n\n"
        lines[at:at] = [renamed(body, model, operation)]
    return "".join(lines).rstrip("\n") + "\n"


def _blocks(lines: Sequence[str]) -> Iterator[_Block]:
    section, operation, start = 0, "", 0
    for number, line in enumerate([*lines, "End\n"]):
        found = _MARK.fullmatch(line)
        if not found and not _SECTION.match(line):
            continue
        if operation:
            yield _Block(section, operation, start, number)
        if not found:
            section = number
        operation, start = (found[1] if found else ""), number
