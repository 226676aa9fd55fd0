"""What a process counts of its work, for whoever watches it: nothing unless HONGYAN_METRICS says so; for the webhook and the worker."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from events.problems import HttpAnswer, problem
from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.queues import Counts

_AUDIENCES = {"off": "", "local": "local", "any": "any"}


class Metrics:
    """What a process counts. This one counts nothing: it stands where nobody asked for more, so that no caller has to look.

    `audience` is who may read it: "" nobody, `local` this machine, `any` everybody who reaches the server. No method raises.
    """

    audience = ""

    def finished(self, data: Mapping[str, Any], seconds: float | None) -> None:
        """Count a result event by its `data`; `seconds` went by from call to result, None when nobody measured it."""

    def observe_queue(self, name: str, counts: Counts | None) -> None:
        """Keep how many messages a queue holds; None when it cannot be asked, and then nothing is told of it."""

    def settled(self, end: str, *, redelivered: bool = False) -> None:
        """Count how a delivery ended: `acknowledged`, `returned` or `dead`. `redelivered`: it was not the first of its message."""

    def emitted(self, sink_kind: str, end: str) -> None:
        """Count what a sink (`stdout`, `http`, `queue`) said to an event: `taken`, `refused`, or that it is `unavailable`."""

    def paused(self, operation: str, paused: bool) -> None:
        """Keep whether the worker waits before it runs an operation again, because the cloud throttles it."""

    def answer(self, accept: str, *, near: bool) -> HttpAnswer:  # noqa: ARG002
        """Return the answer to who asks for all of it; `accept` is the request's Accept header, `near`: it came from this machine."""
        return problem(404, "not_found", "nothing is counted here: HONGYAN_METRICS is local or any where something is")


def audience(environ: Mapping[str, str], unset: str = "off") -> str:
    """Return who may read what is counted, "" when nothing is: HONGYAN_METRICS, or `unset` where it is not set.

    Raises ConfigurationError for another value than `off`, `local` and `any`, and when something is to be counted without the extra for it.
    """
    found = _AUDIENCES.get(environ.get("HONGYAN_METRICS", "").strip() or unset)
    if found is None:
        raise ConfigurationError("HONGYAN_METRICS must be off, local (this machine may ask) or any (everybody may)")
    if found and importlib.util.find_spec("prometheus_client") is None:
        raise ConfigurationError("HONGYAN_METRICS needs the extra `metrics`: pip install '.[metrics]'")
    return found


def metrics_from_env(environ: Mapping[str, str], unset: str = "off") -> Metrics:
    """Return what this process counts with; one for a process, shared between its threads. Raises ConfigurationError, as `audience`."""
    readers = audience(environ, unset)
    if not readers:
        return Metrics()
    # Nothing of the library is imported where nothing is counted.
    from events.metrics.processes import Unwritable, folder

    try:
        shared = folder()
    except Unwritable:
        return Metrics()
    from events.metrics.counted import Counted

    return Counted(readers, shared)
