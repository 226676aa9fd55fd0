"""`flask demo`: real requests through the webhook to the emulated cloud, as a short tour for whoever sees this for the first time."""

from __future__ import annotations

import json
import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from events.cli.demo_steps import CAUSE, TRACEPARENT, Letter, Look, steps
from events.cli.demo_tour import Lines, Tour
from events.cli.post import NoReply, ask, result_event
from events.cli.terminal import for_people, say
from events.cloudevents import CloudEvent
from events.cloudevents.http import to_binary
from events.cloudevents.json import to_envelope
from events.logs import LOGGER
from events.settings import EventSettings
from events.triggers.webhook import create_app
from functions.cloud.emulator.core import Emulator
from functions.cloud.emulator.server import serving, serving_app
from functions.cloud.settings import CloudSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TIMEOUT_S = 20.0


_EXAMPLE = """\b
Example:
  flask demo
  flask demo --json > events.jsonl
"""


@click.command("demo", short_help="See it work: a tour in a few seconds.", epilog=_EXAMPLE)
@click.option("--json", "as_json", is_flag=True, help="Write the result events only, one a line, as when piped.")
def command(*, as_json: bool) -> None:
    """Send real requests through the webhook to the emulated cloud and show what comes back. Needs no account.

    Exits 1 when anything became of them that should not.
    """
    stage = Tour() if for_people(as_json=as_json) else Lines()
    started = time.monotonic()
    with _quiet(), serving(Emulator()) as cloud:
        app = create_app(CloudSettings.from_env({"HONGYAN_EMULATOR": cloud}), EventSettings())
        with serving_app(app) as webhook:
            stage.opened(webhook, cloud)
            wrong = _played(stage, webhook, cloud)
    for complaint in wrong:
        say(click.style(f"not as expected: {complaint}", fg="red"), err=True)
    if wrong:
        click.get_current_context().exit(1)
    stage.closed(len(steps()), time.monotonic() - started)


def _played(stage: Tour | Lines, webhook: str, cloud: str) -> list[str]:
    """Play every step and return what was not as expected, a sentence each."""
    wrong = []
    for number, step in enumerate(steps(), 1):
        stage.announced(number, len(steps()), step)
        try:
            right = _sent(stage, webhook, cloud, step) if isinstance(step, Letter) else _looked(stage, cloud, step)
        except NoReply as error:
            right = False
            say(str(error), err=True)
        if not right:
            wrong.append(f"step {number}, {step.title}")
    return wrong


def _sent(stage: Tour | Lines, webhook: str, cloud: str, step: Letter) -> bool:
    if step.fault is not None:
        stage.disturbing(cloud, step.fault)
        fault = json.dumps(step.fault).encode()
        ask(f"{cloud}/_emulator/faults", {"Content-Type": "application/json"}, fault, timeout_s=_TIMEOUT_S)
    url, headers, body = _letter(webhook, step)
    stage.sending(url, headers, step)
    reply = ask(url, headers, body, timeout_s=_TIMEOUT_S)
    event = result_event(reply)
    if event is None:
        return False
    stage.received(event, reply, step)
    return bool(event.data["outcome"] == step.outcome) and step.proof(to_envelope(event))


def _letter(webhook: str, step: Letter) -> tuple[str, dict[str, str], bytes]:
    if not step.binary:
        return f"{webhook}/functions/{step.operation}", {"Content-Type": "application/json"}, step.body
    event = CloudEvent(
        id=CAUSE,
        source="/demo",
        type=f"hongyan.{step.operation}",
        data=step.body,
        datacontenttype="application/json",
        extensions={"traceparent": TRACEPARENT},
    )
    headers, body = to_binary(event)
    return f"{webhook}/events", {**headers, "Accept": "application/json"}, body


def _looked(stage: Tour | Lines, cloud: str, step: Look) -> bool:
    journal = json.loads(ask(f"{cloud}/_emulator/requests", timeout_s=_TIMEOUT_S).body)["requests"]
    found = [entry for entry in journal if entry["method"] == "POST" and _names(entry["body"], step.host)]
    stage.found(cloud, found, step)
    return len(found) == 1


def _names(body: Any, host: str) -> bool:
    members: list[Mapping[str, Any]] = body.get("members", []) if isinstance(body, dict) else []
    return any(member.get("host") == host for member in members)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the log of the webhook in this process off the terminal: the tour tells the same."""
    handler = logging.NullHandler()
    logger = logging.getLogger(LOGGER)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
