"""Faults on demand: the next calls that match go wrong in a chosen way, for tests of a client.

A fault is `Faults.add(...)`, or the same fields as a JSON object sent to `POST /_emulator/faults`:

- `match`: which calls, all of them by default; `method` (`"POST"`), `path` (a glob over the raw path when it holds
  `*`, `?` or `[`, else a part of the path), `service` (`"apig"`); every one given must fit
- `times`: how many matching calls, 1 by default; the fault added first is used up first
- `kind`: `answer` when `status` is given, `delay` when only `delay_s` is; one of

| kind | takes effect | the client gets |
|---|---|---|
| `answer` | no | `status`, `headers` and `body`: a text as it is, anything else as JSON, null as nothing |
| `delay` | yes | the true answer |
| `drop` | no | a connection closed without an answer |
| `drop_after` | yes | a connection closed without an answer |
| `truncate` | yes | the true answer's headers and half its body, then a closed connection |
| `not_json` | yes | the true status with an HTML page |
| `throttle_429` | no | 429 APIGW.0308, the gateway's shape |
| `throttle_400` | no | 400 EndPoint.0022, VPCEP's shape |
| `throttle_500` | no | 500 APIG.9008, APIG's shape |

- `headers`: sent with the answers that do not take effect, as `{"Retry-After": "2"}`
- `delay_s`: seconds to wait first, with any kind
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from functions.cloud.emulator.fault_spec import Fault, read_fault
from functions.cloud.emulator.message import Response, json_response
from functions.cloud.emulator.refusal import Refusal, flat, gateway, nested

_HTML = b"<html><body><h1>Service under maintenance</h1></body></html>"

_THROTTLES: Mapping[str, Callable[[], Refusal]] = {
    "throttle_429": lambda: gateway(
        429,
        "APIGW.0308",
        "The throttling threshold has been reached: policy user over ratelimit,limit:200,time:5 minute",
    ),
    "throttle_400": lambda: nested(
        400, "EndPoint.0022", "The number of requests exceeded the limit. Please try later."
    ),
    "throttle_500": lambda: flat(500, "APIG.9008", "Too many requests"),
}


class Faults:
    """The faults waiting for a call, in the order they were added; safe to use from several threads."""

    def __init__(self, services: frozenset[str]) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, /, **fields: Any) -> Fault:
        """Add a fault, described by the fields above; raises FaultError naming the field that is wrong."""
        fault = read_fault(fields, self._services)
        with self._lock:
            self._waiting.append(fault)
        return fault

    def waiting(self) -> list[Fault]:
        """Return the faults not used up; `times` is what is left of each."""
        with self._lock:
            return list(self._waiting)

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._waiting.clear()

    def take(self, method: str, path: str, service: str | None) -> Fault | None:
        """Use up one time of the first fault that fits a call, or return None."""
        with self._lock:
            for index, fault in enumerate(self._waiting):
                if _fits(fault.match, method, path, service):
                    left = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
                    self._waiting[index : index + 1] = left
                    return fault
        return None


def answer_instead(fault: Fault, request_id: str) -> Response | None:
    """Return what the client gets in place of the call, or None when the call takes effect."""
    if fault.kind == "drop":
        return Response(0, {}, b"", "drop")
    if fault.kind == "answer":
        return _chosen(fault)
    if fault.kind in _THROTTLES:
        throttled = _THROTTLES[fault.kind]().response(request_id)
        return replace(throttled, headers={**throttled.headers, **fault.headers})
    return None


def spoil(fault: Fault, response: Response) -> Response:
    """Return what becomes of the answer to a call that took effect."""
    if fault.kind == "drop_after":
        return replace(response, ending="drop")
    if fault.kind == "truncate":
        return replace(response, ending="truncate")
    if fault.kind == "not_json":
        return replace(response, headers={**response.headers, "Content-Type": "text/html"}, body=_HTML)
    return response


def _chosen(fault: Fault) -> Response:
    status = fault.status or 0  # Checked: an answer has one.
    if fault.body is None:
        return Response(status, fault.headers, b"")
    if isinstance(fault.body, str):
        text = fault.body.encode("utf-8", "replace")
        return Response(status, {"Content-Type": "text/plain; charset=utf-8", **fault.headers}, text)
    return json_response(status, fault.body, fault.headers)


def _fits(match: Mapping[str, str], method: str, path: str, service: str | None) -> bool:
    wanted = match.get("path", "")
    fits_path = fnmatchcase(path, wanted) if any(sign in wanted for sign in "*?[") else wanted in path
    return fits_path and match.get("method", method).upper() == method and match.get("service", service) == service
