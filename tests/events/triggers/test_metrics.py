"""GET /metrics of the webhook: who may read it, as what, and that one answer tells the sum over all processes of a server."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from prometheus_client.multiprocess import MultiProcessCollector

from events.metrics.exposition import OPENMETRICS, TEXT
from events.samples import sample
from events.settings import EventSettings
from events.triggers.webhook import create_app
from functions.cloud.errors import ConfigurationError
from functions.cloud.settings import CloudSettings
from tests.events.metrics.support import value
from tests.events.triggers.served import TOKEN, Served, problem_of, served

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask.testing import FlaskClient

SENDER = """
[senders.plain]
scheme = "bearer"
secrets = [{ env = "TOKEN" }]
operations = ["elb.list_members"]
rate = "100000/minute"
"""
CLOUD = CloudSettings.from_env({"HONGYAN_EMULATOR": "local"})
ELSEWHERE = {"REMOTE_ADDR": "192.0.2.1"}
LISTED = {"operation": "elb.list_members", "outcome": "succeeded", "trigger": "webhook"}


@pytest.fixture
def _local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_METRICS", "local")


@pytest.fixture
def signed_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], FlaskClient]:
    """Return an application that takes signed requests, and others' too."""
    monkeypatch.setenv("TOKEN", TOKEN)
    (tmp_path / "senders.toml").write_text(SENDER)
    return lambda: create_app(CLOUD, EventSettings(senders=str(tmp_path / "senders.toml"))).test_client()


@pytest.mark.usefixtures("_local")
def test_calls_through_its_doors_are_told() -> None:
    http = create_app(CLOUD, EventSettings()).test_client()
    for body, status in ((sample("elb.list_members"), 200), (b"{}", 400)):
        called = http.post("/functions/elb.list_members", data=body, content_type="application/json")
        assert called.status_code == status
    found = http.get("/metrics")
    assert (found.status_code, found.content_type) == (200, TEXT)
    assert found.headers["Cache-Control"] == "no-store"
    assert value(found.text, "hongyan_events_total", **LISTED) == 1
    assert value(found.text, "hongyan_events_total", **LISTED | {"outcome": "rejected"}) == 1
    assert value(found.text, "hongyan_event_duration_seconds_count", operation="elb.list_members") == 2


@pytest.mark.usefixtures("_local")
def test_head_openmetrics_and_wrong_methods() -> None:
    http = create_app(CLOUD, EventSettings()).test_client()
    head = http.head("/metrics")
    assert (head.status_code, head.content_type, head.data) == (200, TEXT, b"")
    assert (head.content_length or 0) > 100
    assert http.get("/metrics", headers={"Accept": "application/openmetrics-text"}).content_type == OPENMETRICS
    wrong = http.post("/metrics")
    assert (wrong.status_code, wrong.content_type) == (405, "application/problem+json")
    assert set(wrong.headers["Allow"].split(", ")) == {"GET", "HEAD"}


@pytest.mark.usefixtures("_local")
@pytest.mark.parametrize("changes", [{"environ_overrides": ELSEWHERE}, {"headers": {"X-Forwarded-For": "127.0.0.1"}}])
def test_local_is_for_this_machine_whatever_doors_are_open(
    signed_only: Callable[[], FlaskClient], changes: dict[str, dict[str, str]]
) -> None:
    for http in (signed_only(), create_app(CLOUD, EventSettings()).test_client()):
        assert http.get("/metrics").status_code == 200
        found = http.get("/metrics", **changes)
        assert (found.status_code, found.content_type) == (403, "application/problem+json")


def test_any_is_for_everybody_who_reaches_the_server(
    signed_only: Callable[[], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HONGYAN_METRICS", "any")
    assert signed_only().get("/metrics", environ_overrides=ELSEWHERE).status_code == 200
    # A server without senders is this machine's altogether.
    unsigned = create_app(CLOUD, EventSettings()).test_client()
    assert unsigned.get("/metrics", environ_overrides=ELSEWHERE).status_code == 403


def test_unless_it_is_asked_for_there_is_no_such_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HONGYAN_METRICS", raising=False)
    http = create_app(CLOUD, EventSettings()).test_client()
    assert http.get("/metrics").status_code == 404
    assert "/metrics" not in http.get("/openapi.json").get_json()["paths"]


def test_a_wrong_value_is_an_error_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_METRICS", "yes")
    with pytest.raises(ConfigurationError, match="HONGYAN_METRICS"):
        create_app(CLOUD, EventSettings())


@pytest.mark.parametrize(("readers", "refusal"), [("local", True), ("any", False)])
def test_it_is_described_where_it_is(
    readers: str, refusal: bool, signed_only: Callable[[], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HONGYAN_METRICS", readers)
    described = signed_only().get("/openapi.json").get_json()["paths"]["/metrics"]["get"]["responses"]
    assert described["200"]["content"].keys() == {"text/plain", "application/openmetrics-text"}
    assert ("403" in described) == refusal


# Several processes


def listed(server: Served) -> int:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    return server.send("/hooks/plain", sample("elb.list_members"), headers)[0]


def told(server: Served) -> float:
    status, headers, body = server.send("/metrics", method="GET")
    assert (status, headers["content-type"]) == (200, TEXT)
    return value(body.decode(), "hongyan_events_total", **LISTED) or 0


def counts(folder: Path) -> dict[int, float]:
    """Return how many events each process has counted, by its id."""
    return {int(file.stem.partition("_")[2]): _of(file) for file in folder.glob("counter_*.db")}


def _of(file: Path) -> float:
    families = MultiProcessCollector.merge([str(file)])  # type: ignore[no-untyped-call]
    return float(
        sum(each.value for family in families for each in family.samples if each.name == "hongyan_events_total")
    )


def until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < ends, "it did not come to pass within 30 s"
        time.sleep(0.02)


def send_until(server: Served, condition: Callable[[], bool]) -> int:
    """Send requests, sixteen at once, until something is so; return how many."""
    sent = 0

    def send_and_look() -> bool:
        nonlocal sent
        with ThreadPoolExecutor(16) as pool:
            assert set(pool.map(lambda _: listed(server), range(32))) == {200}
        sent += 32
        return condition()

    until(send_and_look)
    return sent


@pytest.mark.slow
def test_one_answer_tells_the_sum_over_all_processes_dead_ones_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    with served(tmp_path, HONGYAN_METRICS="local", WEB_CONCURRENCY="2", TMPDIR=str(tmp_path / "tmp")) as server:
        until(lambda: len(list((tmp_path / "tmp").glob("hongyan-metrics-*/counter_*.db"))) == 2)
        (folder,) = (tmp_path / "tmp").glob("hongyan-metrics-*")
        sent = send_until(server, lambda: min(counts(folder).values()) > 0)
        first = counts(folder)
        assert len(first) == 2
        assert sum(first.values()) == sent
        assert {told(server) for _ in range(12)} == {sent}  # Whichever of them answers.
        dead = next(iter(first))
        os.kill(dead, signal.SIGKILL)
        until(lambda: len(counts(folder)) == 3)
        sent += send_until(
            server, lambda: all(count > first.get(pid, 0) for pid, count in counts(folder).items() if pid != dead)
        )
        assert counts(folder)[dead] == first[dead]
        assert {told(server) for _ in range(12)} == {sent}
        refused = server.send("/metrics", headers={"X-Forwarded-For": "192.0.2.1"}, method="GET")
        assert problem_of(refused)["kind"] == "permission_denied"
    assert not folder.exists()
    assert not [line for line in server.logged if "metrics" in line or "Traceback" in line]
