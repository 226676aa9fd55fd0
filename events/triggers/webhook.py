"""The webhook: a Flask application that hands each request to the HTTP door and its answer back, and nothing else."""

from __future__ import annotations

import ipaddress
import logging
import os
from typing import TYPE_CHECKING

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge

from events.dispatch import Dispatcher
from events.problems import HttpAnswer, problem
from events.result_schema import result_schema
from events.settings import EventSettings
from events.triggers.http import HttpDoor, HttpRequest
from functions.cloud.client import Client
from functions.cloud.settings import CloudSettings

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

log = logging.getLogger("hongyan.events")

# Seconds that a sender may be silent while its body is read.
_SILENCE_S = 10.0
_KINDS = {404: "not_found", 405: "invalid_argument", 413: "invalid_argument", 415: "invalid_argument"}


def create_app(
    cloud: CloudSettings | None = None, events: EventSettings | None = None, client: Client | None = None
) -> Flask:
    """Return the WSGI application; without settings they are read from the environment and must be complete.

    Raises ConfigurationError that names the variables which are missing or wrong.
    """
    cloud = cloud or (client.settings if client else CloudSettings.from_env(os.environ).require())
    events = events or EventSettings.from_env(os.environ)
    app = Flask("hongyan", static_folder=None)
    # A door that answers what was asked: no redirect to another spelling of a path, no answer of the framework's own to OPTIONS.
    app.url_map.merge_slashes = False
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    # One byte more than is taken: werkzeug cuts a chunked body off at this length without a word, so the byte tells.
    app.config["MAX_CONTENT_LENGTH"] = events.body_limit + 1
    # Until senders are verified, only this machine may send, and under its own name: a page in a browser that makes
    # another name resolve to this address is not it.
    app.config["TRUSTED_HOSTS"] = ["localhost", "127.0.0.1", "[::1]"]
    app.before_request(_only_loopback)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _crashed)
    _add_routes(app, HttpDoor(Dispatcher(client or Client(cloud), events), events))
    _add_health(app, cloud)
    return app


def _add_routes(app: Flask, door: HttpDoor) -> None:
    @app.post("/functions/<operation>")
    def run_function(operation: str) -> Response:
        return _response(door.function(operation, _request()))

    @app.post("/events")
    def take_events() -> Response:
        return _response(door.events(_request()))

    @app.get("/schemas/result/1")
    def show_result_schema() -> Response:
        answer = jsonify(result_schema())
        answer.content_type = "application/schema+json"
        return answer


def _add_health(app: Flask, cloud: CloudSettings) -> None:
    @app.get("/health/live")
    def live() -> Response:
        return jsonify(status="live")

    @app.get("/health/ready")
    def ready() -> ResponseReturnValue:
        missing = cloud.missing()
        body = {
            "status": "not ready" if missing else "ready",
            "cloud": "emulator" if cloud.emulator else cloud.region,
            "missing": missing,
        }
        return jsonify(body), 503 if missing else 200


def _request() -> HttpRequest:
    # Not kept by Flask, and read no further than MAX_CONTENT_LENGTH whatever Content-Length says.
    _give_up_on_silence()
    try:
        body = request.get_data(cache=False)
    except HTTPException:
        raise
    except Exception as error:
        # A chunked body that breaks the rules, a sender that went away or fell silent: what servers raise then has no common base.
        log.warning("body.unread", extra={"facts": {"error_type": type(error).__name__}})
        raise BadRequest("the body could not be read to its end") from error
    if request.content_length not in (None, len(body)):
        raise BadRequest("the body is shorter than its Content-Length")
    if len(body) >= (request.max_content_length or 0):
        raise RequestEntityTooLarge
    return HttpRequest(dict(request.headers), body)


def _give_up_on_silence() -> None:
    """Let no sender that falls silent in the middle of a body keep a thread; both servers show their socket."""
    connection = request.environ.get("gunicorn.socket") or request.environ.get("werkzeug.socket")
    if connection is not None:
        connection.settimeout(_SILENCE_S)


def _response(answer: HttpAnswer) -> Response:
    response = Response(answer.body, answer.status)
    for name, value in answer.headers.items():
        response.headers[name] = value
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _only_loopback() -> Response | None:
    try:
        near = ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        near = False
    if near:
        return None
    return _response(problem(403, "permission_denied", "this server takes requests from its own machine only"))


def _refused(error: HTTPException) -> Response:
    status = error.code or 500
    detail = error.description or ""
    if isinstance(error, RequestEntityTooLarge):
        detail = f"the body is larger than {(request.max_content_length or 1) - 1} bytes"
    methods = getattr(error, "valid_methods", None)
    allow = {"Allow": ", ".join(sorted(methods))} if methods else {}
    return _response(
        problem(status, _KINDS.get(status, "internal" if status >= 500 else "invalid_argument"), detail, allow)
    )


def _crashed(error: Exception) -> Response:
    from flask import current_app

    current_app.logger.error("request.crashed", exc_info=error)
    return _response(problem(500, "internal", "an error inside Hongyan; its log tells more"))
