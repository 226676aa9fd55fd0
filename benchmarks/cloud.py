"""The emulated cloud with every answer delayed, on a server that keeps connections as the real one does: for the benchmarks."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from functions.cloud.emulator.app import create_app
from functions.cloud.emulator.core import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

_THREADS = 64


def make() -> Flask:
    """Return the application; DELAY_S is how long every answer is delayed, in seconds."""
    emulator = Emulator()
    emulator.faults.add(kind="delay", delay_s=float(os.environ["DELAY_S"]), times=1_000_000_000)
    return create_app(emulator)


@contextmanager
def cloud(delay_s: float) -> Iterator[str]:
    """Serve it in a process of its own while the block runs, and give its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    bound = f"127.0.0.1:{port}"
    command = [sys.executable, "-m", "gunicorn", "--threads", str(_THREADS), "--keep-alive", "60", "--bind", bound]
    process = subprocess.Popen(  # noqa: S603
        [*command, "--log-level", "error", "--no-control-socket", "benchmarks.cloud:make()"],
        env={**os.environ, "DELAY_S": str(delay_s)},
    )
    try:
        _await(port)
        yield f"http://{bound}"
    finally:
        process.terminate()
        process.wait()


def _await(port: int) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:  # noqa: PERF203 - tried again until it listens
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
