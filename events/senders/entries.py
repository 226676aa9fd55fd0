"""The `secrets` of a sender as the file writes them, read into texts by part."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from events.senders.sources import KINDS, Text, inline, unknown, variable, written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.senders.mistakes import Place
    from events.senders.sources import Sources
    from events.signatures import Scheme

_LAST = 253_402_300_799.0  # The end of the year 9999, which is as far as dates reach.


@dataclass(frozen=True, slots=True)
class Entry:
    """One of a sender's secrets: its texts by part, and its end in seconds since 1970 (None: it has none)."""

    place: Place
    texts: Mapping[str, Text]
    until: float | None


def read(table: Mapping[str, Any], place: Place, kind: type[Scheme] | None, sources: Sources) -> list[Entry | None]:
    """Return the secrets in a sender's table, None for each that cannot be had; what is wrong is noted.

    `kind` says which parts a secret has; without one, whatever parts are there are fetched.
    """
    at = place / "secrets"
    if kind and not parts(kind):
        if "secrets" in table:
            at.wrong(f"{kind.name} has no secrets: leave this out")
        return []
    if "secrets" not in table:
        at.wrong(f"is missing: {_example(at, kind)}")
        return []
    entries = table["secrets"]
    if isinstance(entries, list) and entries:
        return [_entry(entry, at / index, kind, sources) for index, entry in enumerate(entries)]
    if isinstance(entries, str):
        inline(at)
    else:
        at.wrong(f"must be a list with at least one table: {_example(at, kind)}")
    return []


def parts(kind: type[Scheme]) -> tuple[str, ...]:
    """Return the names of all parts that a secret of a scheme may have; one that is optional may be listed as a part or not."""
    return tuple(dict.fromkeys((*kind.parts, *kind.optional_parts)))


def _required(kind: type[Scheme]) -> set[str]:
    return set(kind.parts) - set(kind.optional_parts)


def _entry(entry: Any, place: Place, kind: type[Scheme] | None, sources: Sources) -> Entry | None:
    if isinstance(entry, str):
        inline(place)
        return None
    if not place.is_a(dict, entry, f"those in {_example(place, kind)}"):
        return None
    until = _until(entry["until"], place / "until") if "until" in entry else None
    given = {key: value for key, value in entry.items() if key != "until"}
    whole = not given or bool(set(given) & set(KINDS))
    texts = _whole(given, place, kind, sources) if whole else _by_part(given, place, kind, sources)
    return Entry(place, texts, until) if texts else None


def _whole(given: Mapping[str, Any], place: Place, kind: type[Scheme] | None, sources: Sources) -> dict[str, Text]:
    """Return the text of a secret of one part, written without its name; {} with the mistakes noted."""
    if kind and len(parts(kind)) > 1:
        place.wrong(f"a secret of {kind.name} has parts with names: {_example(place, kind)}")
        return {}
    text = sources.fetch(given, place)
    return {parts(kind)[0] if kind else "secret": text} if text else {}


def _by_part(given: Mapping[str, Any], place: Place, kind: type[Scheme] | None, sources: Sources) -> dict[str, Text]:
    """Return the texts of a secret by the names of its parts; {} with the mistakes noted."""
    known = parts(kind) if kind else tuple(key for key, value in given.items() if isinstance(value, dict))
    # Those that are not known are mistakes either way; a sole part has no need of its name.
    unknown(given, (*(KINDS if len(known) < 2 else ()), *known, "until"), place)
    found = {part: _part(given[part], place / part, sources) for part in known if part in given}
    lacking = _required(kind) - found.keys() if kind and found else set()
    if lacking:
        place.wrong(f"lacks {' and '.join(sorted(lacking))}: {_example(place, kind)}")
    texts = {part: text for part, text in found.items() if text}
    return texts if len(texts) == len(given) and not lacking else {}


def _part(value: Any, place: Place, sources: Sources) -> Text | None:
    if isinstance(value, str):
        inline(place)
        return None
    if not place.is_a(dict, value, f"what you get when you {written(place)}"):
        return None
    if "until" in value:
        (place / "until").wrong("belongs beside the parts of a secret, not inside one")
    return sources.fetch({key: inner for key, inner in value.items() if key != "until"}, place)


def _until(value: Any, place: Place) -> float | None:
    if isinstance(value, datetime) and value.tzinfo:
        return min(max(value.timestamp(), 0.0), _LAST)
    if isinstance(value, datetime):
        place.wrong(f"has no offset: write {value.isoformat()}Z for UTC")
    elif isinstance(value, date):
        place.wrong(f"has no time: write {value.isoformat()}T00:00:00Z for its beginning in UTC")
    else:
        place.wrong("must be a time without quotes, like 2030-12-31T00:00:00Z")
    return None


def _example(place: Place, kind: type[Scheme] | None) -> str:
    """Return how the secrets of a sender are written."""
    if kind is None or len(parts(kind)) == 1:
        return f'write secrets = [{{ env = "{variable(place)}" }}]'
    inner = ", ".join(f'{part} = {{ env = "{variable(place, part)}" }}' for part in parts(kind))
    return f"write secrets = [{{ {inner} }}]"
