"""Where a secret's text is kept: an environment variable, or a file of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from events.senders import files
from events.senders.mistakes import meant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from events.senders.mistakes import Place

KINDS = ("env", "file")
"""The keys that say where a secret is."""

_MOST = 65_536
_MOST_CONTENT = 4 << 20
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What does not look like the name of a variable may be the secret itself: it is not repeated.
_PLAIN_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class Text:
    """A secret's text, white space around it gone, and where it came from, without it: `env GITHUB_SECRET`, `file /run/github`."""

    text: str = field(repr=False)
    origin: str


@dataclass(frozen=True, slots=True)
class Sources:
    """The environment, and the folder that relative paths start at."""

    environ: Mapping[str, str] = field(repr=False)
    folder: Path

    def fetch(self, table: Mapping[str, Any], place: Place) -> Text | None:
        """Return the text that `{ env = … }` or `{ file = … }` names, None with the mistakes noted."""
        if unknown(table, KINDS, place):
            return None
        named = [kind for kind in KINDS if kind in table]
        if len(named) != 1:
            place.wrong(f"says {'two places' if named else 'no place'} to take the secret from: {written(place)}")
            return None
        [kind] = named
        at, value = place / kind, table[kind]
        if not at.is_a(str, value, written(place)):
            return None
        return self._variable(value, at) if kind == "env" else self._file(value, at)

    def _variable(self, name: str, place: Place) -> Text | None:
        if not _NAME.fullmatch(name):
            place.wrong(f"must be the name of an environment variable, never the secret itself: {written(place)}")
            return None
        what = f"the environment variable {name}" if _PLAIN_NAME.fullmatch(name) else "this environment variable"
        if name not in self.environ:
            place.wrong(f"{what} is not set")
            return None
        return _stripped(self.environ[name], f"env {name}", what, place)

    def content(self, name: Any, place: Place) -> bytes | None:
        """Return what is in a file that holds no secret, None with the mistake noted."""
        if not place.is_a(str, name, '"roots.pem", the path of a file'):
            return None
        try:
            return files.content(self.folder / name, _MOST_CONTENT)[0]
        except files.Unreadable as error:
            self._unreadable(error, name, place)
            return None

    def _file(self, name: str, place: Place) -> Text | None:
        path = self.folder / name
        try:
            text, exposed = files.read(path, _MOST)
        except files.Unreadable as error:
            self._unreadable(error, name, place)
            return None
        if exposed:
            place.warn("others than its owner may read this file: chmod 600")
        return _stripped(text, f"file {_utf8(path)}", "the file", place)

    def _unreadable(self, error: files.Unreadable, name: str, place: Place) -> None:
        hint = "" if name.startswith("/") else f" (relative paths start at {_utf8(self.folder)})"
        place.wrong(f"{error}{hint}")


def unknown(table: Mapping[str, Any], known: Sequence[str], place: Place) -> bool:
    """Note every key that is not known, and tell whether there is one.

    Text under a key that is not nearly a known one is taken for the secret itself.
    """
    others = {key: value for key, value in table.items() if key not in known}
    for key, value in others.items():
        hint = meant(key, known)
        if isinstance(value, str) and not hint:
            inline(place / key)
        else:
            (place / key).wrong(f"there is no such key; {hint or 'the keys are ' + ', '.join(known)}")
    return bool(others)


def inline(place: Place) -> None:
    """Note a secret that stands in the file."""
    place.wrong(
        f"a secret does not belong in this file: put it into a variable or a file of its own, and {written(place)}"
    )


def written(place: Place) -> str:
    """Return how the source of one text is written, with names that suit the sender."""
    return f'write {{ env = "{variable(place)}" }} or {{ file = "/run/secrets/{variable(place).lower()}" }}'


def variable(place: Place, part: str = "secret") -> str:
    """Return a good name for the environment variable with one part of the sender's secret."""
    name = re.sub("[^A-Z0-9]", "_", f"{str(place.keys[1])[:40]}_{part}".upper())
    return f"_{name}" if name[0].isdigit() else name


def _stripped(raw: str, origin: str, what: str, place: Place) -> Text | None:
    text = raw.strip()
    if not text:
        place.wrong(f"{what} is empty")
        return None
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        place.wrong(f"{what} is not UTF-8 text")
        return None
    if len(text.splitlines()) > 1:
        place.warn(f"{what} holds several lines; all of them together are taken for the secret")
    return Text(text, origin)


def _utf8(path: Path) -> str:
    """Return a path as text that can be written: the system lets paths hold bytes that are not UTF-8."""
    return str(path).encode("utf-8", "replace").decode()
