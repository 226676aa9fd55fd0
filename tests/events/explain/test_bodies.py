"""Bodies as proxies and frameworks write them anew: each of the forms is found from what came of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.explain.bodies import LARGEST, LARGEST_FORM, MOST_WORK, Work, rewritten

pytestmark = pytest.mark.slow

# What was signed, what came, and how the former is called.
CASES = [
    (b'{"b":1,"a":2}', b'{"b": 1, "a": 2}', "as JSON, compact"),
    (b'{"b": 1, "a": 2}', b'{"b":1,"a":2}', "as JSON, with a blank after each comma and colon"),
    (b'{"a":2,"b":1}', b'{"b":1,"a":2}', "as JSON, compact, keys sorted"),
    (b'{\n  "a": [\n    1\n  ]\n}', b'{"a":[1]}', "as JSON, indented by 2"),
    (b'{\n    "a": [\n        1\n    ]\n}', b'{"a":[1]}', "as JSON, indented by 4"),
    (b'{\n\t"a": 1\n}', b'{"a":1}', "as JSON, indented by a tab"),
    (b'{\n  "a": 1\n}\n', b'{"a":1}', "as JSON, indented by 2, a line break at its end"),
    (b'{"a":"\\u540d"}', '{"a":"名"}'.encode(), "as JSON, compact, all but ASCII as \\u escapes"),
    ('{"a":"名"}'.encode(), b'{"a":"\\u540d"}', "as JSON, compact"),
    (b'{"a":"\\ud83d\\ude00","b":1}', '{"b": 1, "a": "😀"}'.encode(), "as JSON, compact, keys sorted, all but ASCII as \\u escapes"),
    (b'{"u":"https:\\/\\/a\\/"}', b'{"u":"https://a/"}', "as JSON, compact, / as \\/"),
    (b'{"u":"https:\\/\\/\\u00e9"}', '{"u":"https://é"}'.encode(), "as JSON, compact, all but ASCII as \\u escapes, / as \\/"),
    (b'{"a":"\\u003cb\\u003e \\u0026"}\n', b'{"a": "<b> &"}', "as JSON, compact, <, > and & as \\u escapes, a line break at its end"),
    (b'{"a":1}\n', b'{"a":1}', "with a line break at its end"),
    (b'{"a":1}', b'{"a":1}\n', "without the line break at its end"),
    (b'{"a":1}\r\n', b'{"a":1}', "with CR LF at its end"),
    (b"text", b" text \n\n", "without the blanks and line breaks around it"),
    (b"a\r\nb\r\n", b"a\nb\n", "with CR LF in place of LF"),
    (b"a\nb\n", b"a\r\nb\r\n", "with LF in place of CR LF"),
    (b'\xef\xbb\xbf{"a":1}', b'{"a":1}', "with a byte order mark"),
    (b'{"a":1}', b'\xef\xbb\xbf{"a":1}', "without its byte order mark"),
    (b'{"a":"\xe9"}', '{"a":"é"}'.encode(), "in Latin-1 in place of UTF-8 (or it was encoded twice)"),
    ('{"a":"é"}'.encode(), '{"a":"é"}'.encode().decode("latin-1").encode(), "in Latin-1 in place of UTF-8 (or it was encoded twice)"),
    ('{"a":"é"}'.encode(), b'{"a":"\xe9"}', "in UTF-8 in place of Latin-1"),
    ('{"a":"“"}'.encode("cp1252"), '{"a":"“"}'.encode(), "in Windows-1252 in place of UTF-8 (or it was encoded twice)"),
    ('{"名":1}'.encode("gb18030"), '{"名":1}'.encode(), "in GB 18030 in place of UTF-8 (or it was encoded twice)"),
    (b"text=a+b&token=%2F", b"text=a%20b&token=%2F", "as a form"),
    (b"text=a%20b&token=%2F", b"text=a+b&token=%2F", "as a form, blanks as %20"),
    (b"a=%2f&b=", b"a=%2F&b=", "as a form, lower-case escapes"),
    (b"a=1&b=%FF", b"b=%FF&a=1", "as a form, fields sorted"),
]  # fmt: skip


@pytest.mark.parametrize(("signed", "came", "words"), CASES)
def test_the_form_that_was_signed_is_found(signed: bytes, came: bytes, words: str) -> None:
    assert (words, signed) in list(rewritten(came))


@pytest.mark.parametrize("came", [case[1] for case in CASES])
def test_no_form_is_what_came_or_comes_twice(came: bytes) -> None:
    forms = [body for _, body in rewritten(came)]
    assert came not in forms
    assert len(forms) == len(set(forms)) <= 200


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a":1,"a":2}', b"[" * 99, b"\xff\xfe", b"=", b"&" * 9999 + b"=", b"<a b='c'/>"]
)
def test_what_cannot_be_read_has_its_ends_and_encodings_only(body: bytes) -> None:
    assert not [words for words, _ in rewritten(body) if words.startswith("as JSON")]


def test_a_large_body_is_not_written_anew() -> None:
    large = json.dumps(["x" * LARGEST]).encode()
    assert all(not words.startswith("as ") for words, _ in rewritten(large))
    assert all(not words.startswith("as ") for words, _ in rewritten(b"a=" + b"x" * LARGEST))


# Each of one byte short of 1 MiB or less, in which something multiplies.
GROWING = {
    "deep": b"[" + b",".join([b"[" * 60 + b"1" + b"]" * 60] * 8_500) + b"]",
    "deep objects": b"[" + b",".join([b'{"a":' * 60 + b"1" + b"}" * 60] * 2_900) + b"]",
    "wide": b"[" + b",".join([b"1"] * 520_000) + b"]",
    "escaped": b'["' + b"<" * 1_048_000 + b'"]',
    "not ASCII": '["{}"]'.format("\x7f\u00e9" * 340_000).encode(),
}


@pytest.mark.parametrize("name", sorted(GROWING))
def test_what_multiplies_a_body_is_left_out_and_told(name: str) -> None:
    work = Work(keys=10)
    sizes = [len(form) for _, form in rewritten(GROWING[name], work)]
    assert sizes
    assert max(sizes) <= LARGEST_FORM + 2
    assert sum(sizes) * 10 <= MOST_WORK
    assert work.left >= 0
    assert work.left_out or name in ("wide", "not ASCII")


# The first form has four bytes: they are hashed once to tell it from others, and by each of two keys.
@pytest.mark.parametrize(("left", "count"), [(0, 0), (4, 0), (11, 0), (12, 1)])
def test_forms_end_where_the_work_does(left: int, count: int) -> None:
    work = Work(keys=2, left=left)
    assert len(list(rewritten(b"[1]", work))) == count
    assert work.left_out


def test_what_is_small_is_left_out_nowhere() -> None:
    for _, came, _ in CASES:
        work = Work(keys=10)
        list(rewritten(came, work))
        assert not work.left_out


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_have_forms(body: bytes) -> None:
    assert all(words and isinstance(form, bytes) for words, form in rewritten(body))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab/<é", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(value=JSON, ascii_only=st.booleans(), sort=st.booleans(), indent=st.sampled_from([None, 2, 4]))
def test_whatever_json_writes_is_found(*, value: object, ascii_only: bool, sort: bool, indent: int | None) -> None:
    came = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    signed = json.dumps(value, ensure_ascii=ascii_only, sort_keys=sort, indent=indent).encode()
    assert signed == came or signed in [form for _, form in rewritten(came)]
