"""The sinks that HONGYAN_SINKS names, made once at start, for the worker and whatever else hands results on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from events.queues import QueueRefused, QueueUnavailable, urls
from events.queues.publishing import Publisher
from events.sinks import places
from events.sinks.queue import QueueSink
from events.sinks.receivers import Receiver
from events.sinks.several import Named
from events.sinks.stdout import Stdout
from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.queues.urls import QueueUrl

VARIABLE = "HONGYAN_SINKS"
DEFAULT = "stdout:"
"""The sinks where none are named."""
QUEUE_NAME = "hongyan-results"
"""The queue of a sink whose URL names none."""

_RECEIVERS = ("http", "https")

_Wanted = tuple[tuple[str, ...], Callable[[], Named]]


def open_sinks(
    text: str, environ: Mapping[str, str], *, consumed: QueueUrl | None = None, threads: int = 32
) -> list[Named]:
    """Make the sinks of URLs separated by blanks; `stdout:` when there are none.

    `stdout:`, `https://host/path?query` (also `http://`) with options in its fragment (`events.sinks.receivers`), or a queue
    (`events.queues.urls`), `hongyan-results` unless the URL says `queue`. `environ` holds the secrets that options name; `consumed` is the
    queue that may be no sink, since results would come back as messages; `threads`: how many emit at once.

    No receiver and no broker is reached before its first event. Raises ConfigurationError that names the variable, and a URL by its number,
    but never a secret, a password or a query.
    """
    found = text.split() or [DEFAULT]
    taken: dict[tuple[str, ...], str] = {}
    if consumed:
        taken[places.of_queue(consumed)] = "is the queue that is consumed: add ?queue=NAME with another name"
    wanted: list[Callable[[], Named]] = []
    for number, url in enumerate(found, 1):
        label = VARIABLE if len(found) == 1 else f"{VARIABLE} (URL {number})"
        place, make = _read(url, label, environ, threads)
        if place in taken:
            raise ConfigurationError(f"{label} {taken[place]}")
        taken[place] = "names a sink that is named before: take it out"
        wanted.append(make)
    with ExitStack() as opened:
        sinks = []
        for make in wanted:
            sinks.append(make())
            opened.callback(sinks[-1].close)
        opened.pop_all()
    return _told_apart(sinks)


def _read(url: str, label: str, environ: Mapping[str, str], threads: int) -> _Wanted:
    """Return what makes a sink the same as another, and what makes it."""
    scheme = url.partition(":")[0].lower()
    if url == DEFAULT:
        return ("stdout",), lambda: Named(DEFAULT, Stdout())
    if scheme in _RECEIVERS:
        receiver = Receiver.read(url, label, environ)
        return places.of_receiver(receiver.url), partial(_receiver, receiver, environ, threads)
    if scheme in urls.SCHEMES:
        return _queue(url, label)
    known = ", ".join([DEFAULT, *(f"{name}://" for name in (*_RECEIVERS, *urls.SCHEMES))])
    raise ConfigurationError(f"{label} must begin with one of {known}; several URLs are separated by blanks")


def _queue(url: str, label: str) -> _Wanted:
    read = urls.read(url, label, name=QUEUE_NAME)
    if urlsplit(url).fragment:
        raise ConfigurationError(
            f"{label}: the options of a queue stand after a ?, and a # in a password is written %23"
        )
    return places.of_queue(read), partial(_opened, read, label)


def _opened(url: QueueUrl, label: str) -> Named:
    publisher = Publisher(url, label)
    try:
        publisher.open()
    except (QueueUnavailable, QueueRefused) as error:
        raise ConfigurationError(f"{label}: {error}") from error
    sink = QueueSink(publisher)
    return Named(sink.shown, sink, sink.close)


def _receiver(receiver: Receiver, environ: Mapping[str, str], threads: int) -> Named:
    sink = receiver.sink(environ, threads)
    return Named(sink.shown, sink, sink.close)


def _told_apart(sinks: list[Named]) -> list[Named]:
    """Return the sinks, those numbered that would be shown alike: two paths of one host."""
    names = Counter(sink.shown for sink in sinks)
    return [
        replace(sink, shown=f"{sink.shown} (URL {number})") if names[sink.shown] > 1 else sink
        for number, sink in enumerate(sinks, 1)
    ]
