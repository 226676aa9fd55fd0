"""Senders on the command line: found in the senders file, and requests signed as theirs; for the commands that take a sender."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import click

from events.cli.terminal import clean
from events.senders import Senders, SendersRefused
from events.senders.explained import path
from events.signatures import BadSecret, Refused, Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.problems import HttpAnswer
    from events.senders import Sender
    from events.signatures import Fresh


class Unusable(click.ClickException):
    """What a command is to work with cannot be used. It exits with 2, so that 1 keeps the meaning that the command gives it."""

    exit_code = 2


senders_option = click.option(
    "--senders",
    "senders_file",
    envvar="HONGYAN_SENDERS",
    help="The senders file, by default the one that HONGYAN_SENDERS names.",
)


@dataclass(frozen=True, slots=True)
class Post:
    """A request: where to post it below the server's URL, whose secret signed it if any, and what answers it if it is a handshake."""

    path: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    origin: str = ""
    handshake: HttpAnswer | None = None


def senders_of(file: str | None) -> Senders:
    """Return the senders of a file. Raises click.UsageError without one, and Unusable with every mistake in it."""
    if not file:
        raise click.UsageError("name the senders file: --senders FILE, or HONGYAN_SENDERS")
    try:
        # Projects and ends of secrets are for the server to judge: with 0 for now no secret is past its end.
        return Senders.read(file, os.environ, allowed=lambda _: True, now=0.0)
    except SendersRefused as error:
        raise Unusable("\n".join(map(clean, error.message.splitlines()))) from None


def sender_of(senders: Senders, name: str) -> Sender:
    """Return one sender. Raises Unusable."""
    if name not in senders:
        raise Unusable(clean(f"the senders file has no sender {name!r:.100}; it has {', '.join(senders)}"))
    return senders[name]


def signed(sender: Sender, headers: Mapping[str, str], body: bytes, its_id: str) -> Post:
    """Return a request with these headers and body, signed now with the first secret that counts and can. Raises click.ClickException."""
    now = time.time()
    fresh, origin = _fresh(sender, body, now, its_id)
    lower = {name.lower(): value for name, value in fresh.headers.items()}
    query = {name: [value] for name, value in fresh.query.items()}
    found = sender.scheme.verify(fresh.body, lower, query, sender.secrets, now)
    handshake = None if isinstance(found, Refused) else found.answer
    asked = f"?{urlencode(fresh.query)}" if fresh.query else ""
    return Post(f"{path(sender)}{asked}", {**headers, **fresh.headers}, fresh.body, origin, handshake)


def _fresh(sender: Sender, body: bytes, now: float, its_id: str) -> tuple[Fresh, str]:
    known = sender.secrets.each if sender.scheme.parts else (Secret(None, ""),)
    told = "none of its secrets counts any more"
    for secret in known:
        if secret.counts(now):
            try:
                return sender.scheme.sign(secret.key, body, now, its_id), secret.origin
            except BadSecret as error:
                told = str(error)
    raise click.ClickException(f"a request of {sender.name} cannot be signed here: {clean(told)}")
