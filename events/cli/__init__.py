"""The command line, Flask's own with our commands: `.flaskenv` names this package, and every module here that has a `command` is one."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

import click
from flask import Flask

if TYPE_CHECKING:
    from collections.abc import Iterator


def create_app() -> Flask:
    """Return the application that the `flask` command works with; only those who serve it need settings of the cloud.

    Raises click.ClickException for settings that are missing or wrong, and for a host to listen on that is not ours.
    """
    app = _application(click.get_current_context(silent=True))
    for command in _commands():
        app.cli.add_command(command)
    return app


def _application(context: click.Context | None) -> Flask:
    """Return the whole application for those of Flask's own commands that need it, else one that carries commands only."""
    from events.cli.whole import for_routes, for_run

    name = context.command.name if context else "shell"
    if context and name == "run":
        return for_run(context.params)
    return for_routes() if name in ("routes", "shell") else Flask("hongyan", static_folder=None)


def _commands() -> Iterator[click.Command]:
    for module in pkgutil.iter_modules(__path__):
        command = getattr(importlib.import_module(f"{__name__}.{module.name}"), "command", None)
        if isinstance(command, click.Command):
            yield command
