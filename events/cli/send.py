"""`flask send`: post a payload to a running server and show the result event, for trying things out and for scripts."""

from __future__ import annotations

import os
import re
import uuid
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

import click

from events import strictjson
from events.cli.post import NoReply, NoServer, ask, result_event
from events.cli.rendering import show
from events.cli.terminal import clean, for_people, say_json, waiting
from events.cloudevents import CloudEvent
from events.cloudevents.http import to_binary
from events.cloudevents.json import to_envelope
from events.samples import NoSample, sample
from events.settings import EventSettings
from functions.cloud.endpoints import checked
from functions.cloud.errors import ConfigurationError, UnknownOperation
from functions.registry import find

if TYPE_CHECKING:
    from events.cli.post import Reply

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


def _id(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not _ID.fullmatch(value):
        raise click.BadParameter("an id is 1 to 255 characters of ASCII without spaces")
    return value


_EXAMPLE = """\b
Example:
  flask send elb.list_members
  flask send apig.add_members payload.json --id order-7
  echo '{"listener_id": "none"}' | flask send elb.list_members - --json
"""


@click.command("send", short_help="Post a payload to a running server.", epilog=_EXAMPLE)
@click.argument("operation")
@click.argument("file", required=False, type=click.File("rb"))
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, callback=_url, help="Where the server is.")
@click.option(
    "--id", "sender_id", callback=_id, help="Your own id of this delivery: sent twice, it gives the same result id."
)
@click.option("--binary", is_flag=True, help="Send a CloudEvent in binary mode, and ask for one.")
@click.option("--json", "as_json", is_flag=True, help="Write the result event as one line of JSON, as when piped.")
def command(
    operation: str, file: IO[bytes] | None, url: str, sender_id: str | None, *, binary: bool, as_json: bool
) -> None:
    """Post the sample of OPERATION, or FILE (- for standard input), and show the result event.

    Exits 0 when the outcome is succeeded or partial, 1 otherwise.
    """
    body = file.read() if file else _sample(operation)
    headers, body = _cloudevent(operation, body, sender_id) if binary else (_bare(sender_id), body)
    reply = _posted(f"{url}/functions/{quote(operation, safe='')}", headers, body)
    event = result_event(reply)
    if event is None:
        raise click.ClickException(_refusal(reply, url))
    if for_people(as_json=as_json):
        show(event, reply.seconds)
    else:
        say_json(to_envelope(event))
    click.get_current_context().exit(0 if event.data["outcome"] in GOOD else 1)


def _sample(operation: str) -> bytes:
    try:
        return sample(find(operation).name)
    except (UnknownOperation, NoSample) as error:
        raise click.ClickException(str(error)) from None


def _bare(sender_id: str | None) -> dict[str, str]:
    return {"Content-Type": "application/json", **({"Idempotency-Key": sender_id} if sender_id else {})}


def _cloudevent(operation: str, body: bytes, sender_id: str | None) -> tuple[dict[str, str], bytes]:
    event = CloudEvent(
        id=sender_id or str(uuid.uuid4()),
        source="/hongyan/cli",
        type=f"hongyan.{operation}",
        datacontenttype="application/json",
        data=body,
    )
    headers, body = to_binary(event)
    return {**headers, "Accept": "application/json"}, body


def _posted(url: str, headers: dict[str, str], body: bytes) -> Reply:
    try:
        timeout_s = EventSettings.from_env(os.environ).deadline_s + _MARGIN_S
        with waiting(f"waiting for {url}"):
            return ask(url, headers, body, timeout_s=timeout_s)
    except NoServer as error:
        raise click.ClickException(f"{error}; start one in another terminal: make run") from None
    except (NoReply, ConfigurationError) as error:
        raise click.ClickException(str(error)) from None


def _refusal(reply: Reply, url: str) -> str:
    """Return what an answer without a result event says: problem+json of ours, or something else that listens there."""
    try:
        said: Any = strictjson.loads(reply.body)
    except strictjson.NotJSON:
        said = None
    detail = said.get("detail") if isinstance(said, dict) else None
    if isinstance(detail, str):
        return clean(f"HTTP {reply.status}: {detail}")
    return f"{url} answered HTTP {reply.status} without a result event: is it a server of Hongyan?"
