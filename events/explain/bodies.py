"""Other ways to write the same body, as proxies and frameworks do that read it and write it anew; for explaining a signature."""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from itertools import chain, product
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, quote_plus, urlencode

from events import strictjson

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 1_048_576
"""Bytes of a body that is written anew as JSON or as a form: beyond, it would take more than seconds."""

_BOM = b"\xef\xbb\xbf"
_ENCODINGS = {"latin-1": "Latin-1", "cp1252": "Windows-1252", "gb18030": "GB 18030"}
_LAYOUTS: dict[str, dict[str, Any]] = {
    "compact": {"separators": (",", ":")},
    "with a blank after each comma and colon": {"separators": (", ", ": ")},
    "indented by 2": {"indent": 2},
    "indented by 4": {"indent": 4},
    "indented by a tab": {"indent": "\t"},
}
_SORTED = {"": False, "keys sorted": True}
_ASCII = {"": False, "all but ASCII as \\u escapes": True}
# As Go and Gson write it, so that no browser takes it for HTML.
_FOR_HTML = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})
_FIELDS = 1_000


def rewritten(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield bytes that mean what a body means, each other than the body and all before, after words such as "as JSON, compact"."""
    known = {_digest(body)}
    for words, other in chain(_ends(body), _encoded(body), _as_json(body), _as_form(body)):
        digest = _digest(other)
        if digest not in known:
            known.add(digest)
            yield words, other


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()


def _ends(body: bytes) -> Iterator[tuple[str, bytes]]:
    yield "with a line break at its end", body + b"\n"
    yield "with CR LF at its end", body + b"\r\n"
    yield "without the line break at its end", body.removesuffix(b"\n").removesuffix(b"\r")
    yield "without the blanks and line breaks around it", body.strip()
    unix = body.replace(b"\r\n", b"\n")
    yield "with LF in place of CR LF", unix
    yield "with CR LF in place of LF", unix.replace(b"\n", b"\r\n")
    yield "without its byte order mark", body.removeprefix(_BOM)
    yield "with a byte order mark", _BOM + body.removeprefix(_BOM)


def _encoded(body: bytes) -> Iterator[tuple[str, bytes]]:
    if body.isascii():
        return
    for encoding, name in _ENCODINGS.items():
        with suppress(UnicodeError):
            yield f"in {name} in place of UTF-8 (or it was encoded twice)", body.decode().encode(encoding)
        with suppress(UnicodeError):
            yield f"in UTF-8 in place of {name}", body.decode(encoding).encode()


def _as_json(body: bytes) -> Iterator[tuple[str, bytes]]:
    if len(body) > LARGEST:
        return
    try:
        value = strictjson.loads(body.removeprefix(_BOM))
    except strictjson.NotJSON:
        return
    for (layout, form), (order, sort), (char, to_ascii) in product(_LAYOUTS.items(), _SORTED.items(), _ASCII.items()):
        text = json.dumps(value, sort_keys=sort, ensure_ascii=to_ascii, **form)
        for escape, escaped in _escaped(text):
            for end, more in (("", ""), ("a line break at its end", "\n")):
                yield ", ".join(filter(None, ("as JSON", layout, order, char, escape, end))), (escaped + more).encode()


def _escaped(text: str) -> Iterator[tuple[str, str]]:
    """Yield JSON as it is, and with the characters escaped that some libraries escape; all of them stand in strings only."""
    yield "", text
    yield "/ as \\/", text.replace("/", "\\/")
    yield "<, > and & as \\u escapes", text.translate(_FOR_HTML)


def _as_form(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield a form (application/x-www-form-urlencoded) written anew."""
    if len(body) > LARGEST or b"=" not in body or not body.isascii() or body[:1] in (b"{", b"[", b"<"):
        return
    with suppress(ValueError):
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS, errors="surrogateescape")
        for (blank, how), (order, fields) in product(
            (("", quote_plus), ("blanks as %20", quote)), (("", pairs), ("fields sorted", sorted(pairs)))
        ):
            text = urlencode(fields, quote_via=how, errors="surrogateescape")
            for case, cased in (
                ("", text),
                ("lower-case escapes", re.sub("%..", lambda found: found[0].lower(), text)),
            ):
                yield ", ".join(filter(None, ("as a form", blank, order, case))), cased.encode()
