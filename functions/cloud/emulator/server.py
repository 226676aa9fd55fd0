"""A WSGI application on a real socket, in a background thread: the emulator and the webhook in tests, the demo and `flask emulator`."""

import socket
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from werkzeug.serving import WSGIRequestHandler, make_server

from functions.cloud.emulator.app import create_app
from functions.cloud.emulator.core import Emulator

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class _QuietHandler(WSGIRequestHandler):
    """Serves without a line on standard error for each request; the emulator keeps its own journal."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - The base class names it so.
        """Say nothing."""


def serving(emulator: Emulator, port: int = 0, host: str = "127.0.0.1") -> AbstractContextManager[str]:
    """Serve an emulator while the block runs; as `serving_app`."""
    return serving_app(create_app(emulator), port, host)


@contextmanager
def serving_app(app: "WSGIApplication", port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve while the block runs and give its address, as `http://127.0.0.1:40123`; port 0 picks a free one.

    Every request has a thread of its own. Raises OSError when the port is taken.
    """
    # Bound here, because make_server ends the whole process when it cannot bind.
    with socket.create_server((host, port)) as listener:
        bound_port = listener.getsockname()[1]
        server = make_server(host, bound_port, app, threaded=True, request_handler=_QuietHandler, fd=listener.fileno())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{bound_port}"
    finally:
        server.shutdown()
        thread.join()
