"""The handler for AWS Lambda: whatever trigger invokes the function, its event becomes calls and the answer is what that trigger wants."""

from __future__ import annotations

import logging
import os
import threading
from typing import Any

from events.triggers.aws_lambda import direct, eventbridge, gateway, sns, sqs
from events.triggers.serverless.app import App
from events.triggers.serverless.gateway import unconfigured
from events.triggers.serverless.invocation import Invocation, remaining_s
from functions.cloud.errors import ConfigurationError

log = logging.getLogger("hongyan.events")

_TRIGGERS = (gateway, sqs, sns, eventbridge)


class Lambda:
    """A function on Lambda: its parts, made once for all of its invocations."""

    def __init__(self, app: App) -> None:
        self._app = app

    def answer(self, event: Any, context: Any) -> dict[str, Any]:
        """Return the answer to one invocation, never None: to SQS that would say that all is done.

        `event` is what the trigger hands over, a JSON value; `context` is Lambda's. Raises EventRefused when the event cannot be read (an
        HTTP request is answered 400 instead), and NotDone when an asynchronous invocation is to be repeated.
        """
        left = remaining_s(context, "get_remaining_time_in_millis")
        its_id, function = (getattr(context, name, None) for name in ("aws_request_id", "invoked_function_arn"))
        invocation = Invocation.of(its_id, function, left, self._app.own.margin_s)
        for trigger in _TRIGGERS if isinstance(event, dict) else ():
            if trigger.takes(event):
                answered: dict[str, Any] = trigger.answer(event, self._app, invocation)
                return answered
        return direct.answer(event, self._app, invocation)


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Answer one invocation, as `Lambda.answer` does; the settings are read from the environment when the first one comes.

    Raises ConfigurationError while they are missing or wrong, so that queues keep their messages; an HTTP request is answered 500 then.
    """
    try:
        function = _kept()
    except ConfigurationError as error:
        log.error("function.unconfigured", extra={"facts": {"detail": error.message}})  # noqa: TRY400 - it says it all
        if isinstance(event, dict) and gateway.takes(event):
            return unconfigured()
        raise
    return function.answer(event, context)


_lock = threading.Lock()
_functions: list[Lambda] = []


def _kept() -> Lambda:
    """Return this process's function, made when it is first asked for. Raises ConfigurationError."""
    with _lock:
        if not _functions:
            _functions.append(Lambda(App.from_env(os.environ)))
        return _functions[0]
