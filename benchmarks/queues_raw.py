"""The raw clients of the queue benchmark: the same messages received and acknowledged as a person would write it without this project."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

BODY = b"x" * 400


def sqlite(base: str, name: str, count: int, batch: int) -> float:
    """Return the seconds that sqlite3 takes: claim a batch with a lease, delete it; WAL, synchronous=NORMAL."""
    file = sqlite3.connect(f"{base.removeprefix('sqlite:///')}.raw", isolation_level=None)
    file.execute("PRAGMA journal_mode=WAL")
    file.execute("PRAGMA synchronous=NORMAL")
    file.execute(f'CREATE TABLE "{name}" (seq INTEGER PRIMARY KEY, body BLOB, due REAL)')
    file.execute(f'CREATE INDEX "{name}-due" ON "{name}" (due)')
    file.executemany(f'INSERT INTO "{name}" (body, due) VALUES (?, 0)', [(BODY,)] * count)  # noqa: S608
    due = f'SELECT seq FROM "{name}" WHERE due <= ? ORDER BY due, seq LIMIT ?'  # noqa: S608
    claim = f'UPDATE "{name}" SET due = ? WHERE seq IN ({due}) RETURNING seq, body'  # noqa: S608
    got, began = 0, time.perf_counter()
    while got < count:
        now = time.time()
        rows = file.execute(claim, (now + 30, now, batch)).fetchall()
        file.execute("BEGIN IMMEDIATE")
        file.executemany(f'DELETE FROM "{name}" WHERE seq = ?', [(seq,) for seq, _ in rows])  # noqa: S608
        file.execute("COMMIT")
        got += len(rows)
    seconds = time.perf_counter() - began
    file.close()
    return seconds


def redis(base: str, name: str, count: int, batch: int) -> float:
    """Return the seconds that redis-py takes: XREADGROUP, then XACK and XDEL in one pipeline."""
    import redis as library

    client = library.Redis.from_url(base)
    client.xgroup_create(name, "g", "0", mkstream=True)
    with client.pipeline() as pipeline:
        for _ in range(count):
            pipeline.xadd(name, {"body": BODY})
        pipeline.execute()
    got, began = 0, time.perf_counter()
    while got < count:
        [[_, entries]] = client.xreadgroup("g", "c", {name: ">"}, count=batch)
        ids = [its_id for its_id, _ in entries]
        with client.pipeline() as pipeline:
            pipeline.xack(name, "g", *ids)
            pipeline.xdel(name, *ids)
            pipeline.execute()
        got += len(ids)
    seconds = time.perf_counter() - began
    client.close()
    return seconds


def amqp(base: str, name: str, count: int, batch: int) -> float:
    """Return the seconds that kombu takes: a quorum queue, prefetch of one batch, each message acknowledged."""
    import kombu

    got = 0
    with kombu.Connection(base) as connection, connection.channel() as channel:
        queue = kombu.Queue(name, channel=channel, durable=True, queue_arguments={"x-queue-type": "quorum"})
        queue.declare()
        producer = kombu.Producer(channel)
        for _ in range(count):
            producer.publish(BODY, routing_key=name, delivery_mode=2)
        while queue.queue_declare(passive=True).message_count < count:
            time.sleep(0.01)

        def on_message(message: kombu.Message) -> None:
            nonlocal got
            message.ack()
            got += 1

        consumer = kombu.Consumer(channel, [queue], on_message=on_message, accept=None, prefetch_count=batch)
        began = time.perf_counter()
        with consumer:
            while got < count:
                connection.drain_events(timeout=10)
        return time.perf_counter() - began


def _clean_sqlite(base: str, name: str) -> None:
    with sqlite3.connect(f"{base.removeprefix('sqlite:///')}.raw") as file:
        file.execute(f'DROP TABLE IF EXISTS "{name}"')
    file.close()


def _clean_redis(base: str, name: str) -> None:
    import redis as library

    client = library.Redis.from_url(base)
    for key in [name, *client.scan_iter(f"*{name}*", count=1000)]:
        client.delete(key)
    client.close()


def _clean_amqp(base: str, name: str) -> None:
    import kombu

    ours = [f".group.{number}" for number in range(4)]
    with kombu.Connection(base) as connection:
        for each in ("", ".dead", *ours):
            with connection.channel() as channel:
                channel.queue_delete(f"{name}{each}")


RAW: dict[str, Callable[[str, str, int, int], float]] = {"sqlite": sqlite, "redis": redis, "amqp": amqp}
CLEAN: dict[str, Callable[[str, str], None]] = {"sqlite": _clean_sqlite, "redis": _clean_redis, "amqp": _clean_amqp}
