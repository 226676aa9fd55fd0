"""A whole senders file read into senders: every mistake in it is told at once, in the order of its lines."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from events.senders import document, entries, files, grants, payload, values
from events.senders.lines import Lines
from events.senders.mistakes import Mistake, Notes, Place, SendersRefused, meant, shown
from events.senders.secrets import Judge
from events.senders.sender import Sender
from events.senders.sources import Sources
from events.signatures import BadOption, CryptoMissing, Secrets, registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from events.signatures import Scheme

_MOST = 1_048_576
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
KEYS = (
    "scheme",
    "secrets",
    "operations",
    "operation",
    "projects",
    "rate",
    "window_s",
    "payload",
    "origins",
    "https",
    "async",
)
"""What every sender may have; each scheme adds its options."""


def read(
    file: str, environ: Mapping[str, str], allowed: Callable[[str], bool], now: float
) -> tuple[list[Sender], list[Mistake]]:
    """Return the senders of a file, and warnings; `now` is in seconds since 1970. Raises SendersRefused."""
    try:
        text, _ = files.read(Path(file), _MOST)
        table = document.parse(text)
    except files.Unreadable as error:
        raise SendersRefused(file, [Mistake(None, "", str(error))]) from None
    except document.NotTOML as error:
        raise SendersRefused(file, [Mistake(error.line, "", str(error))]) from None
    notes = Notes(Lines(text))
    reader = _Reader(Sources(environ, Path(file).parent), Judge(now), allowed)
    senders = [sender for name, given in _named(table, Place(notes)) if (sender := reader.sender(name, given))]
    if notes.mistakes:
        raise SendersRefused(file, _in_order(notes.mistakes))
    return senders, _in_order(notes.warnings)


def _in_order(noted: list[Mistake]) -> list[Mistake]:
    return sorted(noted, key=lambda mistake: mistake.line or 0)


def _named(table: Mapping[str, Any], top: Place) -> list[tuple[Place, dict[str, Any]]]:
    """Return the places and tables of the senders; what else is in the file is noted."""
    top.only(table, ("senders",))
    given = table.get("senders")
    at = top / "senders"
    if given is None or given == {}:
        at.wrong("there are no senders: begin one with [senders.<name>]; `flask senders example` shows how")
    elif at.is_a(dict, given, "[senders.<name>]"):
        return [(at / name, inner) for name, inner in given.items() if (at / name).is_a(dict, inner, f"[{at / name}]")]
    return []


class _Reader:
    """Reads the senders of one file, one after another."""

    def __init__(self, sources: Sources, judge: Judge, allowed: Callable[[str], bool]) -> None:
        self._sources = sources
        self._judge = judge
        self._allowed = allowed

    def sender(self, place: Place, table: Mapping[str, Any]) -> Sender | None:
        """Return a sender, None with its mistakes noted."""
        before = len(place.notes.mistakes)
        name = str(place.keys[-1])
        if not _NAME.fullmatch(name):
            place.wrong("a name is part of a path: 1 to 63 lower-case letters, digits and hyphens, no hyphen first")
        kind = _kind(table, place)
        place.only(table, (*KEYS, *_option_names(kind)))
        window_s = values.window_s(table, place)
        scheme = _scheme(kind, {**self._options(kind, table, place), "window_s": window_s}, place) if kind else None
        secrets = self._judge.judged(entries.read(table, place, kind, self._sources), scheme, place)
        operations = grants.operations(table, place)
        operation = grants.operation(table, operations, place)
        projects = grants.projects(table, place, self._allowed)
        rate = values.rate(table, place)
        where = payload.judge(table["payload"], place / "payload") if "payload" in table else None
        origins = values.origins(table, place)
        https = values.https(table, place, needed=bool(kind and kind.needs_https))
        later = values.later(table, place)
        if scheme is None or len(place.notes.mistakes) > before:
            return None
        own = Secrets(name, secrets)
        return Sender(name, scheme, own, operations, projects, rate, operation, where, origins, https, later)

    def _options(self, kind: type[Scheme], table: Mapping[str, Any], place: Place) -> dict[str, Any]:
        """Return the options in a sender's table, files by what is in them; one that cannot be read is noted and left out."""
        given = {option: table[option] for option in kind.options if option in table}
        for option in set(kind.files) & given.keys():
            content = self._sources.content(given.pop(option), place / option)
            given |= {} if content is None else {option: content}
        return given


def _kind(table: Mapping[str, Any], place: Place) -> type[Scheme] | None:
    at, known = place / "scheme", registry.names()
    if "scheme" not in table:
        at.wrong(f'is missing: write scheme = "standard"; there are {", ".join(known)}')
        return None
    name = table["scheme"]
    if not at.is_a(str, name, '"standard"'):
        return None
    kind = registry.find(name)
    if kind is None:
        # What is not nearly a scheme's name may be the secret itself: it is not repeated.
        near = meant(name, known)
        at.wrong(
            f"there is no scheme {shown(name)}; {near}" if near else f"this is no scheme; there are {', '.join(known)}"
        )
    return kind


def _option_names(kind: type[Scheme] | None) -> tuple[str, ...]:
    """Return the options of a scheme, of all schemes where it is not known."""
    kinds = [kind] if kind else [found for name in registry.names() if (found := registry.find(name))]
    return tuple(option for each in kinds for option in each.options)


def _scheme(kind: type[Scheme], given: Mapping[str, Any], place: Place) -> Scheme | None:
    """Return a scheme with the options given; each one that it refuses is noted and left out, so that the next can be judged."""
    try:
        return kind(**given)
    except CryptoMissing as error:
        (place / error.option).wrong_once(str(error))
    except BadOption as error:
        (place / error.option).wrong_once(str(error))
        if error.option in given:
            return _scheme(kind, {option: value for option, value in given.items() if option != error.option}, place)
    return None
