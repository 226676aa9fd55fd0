"""`flask verify`: why a signed request was refused and what to do, for whoever sets a sender up."""

from __future__ import annotations

import os
import re
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import click

from events.captures import Capture, NotACapture
from events.cli.reading import whole
from events.cli.rendering import show_json
from events.cli.signing import Unusable, sender_of, senders_of, senders_option
from events.cli.terminal import clean, for_people, say, wrapped
from events.deliveries import Deliveries, Unavailable
from events.explain import explain
from events.explain.texts import texts
from events.signatures import Refused
from events.triggers.http import HttpRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from events.deliveries import Seen
    from events.explain import Explanation
    from events.senders import Sender

_COLOURS = {"ok": ("✓", "green"), "already_handled": ("◐", "yellow"), "not_judged": ("?", "magenta")}
_SECONDS = re.compile(r"[0-9]{1,11}(\.[0-9]{1,9})?")
_LAST = 253_402_300_799.0  # The end of the year 9999, which is as far as dates reach.


def capture_of(raw: bytes) -> Capture:
    """Return the capture that a file's bytes are. Raises Unusable."""
    try:
        return Capture.from_json(raw)
    except NotACapture as error:
        raise Unusable(clean(str(error))) from None


def _headers(_context: click.Context, _parameter: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    """Return headers by their names in lower case; those given twice are joined, as servers do."""
    found: dict[str, str] = {}
    for line in given:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise click.BadParameter("a header is written 'Name: value'")
        name, value = name.strip().lower(), value.strip()
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _moment(_context: click.Context, _parameter: click.Parameter, given: str | None) -> float | None:
    if given is None or _SECONDS.fullmatch(given):
        return None if given is None else float(given)
    try:
        moment = datetime.fromisoformat(given.replace("Z", "+00:00"))
        seconds = moment.timestamp() if moment.tzinfo else -1.0
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= _LAST:
        raise click.BadParameter("a time is seconds since 1970, or like 2030-12-31T00:00:00Z")
    return seconds


_EXAMPLE = """\b
Example:
  flask verify captures/1750000000000-monitoring-signature_mismatch-1a2b3c.json
  flask verify --sender github --header 'X-Hub-Signature-256: sha256=…' --body-file body.json
"""


@click.command("verify", short_help="Explain why a signed request was refused.", epilog=_EXAMPLE)
@click.argument("capture", required=False, callback=whole)
@click.option("--sender", "name", help="Whose request it is, where there is no capture.")
@click.option("--header", "headers", multiple=True, callback=_headers, help="A header of it, as 'Name: value'.")
@click.option("--query", multiple=True, help="Its query, as 'a=b&c=d'.")
@click.option("--body-file", "body", callback=whole, help="A file with its body, - for standard input.")
@click.option("--at", "--now", "at", callback=_moment, help="Judge it as of this time, not of when it came.")
@senders_option
@click.option("--json", "as_json", is_flag=True, help="Write one line of JSON, as when piped.")
@click.pass_context
def command(
    context: click.Context,
    capture: bytes | None,
    name: str | None,
    headers: Mapping[str, str],
    query: Sequence[str],
    body: bytes | None,
    at: float | None,
    senders_file: str | None,
    *,
    as_json: bool,
) -> None:
    """Explain the refused request in the file CAPTURE (HONGYAN_CAPTURE_DIR keeps them), or one that the options describe.

    Exits 0 when the request is right, 1 when it is refused, 2 when that cannot be told.
    """
    if (capture is None) == (name is None) or (capture is not None and (headers or query or body is not None)):
        raise click.UsageError("give a CAPTURE, or --sender with what else is known of the request")
    received = None if capture is None else capture_of(capture)
    senders = senders_of(senders_file)
    sender = sender_of(senders, received.sender if received else name or "")
    request = _kept(received) if received else _described(headers, query, body or b"")
    now = at if at is not None else received.time if received else time.time()
    found = explain(
        sender,
        request,
        now,
        texts=texts(senders_file or "", os.environ, sender.name),
        seen=_seen(sender, request, now),
        received=received,
        others=senders.values(),
    )
    if for_people(as_json=as_json):
        _show(found, sender)
    else:
        facts = {"cause": found.cause, "told": found.told, "fix": found.fix, "notes": list(found.notes)}
        show_json({**facts, "sender": sender.name, "reason": found.reason})
    context.exit({"ok": 0, "not_judged": 2}.get(found.cause, 1))


def _described(headers: Mapping[str, str], query: Sequence[str], body: bytes) -> HttpRequest:
    """Return the request that the options describe."""
    asked = parse_qs("&".join(text.removeprefix("?") for text in query), keep_blank_values=True)
    return HttpRequest(headers, body, query=asked, https=True)


def _kept(capture: Capture) -> HttpRequest:
    """Return the request that a capture is of. Whether it came over https is told by its reason alone."""
    https = capture.reason != "https_required"
    return HttpRequest(capture.headers, capture.body, capture.method, capture.query, capture.client, https)


def _seen(sender: Sender, request: HttpRequest, now: float) -> Seen | None:
    """Return what the server's processes remember of a request that is right, without making their file."""
    file = os.environ.get("HONGYAN_STATE_FILE", "").strip()
    # A scheme without secrets asks others, which is not done here.
    if not file or not Path(file).is_file() or not sender.scheme.parts:
        return None
    found = sender.scheme.verify(request.body, request.lower(), request.query, sender.secrets, now)
    if isinstance(found, Refused):
        return None
    try:
        with closing(Deliveries(file)) as deliveries:
            return deliveries.look(sender.name, found.fingerprint, found.id, now)
    except Unavailable as error:
        say(clean(f"Whether it was received before is not known: {error}"), err=True)
        return None


def _show(found: Explanation, sender: Sender) -> None:
    mark, colour = _COLOURS.get(found.cause, ("✗", "red"))
    # A reason may be a capture's own: a file may hold anything.
    refused = f", refused as {clean(found.reason)}" if found.reason else ""
    say(f"{click.style(f'{mark} {found.cause}', fg=colour, bold=True)}: {sender.name}{refused}")
    for line in wrapped(clean(found.told), "  "):
        say(line)
    for line in wrapped(clean(found.fix), "  → ", "    ") if found.fix else ():
        say(click.style(line, bold=True))
    for note in found.notes:
        for line in wrapped(clean(note), "  · ", "    "):
            say(click.style(line, dim=True))
