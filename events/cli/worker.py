"""`flask worker`: take messages from a queue until it is stopped or the queue is empty, for production and for batch jobs."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from events import logs
from events.cli.banner import cloud_banner
from events.cli.progress import Progress
from events.cli.terminal import clean, say
from events.metrics import metrics_from_env
from events.queues import QueueRefused, QueueUnavailable
from events.triggers.worker import app
from events.triggers.worker.verdicts import CREDENTIALS, GONE
from functions.cloud.errors import ConfigurationError
from functions.cloud.settings import CloudSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from events.metrics import Metrics
    from events.triggers.worker import Worker
    from events.triggers.worker.summary import Summary

_EXAMPLE = """\b
Example:
  flask worker --queue sqlite:///queue.sqlite
  flask worker --queue redis://127.0.0.1:6379/0 --threads 32
  flask queue publish elb.list_members --count 100 && flask worker --until-empty
"""


@click.command("worker", short_help="Take messages from a queue.", epilog=_EXAMPLE)
@click.option("--queue", "HONGYAN_QUEUE", help="The queue's URL, by default HONGYAN_QUEUE.")
@click.option("--store", "HONGYAN_STORE", help="Where ended calls are remembered, by default with the queue; or none.")
@click.option("--sinks", "HONGYAN_SINKS", help="Where result events go: URLs with blanks between, by default stdout:")
@click.option("--threads", "HONGYAN_THREADS", help="Messages that run at once, by default 16.")
@click.option("--metrics", is_flag=True, help="Count, and serve /metrics at HONGYAN_METRICS_BIND (127.0.0.1:9464).")
@click.option("--until-empty", is_flag=True, help="End when nothing is left in the queue.")
@click.option("--json", "as_json", is_flag=True, help="Write logs as JSON lines, as when piped.")
def command(*, metrics: bool, until_empty: bool, as_json: bool, **given: str | None) -> None:
    """Run the messages of a queue, each exactly once, and send on their result events.

    SIGTERM and Ctrl-C finish what is under way and give the rest back; a second one ends at once. Exits with 1 when a sink wants no events
    any more, when --until-empty left dead letters behind, or when it ended because the cloud refuses our credentials.
    """
    environ = {**os.environ, **{name: value for name, value in given.items() if value}}
    # It is None where it was closed before Python began.
    people = sys.stderr is not None and sys.stderr.isatty() and not as_json
    progress = Progress(sys.stderr) if people else None
    try:
        _log(environ, progress)
        for line in cloud_banner(CloudSettings.from_env(environ)):
            say(line, err=True)
        counted = metrics_from_env(environ, unset="local" if metrics else "off")
        show = progress.show if progress else lambda _: None
        worker = app.make(environ, progress=show, metrics=counted)
        if progress and until_empty:
            progress.expect(worker.waiting())
        with _stopped_by_signals(worker), _served(counted, environ):
            summary = worker.run(until_empty=until_empty)
    except (ConfigurationError, QueueUnavailable, QueueRefused) as error:
        raise click.ClickException(clean(str(error))) from None
    finally:
        if progress:
            progress.end()
    _tell(summary, people=people)
    click.get_current_context().exit(1 if summary.returned[GONE] or (until_empty and _fell_short(summary)) else 0)


def _fell_short(summary: Summary) -> bool:
    return bool(summary.dead or summary.returned[CREDENTIALS])


def _log(environ: Mapping[str, str], progress: Progress | None) -> None:
    """Write logs: all as JSON lines for machines; warnings above the line of progress for a person, unless more was asked for."""
    if progress is None:
        logs.configure(people=False, environ=environ)
    else:
        logs.configure(progress, people=True, environ={"HONGYAN_LOG_LEVEL": "WARNING", **environ})


@contextmanager
def _served(metrics: Metrics, environ: Mapping[str, str]) -> Iterator[None]:
    """Serve what is counted, if anything is. Raises ConfigurationError for an address that cannot be used."""
    if not metrics.audience:
        yield
        return
    from events.metrics.serving import DEFAULT_BIND, serve

    with serve(metrics, environ.get("HONGYAN_METRICS_BIND", "").strip() or DEFAULT_BIND):
        yield


@contextmanager
def _stopped_by_signals(worker: Worker) -> Iterator[None]:
    def stop(number: int, _frame: Any) -> None:
        worker.stop()
        signal.signal(number, before[signal.Signals(number)])

    before = {each: signal.signal(each, stop) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _tell(summary: Summary, *, people: bool) -> None:
    """Write the last words for a person; the log has them for machines."""
    if not people:
        return
    ended = ", ".join(f"{count} {outcome}" for outcome, count in sorted(summary.outcomes.items())) or "nothing to do"
    say(f"{summary.ended} messages ended: {ended}", err=True)
    if summary.dead:
        say(click.style(f"{summary.dead} dead letters: flask dead-letters list", fg="red"), err=True)
