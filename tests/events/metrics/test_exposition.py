"""The answer to who asks: which format, by what they accept, and whether it may be read at all; each read back by the library's parsers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics

from events.metrics.counted import Counted
from events.metrics.exposition import OPENMETRICS, TEXT
from events.queues import Counts
from tests.events.metrics.support import value

PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/html,application/xhtml+xml,*/*;q=0.8", TEXT),
        ("text/plain", TEXT),
        ("text/plain;version=0.0.4", TEXT),
        ("application/openmetrics-text", OPENMETRICS),
        ("Application/OpenMetrics-Text; version=1.0.0", OPENMETRICS),
        (PROMETHEUS_3, OPENMETRICS),
        ("application/openmetrics-text;q=0.2,text/plain;q=0.7", TEXT),
        ("application/openmetrics-text,text/plain", TEXT),
        ("application/openmetrics-text;q=0", TEXT),
        ("application/openmetrics-text;q=nan", TEXT),
    ],
)
def test_the_format_is_what_is_accepted_best(accept: str, content_type: str) -> None:
    answer = Counted("any").answer(accept, near=False)
    assert (answer.status, answer.headers) == (200, {"Content-Type": content_type})
    assert answer.body.endswith(b"# EOF\n") == (content_type == OPENMETRICS)


@given(accept=st.text(max_size=80) | st.just("application/openmetrics-text;version=\x00oops;escaping=?;q=1.5"))
def test_no_accept_header_is_an_error_or_comes_back(accept: str) -> None:
    answer = Counted("any").answer(accept, near=False)
    assert answer.status == 200
    assert answer.headers["Content-Type"] in (TEXT, OPENMETRICS)


def test_both_formats_say_the_same() -> None:
    counted = Counted("any")
    counted.settled("dead", redelivered=True)
    counted.observe_queue("orders", Counts(3, 1))
    text = counted.answer("", near=True).body.decode()
    other = counted.answer(OPENMETRICS, near=True).body.decode()
    families = {family.name: family for family in read_openmetrics(other)}  # type: ignore[no-untyped-call]
    for name, labels in (
        ("hongyan_messages_total", {"end": "dead"}),
        ("hongyan_redeliveries_total", {}),
        ("hongyan_queue_messages", {"queue": "orders", "state": "ready"}),
        ("hongyan_dead_letters", {"queue": "orders"}),
    ):
        samples = families[name.removesuffix("_total")].samples
        assert [found.value for found in samples if (found.name, found.labels) == (name, labels)] == [
            value(text, name, **labels)
        ]


def test_local_is_for_this_machine_and_any_for_everybody() -> None:
    assert Counted("local").answer("", near=True).status == 200
    assert Counted("any").answer("", near=False).status == 200
    refused = Counted("local").answer("", near=False)
    assert (refused.status, refused.headers["Content-Type"]) == (403, "application/problem+json")
    assert json.loads(refused.body)["kind"] == "permission_denied"
