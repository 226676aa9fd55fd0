"""What is seen from time to time rather than counted, as it was seen last: how full queues are, what a worker has paused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client.core import Metric

    from events.queues import Counts

_STATES = ("ready", "delayed", "in_flight")


class Observed(Collector):
    """Yields gauges of what was seen last; nothing of what was never seen, or could not be told."""

    def __init__(self) -> None:
        self.queues: dict[str, Counts] = {}
        self.paused: dict[str, bool] = {}

    def collect(self) -> Iterable[Metric]:
        """Yield the families that have a sample."""
        return (family for family in self._families() if family.samples)

    def _families(self) -> Iterator[Metric]:
        # Copies: the worker's thread goes on writing.
        queues, paused = self.queues.copy(), self.paused.copy()
        messages = GaugeMetricFamily(
            "hongyan_queue_messages", "Messages in a queue, by what they wait for.", labels=["queue", "state"]
        )
        oldest = GaugeMetricFamily(
            "hongyan_queue_oldest_seconds", "Age of the oldest message that waits.", labels=["queue"]
        )
        dead = GaugeMetricFamily("hongyan_dead_letters", "Messages that were given up.", labels=["queue"])
        for name, counts in queues.items():
            for state in _STATES:
                if (count := getattr(counts, state)) is not None:
                    messages.add_metric([name, state], count)
            if counts.oldest_s is not None:
                oldest.add_metric([name], counts.oldest_s)
            dead.add_metric([name], counts.dead)
        stopped = GaugeMetricFamily(
            "hongyan_worker_paused", "Whether a worker waits before it runs an operation again.", labels=["operation"]
        )
        for operation, now in paused.items():
            stopped.add_metric([operation], now)
        yield from (messages, oldest, dead, stopped)
