"""What tests of the FunctionGraph handler share: contexts, sample events, and one way to run them on an emulated cloud."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from events.triggers.functiongraph import FunctionGraph
from functions.cloud.emulator.core import Emulator
from tests.events.triggers.serverless.support import emulated
from tests.support import LISTENER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.events.triggers.serverless.support import Sunk

PAYLOADS = Path(__file__).parent / "payloads"
LISTS = {"operation": "elb.list_members", "payload": {"listener_id": LISTENER}}
TELLS: dict[str, Any] = {
    "getRequestID": "11cdcdcf-3394-49dc-8d72-2640a13091c7",
    "getRemainingTimeInMilliSeconds": 20_000,
    "getPackage": "default",
    "getFunctionName": "goose",
    "getVersion": "latest",
}


class Context:
    """FunctionGraph's context with these getters; a dict is what `getUserData` knows."""

    def __init__(self, **tells: Any) -> None:
        self._tells = {**TELLS, **tells}

    def __getattr__(self, name: str) -> Any:
        if name not in self._tells:
            raise AttributeError(name)
        told = self._tells[name]
        return lambda *arguments: told.get(*arguments) if isinstance(told, dict) else told


@dataclass
class Deployed:
    """A function on an emulated cloud, and where its result events go."""

    function: FunctionGraph
    sink: Sunk
    emulator: Emulator

    def answer(self, event: Any, **tells: Any) -> dict[str, Any]:
        return self.function.answer(event, Context(**tells))

    @property
    def ids(self) -> list[str]:
        """The ids of the incoming records, as their result events name them."""
        return [event.data["trigger"]["id"] for event in self.sink.events]


def deployed(environ: Mapping[str, str] | None = None, **changes: Any) -> Deployed:
    """Return a function deployed with these variables; `changes` are of its own settings."""
    emulator = Emulator()
    app, sink = emulated(environ, emulator, **changes)
    return Deployed(FunctionGraph(app), sink, emulator)


def takes(pointers: Any, operation: str = "elb.list_members") -> dict[str, str]:
    """Return the variables of a function that takes its payload from another system's body."""
    written = pointers if isinstance(pointers, str) else json.dumps(pointers)
    return {"HONGYAN_OPERATION": operation, "HONGYAN_PAYLOAD": written}


def sample(name: str) -> Any:
    """Return a sample event, free to change."""
    return json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))
