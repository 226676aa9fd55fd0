"""What `flask replay` shows before it sends: the operation as the door reads it."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import click
import pytest

from events.cli.announcing import about, operation
from tests.events.explain.support import BODY, senders

if TYPE_CHECKING:
    from pathlib import Path

EVENT = {"specversion": "1.0", "id": "1", "source": "/s", "type": "hongyan.elb.list_members"}
STRUCTURED = {"content-type": "application/cloudevents+json"}
BATCH = {"content-type": "application/cloudevents-batch+json"}


@pytest.mark.parametrize(
    ("headers", "body", "asked"),
    [
        ({}, BODY, "elb.list_members"),
        (STRUCTURED, json.dumps({**EVENT, "type": "hongyan.a.b"}).encode(), "a.b"),
        (STRUCTURED, json.dumps({**EVENT, "type": "other"}).encode(), "other"),
        (STRUCTURED, b"{", ""),
        ({"content-type": "application/cloudevents+xml"}, b"<a/>", ""),
        (BATCH, json.dumps([EVENT, EVENT]).encode(), "elb.list_members"),
        (BATCH, json.dumps([{**EVENT, "type": f"t{each}"} for each in range(9)]).encode(), "t0, t1, t2, t3, t4 and 4 more"),
    ],
)  # fmt: skip
def test_the_operation_is_what_the_door_reads(tmp_path: Path, headers: dict[str, str], body: bytes, asked: str) -> None:
    assert operation(senders(tmp_path)["standard"], headers, body) == asked


def test_a_wrong_prefix_is_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_EVENT_PREFIX", "No Prefix")
    with pytest.raises(click.ClickException, match="HONGYAN_EVENT_PREFIX must be"):
        operation(senders(tmp_path)["standard"], STRUCTURED, json.dumps(EVENT).encode())


def test_what_is_not_known_is_said_and_an_empty_body_has_no_line(tmp_path: Path) -> None:
    sender = dataclasses.replace(senders(tmp_path)["standard"], operation=None)
    assert list(about(sender, {}, b"", (), "ok")) == [
        "sender standard · operation not known · 0 bytes · as captured: ok"
    ]
