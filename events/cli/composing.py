"""What `flask send` posts: a bare payload or a CloudEvent, as itself or as a sender."""

from __future__ import annotations

import os
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from events import strictjson
from events.cli.signing import Post, signed
from events.cli.terminal import clean
from events.cloudevents import CloudEvent
from events.cloudevents.http import to_binary, to_structured
from events.samples import NoSample, sample
from events.settings import EventSettings
from events.signatures.aes import SealedScheme
from functions.cloud.errors import ConfigurationError, UnknownOperation
from functions.registry import find

if TYPE_CHECKING:
    from events.senders import Sender

_JSON = {"Content-Type": "application/json"}


def unsigned(operation: str, file: bytes | None, sender_id: str | None, *, binary: bool) -> Post:
    """Return the request that asks a server on this machine for an operation, with the file or the sample as its payload.

    Raises click.ClickException where there is neither.
    """
    body = _sample(operation) if file is None else file
    headers, body = _cloudevent(operation, body, sender_id) if binary else (_bare(sender_id), body)
    return Post(f"/functions/{quote(operation, safe='')}", headers, body)


def of_sender(sender: Sender, operation: str, file: bytes | None, sender_id: str | None, *, binary: bool) -> Post:
    """Return the request with which a sender asks for an operation: by a bare payload where that runs it, else by a CloudEvent.

    Raises click.UsageError for what the sender cannot ask, click.ClickException for what cannot be signed.
    """
    its_id = sender_id or str(uuid.uuid4())
    runs_it = sender.operation == operation
    if sender.payload is not None and not (runs_it and file is not None):
        told = f"what {sender.name} posts runs {sender.operation}, on a payload taken out of its body: give a FILE with such a body"
        raise click.UsageError(told)
    if binary and not sender.scheme.takes_headers:
        raise click.UsageError(
            "--binary puts attributes into headers, which are not signed: leave it out with --sender"
        )
    if not runs_it and isinstance(sender.scheme, SealedScheme):
        told = f"what {sender.scheme.name} wraps is taken for a bare payload, with which {sender.name} runs {sender.operation or 'nothing'}"
        raise click.UsageError(told)
    body = _sample(operation) if file is None else file
    if binary:
        return signed(sender, *_cloudevent(operation, body, its_id, prefix()), its_id)
    if runs_it:
        return signed(sender, _JSON, body, its_id)
    return signed(sender, *_structured(operation, body, its_id), its_id)


def _sample(operation: str) -> bytes:
    try:
        return sample(find(operation).name)
    except (UnknownOperation, NoSample) as error:
        raise click.ClickException(str(error)) from None


def _bare(sender_id: str | None) -> dict[str, str]:
    return {**_JSON, **({"Idempotency-Key": sender_id} if sender_id else {})}


def _cloudevent(
    operation: str, body: bytes, sender_id: str | None, prefix: str = "hongyan"
) -> tuple[dict[str, str], bytes]:
    headers, body = to_binary(_event(operation, body, sender_id, prefix))
    return {**headers, "Accept": "application/json"}, body


def _structured(operation: str, body: bytes, its_id: str) -> tuple[dict[str, str], bytes]:
    try:
        payload = strictjson.loads(body)
    except strictjson.NotJSON as error:
        raise click.ClickException(clean(f"a CloudEvent carries the payload as JSON: {error}")) from None
    return to_structured(replace(_event(operation, body, its_id, prefix()), data=payload))


def prefix() -> str:
    """Return what the types of our events begin with, as it is set. Raises click.ClickException."""
    try:
        return EventSettings.from_env(os.environ).prefix
    except ConfigurationError as error:
        raise click.ClickException(error.message) from None


def _event(operation: str, body: bytes, sender_id: str | None, prefix: str) -> CloudEvent:
    return CloudEvent(
        id=sender_id or str(uuid.uuid4()),
        source="/hongyan/cli",
        type=f"{prefix}.{operation}",
        datacontenttype="application/json",
        data=body,
    )
