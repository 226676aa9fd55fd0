"""Messages as entries of a stream and back, whoever wrote the entry."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.calls import is_name
from events.queues import Message
from events.queues.redis import entries
from events.queues.redis.entries import batches, to_delivery, to_words

ENTRY = b"1750000000123-7"
NAMES = [
    b"body",
    b"group",
    b"meta",
    b"tries",
    b"turn",
    b"first",
    b"hongyan 1 1750000000.5 0 m1",
    b"hongyan ",
    b"hongyan 1",
]
VALUES = [b"", b"g", b"3", b"-1", b"1750000000999-0", b"{}", b'{"a": "b"}', b"\xff", "é".encode()]

names = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40).filter(is_name)
messages = st.builds(
    Message,
    st.binary(max_size=50),
    names,
    st.none() | st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable()),
    st.integers(0, 4_000_000_000_000_000).map(lambda number: number / 1_000_000),
    st.integers(0, 999),
    st.integers(0, 999),
    st.integers(1, 999),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
)


def stored(words: list[Any]) -> list[bytes]:
    """Return words as the server gives them back."""
    return [word if isinstance(word, bytes) else str(word).encode() for word in words]


@given(messages)
def test_a_message_comes_as_it_went(sent: Message) -> None:
    found = to_delivery(ENTRY, stored(to_words(sent)), 3)
    assert math.isclose(found.message.sent_at, sent.sent_at, abs_tol=1e-5)
    assert (found.message.body, found.message.id, found.message.group) == (sent.body, sent.id, sent.group)
    assert (found.message.tries, found.message.runs, found.message.version) == (sent.tries, sent.runs, sent.version)
    assert dict(found.message.meta) == dict(sent.meta)
    assert (found.losses, found.receipt) == (2, (ENTRY, 3, b""))


@given(messages)
def test_what_is_usual_is_read_as_anything_else(sent: Message) -> None:
    usual = stored(to_words(Message(sent.body, sent.id, sent_at=sent.sent_at, runs=sent.runs, version=sent.version)))
    assert len(usual) == 2
    assert to_delivery(ENTRY, usual) == to_delivery(ENTRY, [*usual, b"other", b"1"])


flat = st.lists(
    st.tuples(st.sampled_from(NAMES) | st.binary(max_size=9), st.sampled_from(VALUES) | st.binary(max_size=9)),
    min_size=1,
)


@given(flat)
def test_nothing_that_anybody_adds_is_too_strange(fields: list[tuple[bytes, bytes]]) -> None:
    found = to_delivery(ENTRY, [word for field in fields for word in field])
    assert is_name(found.message.id)
    assert found.message.tries >= 0
    assert math.isfinite(found.message.sent_at)
    if not fields[0][0].startswith(b"hongyan "):
        assert (found.message.group, dict(found.message.meta), found.receipt[2]) == (None, {}, b"")


@pytest.mark.parametrize("bad", [b"", b" ", b"\xff", b"x" * 513, "é".encode()])
def test_an_id_that_is_none_becomes_that_of_the_entry(bad: bytes) -> None:
    found = to_delivery(ENTRY, [b"hongyan 1 1.5 0 " + bad, b"body"])
    assert found.message == Message(b"body", ENTRY.decode(), None, 1.5)


def test_batches_are_of_bearable_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "_MOST", 3)
    monkeypatch.setattr(entries, "_MOST_BYTES", 10)
    sizes = [1, 1, 1, 1, 9, 2, 30, 1, 1]
    found = list(batches([Message(b"x" * size, "m", "g" if size == 2 else None) for size in sizes]))
    # The group, the number of fields, then those: the body is the first.
    assert [[len(word) for word in words if isinstance(word, bytes)] for words in found] == [
        [1, 1, 1],
        [1, 9],
        [2],
        [30],
        [1, 1],
    ]
    assert list(batches([])) == []


@pytest.mark.parametrize("meta", [b"", b"{", b"[1]", b'{"a": 1}', b'{"a": "\xff"}', b'{"a": "\xed\xa0\x80"}'])
def test_what_cannot_be_read_of_what_is_allowed_allows_nothing(meta: bytes) -> None:
    found = to_delivery(ENTRY, [b"hongyan 1 1.5 0 m1", b"body", b"group", b"g\xff", b"meta", meta])
    assert found.message == Message(b"body", "m1", "g?", 1.5, version=0)
    assert to_delivery(ENTRY, stored(to_words(found.message))).message == found.message
