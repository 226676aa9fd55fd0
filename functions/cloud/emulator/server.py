"""The emulator on a real socket, in a background thread: for tests, the demo and `flask emulator`."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from functions.cloud.emulator.app import create_app
from functions.cloud.emulator.core import Emulator


class _QuietHandler(WSGIRequestHandler):
    """Serves without a line on standard error for each request; the emulator keeps its own journal."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - The base class names it so.
        """Say nothing."""


@contextmanager
def serving(emulator: Emulator, port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve while the block runs and give its address, as `http://127.0.0.1:40123`; port 0 picks a free one.

    Every request has a thread of its own. Raises OSError when the port is taken.
    """
    # Bound here, because make_server ends the whole process when it cannot bind.
    with socket.create_server((host, port)) as listener:
        server = make_server(
            host, port, create_app(emulator), threaded=True, request_handler=_QuietHandler, fd=listener.fileno()
        )
        bound_port = listener.getsockname()[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{bound_port}"
    finally:
        server.shutdown()
        thread.join()
