"""JSON read without doubt and written small, for every part that takes a body from a stranger."""

import json
import math
from itertools import accumulate
from typing import Any

MAX_DEPTH = 64
"""Objects and arrays inside one another: far more than any event needs, far less than a stack holds."""

_BOM = b"\xef\xbb\xbf"
_STEPS = dict(zip(b"[{]}", (1, 1, -1, -1), strict=True))
_NO_MARKS = bytes(set(range(256)) - set(b'[{]}"'))
_SHOWN_KEY = 40


class NotJSON(ValueError):
    """The text is not JSON as RFC 8259 and this module want it; the message never repeats the text."""


def loads(raw: bytes | str) -> Any:
    """Read one JSON value.

    Stricter than `json.loads`, so that two readers of the same bytes cannot disagree (RFC 8259, sections 4, 6, 8, 9):
    UTF-8 without a byte order mark, no NaN or Infinity (nor a number that overflows to it), no key twice in an object,
    no lone surrogate, no nesting over `MAX_DEPTH`, no integer longer than `int` takes. Raises NotJSON, nothing else.
    """
    data = _utf8(raw) if isinstance(raw, str) else raw
    text = _text(data)
    if _too_deep(data):
        raise NotJSON(f"nested deeper than {MAX_DEPTH} levels")
    value = _parsed(text)
    if b"\\ud" in data or b"\\uD" in data:
        _refuse_lone_surrogates(value)
    return value


def dumps(value: Any) -> bytes:
    """Write a value as compact UTF-8 JSON.

    Raises TypeError for what JSON has no form for, ValueError for NaN, Infinity, a lone surrogate or a value that holds
    itself.
    """
    return _ENCODER.encode(value).encode()


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise NotJSON("a lone surrogate in the text") from None


def _text(data: bytes) -> str:
    if data.startswith(_BOM):
        raise NotJSON("the text starts with a byte order mark: send UTF-8 without it")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise NotJSON("the text is not UTF-8") from None  # The cause would carry the whole body into a log.


def _too_deep(data: bytes) -> bool:
    """Tell before parsing, since the parser recurses; up to the first mistake in the text it sees what is seen here."""
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return False
    return any(depth > MAX_DEPTH for depth in accumulate(map(_STEPS.__getitem__, _brackets(data))))


def _brackets(data: bytes) -> bytes:
    """Return the brackets and braces that stand outside strings."""
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")  # Now every quote starts or ends a string.
    marks = data.translate(None, _NO_MARKS).replace(b'""', b"")  # Gone in pairs: what was inside a string still is.
    return b"".join(marks.split(b'"')[::2])


def _parsed(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except NotJSON:
        raise
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise NotJSON(f"malformed JSON at {where}: {error.msg}") from None  # The cause carries the whole text.
    except ValueError:
        raise NotJSON("an integer has more digits than can be read") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise NotJSON(f"an object has {_repeated(pairs)} twice")
    return value


def _repeated(pairs: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen and len(key) <= _SHOWN_KEY and key.isprintable():
            return f'the key "{key}"'
        seen.add(key)
    return "a key"


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise NotJSON("a number is too large")
    return number


def _constant(name: str) -> float:
    raise NotJSON(f"{name} is not JSON")


def _refuse_lone_surrogates(value: Any) -> None:
    try:
        dumps(value)
    except UnicodeEncodeError:
        raise NotJSON("a string holds a lone surrogate") from None


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_finite, parse_constant=_constant)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
