"""`flask emulator`: the emulated cloud over HTTP, for other processes, the official SDK and several servers that share one cloud."""

from __future__ import annotations

import errno
import json
import signal
import threading
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import click

from events.cli.terminal import flask_command, say
from functions.cloud.emulator.core import Emulator
from functions.cloud.emulator.server import serving

if TYPE_CHECKING:
    from collections.abc import Iterator


_EXAMPLE = """\b
Example:
  flask emulator --port 9000
  HONGYAN_EMULATOR=http://127.0.0.1:9000 flask run
"""


@click.command("emulator", short_help="Serve the emulated cloud over HTTP.", epilog=_EXAMPLE)
@click.option("--port", type=click.IntRange(0, 65_535), default=9000, show_default=True, help="0 picks a free one.")
@click.option("--seed", type=click.File("rb"), help="What it holds, shaped as functions/cloud/emulator/seed.json.")
def command(port: int, seed: IO[bytes] | None) -> None:
    """Serve the emulated cloud on 127.0.0.1 until Ctrl-C, and print the settings that reach it."""
    emulator = Emulator() if seed is None else _seeded(seed)
    try:
        with _until_ended(), serving(emulator, port) as url:
            say(f"{emulator.credentials.exports()}export HONGYAN_EMULATOR={url}")
            say(f"The emulated cloud listens at {url}; its keys are worth nothing elsewhere. Ctrl-C ends it.", err=True)
            say(f"In another terminal: HONGYAN_EMULATOR={url} {flask_command()} run", err=True)
            _wait()
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise  # Nobody reads the lines; click ends the command for that.
        taken = " is taken: choose another with --port" if error.errno == errno.EADDRINUSE else f": {error.strerror}"
        raise click.ClickException(f"cannot listen: port {port}{taken}") from None


def _wait() -> None:
    threading.Event().wait()


@contextmanager
def _until_ended() -> Iterator[None]:
    """Run the block until Ctrl-C or SIGTERM, either of which is its proper end."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        say(err=True)
    finally:
        signal.signal(signal.SIGTERM, before)


def _seeded(file: IO[bytes]) -> Emulator:
    try:
        emulator = Emulator(json.load(file))
        _ = emulator.credentials
    except ValueError as error:
        raise click.ClickException(f"{file.name} is not JSON: {error}") from None
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise click.ClickException(
            f"{file.name} is not shaped as functions/cloud/emulator/seed.json ({what})"
        ) from None
    return emulator
