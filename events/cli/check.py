"""`flask check`: whether template.yaml is what the code needs, for whoever is about to deploy or has added an operation."""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from events.cli.terminal import clean, flask_command, for_people, say, say_json, wrapped
from events.deployment import NotATemplate, NoYAML
from events.deployment.check import check
from events.deployment.reading import LARGEST
from events.deployment.writing import CannotCopy, add
from events.senders.files import Unreadable, read
from functions.registry import names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from events.deployment import Mistake

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
"""The project's own template."""

_EXAMPLE = """\b
Example:
  flask check
  flask check --write
"""


@click.command("check", short_help="Check the deployment template against the code.", epilog=_EXAMPLE)
@click.option("--template", "file", help="Another template than the project's.")
@click.option("--write", is_flag=True, help="Add the operations that it lacks, each as a copy of a neighbour.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON lines, as when piped.")
@click.pass_context
def command(context: click.Context, file: str | None, *, write: bool, as_json: bool) -> None:
    """Tell every mistake in template.yaml, with its line and how it is mended, and exit 1; or say that it is right.

    Every operation must have its function, its routes, its queue and dead letters, its alarms and its environment.
    """
    people = for_people(as_json=as_json)
    path = Path(os.path.relpath(TEMPLATE)) if file is None else Path(file)
    operations = names()
    try:
        text, _ = read(path, LARGEST)
        if write:
            text = _write(path, text, operations)
        mistakes = check(text, operations)
    except (Unreadable, CannotCopy) as error:
        raise click.ClickException(clean(f"{path}: {error}")) from None
    except OSError as error:
        raise click.ClickException(clean(f"{path}: it cannot be written: {error.strerror}")) from None
    except NotATemplate as error:
        raise click.ClickException(clean(f"{path}:{error.line}: {error}")) from None
    except NoYAML:
        raise click.ClickException("PyYAML is not installed: pip install '.[deploy]'") from None
    for mistake in mistakes:
        _tell(mistake, str(path), people=people)
    if people:
        say(_summary(str(path), operations, mistakes))
    elif not mistakes:
        say_json({"file": str(path), "operations": operations, "mistakes": 0})
    context.exit(1 if mistakes else 0)


def _write(path: Path, text: str, operations: Sequence[str]) -> str:
    """Return the text with what it lacked, which is in the file by then, or not at all."""
    made = add(text, operations)
    if made == text:
        say(f"{path}: nothing to add", err=True)
        return text
    target = path.resolve()
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        new = Path(folder, target.name)
        new.write_text(made, encoding="utf-8", newline="")
        new.chmod(target.stat().st_mode)
        new.replace(target)
    say(f"{path}: {made.count(chr(10)) - text.count(chr(10))} lines added", err=True)
    return made


def _tell(mistake: Mistake, file: str, *, people: bool) -> None:
    if not people:
        say_json({"file": file, **asdict(mistake)})
        return
    say(clean(f"{file}:{mistake.line}: ") + click.style(clean(mistake.where), bold=True))
    for line in (*wrapped(clean(mistake.wrong), "  "), *wrapped(clean(mistake.fix), "  → ", "    ")):
        say(line)


def _summary(file: str, operations: Sequence[str], mistakes: Sequence[Mistake]) -> str:
    counted = f"{len(operations)} operation{'' if len(operations) == 1 else 's'}"
    if not mistakes:
        return click.style("✓", fg="green") + f" {clean(file)}: {counted}, and each has all that it needs"
    lacking = any(mistake.wrong.endswith(" has no function") for mistake in mistakes)
    hint = f"; {flask_command()} check --write adds what is missing" if lacking else ""
    return f"{clean(file)}: {counted}, {len(mistakes)} mistake{'' if len(mistakes) == 1 else 's'}{hint}"
