"""`flask invoke`: an event through the handler of a serverless platform, on this machine and against a real deadline."""

from __future__ import annotations

import importlib
import io
import json
import math
import os
import re
import time
from contextlib import contextmanager, nullcontext, redirect_stdout, suppress
from typing import TYPE_CHECKING, Any

import click

from events.cli import contexts
from events.cli.invoked import Invoked, show_emitted, show_ended, show_line
from events.cli.reading import whole
from events.cli.terminal import clean, for_people, say, waiting
from events.triggers.serverless.whole import NotDone
from functions.cloud.deadline import Deadline
from functions.cloud.errors import CallError, ConfigurationError
from functions.cloud.settings import CloudSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PLATFORMS = {
    "lambda": ("events.triggers.aws_lambda", contexts.of_lambda),
    "functiongraph": ("events.triggers.functiongraph", contexts.of_functiongraph),
}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _environment(_context: click.Context, _parameter: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    found = dict(each.partition("=")[::2] for each in given)
    if not all("=" in each for each in given) or not all(map(_NAME.fullmatch, found)):
        raise click.BadParameter("a variable is written NAME=VALUE, as HONGYAN_OPERATION=elb.list_members")
    return found


def _number(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
    if math.isnan(value):
        raise click.BadParameter("nan is no number of seconds")
    return value


_EXAMPLE = """\b
Example:
  flask invoke lambda event.json
  flask invoke functiongraph event.json --timeout 3 --env HONGYAN_OPERATION=elb.list_members
  flask events sample sqs --operation elb.list_members --count 3 | flask invoke lambda -
"""


@click.command("invoke", short_help="Run an event through a serverless handler.", epilog=_EXAMPLE)
@click.argument("platform", type=click.Choice(list(_PLATFORMS)))
@click.argument("event", callback=whole)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(0.1, 900),
    callback=_number,
    default=30,
    show_default=True,
    help="Seconds it may take.",
)
@click.option("--env", "changes", multiple=True, callback=_environment, help="NAME=VALUE, a variable of the function.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON lines, as when piped.")
def command(platform: str, event: bytes, timeout_s: float, changes: Mapping[str, str], *, as_json: bool) -> None:
    """Run the file EVENT (- for standard input) through the handler, as the platform would, on the cloud that the settings choose.

    In a pipe the result events that the function emits are CloudEvents, one a line, as in production. The last line is no
    CloudEvent but tells of the invocation: "answer", or "errorType" and "errorMessage", then "done", "why", "seconds", "timeout_s".

    Exits 0 when the platform would take the event for done: no error, nothing given back to the queue, no HTTP status from 400 on, in time.
    """
    value = _read(event)
    people = for_people(as_json=as_json)
    with _changed(changes, people=people):
        _announce()
        ended = _invoke(platform, value, timeout_s, people=people)
    (show_ended if people else show_line)(ended)
    click.get_current_context().exit(1 if ended.why else 0)


def _read(raw: bytes) -> Any:
    """Return the event as the platforms read it, which is less strictly than we do. Raises click.ClickException."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise click.ClickException(clean(f"the event is not JSON: {error}")) from None


@contextmanager
def _changed(changes: Mapping[str, str], *, people: bool) -> Iterator[None]:
    """Run the block with other variables; a person is spared what the function logs about calls that went well."""
    quiet = {"HONGYAN_LOG_LEVEL": os.environ.get("HONGYAN_LOG_LEVEL", "WARNING")} if people else {}
    before = {name: os.environ.get(name) for name in {**quiet, **changes}}
    os.environ.update({**quiet, **changes})
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _announce() -> None:
    with suppress(ConfigurationError):  # The handler says the same, as it does on the platform.
        settings = CloudSettings.from_env().require()
        if settings.emulator:
            where = "inside this process" if settings.emulator == "local" else f"at {settings.emulator}"
            badge = click.style(" EMULATOR ", fg="black", bg="yellow", bold=True)
            say(f"{badge} nothing is real: the cloud is emulated {where}.", err=True)
        else:
            badge = click.style(" REAL CLOUD ", fg="white", bg="red", bold=True)
            say(f"{badge} calls act on project {settings.project_id} in {settings.region}.", err=True)


def _invoke(platform: str, event: Any, timeout_s: float, *, people: bool) -> Invoked:
    module, context = _PLATFORMS[platform]
    handler = importlib.import_module(module).handler
    emitted = io.StringIO()
    answer, raised = None, None
    started = time.monotonic()
    with waiting(f"running for {platform}"), redirect_stdout(emitted) if people else nullcontext():
        try:
            answer = handler(event, context(Deadline.after(timeout_s), os.environ))
        except (NotDone, CallError) as error:
            raised = error
    seconds = time.monotonic() - started
    for line in emitted.getvalue().splitlines():
        show_emitted(line)
    return Invoked(answer, raised, seconds, timeout_s)
