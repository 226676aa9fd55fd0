"""On which line each key of a TOML document is, for messages: the parser of the standard library keeps none."""

from __future__ import annotations

import re
from bisect import bisect
from typing import TYPE_CHECKING

from events.senders.document import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

Keys = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BARE = re.compile(r"[^\s.=\]]*")
_SCALAR = re.compile(r"[^,\]}#\n]*")
_STRING = {
    '"': re.compile(r'\\.|"'),
    "'": re.compile("'"),
    '"""': re.compile(r'\\.|"""', re.DOTALL),
    "'''": re.compile("'''"),
}


class Lines:
    """The lines of the keys of one document, which must be valid TOML 1.0 or 1.1 (line breaks inside inline tables)."""

    def __init__(self, text: str) -> None:
        scanner = _Scanner(text)
        scanner.document()
        breaks = [found.start() for found in re.finditer("\n", text)]
        # A table's own header says more than the first key that only passed through it.
        places = {**scanner.passed, **scanner.defined}
        self._lines = {keys: bisect(breaks, at) + 1 for keys, at in places.items()}

    def of(self, keys: Sequence[str | int]) -> int | None:
        """Return the line, counted from 1, of a key (`("senders", "github", "secrets", 1)`) or of the nearest one around it, else None."""
        path = tuple(keys)
        return next((self._lines[path[:size]] for size in range(len(path), 0, -1) if path[:size] in self._lines), None)


class _Scanner:
    """Walks over a document once: `defined` and `passed` are offsets of keys that are given a value, and of those on the way to them."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._last: dict[Keys, int] = {}
        self.defined: dict[Keys, int] = {}
        self.passed: dict[Keys, int] = {}

    def document(self) -> None:
        table: Keys = ()
        while char := self._next():
            if char == "[":
                table = self._header()
            else:
                self._pair(table)

    def _next(self) -> str:
        """Skip what says nothing, and return the character there, "" at the end."""
        self._at = self._end_of(_BLANK)
        return self._text[self._at : self._at + 1]

    def _end_of(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self._text, self._at)
        return found.end() if found else self._at

    def _header(self) -> Keys:
        start = self._at
        brackets = 2 if self._text.startswith("[[", start) else 1
        self._at += brackets
        *steps, last = self._key()
        self._at += brackets
        keys: Keys = ()
        for step in steps:
            keys = (*keys, step)
            self.passed.setdefault(keys, start)
            if keys in self._last:  # A table under an array of tables belongs to the last of them.
                keys = (*keys, self._last[keys])
        keys = (*keys, last)
        self.defined.setdefault(keys, start)
        if brackets == 2:
            self._last[keys] = self._last.get(keys, -1) + 1
            keys = (*keys, self._last[keys])
            self.defined[keys] = start
        return keys

    def _pair(self, table: Keys) -> None:
        start = self._at
        keys = (*table, *self._key())
        for size in range(len(table) + 1, len(keys)):
            self.passed.setdefault(keys[:size], start)
        self.defined.setdefault(keys, start)
        self._at += 1  # The equals sign.
        self._value(keys)

    def _key(self) -> list[str]:
        steps = []
        while True:
            quoted = self._next() in ("'", '"')
            start = self._at
            self._at = self._string_end() if quoted else self._end_of(_BARE)
            raw = self._text[start : self._at]
            steps.append(next(iter(parse(f"{raw} = 0"))) if quoted else raw)
            if self._next() != ".":
                return steps
            self._at += 1

    def _value(self, keys: Keys) -> None:
        char = self._next()
        if char in ("[", "{"):
            self._at += 1
            self._items(keys, in_array=char == "[")
        else:
            self._at = self._string_end() if char in ("'", '"') else self._end_of(_SCALAR)

    def _items(self, keys: Keys, *, in_array: bool) -> None:
        index = 0
        while (char := self._next()) not in ("]", "}", ""):
            if char == ",":
                self._at += 1
            elif in_array:
                self.defined[(*keys, index)] = self._at
                self._value((*keys, index))
                index += 1
            else:
                self._pair(keys)
        self._at += 1

    def _string_end(self) -> int:
        quote = self._text[self._at]
        mark = quote * 3 if self._text.startswith(quote * 3, self._at) else quote
        ends = (found.end() for found in _STRING[mark].finditer(self._text, self._at + len(mark)) if found[0] == mark)
        end = next(ends, len(self._text))
        while len(mark) > 1 and self._text.startswith(quote, end):
            end += 1  # Up to two quotes may stand before the three that end it.
        return end
