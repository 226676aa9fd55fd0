"""The whole application for `flask run`, `flask routes` and `flask shell`, and the banner that says loudly which cloud it acts on."""

from __future__ import annotations

import logging
import os
import re
import shlex
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from werkzeug.serving import is_running_from_reloader

from events.cli.banner import cloud_banner
from events.cli.terminal import flask_command, say
from events.logs import configure
from events.loopback import is_own_machine
from events.settings import EventSettings
from events.triggers import webhook
from functions.cloud.errors import ConfigurationError
from functions.cloud.settings import CloudSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flask import Flask

_SAMPLE = "elb.list_members"


def for_run(params: Mapping[str, Any]) -> Flask:
    """Return the application to serve, with logs configured, and write the banner; `params` are those of `flask run`.

    Raises click.UsageError for a host that is not this machine alone, click.ClickException for settings.
    """
    if not is_own_machine(params["host"]):
        raise click.UsageError(
            f"--host {params['host']} is refused: `flask run` serves this machine only. Leave --host out; "
            "gunicorn serves others, once HONGYAN_SENDERS names them."
        )
    with _explained():
        settings = CloudSettings.from_env(os.environ).require()
        configure()
        logging.getLogger("werkzeug").addFilter(_without_queries)
        events = EventSettings.from_env(os.environ)
        app = webhook.create_app(settings, events)
    if not is_running_from_reloader():
        for line in (*cloud_banner(settings), *(_signed(events.senders) if events.senders else _curl(params))):
            say(line, err=True)
    return app


def for_routes() -> Flask:
    """Return the application to look at. Raises click.ClickException for settings."""
    with _explained():
        return webhook.create_app()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except ConfigurationError as error:
        raise click.ClickException(error.message) from None


def _without_queries(record: logging.LogRecord) -> bool:
    """Keep what stands behind the path of a request, a token perhaps, out of the development server's lines."""
    if isinstance(record.args, tuple):
        record.args = tuple(re.sub(r"\?\S*", "?…", each) if isinstance(each, str) else each for each in record.args)
    return True


def _signed(senders: str) -> Iterator[str]:
    yield "Signed requests only; to see who may send what:"
    yield f"  {flask_command()} senders check {shlex.quote(senders)}"


def _curl(params: Mapping[str, Any]) -> Iterator[str]:
    if not params["port"]:
        return  # The system picks one, and the server names it below.
    host = f"[{params['host']}]" if ":" in params["host"] else params["host"]
    server = f"{'https' if params.get('cert') else 'http'}://{host}:{params['port']}"
    yield f"Try: curl -d @events/samples/{_SAMPLE}.json -H 'Content-Type: application/json' {server}/functions/{_SAMPLE}"
