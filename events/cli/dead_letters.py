"""`flask dead-letters`: the messages that workers gave up, to be looked at, put back or thrown away by whoever has to mend that."""

from __future__ import annotations

import time
from collections import Counter
from functools import wraps
from typing import TYPE_CHECKING

import click

from events.cli.choosing import Filters, abbreviated, filters, letters_of, named
from events.cli.letters import facts, listed, show, tell
from events.cli.queues import check_asking, confirmed, counted, json_option, opened, queue_option
from events.cli.terminal import clean, flask_command, for_people, say, waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from events.queues import Letter

_MOST = 50  # Letters that are listed for a person.
_EXAMPLE = """\b
Example:
  flask dead-letters list --queue sqlite:///queue.sqlite
  flask dead-letters redrive --all --kind unavailable
"""
_LIST_EXAMPLE = """\b
Example:
  flask dead-letters list
  flask dead-letters list --operation apig.add_members --reason failed --newer-than 2h
  flask dead-letters list --json | jq -r .message.id
"""
_SHOW_EXAMPLE = """\b
Example:
  flask dead-letters show 1f2e3d4c
  flask dead-letters show 1f2e3d4c --json | jq -r .message.body_base64 | base64 -d
"""
_REDRIVE_EXAMPLE = """\b
Example:
  flask dead-letters redrive 1f2e3d4c
  flask dead-letters redrive --all --kind unavailable --older-than 10m --yes
"""
_DROP_EXAMPLE = """\b
Example:
  flask dead-letters drop 1f2e3d4c
  flask dead-letters drop --all --reason rejected --older-than 30d --yes
"""


@click.group("dead-letters", short_help="List, redrive or drop dead letters.", epilog=_EXAMPLE)
def command() -> None:
    """Look at the messages that cannot be handled, each with its last result event; put them back, or throw them away."""


@command.command("list", short_help="List dead letters and their errors.", epilog=_LIST_EXAMPLE)
@queue_option
@filters
@click.option("--most", type=click.IntRange(1), help=f"So many at most; on a terminal {_MOST}, in a pipe all of them.")
@json_option
def list_(url: str | None, wanted: Filters, most: int | None, *, as_json: bool) -> None:
    """List the dead letters, oldest first: why each is dead, its operation, and its error below.

    In a pipe each is one line of JSON, with its result event and without its message's body.
    """
    with opened(url) as (queue, _):
        letters = letters_of(queue)
    now = time.time()
    found = [letter for letter in letters if wanted.takes(letter, now)]
    people = for_people(as_json=as_json)
    shown = found[: most or (_MOST if people else None)]
    for letter in () if people else shown:
        tell(facts(letter, now))
    if people and shown:
        for line in listed(shown, abbreviated(letters), now):
            say(line)
        say(click.style(f"More about one: {flask_command()} dead-letters show ID", dim=True))
    if people and not shown:
        say(_none(letters))
    if len(shown) < len(found):
        told = f"{len(shown)} of {len(found)}, the oldest: --most {len(found)} lists them all"
        say(f"{told}, --operation, --kind, --reason, --older-than and --newer-than choose", err=not people)


def _none(letters: Sequence[Letter]) -> str:
    return (
        f"None of {counted(len(letters), 'dead letter')}, which are {_kinds(letters)}" if letters else "No dead letters"
    )


def _kinds(letters: Sequence[Letter]) -> str:
    """Return what letters are, in a few words: how many of which operation, for which reason."""
    kinds = Counter(f"{letter.operation[:60]} {letter.reason[:20]}" for letter in letters).most_common()
    more = f" and {sum(number for _, number in kinds[4:])} others" if kinds[4:] else ""
    return clean(", ".join(f"{number} {kind}" for kind, number in kinds[:4]) + more)


@command.command("show", short_help="Show everything about one.", epilog=_SHOW_EXAMPLE)
@click.argument("beginning", metavar="ID")
@queue_option
@json_option
def show_one(beginning: str, url: str | None, *, as_json: bool) -> None:
    """Show the dead letter ID, of which the first characters are enough: its reason, its result event, its message and the body.

    In a pipe it is one line of JSON with the whole body, in base64.
    """
    with opened(url) as (queue, _):
        letters = letters_of(queue)
    now = time.time()
    for letter in named(letters, [beginning]):
        if not for_people(as_json=as_json):
            tell(facts(letter, now, body=True))
            continue
        show(letter, now)
        say(click.style(f"\nTo put it back: {flask_command()} dead-letters redrive {clean(beginning)}", dim=True))


def _choosing(run: Callable[..., None]) -> Callable[..., None]:
    """Give a command letters to work on, by ids or by --all and filters; with `run(url, letters, yes=..., as_json=...)`."""

    @click.argument("beginnings", metavar="[ID]...", nargs=-1)
    @click.option("--all", "everything", is_flag=True, help="All of them, or all that the next options leave.")
    @filters
    @queue_option
    @click.option("--yes", is_flag=True, help="Do not ask.")
    @json_option
    @wraps(run)
    def chosen(
        beginnings: Sequence[str], url: str | None, wanted: Filters, *, everything: bool, yes: bool, as_json: bool
    ) -> None:
        if bool(beginnings) == everything or (beginnings and wanted != Filters()):
            raise click.UsageError(
                "name the letters by their ids, or say --all, with --operation and the like for some"
            )
        if everything:
            check_asking(yes=yes)
        # Closed before anybody is asked: a broker does not wait as long as people do.
        with opened(url) as (queue, _):
            letters = letters_of(queue)
        now = time.time()
        found = named(letters, beginnings) if beginnings else [one for one in letters if wanted.takes(one, now)]
        if not found and for_people(as_json=as_json):
            say(_none(letters))
        else:
            run(url, found, yes=yes, as_json=as_json)

    return chosen


@command.command("redrive", short_help="Put messages back into the queue.", epilog=_REDRIVE_EXAMPLE)
@_choosing
def redrive(url: str | None, letters: Sequence[Letter], *, yes: bool, as_json: bool) -> None:
    """Put the messages of the dead letters ID back into the queue, with all their tries before them.

    They keep their ids: a call that had its effect, or may have had it, is answered from the workers' store as long as that remembers it,
    and nothing is done twice. Asks before it puts back more than one.
    """
    if len(letters) > 1:
        confirmed(f"Put {counted(len(letters), 'message')} back ({_kinds(letters)})?", yes=yes)
    with opened(url) as (queue, _), waiting("putting them back ..."):
        done = queue.redrive([letter.id for letter in letters])
    _tell("redriven", "put back into the queue, with the ids that they had", letters, done, as_json=as_json)


@command.command("drop", short_help="Throw dead letters away.", epilog=_DROP_EXAMPLE)
@_choosing
def drop(url: str | None, letters: Sequence[Letter], *, yes: bool, as_json: bool) -> None:
    """Throw the dead letters ID away, with their messages and result events. Asks first: nothing brings them back."""
    if letters:
        confirmed(f"Throw {counted(len(letters), 'dead letter')} away for good ({_kinds(letters)})?", yes=yes)
    with opened(url) as (queue, _), waiting("throwing them away ..."):
        done = queue.drop([letter.id for letter in letters])
    _tell("dropped", "thrown away", letters, done, as_json=as_json)


def _tell(name: str, how: str, letters: Sequence[Letter], done: int, *, as_json: bool) -> None:
    if not for_people(as_json=as_json):
        tell({name: done, "chosen": [letter.id for letter in letters]})
        return
    gone = f"; {len(letters) - done} had gone already" if done < len(letters) else ""
    say(f"{click.style('✓', fg='green')} {counted(done, 'dead letter')} {how}{gone}")
