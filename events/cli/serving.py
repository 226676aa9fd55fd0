"""The webhook on a free loopback port in a background thread, for the demo and for tests of the commands."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask


class _QuietHandler(WSGIRequestHandler):
    """Serves without a line on standard error for each request."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - The base class names it so.
        """Say nothing."""


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve while the block runs and give the address, as `http://127.0.0.1:40123`; every request has a thread of its own."""
    # Bound here, because make_server ends the whole process when it cannot bind.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_QuietHandler, fd=listener.fileno())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        thread.join()
