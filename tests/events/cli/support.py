"""Helpers of the command line's tests: our commands in process, a server to talk to, and commands on a pseudo-terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from events.cli import create_app
from events.triggers import webhook
from functions.cloud.emulator.server import serving_app
from functions.cloud.settings import CloudSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result

ROOT = Path(__file__).parents[3]
FLASK = [sys.executable, "-m", "flask"]


def run(*args: str, **options: Any) -> Result:
    """Run one of our commands as `flask …` does, in this process and with its output in a pipe."""
    with click.Context(click.Command("flask")):
        app = create_app()
    return app.test_cli_runner().invoke(args=args, **options)


def lines(result: Result) -> list[Any]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@contextmanager
def server() -> Iterator[str]:
    """Serve the webhook on an emulator of its own."""
    with serving_app(webhook.create_app(CloudSettings.from_env({"HONGYAN_EMULATOR": "local"}))) as url:
        yield url


def environment(**changes: str) -> dict[str, str]:
    """Return this process's environment without anything that settings are read from."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HONGYAN_", "HUAWEICLOUD_", "FLASK_", "WERKZEUG_"))
        and name not in ("COLUMNS", "NO_COLOR")
    }
    return {**clean, **changes}


def on_terminal(*args: str, columns: int = 80, typed: str = "", **changes: str) -> tuple[str, int]:
    """Run `flask …` on a pseudo-terminal, with keys typed ahead; return what a person would have seen, and the exit code."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    with subprocess.Popen(
        [*FLASK, *args], cwd=ROOT, env=environment(**changes), stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        os.write(ours, typed.encode())
        seen = b"".join(iter(lambda: _read(ours), b""))
        os.close(ours)
    return seen.decode().replace("\r\n", "\n"), process.returncode


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65_536)
    except OSError:  # How Linux says that nobody writes any more.
        return b""
