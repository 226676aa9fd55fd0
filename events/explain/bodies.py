"""Other ways to write the same body, as proxies and frameworks do that read it and write it anew; for explaining a signature."""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, product
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, quote_plus, urlencode

from events import strictjson

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 1_048_576
"""Bytes of a body that is written anew as JSON or as a form: beyond, it would take more than seconds."""
LARGEST_FORM = 4 * LARGEST
"""Bytes of a form that is tried: indenting and escaping multiply what a body has."""
MOST_WORK = 1024 * LARGEST
"""Bytes that are hashed for one body, over all forms and keys: a second or two."""

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


@dataclass(slots=True)
class Work:
    """What may be done for one body: `keys` are tried on each form, `left` bytes may yet be hashed; `left_out` tells whether forms were."""

    keys: int = 1
    left: int = MOST_WORK
    left_out: bool = False

    def takes(self, size: int) -> bool:
        """Whether so many bytes may be hashed; if so they are paid for."""
        if not self.fits(size, self.left):
            return False
        self.left -= size
        return True

    def fits(self, size: int, most: int) -> bool:
        """Whether something of so many bytes is small enough to be written."""
        self.left_out = self.left_out or size > most
        return size <= most


def rewritten(body: bytes, work: Work | None = None) -> Iterator[tuple[str, bytes]]:
    """Yield bytes that mean what a body means, each other than the body and all before, after words such as "as JSON, compact".

    It ends early when `work` is used up, and then, as where a form would be too large, sets `left_out`.
    """
    known = {_digest(body)}
    work = work or Work()
    for words, other in chain(_ends(body), _encoded(body), _as_json(body, work), _as_form(body, work)):
        if not work.takes(len(other)):
            return
        digest = _digest(other)
        if digest not in known:
            if not work.takes(len(other) * work.keys):
                return
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


def _as_json(body: bytes, work: Work) -> Iterator[tuple[str, bytes]]:
    if not work.fits(len(body), LARGEST):
        return
    try:
        value = strictjson.loads(body.removeprefix(_BOM))
    except strictjson.NotJSON:
        return
    steps = _steps(value)
    for (layout, form), (order, sort), (char, to_ascii) in product(_LAYOUTS.items(), _SORTED.items(), _ASCII.items()):
        indent = form.get("indent", 0)
        if not work.fits(len(body) + steps * (indent if isinstance(indent, int) else len(indent)), LARGEST_FORM):
            continue
        text = json.dumps(value, sort_keys=sort, ensure_ascii=to_ascii, **form)
        for escape, escaped in _escaped(text):
            if not work.fits(len(escaped), LARGEST_FORM):
                continue
            for end, more in (("", ""), ("a line break at its end", "\n")):
                yield ", ".join(filter(None, ("as JSON", layout, order, char, escape, end))), (escaped + more).encode()


def _steps(value: Any) -> int:
    """Return how many steps a JSON value is indented by, over all its lines."""
    steps, todo = 0, [(value, 1)] if isinstance(value, (dict, list)) else []
    while todo:
        inner, depth = todo.pop()
        if inner:  # An empty one stays on its line.
            steps += depth * len(inner) + depth - 1
            below = inner.values() if isinstance(inner, dict) else inner
            todo.extend((each, depth + 1) for each in below if isinstance(each, (dict, list)))
    return steps


def _escaped(text: str) -> Iterator[tuple[str, str]]:
    """Yield JSON as it is, and with the characters escaped that some libraries escape; all of them stand in strings only."""
    yield "", text
    yield "/ as \\/", text.replace("/", "\\/")
    yield "<, > and & as \\u escapes", text.translate(_FOR_HTML)


def _as_form(body: bytes, work: Work) -> Iterator[tuple[str, bytes]]:
    """Yield a form (application/x-www-form-urlencoded) written anew."""
    if not work.fits(len(body), LARGEST) or b"=" not in body or not body.isascii() or body[:1] in (b"{", b"[", b"<"):
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
