"""The control routes under `/_emulator/`, which need no authentication, for tests and demos in another process.

| route | answer |
|---|---|
| `POST /_emulator/faults` | 201 the fault as understood; 400 naming the `field` that is wrong |
| `GET /_emulator/faults` | 200 `{"faults": […]}`, those not used up |
| `DELETE /_emulator/faults` | 204, none left |
| `GET /_emulator/requests` | 200 `{"requests": […]}`, the journal, oldest first |
| `POST /_emulator/tokens/expire` | 200 `{"expired": <how many>}` |
| `POST /_emulator/reset` | 204, as new |
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from functions.cloud.emulator.fault_spec import FaultError
from functions.cloud.emulator.message import Request, Response, json_response
from functions.cloud.emulator.payload import read_json
from functions.cloud.emulator.refusal import Refusal, own

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.cloud.emulator.core import Emulator

PREFIX = "/_emulator/"
_NO_CONTENT = Response(204, {}, b"")


def handle_control(emulator: Emulator, request: Request, request_id: str) -> Response:
    """Answer a request whose path starts with PREFIX; raises nothing, a refusal is an answer."""
    methods = _ROUTES.get(request.path)
    try:
        if methods is None:
            raise own(501, f"{request.path} is no control route; known are {', '.join(_ROUTES)}")
        if request.method not in methods:
            raise own(405, f"{request.path} takes {', '.join(methods)}", headers={"Allow": ", ".join(methods)})
        return methods[request.method](emulator, request)
    except Refusal as refusal:
        return refusal.response(request_id)


def _add_fault(emulator: Emulator, request: Request) -> Response:
    spec = read_json(request, own)
    if not isinstance(spec, dict):
        raise own(400, "body: a JSON object", field="body")
    try:
        return json_response(201, asdict(emulator.faults.add(**spec)))
    except FaultError as error:
        raise own(400, str(error), field=error.field) from error


def _list_faults(emulator: Emulator, _: Request) -> Response:
    return json_response(200, {"faults": [asdict(fault) for fault in emulator.faults.waiting()]})


def _clear_faults(emulator: Emulator, _: Request) -> Response:
    emulator.faults.clear()
    return _NO_CONTENT


def _list_requests(emulator: Emulator, _: Request) -> Response:
    return json_response(200, {"requests": [entry.as_json() for entry in emulator.journal]})


def _expire_tokens(emulator: Emulator, _: Request) -> Response:
    return json_response(200, {"expired": emulator.expire_tokens()})


def _reset(emulator: Emulator, _: Request) -> Response:
    emulator.reset()
    return _NO_CONTENT


_ROUTES: Mapping[str, Mapping[str, Callable[[Emulator, Request], Response]]] = {
    "/_emulator/faults": {"POST": _add_fault, "GET": _list_faults, "DELETE": _clear_faults},
    "/_emulator/requests": {"GET": _list_requests},
    "/_emulator/tokens/expire": {"POST": _expire_tokens},
    "/_emulator/reset": {"POST": _reset},
}
