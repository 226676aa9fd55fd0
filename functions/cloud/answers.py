"""Reading what the cloud answered: JSON of the promised type, or the error in any of its nine body shapes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from functions.cloud.codes import certainly_refused, classify, lost_behind_gateway
from functions.cloud.errors import CloudRefused, UnreadableAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Longest wait we believe; a larger Retry-After is a mistake of its sender.
_MOST_WAIT_S = 86_400.0
_MOST_MESSAGE = 500
_MOST_REQUEST_ID = 128
# More items than this in one answer are not made into a result: no page of the cloud is that long.
MOST_ITEMS = 10_000
# The gateway takes signatures whose date is this far off, in seconds.
_MOST_SKEW_S = 900


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer: status, headers (any case of name finds them), the body's bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def request_id(self) -> str | None:
        """The cloud's id of this request, from the header, for support."""
        said = self.headers.get("X-Request-Id")
        return said[:_MOST_REQUEST_ID] if said else None


def read(answer: Answer, expect: int, returns: type) -> Any:
    """Return the JSON of a successful answer.

    Raises CloudRefused for an error status or a redirect, and UnreadableAnswer for another 2xx than the API page promises, a body that is
    not JSON, or JSON of another type than `returns`.
    """
    if answer.status >= 300 or answer.status < 200:
        raise refusal(answer)
    if answer.status != expect:
        raise _unreadable(answer, f"HTTP {answer.status} where {expect} is promised")
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise _unreadable(answer, f"HTTP {expect} with a body that is not JSON") from None
    if not isinstance(value, returns):
        wanted = "an array" if returns is list else "an object"
        raise _unreadable(answer, f"HTTP {expect} with JSON that is not {wanted}")
    return value


def objects(items: Any, what: str) -> list[dict[str, Any]]:
    """Return `items` when they are an array of JSON objects, else raise UnreadableAnswer that calls them `what`."""
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise UnreadableAnswer(f"the cloud's answer holds no array of {what}")
    if len(items) > MOST_ITEMS:
        raise UnreadableAnswer(f"the cloud's answer holds more than {MOST_ITEMS} {what}")
    return items


def refusal(answer: Answer) -> CloudRefused:
    """Return the error that an error answer means."""
    code, message, request_id = _facts(answer.body)
    # IAM repeats the status as its code, which says nothing more.
    code = None if code == str(answer.status) else code
    kind = "internal" if answer.status < 400 else classify(answer.status, code)
    said = f": {message}" if message else " and gave no reason"
    return CloudRefused(
        f"the cloud answered HTTP {answer.status}{f' {code}' if code else ''}{said}{_hint(answer, kind)}",
        kind=kind,
        code=code,
        status=answer.status,
        request_id=answer.request_id or request_id,
        retry_after_s=retry_after(answer.headers.get("Retry-After")),
        in_doubt=lost_behind_gateway(answer.status, code),
        refused=certainly_refused(answer.status, code),
    )


def retry_after(header: str | None) -> float | None:
    """Return the seconds of a Retry-After header (RFC 9110 10.2.3: seconds or a date), None when there is none to believe."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _MOST_WAIT_S)
    ahead = _ahead_s(text)
    return None if ahead is None else min(max(0.0, ahead), _MOST_WAIT_S)


def _ahead_s(date: str) -> float | None:
    """Return by how many seconds an HTTP date is ahead of this machine's clock, None when it is no date."""
    try:
        moment = parsedate_to_datetime(date)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
        return (aware - datetime.now(timezone.utc)).total_seconds()
    except (ValueError, OverflowError):
        return None


def _hint(answer: Answer, kind: str) -> str:
    """Return what else the one who reads the message at night should know."""
    if answer.status < 400:
        return "; redirects are not followed: set the service's endpoint, HUAWEICLOUD_SDK_REGION_<SERVICE>_<REGION>"
    if kind != "unauthenticated":
        return ""
    return "; it refused Hongyan's own credentials (HUAWEICLOUD_SDK_...), not the sender's" + _clock_hint(answer)


def _clock_hint(answer: Answer) -> str:
    """Say so when the clocks are further apart than signatures and tokens bear: no key mends that."""
    ahead = _ahead_s(answer.headers.get("Date") or "")
    if ahead is None or abs(ahead) < _MOST_SKEW_S:
        return ""
    return f"; this machine's clock is {abs(ahead):.0f} s {'behind' if ahead > 0 else 'ahead of'} the cloud's"


def _unreadable(answer: Answer, what: str) -> UnreadableAnswer:
    return UnreadableAnswer(f"the cloud answered {what}", status=answer.status, request_id=answer.request_id)


def _facts(body: bytes) -> tuple[str | None, str | None, str | None]:
    """Return code, message and request id of an error body, each None when it has none."""
    try:
        error = json.loads(body)
    except (ValueError, RecursionError):
        return None, None, None
    request_id = error.get("request_id") if isinstance(error, dict) else None
    for code, message in _shapes(error):
        if _text(code) or _text(message):
            return _text(code), _text(message), _text(request_id)
    return None, None, _text(request_id)


def _shapes(error: Any) -> Iterator[tuple[Any, Any]]:
    if not isinstance(error, dict):
        return
    yield error.get("error_code"), error.get("error_msg") or error.get("error_message")
    yield error.get("errorCode"), error.get("errorMsg")
    yield error.get("code"), error.get("message")
    for name, inner in islice(error.items(), 10):
        if isinstance(inner, dict):
            # {"error": {code, message}} · {"NeutronError": {type, message}} · {"badRequest": {code: 400, message}}, OpenStack's fault
            # whose name says more than the status that it repeats.
            code = inner.get("code") or inner.get("error_code") or inner.get("type")
            fault = name if name != "error" and isinstance(code, int) else code
            yield fault, inner.get("message") or inner.get("error_msg")


def _text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    shown = "".join(char if char.isprintable() else " " for char in str(value)[:_MOST_MESSAGE])
    return shown.strip() or None
