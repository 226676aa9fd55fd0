"""What an invocation came to, as the platform takes it and as a person or a pipe reads it, for `flask invoke`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from events.cli.post import Reply, result_event
from events.cli.rendering import show, show_json
from events.cli.terminal import clean, say, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.cloudevents import CloudEvent

_OURS = {"Content-Type": "application/cloudevents+json"}
_BAD = 400


@dataclass(frozen=True, slots=True)
class Invoked:
    """An invocation that took `seconds` of the `timeout_s` it had, and ended in the handler's `answer`, or in an `error` that it raised."""

    answer: Any = field(repr=False)
    error: Exception | None
    seconds: float
    timeout_s: float

    @property
    def why(self) -> str:
        """Why the platform does not take it for done, "" when it does."""
        if self.seconds > self.timeout_s:
            return f"it took longer than {self.timeout_s:g} s: the platform would have ended it, and its answer would be lost"
        if self.error is not None:
            return "the handler raised an error"
        answer = self.answer if isinstance(self.answer, dict) else {}
        if returned := answer.get("batchItemFailures"):
            return f"given back to the queue: {len(returned)} record{'' if len(returned) == 1 else 's'}"
        status = answer.get("statusCode", 200)
        return f"the caller is answered HTTP {status}" if status >= _BAD else ""

    @property
    def said(self) -> dict[str, Any]:
        """What the platform hands to whoever waits: the answer, or the error as it shows one."""
        if self.error is None:
            return {"answer": self.answer}
        return {"errorType": type(self.error).__name__, "errorMessage": str(self.error)}


def show_line(ended: Invoked) -> None:
    """Write one line of JSON: the answer, or the error, and whether the platform takes that for done."""
    times = {"seconds": round(ended.seconds, 3), "timeout_s": ended.timeout_s}
    show_json({**ended.said, "done": not ended.why, "why": ended.why or None, **times})


def show_ended(ended: Invoked) -> None:
    """Write the answer or the error for a person, and what it means."""
    if ended.error is not None:
        kind, message = ended.said.values()
        for line in wrapped(clean(f"{kind}: {message}"), "", "  "):
            say(click.style(line, fg="red"))
    else:
        _show_answer(ended.answer)
    verdict = f"not done: {ended.why}" if ended.why else "done, as the platform takes it"
    mark, colour = ("✗", "red") if ended.why else ("✓", "green")
    for line in wrapped(f"{mark} {verdict}", "", "  "):
        say(click.style(line, fg=colour))
    say(click.style(f"  {ended.seconds:.2f} s of {ended.timeout_s:g} s", dim=True))


def show_emitted(line: str) -> None:
    """Write a line that the handler wrote to standard output: a result event, or whatever else it is."""
    if event := _event(_OURS, line.encode("utf-8", "replace")):
        _show_event(event)
    else:
        say(clean(line))


def _show_answer(answer: Any) -> None:
    if isinstance(answer, dict) and isinstance(answer.get("body"), str):
        headers, body = answer.get("headers") or {}, answer["body"]
        say(click.style(f"HTTP {answer.get('statusCode')}", bold=True))
        if event := _event(headers, body.encode()):
            _show_event(event)
        else:
            _show_text(body)
    elif event := _event(_OURS, json.dumps(answer).encode()):
        _show_event(event)
    else:
        _show_text(json.dumps(answer))


def _show_event(event: CloudEvent) -> None:
    """Show a result event with the time that its call to the cloud took: those of a batch run at once."""
    show(event, (event.data["upstream"] or {"duration_ms": 0})["duration_ms"] / 1000)


def _show_text(text: str) -> None:
    try:
        lines = json.dumps(json.loads(text), indent=2).splitlines()
    except ValueError:
        lines = text.splitlines()
    for line in lines:
        say(clean(line))


def _event(headers: Mapping[str, str], body: bytes) -> CloudEvent | None:
    return result_event(Reply(200, headers, body, 0.0))
