"""What each platform tells a function about its invocation, with a deadline that is real, for `flask invoke`."""

from __future__ import annotations

import time
import uuid
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.cloud.deadline import Deadline

_NAME = "hongyan"
_MEMORY = 512  # MiB.


def of_lambda(end: Deadline, _environ: Mapping[str, str]) -> Any:
    """Return the context of AWS Lambda's Python runtime; its remaining time counts down to `end`."""
    return SimpleNamespace(
        aws_request_id=str(uuid.uuid4()),
        client_context=None,
        function_name=_NAME,
        function_version="$LATEST",
        get_remaining_time_in_millis=_left(end),
        identity=None,
        invoked_function_arn=f"arn:aws:lambda:eu-central-1:123456789012:function:{_NAME}",
        log_group_name=f"/aws/lambda/{_NAME}",
        log_stream_name="local",
        memory_limit_in_mb=str(_MEMORY),
    )


def of_functiongraph(end: Deadline, environ: Mapping[str, str]) -> Any:
    """Return the context of FunctionGraph's Python runtime, of a function without an agency: it has no credentials.

    Its remaining time counts down to `end`; `environ` is what the function is configured with.
    """
    request, started = str(uuid.uuid4()), time.monotonic()
    return SimpleNamespace(
        getAlias=lambda: "",
        getCPUNumber=lambda: 400,
        getFunctionName=lambda: _NAME,
        getMemorySize=lambda: _MEMORY,
        getPackage=lambda: "default",
        getProjectID=lambda: environ.get("HUAWEICLOUD_SDK_PROJECT_ID", ""),
        getRemainingTimeInMilliSeconds=_left(end),
        getRequestID=lambda: request,
        getRunningTimeInSeconds=lambda: int(time.monotonic() - started),
        getSecurityAccessKey=lambda: "",
        getSecuritySecretKey=lambda: "",
        getSecurityToken=lambda: "",
        getToken=lambda: "",
        getUserData=environ.get,
        getVersion=lambda: "latest",
    )


def _left(end: Deadline) -> Callable[[], int]:
    return lambda: int(end.remaining() * 1000)
