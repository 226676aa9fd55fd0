"""The line of every key of a TOML document, however it is written."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.senders.document import parse
from events.senders.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    Keys = tuple[str | int, ...]

DOCUMENT = '''# [senders.comment]
title = "x # y"   # title = 1
[senders.a]
scheme = "plain"
"quoted key" = 1
'lit.eral' = """
scheme = 1 \\""" [senders.b]
""""
path.to . "the.key" = [ # [0]
  "]", 1,

  { env = 'A', until = 1979-05-27 07:32:00Z }, {env=\'\'\'
B\'\'\'}, [[
  2]],
]

[senders]
b.scheme = "plain"
b."secrets" = [{ env = "A" }]
c = { scheme = "plain", deep.er = 1 }
[ "senders" . d.payload ]
x = 1
[[senders.e.secrets]]
env = "A"
[[senders.e.secrets]] # the second
env = "B"
[senders.e.secrets.token]
file = "C"
[[senders.e.secrets.more]]
env = "\\u0044"
"\\u00e9\\"" = 1
[senders.d]
scheme = "plain"'''


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("title",), 2),
        (("senders",), 17),
        (("senders", "a"), 3),
        (("senders", "a", "scheme"), 4),
        (("senders", "a", "quoted key"), 5),
        (("senders", "a", "lit.eral"), 6),
        (("senders", "a", "path"), 9),
        (("senders", "a", "path", "to", "the.key"), 9),
        (("senders", "a", "path", "to", "the.key", 0), 10),
        (("senders", "a", "path", "to", "the.key", 1), 10),
        (("senders", "a", "path", "to", "the.key", 2, "until"), 12),
        (("senders", "a", "path", "to", "the.key", 3, "env"), 12),
        (("senders", "a", "path", "to", "the.key", 4, 0, 0), 14),
        (("senders", "a", "path", "to", "the.key", 5), 9),
        (("senders", "a", "operations"), 3),
        (("senders", "b"), 18),
        (("senders", "b", "secrets", 0, "env"), 19),
        (("senders", "b", "operations", 1), 18),
        (("senders", "c", "deep", "er"), 20),
        (("senders", "d"), 32),
        (("senders", "d", "payload"), 21),
        (("senders", "d", "payload", "x"), 22),
        (("senders", "d", "scheme"), 33),
        (("senders", "e"), 23),
        (("senders", "e", "secrets"), 23),
        (("senders", "e", "secrets", 0, "env"), 24),
        (("senders", "e", "secrets", 1), 25),
        (("senders", "e", "secrets", 1, "env"), 26),
        (("senders", "e", "secrets", 1, "token", "file"), 28),
        (("senders", "e", "secrets", 1, "more", 0, "env"), 30),
        (("senders", "e", "secrets", 1, "more", 0, 'é"'), 31),
        (("senders", "nobody"), 17),
        (("nothing",), None),
        ((), None),
    ],
)
def test_where_a_key_is(keys: Keys, line: int | None) -> None:
    assert parse(DOCUMENT)
    assert Lines(DOCUMENT).of(keys) == line
    assert Lines(DOCUMENT.replace("\n", "\r\n")).of(keys) == line


@pytest.mark.parametrize("text", ["", "\n\n", "# a = 1", "# a = 1\n"])
def test_a_document_without_keys(text: str) -> None:
    assert Lines(text).of(("a",)) is None


@pytest.mark.parametrize("mark", ["'", '"'])
@pytest.mark.parametrize("quotes", [3, 4, 5])
def test_a_string_may_end_in_quotes_of_its_own(mark: str, quotes: int) -> None:
    text = f"a = {mark * 3}\nb = 2\n{mark * quotes}\nc = 3"
    assert parse(text)["a"] == "b = 2\n" + mark * (quotes - 3)
    assert Lines(text).of(("c",)) == 4
    assert Lines(text).of(("b",)) is None


def test_a_large_document_is_read_in_one_pass() -> None:
    text = "a = [\n" + '  "\\\\",\n' * 50_000 + ']\nb = """' + '\\"' * 100_000 + '"""\nc = 1'
    assert Lines(text).of(("a", 49_999)) == 50_001
    assert Lines(text).of(("c",)) == 50_004


# Documents that are made together with the lines of their keys

NAMES = "ab_-1 .#='\"[]{},é雁\\\t"
TEXTS = "a=1\n[b]#'\"{},\\é"
SCALARS = ["1", "-0.5e3", "true", "inf", "1979-05-27T07:32:00Z", "1979-05-27 07:32:00.5", "07:32:00"]
SPACES = ["", " ", "\t "]
BREAKS = ["", " ", "\n", "\n\n", " # ] } a = 1\n", '#\'"""\n  ']


class Writer:
    """Writes a document, and notes the line of each key as it goes: of those it gives a value, and of those it passes through."""

    def __init__(self, seed: int) -> None:
        # Not drawn one by one: that takes fifty times as long, and a document that fails is small enough as it is.
        self.random = random.Random(seed)
        self.text = ""
        self.defined: dict[Keys, int] = {}
        self.passed: dict[Keys, int] = {}
        self._names = 0

    @property
    def line(self) -> int:
        return self.text.count("\n") + 1

    def table(self, keys: Keys, depth: int = 0) -> None:
        """Write the pairs of a table whose header is written, then tables below it."""
        for _ in range(self.random.randint(0, 3)):
            self.pair(keys)
            self.text += self.random.choice(SPACES) + self.random.choice(["\n", " # x = 1\n", "\r\n\n"])
        for _ in range(self.random.randint(0, 3) if depth < 2 else 0):
            self.random.choice([self.plain, self.later, self.array])((*keys, self.name()), depth + 1)

    def plain(self, keys: Keys, depth: int) -> None:
        self.defined[keys] = self.line
        self.header(keys, "[", "]")
        self.table(keys, depth)

    def later(self, keys: Keys, depth: int) -> None:
        """Write a table before the one around it, which may come afterwards."""
        self.passed[keys] = self.line
        self.plain((*keys, self.name()), depth)
        if self.random.random() < 0.5:
            self.defined[keys] = self.line
            self.header(keys, "[", "]")
            self.pair(keys)
            self.text += "\n"

    def array(self, keys: Keys, depth: int) -> None:
        for index in range(self.random.randint(1, 3)):
            self.defined.setdefault(keys, self.line)
            self.defined[(*keys, index)] = self.line
            self.header(keys, "[[", "]]")
            self.table((*keys, index), depth)

    def header(self, keys: Keys, start: str, end: str) -> None:
        self.text += self.random.choice(SPACES) + start
        self.steps([step for step in keys if isinstance(step, str)])
        self.text += end + self.random.choice(["\n", " # [x]\n"])

    def pair(self, table: Keys) -> None:
        steps = [self.name() for _ in range(self.random.choice([1, 1, 2, 3]))]
        for size in range(1, len(steps)):
            self.passed[(*table, *steps[:size])] = self.line
        self.defined[(*table, *steps)] = self.line
        self.steps(steps)
        self.text += "=" + self.random.choice(SPACES)
        self.value((*table, *steps), 0)

    def some(self, characters: str, most: int) -> str:
        return "".join(self.random.choices(characters, k=self.random.randint(0, most)))

    def name(self) -> str:
        self._names += 1
        return f"{self.some(NAMES, 4)}_{self._names}"

    def steps(self, steps: list[str]) -> None:
        self.text += ".".join(
            self.random.choice(SPACES) + self.written(step) + self.random.choice(SPACES) for step in steps
        )

    def written(self, step: str) -> str:
        ways = [json.dumps(step), json.dumps(step, ensure_ascii=False)]
        if "'" not in step:
            ways.append(f"'{step}'")
        if re.fullmatch("[A-Za-z0-9_-]+", step):
            ways.append(step)
        return self.random.choice(ways)

    def value(self, keys: Keys, depth: int) -> None:
        kinds = [self.scalar, self.string]
        kind = self.random.choice(kinds if depth > 2 else [*kinds, self.listed, self.inline])
        kind(keys, depth + 1)

    def scalar(self, keys: Keys, depth: int) -> None:
        self.text += self.random.choice(SCALARS)

    def string(self, keys: Keys, depth: int) -> None:
        text = self.some(TEXTS, 12)
        escaped = text.replace("\\", "\\\\")
        ways = [
            json.dumps(text),
            '"""' + escaped.replace('"', '\\"') + '"""',
            '"""' + escaped.replace('"', "'") + '""""',
        ]
        ways += ["'''" + text.replace("'", '"') + "'''", "'" + re.sub("['\n]", "", text) + "'"]
        self.text += self.random.choice(ways)

    def listed(self, keys: Keys, depth: int) -> None:
        self.text += "[" + self.random.choice(BREAKS)
        for index in range(self.random.randint(0, 3)):
            self.defined[(*keys, index)] = self.line
            self.value((*keys, index), depth)
            self.text += self.random.choice(BREAKS) + "," + self.random.choice(BREAKS)
        self.text += "]"

    def inline(self, keys: Keys, depth: int) -> None:
        self.text += "{" + self.random.choice(SPACES)
        for index in range(self.random.randint(0, 3)):
            self.text += "," if index else ""
            self.inline_pair(keys, depth)
            self.text += self.random.choice(SPACES)
        self.text += "}"

    def inline_pair(self, table: Keys, depth: int) -> None:
        name = self.name()
        self.defined[(*table, name)] = self.line
        self.steps([name])
        self.text += "=" + self.random.choice(SPACES)
        self.value((*table, name), depth)


def paths(value: Any, keys: Keys = ()) -> Iterator[Keys]:
    """Yield the path of everything in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*keys, key)
        yield from paths(inner, (*keys, key))


@settings(deadline=None)
@given(seed=st.integers(0, 2**32))
def test_every_key_of_every_document_is_found(seed: int) -> None:
    writer = Writer(seed)
    writer.table(())
    lines = Lines(writer.text)
    expected = {**writer.passed, **writer.defined}
    assert set(paths(parse(writer.text))) == set(expected)
    assert {keys: lines.of(keys) for keys in expected} == expected
    assert all(lines.of((*keys, "absent")) == line for keys, line in expected.items())
