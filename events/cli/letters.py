"""A dead letter as JSON, as two lines of a list and as a whole page, whatever somebody put into it; for `flask dead-letters`."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import click

from events import strictjson
from events.cli.choosing import REASONS
from events.cli.queues import age, counted, moment
from events.cli.rendering import show as show_event
from events.cli.rendering import show_json
from events.cli.terminal import clean, clipped, say, table, width, wrapped
from events.cloudevents import CloudEvent, InvalidEvent
from events.cloudevents.json import from_envelope
from schemas.result import ResultData

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from events.queues import Letter

_CELL = 40  # Columns of a cell.
_LONGEST = 2_000  # Characters of a text that are looked at: whoever wrote the letter may have written any number.
_LINES = 2  # Lines of a list that an error may take.
_LABEL = 11
_PRETTY = 1_048_576  # Bytes of the largest value that is read to be shown with its fields below one another.
_SHOWN = 8_192  # Characters of it that are shown.
_MOST_MS = 10**12


def facts(letter: Letter, now: float, *, body: bool = False) -> dict[str, Any]:
    """Return a letter as a JSON value, with `body` in base64 or without; `now` in seconds since 1970."""
    message = letter.message
    return {
        "id": letter.id,
        "at": moment(letter.at),
        "age_s": round(now - letter.at, 3),
        "reason": letter.reason,
        "operation": letter.operation,
        "kind": letter.kind,
        "code": letter.code,
        "event": letter.event,
        "message": {
            "id": message.id,
            "group": message.group,
            "sent_at": moment(message.sent_at),
            "tries": message.tries,
            "runs": message.runs,
            "version": message.version,
            "meta": dict(message.meta),
            "body_bytes": len(message.body),
            **({"body_base64": base64.b64encode(message.body).decode("ascii")} if body else {}),
        },
    }


def tell(value: Any) -> None:
    """Write one line of JSON, as `show_json` does, also where a broker let a lone surrogate through, which UTF-8 has no form for."""
    try:
        show_json(value)
    except UnicodeEncodeError:
        click.echo(json.dumps(value))


def listed(letters: Sequence[Letter], short: Mapping[str, str], now: float) -> Iterator[str]:
    """Yield the lines of a list: a row for each letter, and its error below it; `short` are the ids as they are shown."""
    rows = [
        [
            _cell(short[letter.id]),
            age(now - letter.at),
            str(letter.message.tries),
            _cell(letter.reason),
            _cell(letter.operation),
        ]
        for letter in letters
    ]
    head, *lines = table(["id", "age", "tries", "reason", "operation"], rows)
    yield head
    for letter, line in zip(letters, lines, strict=True):
        yield line
        told = wrapped(_error(letter), "    ")
        cut = [*told[: _LINES - 1], clipped(told[_LINES - 1], width() - 2) + " …"] if len(told) > _LINES else told
        yield from (click.style(text, dim=True) for text in cut)


def show(letter: Letter, now: float) -> None:
    """Write everything about a letter for a person: why it is here, its message, its result event, and its body."""
    say(click.style(f"dead letter {clean(letter.id[:_LONGEST])}", bold=True))
    for label, text in _rows(letter, now):
        first, *more = wrapped(clean(text[:_LONGEST]), " " * (_LABEL + 2))
        for line in (click.style(f"  {label}".ljust(_LABEL + 2), dim=True) + first[_LABEL + 2 :], *more):
            say(line)
    say()
    _show_event(letter)
    say()
    say(click.style(f"body, {counted(len(letter.message.body), 'byte')}", bold=True))
    for line in preview(letter.message.body):
        say(f"  {line}")


def preview(body: bytes) -> Iterator[str]:
    """Yield the lines of a body: JSON with its fields below one another, any other text as it is; what could steer a terminal escaped.

    What is too long is cut, and a last line says so.
    """
    size, most = len(body), 4 * _SHOWN  # A character has up to four bytes.
    pretty = _pretty(body)
    text = body[:most].decode("utf-8", "backslashreplace") if pretty is None else pretty
    yield from (_escaped(line) for line in text[:_SHOWN].split("\n") if body)
    if len(text) > _SHOWN or (pretty is None and size > most):
        yield f"… cut after {_SHOWN} characters: --json gives all {size} bytes, in base64"


def _pretty(body: bytes) -> str | None:
    """Return JSON with its fields below one another, None for what is none or too large."""
    try:
        return json.dumps(strictjson.loads(body), indent=2, ensure_ascii=False) if 0 < len(body) <= _PRETTY else None
    except strictjson.NotJSON:
        return None


def _escaped(line: str) -> str:
    """Return a line with what cannot be printed as JSON writes it."""
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in line)


def _cell(text: str) -> str:
    return clipped(clean(text[:_LONGEST]), _CELL)


def _error(letter: Letter) -> str:
    """Return kind, code and message of the error in a letter's event, as far as it has them."""
    said: Any = letter.event
    for name in ("data", "error", "message"):
        said = said.get(name) if isinstance(said, dict) else None
    message = said if isinstance(said, str) else "" if letter.event else "no result event"
    words = (letter.kind, letter.code, message)
    return clean(" · ".join(word[: _LONGEST // 4] for word in words if word)) or "no error is told"


def _rows(letter: Letter, now: float) -> Iterator[tuple[str, str]]:
    message = letter.message
    yield "reason", f"{letter.reason}: {REASONS.get(letter.reason, 'a reason that this version does not know')}"
    yield "dead since", _when(letter.at, now)
    yield "operation", letter.operation
    yield "message", message.id
    yield "sent", _when(message.sent_at, now)
    if message.group is not None:
        yield "group", message.group
    again = f", redriven {counted(message.runs, 'time')}" if message.runs else ""
    yield "tries", f"{message.tries} failed{again}"
    if message.meta:
        yield "asked by", ", ".join(f"{name} {value}" for name, value in message.meta.items())


def _when(at: float, now: float) -> str:
    return f"{moment(at) or 'no time that a calendar has'}, {age(now - at)} ago"


def _show_event(letter: Letter) -> None:
    if letter.event is None:
        say(click.style("no result event", bold=True))
        return
    say(click.style("result event", bold=True))
    event = _result_event(letter.event)
    if event is None:
        for line in preview(json.dumps(letter.event).encode()):
            say(f"  {line}")
    else:
        show_event(event, (event.data["upstream"] or {"duration_ms": 0})["duration_ms"] / 1000, "  ")


def _result_event(envelope: Mapping[str, Any]) -> CloudEvent | None:
    """Return the result event if it is one that can be shown as such: anybody may have put anything into a letter."""
    try:
        event = from_envelope(dict(envelope))
        large = len(strictjson.dumps(envelope)) > _PRETTY
    except (InvalidEvent, ValueError, TypeError):
        return None
    if large or not isinstance(event.data, dict) or ResultData().validate(event.data):
        return None
    # The schema takes numbers that are written as text; whoever shows them does not.
    took = (event.data["upstream"] or {"duration_ms": 0})["duration_ms"]
    wait = (event.data["error"] or {}).get("retry_after_s")
    numbers = isinstance(took, int) and 0 <= took < _MOST_MS and (wait is None or isinstance(wait, (int, float)))
    return event if numbers else None
