"""Strict JSON: what is refused, and that the refusal never repeats the text."""

import json
import math
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.strictjson import MAX_DEPTH, NotJSON, dumps, loads

MEBIBYTE = 1 << 20
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)


def refusal(raw: bytes | str) -> str:
    with pytest.raises(NotJSON) as caught:
        loads(raw)
    return str(caught.value)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        pytest.param(b'{"a":[1,-2.5,true,false,null,"x"]}', {"a": [1, -2.5, True, False, None, "x"]}, id="bytes"),
        pytest.param('{"a":"雁"}', {"a": "雁"}, id="str"),
        pytest.param(' \t\r\n"é" \n'.encode(), "é", id="blanks around"),
        pytest.param(b"9223372036854775808123", 9223372036854775808123, id="integers stay whole"),
        pytest.param(b"1e5", 100000.0, id="exponent"),
        pytest.param(b"1.7976931348623157e308", sys.float_info.max, id="largest double"),
        pytest.param(b'"\\ud83d\\ude00"', "😀", id="escaped surrogate pair"),
        pytest.param(b'"\\uD83D\\uDE00"', "😀", id="escaped surrogate pair in capitals"),
        pytest.param(b'"\\\\ud800"', "\\ud800", id="escaped backslash before ud800"),
        pytest.param(b'"\\ud7ff"', "\ud7ff", id="last before the surrogates"),
        pytest.param('"\ufeff"'.encode(), "\ufeff", id="a mark inside a string is a character"),
        pytest.param(b'{"a":{"a":1},"b":{"a":1}}', {"a": {"a": 1}, "b": {"a": 1}}, id="one key in several objects"),
        pytest.param(b'{"a":1,"A":2}', {"a": 1, "A": 2}, id="keys differ in case"),
    ],
)
def test_reads(raw: bytes | str, value: Any) -> None:
    assert loads(raw) == value


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        pytest.param(b'"\xff-secret"', "the text is not UTF-8", id="invalid UTF-8"),
        pytest.param(b'"\xc0\xa0"', "the text is not UTF-8", id="overlong UTF-8"),
        pytest.param(b'"\xed\xa0\x80"', "the text is not UTF-8", id="a surrogate as UTF-8"),
        pytest.param('"secret"'.encode("utf-16"), "the text is not UTF-8", id="UTF-16"),
        pytest.param(b"\xef\xbb\xbf{}", "byte order mark", id="BOM"),
        pytest.param("\ufeff{}", "byte order mark", id="BOM in a str"),
        pytest.param('"\ud800"', "lone surrogate", id="lone surrogate in a str"),
        pytest.param(b"", "malformed JSON at line 1, column 1", id="empty"),
        pytest.param(b"{", "malformed JSON at line 1, column 2", id="unfinished"),
        pytest.param(b'{"a":1}\n\nsecret', "malformed JSON at line 3, column 1", id="something after"),
        pytest.param(b"{'a':1}", "malformed JSON at line 1, column 2", id="single quotes"),
        pytest.param(b"[1,]", "malformed JSON at line 1", id="comma at the end"),
        pytest.param(b'"a\nb"', "malformed JSON at line 1, column 3", id="control character in a string"),
        pytest.param(b'"\\x"', "malformed JSON at line 1", id="unknown escape"),
        pytest.param(b"NaN", "NaN is not JSON", id="NaN"),
        pytest.param(b"[Infinity]", "Infinity is not JSON", id="Infinity"),
        pytest.param(b'{"a":-Infinity}', "-Infinity is not JSON", id="minus Infinity"),
        pytest.param(b"1e999", "a number is too large", id="overflow to Infinity"),
        pytest.param(b"[-1e999]", "a number is too large", id="overflow to minus Infinity"),
        pytest.param(b"9" * 5000, "an integer has more digits than can be read", id="5000 digits"),
        pytest.param(b'{"a":1,"a":1}', 'an object has the key "a" twice', id="a key twice"),
        pytest.param(b'[{"b":0,"a":1,"\\u0061":2}]', 'an object has the key "a" twice', id="a key twice, once escaped"),
        pytest.param('{"雁":1,"雁":2}'.encode(), 'an object has the key "雁" twice', id="a Chinese key twice"),
        pytest.param(b'{"\\u001b":1,"\\u001b":2}', "an object has a key twice", id="an unprintable key twice"),
        pytest.param(b'{"%b":1,"%b":2}' % (b"k" * 41, b"k" * 41), "an object has a key twice", id="a long key twice"),
        pytest.param(b'"\\ud800"', "a string holds a lone surrogate", id="escaped lone surrogate"),
        pytest.param(b'["\\uDC00\\uD800"]', "a string holds a lone surrogate", id="a pair the wrong way round"),
        pytest.param(b'{"\\udfff":1}', "a string holds a lone surrogate", id="lone surrogate in a key"),
    ],
)
def test_refuses(raw: bytes | str, message: str) -> None:
    answer = refusal(raw)
    assert message in answer
    assert "secret" not in answer


def test_a_refusal_is_a_value_error() -> None:
    assert issubclass(NotJSON, ValueError)


@pytest.mark.parametrize("raw", [b"{secret", b"\xffsecret", "secret\ud800", b"1" * 5000, b'"\\ud800 secret"'])
def test_a_traceback_does_not_show_the_text(raw: bytes | str) -> None:
    """The errors of the standard library hold the whole text, and would carry it into a log."""
    with pytest.raises(NotJSON) as caught:
        loads(raw)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_depth_is_allowed_up_to_the_limit_and_not_beyond(opening: bytes, closing: bytes) -> None:
    times = MAX_DEPTH // (opening.count(b"[") + opening.count(b"{"))
    loads(opening * times + b"1" + closing * times)
    assert f"deeper than {MAX_DEPTH}" in refusal(opening * (times + 1) + b"1" + closing * (times + 1))


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"[" * MEBIBYTE, id="only opened"),
        pytest.param(b'{"a":' * (MEBIBYTE // 5), id="only opened, objects"),
        pytest.param(b"[" * (MEBIBYTE // 2) + b"]" * (MEBIBYTE // 2), id="opened and closed"),
        pytest.param(b'"\\""' + b"[" * MEBIBYTE, id="after an escaped quote"),
        pytest.param(b'["\\\\",' + b"[" * MEBIBYTE, id="after an escaped backslash"),
        pytest.param(b'["]","\\"]",' + b"[" * MEBIBYTE, id="after closing brackets in strings"),
        pytest.param(b'["","[","]"' + b',"]"' * 100 + b"," + b"[" * MEBIBYTE, id="after empty and bracket strings"),
    ],
)
def test_a_mebibyte_of_brackets_is_refused_for_its_depth(raw: bytes) -> None:
    assert f"deeper than {MAX_DEPTH}" in refusal(raw)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(["[" * 200, "{" * 200], id="in strings"),
        pytest.param(['"' + "[" * 200, "\\", "[" * 200, '\\"[['], id="beside quotes and backslashes"),
        pytest.param(["", "[" * 99, "", '"', "", "{" * 99], id="beside empty strings"),
        pytest.param([[]] * 1000, id="side by side"),
        pytest.param({"[" * 99: "]"}, id="in keys"),
    ],
)
def test_many_brackets_are_no_depth(value: Any) -> None:
    assert loads(json.dumps(value)) == value


def test_what_is_unfinished_and_wide_is_called_malformed_not_deep() -> None:
    assert refusal(b"[" + b"[]," * 100).startswith("malformed JSON at line 1, column 302")


@given(VALUES)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert loads(dumps(value)) == value


@given(VALUES)
def test_reads_what_others_write(value: Any) -> None:
    assert loads(json.dumps(value, indent=1)) == value
    assert loads(json.dumps(value).encode()) == value


HOSTILE = st.lists(
    st.sampled_from([b"[", b"]", b"{", b"}", b'"', b"\\", b",", b":", b"\\ud800", b"\\uDC00", b"1e999", b"NaN", b" "])
    | st.sampled_from([b"[" * 70, b"]" * 70, b'"a":', b"\xff", b"\xef\xbb\xbf", b"-", b"0", b"null", b'""'])
    | st.binary(max_size=4),
).map(b"".join)


@settings(max_examples=500, deadline=None)
@given(HOSTILE)
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        value = loads(raw)
    except NotJSON:
        assert len(refusal(raw)) < 200
        return
    assert loads(dumps(value)) == value == json.loads(raw)


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 130))
def test_depth_is_counted_exactly(seed: int, size: int) -> None:
    """Build a value of known depth, with brackets in its strings, and compare."""
    value: Any = "]" * (seed % 7) + '"\\'[: seed % 3]
    for level in range(size):
        value = [value, "[" * (seed % 5)] if (seed >> (level % 32)) & 1 else {'}"': "", "k": value}
    raw = dumps(value)
    if size > MAX_DEPTH:
        assert f"deeper than {MAX_DEPTH}" in refusal(raw)
    else:
        assert loads(raw) == value


@pytest.mark.parametrize(
    ("value", "raw"),
    [
        pytest.param({"b": 1, "a": [1, 2]}, b'{"b":1,"a":[1,2]}', id="compact, in the order given"),
        pytest.param("雁😀", '"雁😀"'.encode(), id="UTF-8, not escapes"),
        pytest.param('"\\\n', b'"\\"\\\\\\n"', id="escapes where JSON needs them"),
    ],
)
def test_writes(value: Any, raw: bytes) -> None:
    assert dumps(value) == raw


@pytest.mark.parametrize("value", [math.nan, [math.inf], {"a": -math.inf}, "\ud800", {"\udfff": 1}])
def test_does_not_write_what_could_not_be_read(value: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  The text is that of the standard library.
        dumps(value)


@pytest.mark.parametrize("value", [b"x", {1, 2}, object(), {(1, 2): 3}])
def test_does_not_write_what_json_has_no_form_for(value: Any) -> None:
    with pytest.raises(TypeError):
        dumps(value)


def test_does_not_write_a_value_inside_itself() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(ValueError, match="Circular"):
        dumps(value)
