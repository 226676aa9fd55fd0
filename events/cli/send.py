"""`flask send`: post a payload to a running server and show the result event, for trying things out and for scripts."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import click

from events import strictjson
from events.cli.composing import of_sender, unsigned
from events.cli.post import NoReply, NoServer, ask, result_event
from events.cli.reading import whole
from events.cli.rendering import show, show_json
from events.cli.signing import sender_of, senders_of, senders_option
from events.cli.terminal import clean, for_people, say, waiting
from events.cloudevents import CloudEvent, InvalidEvent, UnsupportedFormat
from events.cloudevents.http import from_http, to_structured
from events.cloudevents.json import to_envelope
from events.settings import EventSettings
from functions.cloud.endpoints import checked
from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from events.cli.post import Reply
    from events.cli.signing import Post

GOOD = ("succeeded", "partial")
"""Outcomes with which a command exits 0."""

_ID = re.compile(r"[!-~]{1,255}")
# Waited beyond the server's own deadline, in seconds.
_MARGIN_S = 5.0


def _url(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        return checked("--url", value)
    except ConfigurationError as error:
        raise click.BadParameter(error.message) from None


def id_of(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Return an id that can be one. Raises click.BadParameter."""
    if value is not None and not _ID.fullmatch(value):
        raise click.BadParameter("an id is 1 to 255 characters of ASCII without spaces")
    return value


url_option = click.option(
    "--url", default="http://127.0.0.1:8000", show_default=True, callback=_url, help="Where the server is."
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Write the result event as one line of JSON, as when piped."
)

_EXAMPLE = """\b
Example:
  flask send elb.list_members
  flask send apig.add_members payload.json --id order-7
  flask send elb.list_members --sender monitoring --senders senders.toml
  echo '{"listener_id": "none"}' | flask send elb.list_members - --json
"""


@click.command("send", short_help="Post a payload to a running server.", epilog=_EXAMPLE)
@click.argument("operation")
@click.argument("file", required=False, callback=whole)
@url_option
@click.option(
    "--id", "sender_id", callback=id_of, help="Your own id of this delivery: sent twice, it gives the same result id."
)
@click.option("--binary", is_flag=True, help="Send a CloudEvent in binary mode, and ask for one.")
@click.option("--sender", "name", help="Sign it as this sender does, and post it to its door.")
@senders_option
@json_option
def command(
    operation: str,
    file: bytes | None,
    url: str,
    sender_id: str | None,
    name: str | None,
    senders_file: str | None,
    *,
    binary: bool,
    as_json: bool,
) -> None:
    """Post the sample of OPERATION, or FILE (- for standard input), and show the result event.

    Exits 0 when the outcome is succeeded or partial, 1 otherwise.
    """
    if name is not None:
        post = of_sender(sender_of(senders_of(senders_file), name), operation, file, sender_id, binary=binary)
    else:
        post = unsigned(operation, file, sender_id, binary=binary)
    deliver(url, post, as_json=as_json)


def deliver(url: str, post: Post, *, as_json: bool) -> NoReturn:
    """Post a request, show what came of it and end the command: with 0 when all outcomes are `GOOD`, or there was nothing to run.

    Raises click.ClickException when there is no result event, with what the answer says instead.
    """
    reply = _posted(f"{url}{post.path}", dict(post.headers), post.body)
    context = click.get_current_context()
    events = _events(reply)
    if not events:
        say(_without_event(reply, post, url), err=True)
        context.exit(0)
    for event in events:
        if for_people(as_json=as_json):
            show(event, reply.seconds)
        else:
            show_json(to_envelope(event))
    context.exit(0 if all(event.data["outcome"] in GOOD for event in events) else 1)


def _posted(url: str, headers: dict[str, str], body: bytes) -> Reply:
    try:
        timeout_s = EventSettings.from_env(os.environ).deadline_s + _MARGIN_S
        with waiting(f"waiting for {url}"):
            return ask(url, headers, body, timeout_s=timeout_s)
    except NoServer as error:
        raise click.ClickException(f"{error}; start one in another terminal: make run") from None
    except (NoReply, ConfigurationError) as error:
        raise click.ClickException(clean(str(error))) from None


def _events(reply: Reply) -> list[CloudEvent]:
    """Return the result events that an answer carries, none when it carries anything else."""
    if one := result_event(reply):
        return [one]
    try:
        found = from_http(reply.headers, reply.body)
    except (InvalidEvent, UnsupportedFormat):
        return []
    each = [to_structured(event) for event in found] if isinstance(found, list) else []
    events = [result_event(replace(reply, headers=headers, body=body)) for headers, body in each]
    return [event for event in events if event] if all(events) else []


def _without_event(reply: Reply, post: Post, url: str) -> str:
    """Return what a good answer without a result event means. Raises click.ClickException for a refusal, or for what is not known."""
    if reply.status == 200 and "idempotent-replayed" in (name.lower() for name in reply.headers):
        return "A request with this id was handled before: nothing was done again."
    if post.handshake and (reply.status, reply.body) == (post.handshake.status, post.handshake.body):
        return "This is the scheme's own handshake, and it was answered as it should be: there was nothing to run."
    raise click.ClickException(_refusal(reply, url))


def _refusal(reply: Reply, url: str) -> str:
    """Return what an answer without a result event says: problem+json of ours, or something else that listens there."""
    try:
        said: Any = strictjson.loads(reply.body)
    except strictjson.NotJSON:
        said = None
    detail, reason = (said.get("detail"), said.get("reason")) if isinstance(said, dict) else (None, None)
    if isinstance(detail, str):
        return clean(f"HTTP {reply.status}{f' ({reason})' if isinstance(reason, str) else ''}: {detail}")
    return f"{url} answered HTTP {reply.status} without a result event: is it a server of Hongyan?"
