"""Which store a URL names, and what is said of one that names none."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from events.idempotency import Claim, key_of
from events.idempotency.urls import open_store
from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_opened(tmp_path: Path) -> None:
    store = open_store(f" sqlite:///{tmp_path}/a%20b.sqlite?queue=other&lease_s=5 ", "HONGYAN_STORE")
    assert isinstance(store.claim(b"1", 30.0), Claim)
    store.close()
    assert (tmp_path / "a b.sqlite").is_file()


def test_a_relative_path_is_below_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_store("sqlite:///s.sqlite", "HONGYAN_STORE").close()
    assert (tmp_path / "s.sqlite").is_file()


def test_redis_is_not_reached_before_it_is_used() -> None:
    pytest.importorskip("redis")
    open_store("redis://127.0.0.1:1/0", "HONGYAN_STORE").close()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "begins with sqlite:/// or redis://, or none"),
        ("none", "begins with sqlite:/// or redis://, or none"),
        ("amqp://guest:hush@host/", "begins with sqlite:/// or redis://, or none"),
        ("sqlite:///", "must name a file"),
        ("sqlite://relative.sqlite", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
        ("sqlite:///a%00b", "no file and no host"),
        ("sqlite:///s.sqlite?mode=ro", "no option 'mode'"),
        ("redis:///0", "must name a host"),
        ("redis://user:hush@[host", "not a URL"),
    ],
)
def test_what_names_no_store_is_told(url: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as raised:
        open_store(url, "HONGYAN_STORE")
    assert str(raised.value).startswith("HONGYAN_STORE")
    assert "hush" not in str(raised.value)


def test_a_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^HONGYAN_STORE cannot be used: .*: Is a directory$"):
        open_store(f"sqlite:///{tmp_path}", "HONGYAN_STORE")


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*sys.modules]:
        if name.split(".")[0] == "redis" or name in ("events.idempotency.redis", "events.redisserver"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ConfigurationError, match=r"^HONGYAN_STORE needs the extra `redis`: pip install '\.\[redis\]'$"):
        open_store("redis://127.0.0.1/0", "HONGYAN_STORE")


def test_keys_tell_every_part_apart() -> None:
    keys = {
        key_of(*parts)
        for parts in [
            ("q", "a", "b", "c"),
            ("r", "a", "b", "c"),
            ("qa", "", "b", "c"),
            ("q", "ab", "", "c"),
            ("q", "a", "bc", ""),
            ("q", "", "ab", "c"),
            ("q", "a", "\ud800", "c"),
        ]
    }
    assert {len(key) for key in keys} == {32}
    assert len(keys) == 7
    assert key_of("q", "a", "b", "c") == key_of("q", "a", "b", "c")
