"""HONGYAN_METRICS: what it may be, what it needs, and that nothing of it is there where it is not set."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from events.metrics import Metrics, audience, metrics_from_env
from events.metrics.counted import Counted
from events.queues import Counts
from functions.cloud.errors import ConfigurationError
from tests.events.cli.support import environment

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("value", [None, "", " ", "off"])
def test_nothing_is_counted_unless_it_is_asked_for(value: str | None) -> None:
    found = metrics_from_env({} if value is None else {"HONGYAN_METRICS": value})
    assert type(found) is Metrics
    assert found.audience == ""


@pytest.mark.parametrize("value", ["local", "any", " any "])
def test_it_is_asked_for_by_who_may_read_it(value: str) -> None:
    found = metrics_from_env({"HONGYAN_METRICS": value})
    assert type(found) is Counted
    assert found.audience == value.strip()


def test_who_asks_by_other_means_says_what_an_unset_variable_stands_for() -> None:
    assert audience({}, unset="local") == "local"
    assert audience({"HONGYAN_METRICS": "off"}, unset="local") == ""
    assert audience({"HONGYAN_METRICS": "any"}, unset="local") == "any"


@pytest.mark.parametrize("value", ["on", "true", "1", "LOCAL", "local,any", "0.0.0.0"])
def test_any_other_value_is_refused_by_name(value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"HONGYAN_METRICS must be off, local .* or any"):
        metrics_from_env({"HONGYAN_METRICS": value})


def test_without_the_extra_the_refusal_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ConfigurationError, match=r"HONGYAN_METRICS needs .*: pip install '\.\[metrics\]'"):
        metrics_from_env({"HONGYAN_METRICS": "local"})
    assert type(metrics_from_env({})) is Metrics


def test_what_counts_nothing_takes_everything_that_is_told_to_it() -> None:
    idle = Metrics()
    idle.finished({}, None)
    idle.observe_queue("orders", Counts(1, 0))
    idle.settled("dead", redelivered=True)
    idle.emitted("http", "taken")
    idle.paused("elb.list_members", paused=True)
    answer = idle.answer("", near=True)
    assert (answer.status, json.loads(answer.body)["kind"]) == (404, "not_found")


SERVES = """
import sys
from events.triggers.webhook import create_app
from functions.cloud.settings import CloudSettings
http = create_app(CloudSettings.from_env({"HONGYAN_EMULATOR": "local"})).test_client()
members = open("events/samples/elb.list_members.json").read()
called = http.post("/functions/elb.list_members", data=members, headers={"Content-Type": "application/json"})
found = http.get("/metrics")
print(called.status_code, found.status_code, found.content_type, "prometheus_client" in sys.modules)
"""


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "200 404 application/problem+json False"),
        ({"HONGYAN_METRICS": "off"}, "200 404 application/problem+json False"),
        ({"HONGYAN_METRICS": "local"}, "200 200 text/plain; version=0.0.4; charset=utf-8 True"),
    ],
    ids=["unset", "off", "local"],
)
def test_the_library_is_imported_only_where_something_is_counted(changes: dict[str, str], says: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SERVES],
        cwd=ROOT,
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ran.stdout.strip() == says


@pytest.mark.parametrize(
    "module", ["events.dispatch", "events.metrics", "events.gunicorn_conf", "events.triggers.hooks"]
)
def test_no_module_brings_the_library_with_it(module: str) -> None:
    code = f"import sys, {module}; print('prometheus_client' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ran.stdout == "False\n"
