"""Helpers of the tests of what is counted: a dispatcher on an emulator of its own whose calls all take a quarter of a second."""

from __future__ import annotations

import itertools
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from prometheus_client.parser import text_string_to_metric_families

from events.dispatch import Call, Dispatcher, Result
from events.samples import sample
from events.settings import EventSettings
from functions.cloud.client import Client
from functions.cloud.deadline import Deadline
from functions.cloud.emulator.adapter import EmulatorAdapter
from functions.cloud.emulator.core import Emulator
from functions.cloud.retry import Retry
from functions.cloud.settings import CloudSettings

if TYPE_CHECKING:
    import pytest

    from events.metrics import Metrics

SAMPLE = object()


class Run:
    """Runs calls on an emulator of its own, which can be told to fail."""

    def __init__(self, metrics: Metrics | None, monkeypatch: pytest.MonkeyPatch) -> None:
        ticks = itertools.count(0.0, 0.25)
        monkeypatch.setattr("events.dispatch.time", SimpleNamespace(perf_counter=lambda: next(ticks)))
        self.emulator = Emulator()
        client = Client(CloudSettings.from_env({"HONGYAN_EMULATOR": "local"}), retry=Retry(sleep=lambda _: None))
        client.transport._session.mount("http://", EmulatorAdapter(self.emulator))
        self.dispatcher = Dispatcher(client, EventSettings(), metrics=metrics)

    def call(self, operation: str, payload: Any = SAMPLE, trigger: str = "webhook") -> Call:
        payload = json.loads(sample(operation)) if payload is SAMPLE else payload
        return Call(operation, payload, Deadline.after(20), "/test", trigger, id="1")

    def __call__(self, operation: str, payload: Any = SAMPLE, trigger: str = "webhook") -> Result:
        return self.dispatcher.dispatch(self.call(operation, payload, trigger))


def text_of(metrics: Metrics) -> str:
    answer = metrics.answer("", near=True)
    assert answer.status == 200
    return answer.body.decode()


def ours(text: str) -> list[str]:
    """Return the samples about our own work, as they stand."""
    return [line for line in text.splitlines() if line.startswith("hongyan_")]


def values(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return every sample by its name and labels, as the library's own parser reads them."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(text: str, name: str, **labels: str) -> float | None:
    return values(text).get((name, tuple(sorted(labels.items()))))
