"""`flask events`: sample events of every kind of trigger, for whoever tries a function before it is deployed."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from events.cli.composing import of_sender, prefix
from events.cli.reading import whole
from events.cli.signing import sender_of, senders_of, senders_option
from events.cli.terminal import clean, flask_command, for_people, say, say_json, table, unfolded
from events.samples import NoSample, sample
from events.samples.envelopes import Envelope, Unfit, UnknownKind, find, kinds
from events.samples.envelopes.filling import Filling
from events.samples.envelopes.requests import signed
from functions.cloud.errors import UnknownOperation
from functions.registry import find as find_operation

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST = 10_000  # Records of the largest batch that a queue of AWS hands over.


class _WithKinds(click.Command):
    """A command whose help ends with the kinds of events, read when somebody asks for it."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the kinds below the options, and then the example."""
        with formatter.section("Kinds"):
            formatter.write_dl([(each.kind, each.about) for each in map(find, kinds())])
        super().format_epilog(ctx, formatter)


_EXAMPLE = """\b
Example:
  flask events sample sqs --operation elb.list_members --count 3 > event.json
  flask invoke lambda event.json
"""
_SAMPLE_EXAMPLE = """\b
Example:
  flask events sample apigw-v2 --operation elb.list_members > event.json
  flask events sample fg-kafka --operation apig.add_members --payload payload.json | flask invoke functiongraph -
  flask events sample function-url --operation elb.list_members --signed-by monitoring --senders senders.toml
"""


@click.group("events", short_help="Make sample events of triggers.", epilog=_EXAMPLE)
def command() -> None:
    """Make events as AWS Lambda and FunctionGraph hand them to a function, for `flask invoke` and for tests."""


@command.command("sample", cls=_WithKinds, epilog=_SAMPLE_EXAMPLE)
@click.argument("kind", required=False)
@click.option("--operation", help="What the event asks for.")
@click.option("--payload", "file", callback=whole, help="A file with the payload, - for standard input.")
@click.option("--count", type=click.IntRange(1, _MOST), default=1, help="Payloads in it, where a kind brings several.")
@click.option("--signed-by", "name", help="Sign the request as this sender does, where the kind is one of HTTP.")
@senders_option
def sample_command(
    kind: str | None, operation: str | None, file: bytes | None, count: int, name: str | None, senders_file: str | None
) -> None:
    """Print an event of KIND that asks for an operation, by its sample or by --payload; without KIND list the kinds.

    Made twice it has the same ids, as a redelivery has. How to run it is said on standard error.
    """
    if kind is None:
        _list()
        return
    if operation is None:
        raise click.UsageError("say what the event asks for: --operation, as elb.list_members")
    try:
        chosen = find(kind)
        if name is not None:
            event, needed = _signed(chosen, operation, file, count, name, senders_file)
        else:
            payload = _sample(operation) if file is None else file
            event, needed = chosen.filled(Filling(kind, operation, payload, count, prefix()))
    except (UnknownKind, Unfit) as error:
        raise click.ClickException(clean(str(error))) from None
    # On a terminal in ASCII: other characters of a payload could steer it.
    click.echo(json.dumps(event, indent=2, ensure_ascii=sys.stdout.isatty()).encode())
    say(_how(chosen, needed), err=True)


def _list() -> None:
    found = [find(kind) for kind in kinds()]
    if not for_people(as_json=False):
        for each in found:
            say_json({"kind": each.kind, "platform": each.platform, "about": each.about})
        return
    titles = ["kind", "platform", "what it is"]
    rows = [[each.kind, each.platform, each.about] for each in found]
    for line in table(titles, list(unfolded(titles, rows)), most=200):
        say(line)


def _sample(operation: str) -> bytes:
    try:
        return sample(find_operation(operation).name)
    except (UnknownOperation, NoSample) as error:
        raise click.ClickException(str(error)) from None


def _signed(
    chosen: Envelope, operation: str, file: bytes | None, count: int, name: str, senders_file: str | None
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the event of a request that a sender signed now, and the variables with which a function takes it."""
    if not chosen.is_http:
        raise click.UsageError(f"--signed-by signs requests, and {chosen.kind} brings none")
    post = of_sender(sender_of(senders_of(senders_file), name), operation, file, None, binary=False)
    event, _ = chosen.filled(Filling(chosen.kind, operation, post.body, count))
    # A relative path would start at the folder of the function, not at this one.
    return signed(event, post.path, post.headers), {"HONGYAN_SENDERS": str(Path(senders_file or "").resolve())}


def _how(chosen: Envelope, needed: Mapping[str, str]) -> str:
    """Return the command that runs the event."""
    told = "".join(f" --env {shlex.quote(f'{name}={value}')}" for name, value in needed.items())
    return clean(f"To run it: {flask_command()} invoke {chosen.platform} EVENT.json{told}")
