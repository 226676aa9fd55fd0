"""The vocabulary of faults and its checks, for Python callers and the control route alike."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

KINDS = (
    "answer", "delay", "drop", "drop_after", "truncate", "not_json", "throttle_429", "throttle_400", "throttle_500",
)  # fmt: skip
"""What can go wrong; `functions.cloud.emulator.faults` says what each does."""

MOST_DELAY_S = 3600
"""Seconds of the longest delay."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FRAMING = frozenset({"connection", "content-length", "transfer-encoding", "trailer", "upgrade"})
_ANSWERING = ("answer", "throttle_429", "throttle_400", "throttle_500")


class FaultError(ValueError):
    """A fault was described wrongly; `field` names the field, as `match.path`."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: {expected}")
        self.field = field


@dataclass(frozen=True)
class Fault:
    """A checked fault; see `functions.cloud.emulator.faults` for the meaning of each field."""

    kind: str
    match: Mapping[str, str]
    times: int
    status: int | None
    body: Any
    headers: Mapping[str, str]
    delay_s: float


def read_fault(spec: Mapping[str, Any], services: frozenset[str]) -> Fault:
    """Check a description and fill in its defaults.

    Raises FaultError for an unknown field, a value of the wrong type or range, or a field its kind has no use for.
    """
    for name in spec:
        _require(name in _DEFAULTS, str(name), f"unknown; known are {', '.join(_DEFAULTS)}")
    given = {**_DEFAULTS, "kind": _default_kind(spec), **spec}
    for name, (valid, expected) in _CHECKS.items():
        _require(valid(given[name]), name, expected)
    _check_match(given["match"], services)
    _check_use(spec, given["kind"])
    return Fault(**given)


_DEFAULTS: Mapping[str, Any] = {
    "kind": None, "match": {}, "times": 1, "status": None, "body": None, "headers": {}, "delay_s": 0,
}  # fmt: skip


def _default_kind(spec: Mapping[str, Any]) -> str | None:
    if "status" in spec:
        return "answer"
    return "delay" if "delay_s" in spec else None


def _is_status(value: object) -> bool:
    return value is None or (type(value) is int and 200 <= value <= 599)


def _is_delay(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST_DELAY_S


def _is_headers(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(name, str)
        and _TOKEN.fullmatch(name)
        and name.lower() not in _FRAMING
        and isinstance(text, str)
        and text.isascii()
        and text.isprintable()
        for name, text in value.items()
    )


_CHECKS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "kind": (lambda value: value in KINDS, f"one of {', '.join(KINDS)}; or give status or delay_s"),
    "match": (lambda value: isinstance(value, Mapping), "an object with method, path and service, all optional"),
    "times": (lambda value: type(value) is int and value >= 1, "a whole number from 1"),
    "status": (_is_status, "a whole number from 200 to 599"),
    "headers": (_is_headers, "an object of header names, none of the framing ones, and printable ASCII text"),
    "delay_s": (_is_delay, "a number of seconds from 0 to 3600"),
}


def _check_match(match: Mapping[Any, Any], services: frozenset[str]) -> None:
    for name, value in match.items():
        _require(name in ("method", "path", "service"), f"match.{name}", "unknown; known are method, path, service")
        _require(isinstance(value, str) and value != "", f"match.{name}", "a text that is not empty")
    _require(match.get("service") in services | {None}, "match.service", f"one of {', '.join(sorted(services))}")


def _check_use(spec: Mapping[str, Any], kind: str) -> None:
    _require(kind != "answer" or spec.get("status") is not None, "status", "needed by kind answer")
    for name, kinds in (("status", ("answer",)), ("body", ("answer",)), ("headers", _ANSWERING)):
        _require(name not in spec or kind in kinds, name, f"only for kind {', '.join(kinds)}")
    _require(kind != "delay" or spec.get("delay_s", 0) > 0, "delay_s", "more than 0 for kind delay")


def _require(condition: bool, field: str, expected: str) -> None:
    if not condition:
        raise FaultError(field, expected)
