"""The Prefer header as RFC 7240 has it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.triggers.preferences import responds_async


@pytest.mark.parametrize(
    "prefer",
    [
        "respond-async",
        "Respond-ASYNC",
        " respond-async\t",
        "return=minimal, respond-async",
        "respond-async,wait=10",
        "wait=10,,respond-async",
        'respond-async; foo="some value"',
        "respond-async;foo=bar;baz",
        'respond-async = ""',
        "respond-async=",
        'handling="a, b; c", respond-async',
        r'foo="a \" b, c", respond-async',
        "respond-async, respond-async=x",
    ],
)
def test_it_is_preferred(prefer: str) -> None:
    assert responds_async(prefer)


@pytest.mark.parametrize(
    "prefer",
    [
        "",
        " , ",
        "respond-sync",
        "respond-asynchronously",
        "x-respond-async",
        "return=respond-async",
        "wait; respond-async",
        'foo="a, respond-async, b"',
        r'foo="a \", respond-async"',
        'foo="never ended, respond-async',
        '"respond-async"',
        "respond-async=x",
        'respond-async="x"',
        "respond-async=x, respond-async",
        "respond async",
    ],
)
def test_it_is_not_preferred(prefer: str) -> None:
    assert not responds_async(prefer)


# What RFC 7240, section 2, allows: built of its parts, so that the truth is known beforehand.
TOKEN = st.text("abcdefXYZ0189!#$%&'*+-.^_`|~", min_size=1, max_size=6)
QUOTED = st.text('ab ,;="\\', max_size=8).map(lambda text: '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"')
BLANK = st.sampled_from(["", " ", "\t", "  "])
VALUE = st.none() | st.tuples(BLANK, BLANK, TOKEN | QUOTED).map(lambda parts: f"{parts[0]}={parts[1]}{parts[2]}")
PARAMETERS = st.lists(
    st.tuples(BLANK, BLANK, TOKEN, VALUE).map(lambda p: f"{p[0]};{p[1]}{p[2]}{p[3] or ''}"), max_size=2
)
OTHER = st.tuples(TOKEN, VALUE, PARAMETERS).map(lambda parts: f"{parts[0]}{parts[1] or ''}{''.join(parts[2])}")
OURS = st.tuples(st.sampled_from(["respond-async", "RESPOND-Async"]), PARAMETERS).map(lambda p: p[0] + "".join(p[1]))


@given(st.lists(OTHER, max_size=4), st.integers(0, 4), OURS | st.none(), st.sampled_from([",", ", ", " ,\t"]))
def test_it_is_found_among_whatever_else_is_preferred(others: list[str], at: int, ours: str | None, comma: str) -> None:
    each = others[:at] + ([ours] if ours else []) + others[at:]
    assert responds_async(comma.join(each)) is (ours is not None)


@given(st.text(max_size=60) | st.text('respond-async=",;\\ ', max_size=60))
def test_whatever_is_sent_is_answered(prefer: str) -> None:
    assert responds_async(prefer) in (True, False)


@pytest.mark.parametrize("prefer", ['"' * 8190, '"\\' * 4095, '"' + "\\" * 8189, "," * 8190, '"a' * 4095, "=;" * 4095])
def test_a_header_as_long_as_can_be_is_read_at_once(prefer: str) -> None:
    started = time.perf_counter()
    assert not responds_async(prefer)
    assert time.perf_counter() - started < 0.5
