"""What is counted as an HTTP answer, in the text format of Prometheus or in OpenMetrics, whichever is asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from prometheus_client import generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

from events.problems import HttpAnswer

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

# Written out: the library's own constants name other versions from release to release, and its own choice echoes what it was asked.
TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def exposition(registry: CollectorRegistry, accept: str) -> HttpAnswer:
    """Return the answer; `accept` is the request's Accept header, and without a wish for OpenMetrics it is text."""
    if _wants_openmetrics(accept):
        return HttpAnswer(200, {"Content-Type": OPENMETRICS}, openmetrics.generate_latest(registry))  # type: ignore[no-untyped-call]
    return HttpAnswer(200, {"Content-Type": TEXT}, generate_latest(registry))


def _wants_openmetrics(accept: str) -> bool:
    quality = {"application/openmetrics-text": 0.0, "text/plain": 0.0}
    for item in accept.split(","):
        media, *parameters = (part.strip().lower() for part in item.split(";"))
        if media in quality:
            quality[media] = max(quality[media], _quality(parameters))
    return quality["application/openmetrics-text"] > quality["text/plain"]


def _quality(parameters: list[str]) -> float:
    given = next((value[2:] for value in parameters if value.startswith("q=")), "1")
    return float(given) if re.fullmatch(r"[01](\.[0-9]{0,3})?", given) else 0.0
