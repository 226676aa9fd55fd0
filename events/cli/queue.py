"""`flask queue`: what waits in a queue, and messages into it, for whoever runs workers or tries them out."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from events import strictjson
from events.calls import MOST_NAME, is_name
from events.cli.composing import prefix
from events.cli.queues import age, counted, json_option, opened, queue_option
from events.cli.reading import whole
from events.cli.rendering import show_json
from events.cli.send import id_of
from events.cli.terminal import clean, flask_command, for_people, say, table
from events.dispatch import Call
from events.queues import QueueUnavailable
from events.queues.calls import to_message
from events.samples import NoSample, sample
from functions.cloud.deadline import Deadline
from functions.cloud.errors import UnknownOperation
from functions.registry import find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from events.queues import Counts, Message, Queue

_BATCH = 100  # Messages that are published at once.
_MOST = 1_000_000
_NAMED = 5  # Ids that are told to a person, each.
_SOURCE = "/hongyan/cli"
_NOT_TOLD = "not told"
_EXAMPLE = """\b
Example:
  flask queue status --queue sqlite:///queue.sqlite
  flask queue publish elb.list_members --queue sqlite:///queue.sqlite
"""
_STATUS_EXAMPLE = """\b
Example:
  flask queue status
  flask queue status --queue redis://127.0.0.1:6379/0 --json
"""
_PUBLISH_EXAMPLE = """\b
Example:
  flask queue publish elb.list_members
  flask queue publish apig.add_members payload.json --id order-7 --group gateway-1
  echo '{"listener_id": "none"}' | flask queue publish elb.list_members - --count 1000
"""


@click.group("queue", short_help="Look into a queue, or publish to it.", epilog=_EXAMPLE)
def command() -> None:
    """Tell what waits in a queue, or put messages into it. `flask dead-letters` has those that workers gave up."""


@command.command("status", short_help="Tell how many messages there are.", epilog=_STATUS_EXAMPLE)
@queue_option
@json_option
def status(url: str | None, *, as_json: bool) -> None:
    """Tell how many messages are ready, delayed, with a worker or dead, and how long the oldest waits."""
    with opened(url) as (queue, shown):
        counts = queue.counts()
        facts = {"transport": queue.transport, "queue": queue.name, "url": shown}
    if not for_people(as_json=as_json):
        show_json({**facts, **_numbers(counts)})
        return
    say(click.style(clean(shown), bold=True))
    for line in table(["ready", "delayed", "in flight", "dead", "oldest"], [_cells(counts)]):
        say(line)
    if counts.dead:
        say(click.style(f"Why they are dead: {flask_command()} dead-letters list", dim=True))


def _numbers(counts: Counts) -> dict[str, Any]:
    return {
        "ready": counts.ready,
        "delayed": counts.delayed,
        "in_flight": counts.in_flight,
        "dead": counts.dead,
        "oldest_s": None if counts.oldest_s is None else round(counts.oldest_s, 3),
    }


def _cells(counts: Counts) -> list[str]:
    numbers = (counts.ready, counts.delayed, counts.in_flight, counts.dead)
    waits = counts.ready or counts.delayed
    oldest = (_NOT_TOLD if waits else "none waits") if counts.oldest_s is None else age(counts.oldest_s)
    return [*(_NOT_TOLD if number is None else str(number) for number in numbers), oldest]


def _group(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not is_name(value):
        raise click.BadParameter(f"a group is 1 to {MOST_NAME} visible characters of ASCII")
    return value


@command.command("publish", short_help="Put messages into the queue.", epilog=_PUBLISH_EXAMPLE)
@click.argument("operation")
@click.argument("file", required=False, callback=whole)
@queue_option
@click.option("--id", "its_id", callback=id_of, help="Your own id of it: published twice, it gives the same result id.")
@click.option(
    "--count", type=click.IntRange(1, _MOST), default=1, help="So many of them, with ids of their own: ID-1, ID-2 ..."
)
@click.option("--group", callback=_group, help="Those of one group are run one after the other (its partitionkey).")
@json_option
def publish(
    operation: str,
    file: bytes | None,
    url: str | None,
    its_id: str | None,
    count: int,
    group: str | None,
    *,
    as_json: bool,
) -> None:
    """Publish an event that asks for OPERATION, by its sample or by the payload in FILE (- for standard input), and tell its id.

    When this returns, the queue has it: it survives whatever the queue survives.
    """
    payload = _payload(operation, file)
    people = for_people(as_json=as_json)
    messages = _messages(Call(operation, payload, Deadline.after(0), _SOURCE, "", its_id), count, group)
    ids = []
    with opened(url, make=True) as (queue, shown), _progress(count, people=people) as bar:
        for batch in _published(queue, messages, count):
            bar.update(len(batch))
            ids += [message.id for message in batch]
            for message in () if people else batch:
                show_json({"id": message.id, "operation": operation, "group": group})
    if people:
        told = ", ".join(ids) if count <= _NAMED else f"{ids[0]} to {ids[-1]}"
        mark = click.style("✓", fg="green")
        say(f"{mark} {counted(count, 'message')} of {operation} published to {clean(shown)}: {told}")


def _payload(operation: str, file: bytes | None) -> Any:
    """Return the payload in a file, or the operation's sample. Raises click.ClickException."""
    try:
        name = find(operation).name
        return strictjson.loads(sample(name) if file is None else file)
    except (UnknownOperation, NoSample) as error:
        raise click.ClickException(str(error)) from None
    except strictjson.NotJSON as error:
        raise click.ClickException(clean(f"the payload is not JSON: {error}")) from None


def _messages(call: Call, count: int, group: str | None) -> Iterator[Message]:
    """Yield messages that ask for a call, as somebody without our settings writes them: they say of themselves what is in their events."""
    extensions = {"partitionkey": group} if group else {}
    ours = prefix()
    for number in range(1, count + 1):
        its_id = call.id if call.id is None or count == 1 else f"{call.id}-{number}"
        yield replace(to_message(replace(call, id=its_id, extensions=extensions), ours), meta={})


def _published(queue: Queue, messages: Iterator[Message], count: int) -> Iterator[list[Message]]:
    """Publish messages batch by batch and yield each that the queue has. Raises click.ClickException that says how far it came."""
    done = 0
    while batch := list(islice(messages, _BATCH)):
        try:
            queue.publish(batch)
        except QueueUnavailable as error:
            told = f"{error}; {done} of {count} were published, and {counted(len(batch), 'other')} may have been"
            raise click.ClickException(clean(told)) from None
        done += len(batch)
        yield batch


def _progress(count: int, *, people: bool) -> Any:
    """Return a progress bar: on a terminal's standard error, unless lines of JSON go to the same terminal."""
    shown = count > _BATCH and sys.stderr.isatty() and (people or not sys.stdout.isatty())
    return click.progressbar(length=count, label="publishing", file=sys.stderr if shown else io.StringIO())
