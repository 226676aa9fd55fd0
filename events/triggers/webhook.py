"""The webhook: a Flask application that hands each request to its HTTP door and the door's answer back, and nothing else."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from flask import Flask, Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.routing import Rule

from events.captures import Captures
from events.deliveries import Deliveries
from events.dispatch import Dispatcher
from events.metrics import metrics_from_env
from events.problems import PLAIN, HttpAnswer, problem
from events.result_schema import result_schema
from events.senders import kept
from events.settings import EventSettings
from events.triggers import health
from events.triggers.docs import add_docs
from events.triggers.hooks import HookDoor
from events.triggers.http import HttpDoor
from events.triggers.later import Later
from events.triggers.reading import Reading
from functions.cloud.client import Client
from functions.cloud.settings import CloudSettings

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from events.metrics import Metrics
    from events.senders import Senders

log = logging.getLogger("hongyan.events")

_KINDS = {
    404: "not_found",
    405: "invalid_argument",
    408: "deadline_exceeded",
    413: "invalid_argument",
    415: "invalid_argument",
}


def create_app(
    cloud: CloudSettings | None = None, events: EventSettings | None = None, client: Client | None = None
) -> Flask:
    """Return the WSGI application; without settings they are read from the environment and must be complete.

    With a senders file it takes signed requests at /hooks/<name>, from anywhere; without one it takes any request, from this machine only.
    Raises ConfigurationError that names the variables which are missing or wrong, and every mistake in the senders file.
    """
    cloud = cloud or (client.settings if client else CloudSettings.from_env(os.environ).require())
    events = events or EventSettings.from_env(os.environ)
    app = Flask("hongyan", static_folder=None)
    # A door that answers what was asked: no redirect to another spelling of a path, no answer of the framework's own to OPTIONS.
    app.url_map.merge_slashes = False
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    # One byte more than is taken: werkzeug cuts a chunked body off at this length without a word, so the byte tells.
    app.config["MAX_CONTENT_LENGTH"] = events.body_limit + 1
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _crashed)
    metrics = metrics_from_env(os.environ)
    dispatcher = Dispatcher(client or Client(cloud), events, metrics=metrics)
    reading = Reading(events)
    later = Later.of(dispatcher, events)
    if events.senders:
        senders = kept.read(events.senders, os.environ, cloud.may_use)
        _add_hooks(app, _hook_door(dispatcher, events, senders, later), reading)
    else:
        _add_local(app, HttpDoor(dispatcher, events, later), reading)
    _add_health(app, cloud)
    if metrics.audience:
        _add_metrics(app, metrics, reading)
    add_docs(
        app,
        operations=not events.senders,
        hooks=bool(events.senders),
        prefix=events.prefix,
        body_limit=events.body_limit,
        metrics=metrics.audience,
        queue=later is not None,
    )
    return app


def _hook_door(dispatcher: Dispatcher, events: EventSettings, senders: Senders, later: Later | None) -> HookDoor:
    captures = Captures(events.capture_dir) if events.capture_dir else None
    waiting = sorted(sender.name for sender in senders.values() if sender.later)
    if waiting and later is None:
        log.warning("queue.missing", extra={"facts": {"variable": "HONGYAN_QUEUE", "senders": waiting}})
    return HookDoor(dispatcher, events, senders, Deliveries.of(events), captures=captures, later=later)


def _add_hooks(app: Flask, door: HookDoor, reading: Reading) -> None:
    def take_signed(name: str) -> Response:
        return _response(door.answer(name, reading.head(), reading.body))

    def signed_only(_: str = "") -> Response:
        return _response(
            problem(403, "permission_denied", "this server takes signed requests only: POST /hooks/<sender>")
        )

    # Whatever the method: the doors say themselves which they take.
    for path, view in (("/hooks/<name>", take_signed), ("/functions/<path:_>", signed_only), ("/events", signed_only)):
        app.url_map.add(Rule(path, endpoint=path, methods=None))
        app.view_functions[path] = view


def _add_local(app: Flask, door: HttpDoor, reading: Reading) -> None:
    # Nobody proves here who sends: only this machine may, and under its own name. A page in a browser that makes another
    # name resolve to this address is not it, and what comes through a proxy comes from anywhere.
    app.config["TRUSTED_HOSTS"] = ["localhost", "127.0.0.1", "[::1]"]

    @app.before_request
    def only_near() -> Response | None:
        if reading.origin().near:
            return None
        return _response(problem(403, "permission_denied", "this server takes requests from its own machine only"))

    @app.post("/functions/<operation>")
    def run_function(operation: str) -> Response:
        return _response(door.function(operation, reading.whole()))

    @app.post("/events")
    def take_events() -> Response:
        return _response(door.events(reading.whole()))


def _add_health(app: Flask, cloud: CloudSettings) -> None:
    @app.get("/health/live")
    def live() -> Response:
        return jsonify(health.LIVE)

    @app.get("/health/ready")
    def ready() -> ResponseReturnValue:
        status, body = health.ready(cloud)
        return jsonify(body), status

    @app.get("/schemas/result/1")
    def show_result_schema() -> Response:
        answer = jsonify(result_schema())
        answer.content_type = "application/schema+json"
        return answer


def _add_metrics(app: Flask, metrics: Metrics, reading: Reading) -> None:
    @app.get("/metrics")
    def show_metrics() -> Response:
        return _response(metrics.answer(request.headers.get("Accept", ""), near=reading.origin().near))


def _response(answer: HttpAnswer) -> Response:
    response = Response(answer.body, answer.status)
    if not answer.body:
        del response.headers["Content-Type"]  # Flask's own guess, of nothing.
    for name, value in answer.headers.items():
        response.headers[name] = value
    response.headers.update(PLAIN)
    return response


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
    current_app.logger.error("request.crashed", exc_info=error)
    return _response(problem(500, "internal", "an error inside Hongyan; its log tells more"))
