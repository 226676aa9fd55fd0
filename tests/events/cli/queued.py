"""What the tests of queues on the command line share: a queue in a file, messages in it, and dead letters of any kind."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from events.queues import Letter, Message, urls

if TYPE_CHECKING:
    from pathlib import Path

    from events.queues import Queue

ERROR = {
    "kind": "not_found",
    "code": "APIG.3023",
    "message": "the cloud answered HTTP 404",
    "status": 404,
    "retryable": False,
    "retry_after_s": None,
    "fields": None,
}
UPSTREAM = {
    "service": "apig",
    "method": "POST",
    "status": 404,
    "request_id": "9f",
    "attempts": 1,
    "requests": 1,
    "duration_ms": 7,
}


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder / 'queue.sqlite'}"


def connected(url: str) -> Queue:
    return urls.connect(urls.read(url, "URL"), "URL")


def event(operation: str = "apig.add_members", **data: Any) -> dict[str, Any]:
    """Return a result event in the JSON form of CloudEvents."""
    whole = {
        "operation": operation,
        "outcome": "failed",
        "target": {"region": "cn-north-4", "project_id": "p"},
        "result": None,
        "error": ERROR,
        "upstream": UPSTREAM,
        "trigger": {"kind": "queue.sqlite", "id": "m1"},
        **data,
    }
    attributes = {"specversion": "1.0", "id": "e1", "source": "/hongyan", "type": f"hongyan.{operation}.failed"}
    return {**attributes, "datacontenttype": "application/json", "subject": "things/1", "data": whole}


def letter(its_id: str = "a" * 32, *, dead_s: float = 0.0, **changes: Any) -> Letter:
    """Return the dead letter of a call that failed, dead for so many seconds."""
    message = Message(b'{"members": []}', f"message-of-{its_id}"[:512], sent_at=time.time() - dead_s - 60, tries=2)
    whole = Letter(
        message, "failed", time.time() - dead_s, "apig.add_members", "not_found", "APIG.3023", event(), its_id
    )
    return replace(whole, **changes)


def bury(url: str, *letters: Letter) -> None:
    """Put dead letters into a queue, as a worker does."""
    with closing(connected(url)) as queue:
        queue.publish([each.message for each in letters])
        for delivery, each in zip(queue.receive(len(letters), 5.0), letters, strict=True):
            queue.dead_letter(delivery, each)


def bury_raw(folder: Path, raw: bytes) -> None:
    """Put something that is no letter of ours where the letters are."""
    with closing(sqlite3.connect(folder / "queue.sqlite")) as file, file:
        file.execute(
            "INSERT INTO letters (queue, id, letter) VALUES ('hongyan', 'raw-' || hex(randomblob(8)), ?)", (raw,)
        )


def ids(url: str) -> list[str]:
    """Return the ids of the dead letters."""
    with closing(connected(url)) as queue:
        return [each.id for each in queue.letters()]


def waiting(url: str) -> list[Message]:
    """Return the messages that wait, which end by that."""
    with closing(connected(url)) as queue:
        found = queue.receive(10_000, 0.0)
        queue.acknowledge(found)
    return [delivery.message for delivery in found]
