"""What becomes of a record: its event goes out once, at its end, and nothing is done twice without need."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from events.triggers.serverless.settings import ServerlessSettings
from events.triggers.serverless.settling import Settling
from tests.events.triggers.serverless.support import Sunk, record, result

OWN = ServerlessSettings(max_receives=3)


@pytest.mark.parametrize(
    ("how", "receives", "dead_letter", "returned", "emitted", "logged"),
    [
        ("succeeded", 1, True, False, True, []),
        ("wrote", 3, True, False, True, []),
        ("throttled", 1, True, True, False, ["record.returned"]),
        ("throttled", 1, False, True, False, ["record.returned"]),
        ("throttled", None, True, True, False, ["record.returned"]),
        ("throttled", 3, True, True, True, ["record.failed"]),
        ("throttled", 4, False, True, True, ["record.failed"]),
        ("refused", 1, True, True, False, ["record.returned"]),
        ("refused", 3, True, True, True, ["record.failed"]),
        ("refused", None, True, True, True, ["record.failed"]),
        ("refused", 1, False, False, True, []),
        ("rejected", 1, True, True, True, ["record.failed"]),
        ("rejected", 1, False, False, True, []),
        ("doubt", 1, True, False, True, ["record.unknown"]),
        ("doubt", 3, False, False, True, ["record.unknown"]),
    ],
)
def test_what_becomes_of_a_record(
    how: str,
    receives: int | None,
    dead_letter: bool,
    returned: bool,
    emitted: bool,
    logged: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    sink = Sunk()
    with caplog.at_level(logging.INFO, "hongyan"):
        settled = Settling(sink, replace(OWN, dead_letter=dead_letter)).settle(
            record("1", receives=receives), result(how)
        )
    assert (settled.returned, settled.emitted, len(sink.events)) == (returned, emitted, int(emitted))
    assert [line.getMessage() for line in caplog.records] == logged


def test_the_last_delivery_is_not_known_without_the_setting() -> None:
    settled = Settling(Sunk(), ServerlessSettings()).settle(record("1", receives=99), result("throttled"))
    assert (settled.returned, settled.emitted) == (True, False)


@pytest.mark.parametrize("how", ["succeeded", "refused", "wrote", "doubt"])
def test_what_tells_nobody_is_given_back(how: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "hongyan"):
        settled = Settling(Sunk(full=True), OWN).settle(record("1"), result(how))
    assert (settled.returned, settled.emitted) == (True, False)
    assert [line.getMessage() for line in caplog.records] == ["event.kept"]


def test_the_log_names_the_record_and_the_reason_and_no_payload(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "hongyan"):
        Settling(Sunk(), OWN).settle(record("1", receives=2), result("throttled"))
    assert caplog.records[0].__dict__["facts"] == {
        "trigger": "test",
        "id": "1",
        "item": "1",
        "receives": 2,
        "operation": "elb.list_members",
        "kind": "resource_exhausted",
        "code": "X.1",
        "retry_after_s": None,
        "event_id": "r",
    }
