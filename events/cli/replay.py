"""`flask replay`: send a refused request again, signed afresh, for whoever has mended what it was refused for."""

from __future__ import annotations

import os
import re
import uuid
from typing import TYPE_CHECKING

import click

from events import strictjson
from events.cli.announcing import about
from events.cli.reading import whole
from events.cli.send import deliver, id_of, json_option, url_option
from events.cli.signing import sender_of, senders_of, senders_option, signed
from events.cli.terminal import clean, say, wrapped
from events.cli.verify import capture_of
from events.explain.proof import proved
from events.explain.texts import texts
from events.signatures import Delivery, Refusal, Verified
from events.signatures.aes import SealedScheme

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.captures import Capture
    from events.cli.signing import Post
    from events.senders import Sender

# What says how the body is to be read, or belongs to a trace; the rest was of the first way here, or is made anew.
_KEPT = re.compile(r"content-type|ce-[a-z0-9]+|traceparent|tracestate")
_IDS = frozenset({"webhook-id", "svix-id", "x-github-delivery", "idempotency-key", "ce-id"})
_ID = re.compile(r"[!-~]{1,255}")
_EXAMPLE = """\b
Example:
  flask replay captures/1750000000000-monitoring-too_old-1a2b3c.json
  flask replay capture.json --url https://hooks.example.com --same-id
"""


@click.command("replay", short_help="Send a refused request again, signed afresh.", epilog=_EXAMPLE)
@click.argument("capture", callback=whole)
@url_option
@click.option("--id", "its_id", callback=id_of, help="The id to send it with, by default a new one.")
@click.option("--same-id", is_flag=True, help="Send it with the id that it had, as a retry of it.")
@click.option("--unproved", is_flag=True, help="Send it even if nothing proves that its sender made it.")
@senders_option
@json_option
def command(
    capture: bytes,
    url: str,
    its_id: str | None,
    senders_file: str | None,
    *,
    same_id: bool,
    unproved: bool,
    as_json: bool,
) -> None:
    """Post the body of the file CAPTURE to its sender's door, signed now with the sender's first secret, and show the result event.

    What is sent is shown first. A request that no secret of the sender made may be a stranger's, and is sent with --unproved only.

    Exits 0 when the outcome is succeeded or partial, 1 otherwise.
    """
    if its_id and same_id:
        raise click.UsageError("--id and --same-id are two ids")
    kept = capture_of(capture)
    sender = sender_of(senders_of(senders_file), kept.sender)
    _refuse_unsendable(kept)
    lower = {name.lower(): value for name, value in kept.headers.items()}
    headers, body = _opened(kept, sender, lower)
    post = _again(sender, lower, headers, body, its_id, same_id=same_id)
    known = texts(senders_file or "", os.environ, sender.name)
    proof, cause = proved(sender, kept, known)
    sends = "POST" if proof or unproved else "Not sent: POST"
    say(clean(f"{sends} {url}/hooks/{sender.name}, signed with the secret of {post.origin}"), err=True)
    for line in about(sender, headers, body, known, cause):
        say("\n".join(wrapped(line, "  ")), err=True)
    if not (proof or unproved):
        raise click.ClickException(_unproved(sender, cause))
    deliver(url, post, as_json=as_json)


def _refuse_unsendable(kept: Capture) -> None:
    if kept.method != "POST":
        told = "this is no POST but a handshake, which asks for nothing: let the sender try once more"
        raise click.ClickException(told)
    if kept.redacted:
        told = "secrets were taken out of its body before it was kept: there is no whole body to send"
        raise click.ClickException(told)


def _unproved(sender: Sender, cause: str) -> str:
    return clean(
        f"nothing proves that {sender.name} made this request ({cause}): a stranger may have, and signed afresh it would be run."
        " `flask verify` on the same file tells more; if you know where it is from and want what it asks for, add --unproved"
    )


def _again(
    sender: Sender,
    lower: Mapping[str, str],
    headers: Mapping[str, str],
    body: bytes,
    its_id: str | None,
    *,
    same_id: bool,
) -> Post:
    """Return a captured request signed afresh; `lower` are the headers it came with. Raises click.ClickException for one that cannot be."""
    new = its_id or str(uuid.uuid4())
    post = signed(sender, headers, body, new)
    if not same_id or new not in post.headers.values():  # An id in the body is the same anyway.
        return post
    old = next(
        (lower[name] for name in sender.scheme.headers if name in _IDS and _ID.fullmatch(lower.get(name, ""))), None
    )
    if old is None:
        raise click.ClickException("the id that it had did not arrive: leave --same-id out, or give one by --id")
    return signed(sender, headers, body, old)


def _opened(kept: Capture, sender: Sender, lower: Mapping[str, str]) -> tuple[dict[str, str], bytes]:
    """Return the headers that say how a body is to be read, and the body, decrypted if it was encrypted. Raises click.ClickException."""
    headers = {name: value for name, value in lower.items() if _KEPT.fullmatch(name) and _writable(value)}
    scheme = sender.scheme
    if not isinstance(scheme, SealedScheme):
        return headers, kept.body
    try:
        time = scheme.read(Delivery(kept.body, lower, kept.query)).time
    except Refusal:
        time = None
    found = scheme.verify(kept.body, lower, kept.query, sender.secrets, kept.time if time is None else time)
    if isinstance(found, Verified):
        return {**headers, **({"content-type": found.content_type} if found.content_type else {})}, found.body
    if _is_sealed(kept.body):
        told = f"its body is encrypted, and with the secrets that are here it is not opened: {found.reason}, {found.detail}"
        raise click.ClickException(clean(told))
    return headers, kept.body


def _writable(value: str) -> bool:
    """Whether an HTTP client writes this as a header's value: a file may hold anything."""
    return value.isprintable() and all(char <= "\xff" for char in value)


def _is_sealed(body: bytes) -> bool:
    if b"<Encrypt>" in body:
        return True
    try:
        value = strictjson.loads(body)
    except strictjson.NotJSON:
        return False
    return isinstance(value, dict) and "encrypt" in value
