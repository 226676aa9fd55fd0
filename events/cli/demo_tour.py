"""How the demo shows itself: a tour on a terminal, or one result event a line in a pipe."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from events.cli.rendering import show
from events.cli.terminal import clipped, flask_command, say, say_json, width, wrapped
from events.cloudevents.json import to_envelope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.cli.demo_steps import Letter, Look
    from events.cli.post import Reply
    from events.cloudevents import CloudEvent

_INDENT = "      "


class Lines:
    """Writes the result events and nothing else."""

    def opened(self, webhook: str, cloud: str) -> None:
        """Say nothing."""

    def announced(self, number: int, total: int, step: Letter | Look) -> None:
        """Say nothing."""

    def disturbing(self, cloud: str, fault: Mapping[str, Any]) -> None:
        """Say nothing."""

    def sending(self, url: str, headers: Mapping[str, str], step: Letter) -> None:
        """Say nothing."""

    def received(self, event: CloudEvent, reply: Reply, step: Letter) -> None:  # noqa: ARG002  As the tour has it.
        """Write the result event as one line."""
        say_json(to_envelope(event))

    def found(self, cloud: str, entries: list[dict[str, Any]], step: Look) -> None:
        """Say nothing."""

    def closed(self, total: int, seconds: float) -> None:
        """Say nothing."""


class Tour(Lines):
    """Writes for a person: before each step why, then what is sent, then what came back."""

    def opened(self, webhook: str, cloud: str) -> None:
        """Say where everything is."""
        say(click.style("Hongyan, the wild goose that carries letters", bold=True))
        say("An event comes in, one cloud call is made, one result event goes out.")
        say()
        say(f"the webhook         {webhook}")
        say(f"the emulated cloud  {cloud}  (nothing is real)")

    def announced(self, number: int, total: int, step: Letter | Look) -> None:
        """Say what comes now, and why."""
        say()
        say(f"{click.style(f'{number:2}/{total}', dim=True)} {click.style(step.title, bold=True)}")
        for line in wrapped(step.why, _INDENT):
            say(line)

    def disturbing(self, cloud: str, fault: Mapping[str, Any]) -> None:
        """Show what the emulator is told."""
        _curl(f"{cloud}/_emulator/faults", {"Content-Type": "application/json"}, json.dumps(fault))

    def sending(self, url: str, headers: Mapping[str, str], step: Letter) -> None:
        """Show the request as curl would send it."""
        sample = f"@events/samples/{step.operation}.json"
        _curl(url, headers, sample if step.payload is None else json.dumps(step.payload))

    def received(self, event: CloudEvent, reply: Reply, step: Letter) -> None:
        """Show the result event; of a binary one its headers too."""
        if step.binary:
            for name, value in reply.headers.items():
                if name.lower() in ("ce-type", "ce-id", "ce-causationid", "ce-traceparent"):
                    say(click.style(f"{_INDENT}< {name.lower()}: {value}", dim=True))
        show(event, reply.seconds, _INDENT)

    def found(self, cloud: str, entries: list[dict[str, Any]], step: Look) -> None:
        """Show the journal's entries."""
        say(click.style(f"{_INDENT}$ curl {cloud}/_emulator/requests", fg="cyan"))
        for entry in entries:
            line = f"{entry['method']} {entry['path']}"
            say(f"{_INDENT}{clipped(line, width() - len(_INDENT))}")
        once = len(entries) == 1
        verdict = f"{'✓' if once else '✗'} {step.host} was sent {'once' if once else f'{len(entries)} times'}"
        say(_INDENT + click.style(verdict, fg="green" if once else "red", bold=True))

    def closed(self, total: int, seconds: float) -> None:
        """Say what to try next."""
        flask = flask_command()
        say()
        say(click.style(f"All {total} steps went as they should, in {seconds:.1f} s. Now you:", bold=True))
        hints = {
            "make run": "serve the webhook on this machine",
            f"{flask} send elb.list_members": "in another terminal: post a sample",
            f"{flask} functions": "what can be asked for",
            "README.md": "the real cloud, and new operations",
        }
        size = max(map(len, hints))
        for what, why in hints.items():
            first, *more = wrapped(f"{what.ljust(size)}  {why}", "  ", " " * (size + 4))
            for line in (first.replace(what, click.style(what, fg="cyan"), 1), *more):
                say(line)


def _curl(url: str, headers: Mapping[str, str], data: str) -> None:
    """Write a request as a curl command that a shell takes; only JSON is broken, and between its tokens."""
    lines = [f"{_INDENT}$ curl {url}"]
    for part in (f"-H '{name}: {value}'" for name, value in headers.items()):
        if len(f"{lines[-1]} {part} \\") <= width():
            lines[-1] += f" {part}"
        else:
            lines[-1] += " \\"
            lines.append(f"{_INDENT}    {part}")
    lines[-1] += " \\"
    lines += wrapped(f"-d {data}" if data.startswith("@") else f"-d '{data}'", f"{_INDENT}    ", f"{_INDENT}      ")
    for line in lines:
        say(click.style(line, fg="cyan"))
