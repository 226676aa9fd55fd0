"""What each platform hands to a deployed function, one file for each kind of trigger, for `flask events sample` and the tests.

A file has up to four keys: `about` (the kind in a line), `platform` (who sends it), `environment` (variables without which a function does
not run it) and `event`, with markers for what changes (`events.samples.envelopes.filling`). The folder is the registry.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Any

from events.samples.envelopes.filling import EACH, Filling, Unfit

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Envelope", "Unfit", "UnknownKind", "envelope", "find", "kinds"]


class UnknownKind(LookupError):
    """No file of this folder has that name; the text names the nearest, or all of them."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One kind of event: its name (`sns-sqs`), what it is `about` in a line, the `platform` (`lambda`, `functiongraph`) that sends it.

    `environment` are the variables that a function needs to run it, markers in their values like those in the `event`.
    """

    kind: str
    about: str
    platform: str
    event: Mapping[str, Any] = field(repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def repeats(self) -> bool:
        """Whether one event may bring several payloads."""
        return f'"{EACH}"' in json.dumps(self.event)

    @property
    def is_http(self) -> bool:
        """Whether it is a request that came through a gateway."""
        return "headers" in self.event

    def filled(self, filling: Filling) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the event, and the variables with which a function runs it. Raises Unfit."""
        if filling.count != 1 and not self.repeats:
            raise Unfit(f"an event of {self.kind} brings one payload: leave the count out")
        return filling.fill(self.event), filling.fill(self.environment)


def kinds() -> list[str]:
    """Return the names of all kinds, sorted; reads none of them."""
    names = (file.name for file in resources.files(__name__).iterdir())
    return sorted(name.removesuffix(".json") for name in names if name.endswith(".json"))


def find(kind: str) -> Envelope:
    """Return the envelope of a kind. Raises UnknownKind."""
    known = kinds()
    if kind not in known:
        near = difflib.get_close_matches(kind[:100], known, 1)
        hint = f"did you mean {near[0]}?" if near else f"the kinds are {', '.join(known)}"
        raise UnknownKind(f"there is no such kind of event; {hint}")
    said = json.loads(resources.files(__name__).joinpath(f"{kind}.json").read_bytes())
    return Envelope(kind, **said)


def envelope(kind: str, operation: str, payload: bytes, *, count: int = 1, prefix: str = "hongyan") -> dict[str, Any]:
    """Return an event as its platform hands it over, with a payload (JSON in UTF-8) for an operation in it, `count` times where it can be.

    Made twice it is the same, to the id: a redelivery. Types of events begin with `prefix`. Raises UnknownKind and Unfit.
    """
    return find(kind).filled(Filling(kind, operation, payload, count, prefix))[0]
