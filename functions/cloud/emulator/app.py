"""The emulator's door over HTTP: a Flask application that hands every request, as it came, to the core."""

import socket
from collections.abc import Iterator

import flask

from functions.cloud.emulator.core import Emulator
from functions.cloud.emulator.message import Request, Response


def create_app(emulator: Emulator | None = None) -> flask.Flask:
    """Make the application; a new Emulator with the packaged seed when none is given."""
    cloud = emulator or Emulator()
    app = flask.Flask("functions.cloud.emulator", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 12 * 1024 * 1024  # The gateway's own limit (APIG.0201, 413).

    @app.before_request
    def answer() -> flask.Response:
        # Before any route is looked up: the emulator, not Flask, knows the paths, and sees them undecoded.
        return _sent(cloud.handle(_received()))

    return app


def _received() -> Request:
    environ = flask.request.environ
    target = environ.get("REQUEST_URI") or environ.get("RAW_URI") or ""
    return Request(
        method=flask.request.method,
        target="/" + target.partition("://")[2].partition("/")[2] if "://" in target.partition("?")[0] else target,
        headers=dict(flask.request.headers),
        body=flask.request.get_data(),
    )


def _sent(answer: Response) -> flask.Response:
    if answer.ending == "complete":
        response = flask.Response(answer.body, answer.status)
    else:
        response = flask.Response(_cut(answer, flask.request.environ.get("werkzeug.socket")), answer.status or 200)
    response.headers.clear()  # Without the media type Flask would have guessed.
    response.headers.update({**answer.headers, "Content-Length": str(len(answer.body))})
    return response


def _cut(answer: Response, connection: socket.socket | None) -> Iterator[bytes]:
    """Send what a cut answer sends, then close the connection under the client; the server learns of it as of any."""
    if answer.ending == "truncate":
        yield answer.sent
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError(f"fault: {answer.ending}")
