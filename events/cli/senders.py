"""`flask senders`: what the senders file grants to whom, and every mistake in it, before a server reads it."""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from importlib import resources
from typing import TYPE_CHECKING

import click

from events.cli.terminal import clean, for_people, say, say_json, wrapped
from events.senders import Senders, SendersRefused
from events.senders.explained import facts, path, rows
from functions.cloud.errors import ConfigurationError
from functions.cloud.settings import CloudSettings

if TYPE_CHECKING:
    from events.senders import Mistake, Sender

_EXAMPLE = """\b
Example:
  flask senders example > senders.toml
  flask senders check senders.toml
"""
_LABEL = 13


@click.group("senders", short_help="Explain and check the senders file.", epilog=_EXAMPLE)
def command() -> None:
    """Check the file that says who may send what, or print one to begin with."""


@command.command("example")
def example() -> None:
    """Print a senders file to begin with: its comments say how to try it."""
    click.echo(resources.files("events.samples").joinpath("senders.toml").read_text(encoding="utf-8"), nl=False)


@command.command("check")
@click.argument("file", required=False, envvar="HONGYAN_SENDERS")
@click.option("--json", "as_json", is_flag=True, help="Write JSON lines, as when piped.")
@click.pass_context
def check(context: click.Context, file: str | None, *, as_json: bool) -> None:
    """Explain each sender in FILE, by default the one that HONGYAN_SENDERS names; or tell every mistake in it and exit 1."""
    if not file:
        raise click.UsageError("name a file, or set HONGYAN_SENDERS; `flask senders example` prints one")
    projects, now = _Projects(), time.time()
    try:
        senders = Senders.read(file, os.environ, allowed=projects.allowed, now=now)
    except SendersRefused as error:
        for line in error.message.splitlines():
            say(clean(line), err=True)
        projects.tell()
        context.exit(1)
    people = for_people(as_json=as_json)
    for sender in senders.values():
        warnings = [warning for warning in senders.warnings if _is_of(warning, sender)]
        if people:
            _show(sender, warnings, now)
        else:
            say_json({**facts(sender, now), "warnings": [asdict(warning) for warning in warnings]})
    if people:
        warned = _counted(len(senders.warnings), "warning")
        say(f"{clean(file)}: {_counted(len(senders), 'sender')}, {warned}, no mistake")
    projects.tell()


class _Projects:
    """Tells which projects the server may use, as far as its settings are known here."""

    def __init__(self) -> None:
        self._asked = False
        self._settings: CloudSettings | None = None
        self._how = "as on the emulator: HONGYAN_EMULATOR is set"
        try:
            self._settings = CloudSettings.from_env(os.environ).require()
        except ConfigurationError as error:
            self._how = f"not at all: {error.message}"

    def allowed(self, project_id: str) -> bool:
        self._asked = True
        return self._settings is None or self._settings.may_use(project_id)

    def tell(self) -> None:
        """Say how the projects in the file were judged, where a server with an account may judge otherwise."""
        if self._asked and not (self._settings and not self._settings.emulator):
            say(f"Projects were judged {self._how}", err=True)


def _is_of(warning: Mistake, sender: Sender) -> bool:
    return f"{warning.where}.".startswith((f"senders.{sender.name}.", f"senders.{sender.name}["))


def _show(sender: Sender, warnings: list[Mistake], now: float) -> None:
    say(f"{click.style(sender.name, bold=True)}  POST {path(sender)}{', https only' if sender.https else ''}")
    for label, texts in rows(sender, now):
        for index, text in enumerate(texts):
            first, *more = wrapped(clean(text), " " * _LABEL)
            named = " " * _LABEL if index else click.style(f"  {label}".ljust(_LABEL), dim=True)
            for line in (named + first[_LABEL:], *more):
                say(line)
    for warning in warnings:
        for line in wrapped(clean(f"line {warning.line}: {warning.where}: {warning.told}"), "  ! ", "    "):
            say(click.style(line, fg="yellow"))
    say()


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
