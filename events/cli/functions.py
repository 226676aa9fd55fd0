"""`flask functions`: what can be asked for, and what its payload may hold, for whoever writes one."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from events.cli.fields import field_rows
from events.cli.terminal import flask_command, for_people, say, say_json, table, unfolded, wrapped
from events.samples import NoSample, sample
from functions.cloud.errors import UnknownOperation
from functions.registry import find, names

if TYPE_CHECKING:
    from functions.registry import Function


_EXAMPLE = """\b
Example:
  flask functions
  flask functions elb.list_members
"""


@click.command("functions", short_help="List the operations, or show one.", epilog=_EXAMPLE)
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Write JSON lines, as when piped.")
def command(name: str | None, *, as_json: bool) -> None:
    """List the operations, or show what the payload of one may hold."""
    people = for_people(as_json=as_json)
    try:
        found = [find(one) for one in ([name] if name else names())]
    except UnknownOperation as error:
        raise click.ClickException(error.message) from None
    if not people:
        for one in found:
            say_json({**_summary(one), **(_details(one) if name else {})})
    elif name:
        _show(found[0])
    else:
        _list(found)


def _summary(one: Function) -> dict[str, Any]:
    return {"operation": one.name, "summary": one.summary, "reads": one.reads, "idempotent": one.idempotent}


def _details(one: Function) -> dict[str, Any]:
    given = _sample(one.name)
    return {"fields": [asdict(row) for row in field_rows(one.payload)], "sample": json.loads(given) if given else None}


def _list(found: list[Function]) -> None:
    _table(["operation", "what it does"], [[one.name, one.summary] for one in found])
    say(click.style(f"\nOne of them: {flask_command()} functions {found[0].name}", dim=True))


def _show(one: Function) -> None:
    say(click.style(one.name, bold=True))
    for text in (one.summary, _safety(one)):
        for line in wrapped(text):
            say(line)
    say()
    cells = [
        [row.name, row.type, "yes" if row.required else "", _default(row.default), row.rule]
        for row in field_rows(one.payload)
    ]
    _table(["field", "type", "required", "default", "rule"], cells)
    if given := _sample(one.name):
        say(f"\n{click.style('sample', dim=True)}  events/samples/{one.name}.json\n{given.decode().rstrip()}")
        say(f"\n{click.style('try it', dim=True)}  {flask_command()} send {one.name}")


def _table(names: list[str], rows: list[list[str]]) -> None:
    for line in table(names, list(unfolded(names, rows)), most=200):
        say(line)


def _safety(one: Function) -> str:
    if one.reads:
        return "It changes nothing, so it is asked again when an answer is lost."
    if one.idempotent:
        return "It changes something; sent twice it has the effect of once, so it is sent again when an answer is lost."
    return "It changes something, and is not sent again when an answer is lost: the outcome is then `unknown`."


def _default(value: Any) -> str:
    return "" if value is None else json.dumps(value)


def _sample(operation: str) -> bytes | None:
    try:
        return sample(operation)
    except NoSample:
        return None
