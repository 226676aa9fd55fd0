"""Reading of a JSON request body, for every service that takes one."""

import json
from collections.abc import Callable
from typing import Any, NoReturn

from functions.cloud.emulator.message import Request
from functions.cloud.emulator.refusal import Refusal

MOST_DEPTH = 64
"""Levels of arrays and objects."""


def read_json(request: Request, refuse: Callable[[int, str], Refusal]) -> Any:
    """Return the JSON value of the body; an empty body is None.

    Raises what `refuse(status, message)` makes in the shape of the service: 415 for a body that is not declared as
    JSON, 400 for one that is not JSON (RFC 8259: UTF-8, no NaN).
    """
    if not request.body:
        return None
    media_type = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise refuse(415, "The request body is not declared as application/json")
    try:
        value = json.loads(request.body.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise refuse(400, "The request body is not JSON") from error
    if too_deep(value):
        raise refuse(400, f"The request body is nested deeper than {MOST_DEPTH}")
    return value


def too_deep(value: Any) -> bool:
    """Whether a JSON value is nested deeper than MOST_DEPTH, so that writing it could exhaust the stack."""
    level = [value]
    for _ in range(MOST_DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
    return bool(level)


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
