"""The handler for Huawei FunctionGraph: whatever trigger invokes it, the event becomes calls and the answer is what that trigger wants."""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from events import logs
from events.settings import EventSettings
from events.triggers.functiongraph import apig, cts, direct, dis, eventgrid, lts, obs, queues, smn, timer
from events.triggers.functiongraph.context import Environment, credentials, invoked
from events.triggers.serverless.app import App
from events.triggers.serverless.gateway import unconfigured
from events.triggers.serverless.settings import ServerlessSettings
from events.triggers.serverless.shapes import unknown
from functions.cloud.errors import ConfigurationError
from functions.cloud.settings import CloudSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger("hongyan.events")

KNOWN = "the events of APIG, SMN, Kafka, RocketMQ, RabbitMQ, DIS, timers, CTS, OBS, LTS and EventGrid"
"""What an event can be besides an invocation of the function itself."""

_TRIGGERS = (apig, smn, queues, timer, dis, cts, obs, lts, eventgrid)


class FunctionGraph:
    """A function on FunctionGraph: its parts, made once for all of its invocations."""

    def __init__(self, app: App) -> None:
        self._app = app

    def answer(self, event: Any, context: Any) -> dict[str, Any]:
        """Return the answer to one invocation.

        `event` is what the trigger hands over, a JSON value; `context` is FunctionGraph's.

        Raises EventRefused when the event cannot be read and ConfigurationError when the context has no credentials (an HTTP request is
        answered 400 and 500 instead), and NotDone when an asynchronous invocation is to be repeated.
        """
        if not isinstance(event, dict):
            raise unknown(event, KNOWN)
        try:
            self._take_credentials(context)
        except ConfigurationError as error:
            return _unconfigured(event, error)
        invocation = invoked(context, self._app.own.margin_s)
        for trigger in _TRIGGERS:
            if trigger.takes(event):
                found: dict[str, Any] = trigger.answer(event, self._app, invocation)
                return found
        if eventgrid.brought(event, self._app.events.prefix):
            return eventgrid.answer({"events": [event]}, self._app, invocation)
        return direct.answer(event, self._app, invocation, KNOWN)

    def _take_credentials(self, context: Any) -> None:
        client = self._app.client
        if not client.settings.temporary_keys:
            return
        fresh = credentials(context)
        if fresh != client.credentials:
            client.use(fresh)


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Answer one invocation, as `FunctionGraph.answer` does; the settings are read when the first one comes.

    Raises ConfigurationError while they are missing or wrong; an HTTP request is answered 500 then.
    """
    try:
        function = _kept(os.environ, context)
    except ConfigurationError as error:
        return _unconfigured(event, error)
    return function.answer(event, context)


def _unconfigured(event: Any, error: ConfigurationError) -> dict[str, Any]:
    log.error("function.unconfigured", extra={"facts": {"detail": error.message}})
    if isinstance(event, dict) and apig.takes(event):
        return unconfigured()
    raise error


_lock = threading.Lock()
_functions: list[FunctionGraph] = []


def _kept(environ: Mapping[str, str], context: Any) -> FunctionGraph:
    """Return this process's function; one process may have several invocations at once. Raises ConfigurationError."""
    with _lock:
        if not _functions:
            _functions.append(FunctionGraph(_built(Environment(environ, context))))
        return _functions[0]


def _built(environ: Mapping[str, str]) -> App:
    logs.configure(people=False, environ=environ)
    cloud = CloudSettings.from_env(environ)
    # Keys that were set win over those of the function's agency; the emulator has set its own.
    cloud = replace(cloud, temporary_keys=not cloud.names_credentials()).require()
    return App.make(cloud, EventSettings.from_env(environ), ServerlessSettings.from_env(environ), environ)
