"""A result event for a person: its outcome in colour, its result as a small table, its error with the way out."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from events import strictjson
from events.cli.terminal import clean, say, table, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from events.cloudevents import CloudEvent

_MARKS = {
    "succeeded": ("✓", "green"),
    "partial": ("◐", "yellow"),
    "rejected": ("✗", "red"),
    "failed": ("✗", "red"),
    "unknown": ("?", "magenta"),
}
_INDENT = "  "
_MOST_ROWS = 20


def show(event: CloudEvent, seconds: float, indent: str = "") -> None:
    """Write a result event and the seconds it took from outside; `event.data` is described by `schemas.result`."""
    data = event.data
    below = indent + _INDENT
    mark, colour = _MARKS.get(data["outcome"], ("?", "magenta"))
    outcome = clean(f"{mark} {data['outcome']}")
    about = [f"{outcome} in {seconds * 1000:.0f} ms", data["operation"], event.subject]
    first, *more = wrapped(clean(" · ".join(filter(None, about))), indent, below)
    say(first.replace(outcome, click.style(outcome, fg=colour, bold=True), 1))
    for line in (*more, *_error(data["error"], below), *_upstream(data, below), *_result(data["result"] or {}, below)):
        say(line)


def show_json(value: Any) -> None:
    """Write one line of JSON: in UTF-8 as it goes over the wire, but in ASCII on a terminal, which other characters could steer."""
    click.echo(json.dumps(value) if sys.stdout.isatty() else strictjson.dumps(value))


def _error(error: Mapping[str, Any] | None, indent: str) -> Iterator[str]:
    if not error:
        return
    fields = list(_messages(error.get("fields") or {}, ""))
    # The message repeats the first of the fields, so it is left out where they are shown.
    said = [str(error["kind"]), str(error.get("code") or ""), "" if fields else str(error["message"])]
    yield from wrapped(clean(" · ".join(filter(None, said))), indent)
    for name, message in fields:
        yield from wrapped(clean(f"{name}: {message}"), indent, indent + _INDENT)
    if error.get("retryable"):
        wait = error.get("retry_after_s")
        yield f"{indent}it may work later{f', after {wait:g} s' if wait else ''}"


def _messages(messages: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield every message of marshmallow's nested dictionaries with the path of its field."""
    if isinstance(messages, dict):
        for name, below in messages.items():
            yield from _messages(below, path if name == "_schema" else f"{path}.{name}".lstrip("."))
    else:
        for message in messages if isinstance(messages, list) else [messages]:
            yield path or "payload", str(message)


def _upstream(data: Mapping[str, Any], indent: str) -> Iterator[str]:
    upstream = data["upstream"]
    if not upstream:
        yield click.style(f"{indent}nothing was sent to the cloud", dim=True)
        return
    attempts, status = upstream["attempts"], upstream["status"]
    parts = [
        f"{upstream['service']} {upstream['method']}",
        f"HTTP {status}" if status else "no answer",
        f"{attempts} attempt{'s' if attempts != 1 else ''}",
        f"{upstream['duration_ms']} ms",
        # Support asks for it; who succeeded needs no support.
        f"request {upstream['request_id']}" if data["error"] and upstream["request_id"] else "",
    ]
    yield from (click.style(line, dim=True) for line in wrapped(clean(" · ".join(filter(None, parts))), indent))


def _result(result: Mapping[str, Any], indent: str) -> Iterator[str]:
    tables = {name: value for name, value in result.items() if _is_table(value)}
    facts = [
        f"{name} {_fact(value)}" for name, value in result.items() if name not in tables and value not in (None, [])
    ]
    if facts:
        yield from wrapped(clean(" · ".join(facts)), indent)
    for rows in tables.values():
        yield from _table(rows, indent)


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _table(rows: list[dict[str, Any]], indent: str) -> Iterator[str]:
    """Yield a table of the columns that say anything; ids and times, which are long and rarely read, come last."""
    shown = rows[:_MOST_ROWS]
    said = [name for name in rows[0] if any(row.get(name) not in (None, "", []) for row in shown)]
    names = sorted(said, key=lambda name: name == "id" or name.endswith(("_id", "_ids", "_at")))
    if names:
        shown_names = [clean(name) for name in names]
        yield from table(shown_names, [[clean(_fact(row.get(name))) for name in names] for row in shown], indent)
    if len(rows) > len(shown):
        yield f"{indent}… and {len(rows) - len(shown)} more"


def _fact(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_fact(below)}" for name, below in value.items())
    if isinstance(value, list):
        return ", ".join(map(_fact, value))
    return value if isinstance(value, str) else json.dumps(value)
