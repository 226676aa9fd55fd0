"""The texts of a sender's secrets, read once more from where its senders file says; `Sender` keeps only what its scheme made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from events.senders import document, entries, files
from events.senders.lines import Lines
from events.senders.mistakes import Notes, Place
from events.senders.sources import Sources
from events.signatures import registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.senders.sources import Text

_MOST = 1_048_576


@dataclass(frozen=True, slots=True)
class SecretText:
    """The texts of one secret by part, where they came from, and until when it counts (seconds since 1970, None: no end)."""

    parts: Mapping[str, str] = field(repr=False)
    origin: str
    until: float | None = None


def texts(file: str, environ: Mapping[str, str], name: str) -> tuple[SecretText, ...]:
    """Return the texts of the secrets of one sender of a file that `Senders.read` has read; none for what cannot be had any more."""
    try:
        text, _ = files.read(Path(file), _MOST)
        table = document.parse(text)["senders"][name]
        kind = registry.find(table["scheme"])
    except (files.Unreadable, document.NotTOML, KeyError, TypeError):  # It was changed since it was read.
        return ()
    place = Place(Notes(Lines(text)), ("senders", name))
    found = entries.read(table, place, kind, Sources(environ, Path(file).parent))
    return tuple(
        SecretText(
            {part: each.text for part, each in entry.texts.items()},
            _origin(entry.texts),
            entry.until,
        )
        for entry in found
        if entry
    )


def _origin(found: Mapping[str, Text]) -> str:
    if len(found) == 1:
        return next(iter(found.values())).origin
    return ", ".join(f"{part} {text.origin}" for part, text in found.items())
