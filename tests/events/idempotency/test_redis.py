"""The store on Redis: what every store must do, and what this one does besides."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from events import redisserver
from events.idempotency import Busy, Claim, Finished, LeaseLost, StoreUnavailable
from events.idempotency import redis as module
from events.idempotency.redis import PREFIX, RedisStore, connect
from functions.cloud.errors import ConfigurationError
from tests.events.idempotency.contract import DONE, FAILED, StoreContract, claimed, ended
from tests.events.queues.relay import Relay
from tests.events.queues.support import until
from tests.events.redisservers import URL, own, shared

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis

    from events.idempotency import Store
    from tests.events.idempotency.contract import Open

DAY_MS = 86_400_000
FOR_EVER = -1
"""What PTTL says of a key that does not end."""
WITHOUT_CONFIG = ("--rename-command", "CONFIG", "")
WITHOUT_INFO = ("--rename-command", "INFO", "")


class TestRedis(StoreContract):
    @pytest.fixture
    def open(self, key: bytes) -> Iterator[Open]:
        opened: list[RedisStore] = []

        def open_() -> Store:
            opened.append(connect(URL))
            return opened[-1]

        with shared() as server:
            yield open_
            for store in opened:
                store.close()
            # Tests add to the key where they need more than one.
            for start in (key, key[::-1]):
                for name in server.scan_iter(match=f"{PREFIX}{start.hex()}*", count=1000):
                    server.delete(name)


@pytest.fixture
def server() -> Iterator[redis.Redis]:
    with shared() as client:
        yield client


@pytest.fixture
def store(server: redis.Redis) -> Iterator[RedisStore]:
    with closing(connect(URL)) as found:
        yield found


@pytest.fixture
def key(request: pytest.FixtureRequest, server: redis.Redis) -> Iterator[bytes]:
    key = request.node.name.encode()[:60] + b"-" + str(id(request)).encode()
    yield key
    server.delete(name(key))


def name(key: bytes) -> str:
    return PREFIX + key.hex()


def test_a_claim_is_remembered_for_a_week(store: RedisStore, server: redis.Redis, key: bytes) -> None:
    claimed(store, key, 10.0)
    assert 7 * DAY_MS < server.pttl(name(key)) <= 7 * DAY_MS + 10_000


def test_what_was_announced_is_never_forgotten_before_it_ends(
    store: RedisStore, server: redis.Redis, key: bytes
) -> None:
    try:
        ended(store, key, announced=True)
        assert server.pttl(name(key)) == FOR_EVER
        second = claimed(store, key)
        assert second.in_doubt
        assert server.pttl(name(key)) == FOR_EVER
        store.finish(second, FAILED, 60.0)
        assert 30 * DAY_MS - 60_000 < server.pttl(name(key)) <= 30 * DAY_MS
        claimed(store, key, 10.0, run=1)
        assert server.pttl(name(key)) <= 7 * DAY_MS + 10_000
    finally:
        server.delete(name(key + b"later"))


def test_a_longer_time_is_kept_as_well(store: RedisStore, server: redis.Redis, key: bytes) -> None:
    claim = claimed(store, key)
    store.announce(claim)
    store.finish(claim, DONE, 40 * 86_400.0)
    assert 40 * DAY_MS - 60_000 < server.pttl(name(key)) <= 40 * DAY_MS


@pytest.mark.parametrize(
    ("settings", "policies"),
    [
        ((), []),
        (("--maxmemory-policy", "allkeys-lru"), ["allkeys-lru"]),
        (("--maxmemory-policy", "volatile-ttl", *WITHOUT_CONFIG), ["volatile-ttl"]),
        (WITHOUT_CONFIG, []),
        (("--maxmemory-policy", "allkeys-lru", *WITHOUT_CONFIG, *WITHOUT_INFO), []),
    ],
)
def test_a_server_that_may_evict_is_told_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, settings: tuple[str, ...], policies: list[str]
) -> None:
    with own(tmp_path, *settings) as server, closing(connect(server.url)) as store:
        for key in (b"a", b"b"):
            claim = claimed(store, key)
            store.announce(claim)
            store.finish(claim, DONE, 60.0)
    told = [vars(record)["facts"] for record in caplog.records if record.message == "store.may_forget"]
    assert [facts["maxmemory_policy"] for facts in told] == policies


def test_a_result_goes_when_its_time_is_over(store: RedisStore, server: redis.Redis, key: bytes) -> None:
    store.finish(claimed(store, key), DONE, 100.0)
    assert 50_000 < server.pttl(name(key)) <= 100_000


def test_a_released_one_leaves_nothing(store: RedisStore, server: redis.Redis, key: bytes) -> None:
    store.release(claimed(store, key))
    assert not server.exists(name(key))


def test_tokens_rise_although_the_key_was_forgotten(store: RedisStore, server: redis.Redis, key: bytes) -> None:
    first = claimed(store, key)
    server.delete(name(key))
    second = claimed(store, key)
    assert second.token > first.token
    with pytest.raises(LeaseLost):
        store.finish(first, DONE, 60.0)


def test_tokens_rise_although_the_clock_was_set_back(store: RedisStore, server: redis.Redis, key: bytes) -> None:
    server.hset(name(key), mapping={"token": 5 * 10**15, "announced": 1, "ends": 1})
    found = claimed(store, key)
    assert found == Claim(key, 5 * 10**15 + 1, in_doubt=True, losses=1)
    store.finish(found, FAILED, 60.0)
    assert claimed(store, key, run=1) == Claim(key, 5 * 10**15 + 2)


@pytest.mark.parametrize("query", ["", "?queue=other&lease_s=5"])
def test_the_queues_own_url_will_do(query: str, server: redis.Redis, key: bytes) -> None:
    with closing(connect(URL + query)) as store:
        assert isinstance(store.claim(key, 30.0), Claim)
        assert isinstance(store.claim(key, 30.0), Busy)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://:secret@host/0?db=1", r"no option 'db'; there are ssl_ca_certs"),
        ("redis://:secret@host/0?ssl_ca_certs=x", "needs rediss://"),
        ("redis://:secret@host/x", "redis://host:6379/0"),
    ],
)
def test_a_url_that_is_none(url: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as raised:
        connect(url)
    assert "secret" not in str(raised.value)


def test_whatever_is_wrong_it_is_unavailable(store: RedisStore, server: redis.Redis, key: bytes) -> None:
    server.set(name(key), "text")
    with pytest.raises(StoreUnavailable, match="wrong kind of value"):
        store.claim(key, 30.0)
    claim = Claim(key, 1)
    with closing(connect("redis://:secret@127.0.0.1:1/0")) as away:
        for uses in (
            lambda: away.claim(key, 30.0),
            lambda: away.announce(claim),
            lambda: away.finish(claim, DONE, 60.0),
            lambda: away.release(claim),
        ):
            with pytest.raises(StoreUnavailable) as told:
                uses()
            assert "secret" not in str(told.value)


def test_more_threads_than_connections(key: bytes, server: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CONNECTIONS", 2)
    with closing(connect(URL)) as store, ThreadPoolExecutor(16) as pool:
        won = [found for found in pool.map(lambda _: store.claim(key, 30.0), range(200)) if isinstance(found, Claim)]
    assert len(won) == 1


@pytest.mark.slow
def test_what_was_said_survives_the_death_of_the_server(tmp_path: Path) -> None:
    with own(tmp_path) as server, closing(connect(server.url)) as store:
        done = claimed(store, b"b")
        ended(store, b"a", announced=True)
        store.finish(done, DONE, 60.0)
        held = claimed(store, b"c", 60.0)
        server.kill()
        with pytest.raises(StoreUnavailable):
            store.claim(b"c", 30.0)
        server.start()

        def is_back() -> bool:
            try:
                return store.claim(b"b", 30.0) == DONE
            except StoreUnavailable:
                return False

        until(is_back)
        assert claimed(store, b"a").in_doubt
        assert isinstance(store.claim(b"c", 30.0), Busy)
        store.finish(held, Finished("succeeded", b"{}"), 60.0)


def test_a_cut_network_is_told_within_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redisserver, "ANSWER_S", 0.3)
    with (
        own(tmp_path) as server,
        closing(Relay(server.port)) as relay,
        closing(connect(f"redis://127.0.0.1:{relay.port}")) as store,
    ):
        claim = claimed(store, b"a")
        relay.hold()
        with pytest.raises(StoreUnavailable, match=r"[Tt]imeout"):
            store.announce(claim)
        relay.release()
        store.announce(claim)
        relay.cut()
        until(lambda: is_told(store, claim))


def is_told(store: RedisStore, claim: Claim) -> bool:
    """Tell whether the store takes an announcement again; a connection that broke just now may be told once."""
    try:
        store.announce(claim)
    except StoreUnavailable:
        return False
    return True
