"""A cloud that plays answers and records what it was asked, and a way to run one function on it."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from functions.registry import Partial

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.cloud.client import Cloud
    from functions.registry import Function


@dataclass(frozen=True)
class Asked:
    """One request of a function, as it named it; `query` without what is not sent (None)."""

    method: str
    service: str
    template: str
    path: Mapping[str, Any]
    query: dict[str, Any]
    json: Any
    expect: int
    returns: type


@dataclass
class FakeCloud:
    """Plays `answers` in order, one for each request; a function that asks once more fails its test."""

    answers: list[Any]
    asked: list[Asked] = field(default_factory=list)

    def get(self, service: str, template: str, **options: Any) -> Any:
        """Play the next answer."""
        return self._play("GET", service, template, **options)

    def post(self, service: str, template: str, **options: Any) -> Any:
        """Play the next answer."""
        return self._play("POST", service, template, **options)

    def put(self, service: str, template: str, **options: Any) -> Any:
        """Play the next answer."""
        return self._play("PUT", service, template, **options)

    def _play(
        self,
        method: str,
        service: str,
        template: str,
        *,
        path: Mapping[str, Any],
        query: Mapping[str, Any] | None = None,
        json: Any = None,
        expect: int = 200,
        returns: type = dict,
    ) -> Any:
        sent = {name: value for name, value in (query or {}).items() if value is not None}
        self.asked.append(Asked(method, service, template, path, sent, copy.deepcopy(json), expect, returns))
        assert self.answers, "the function asks more often than there are answers"
        return copy.deepcopy(self.answers.pop(0))


@dataclass(frozen=True)
class Ran:
    """What became of a run: the result as its schema dumps it, whether it was partial, what the cloud was asked."""

    result: dict[str, Any]
    partial: bool
    asked: list[Asked]


def run(function: Function, payload: dict[str, Any], *answers: Any) -> Ran:
    """Load `payload`, run `function` on a cloud that gives `answers`, all of which it must have asked for, and dump its result."""
    cloud = FakeCloud(list(answers))
    answer = function.call(function.payload.load(payload), cast("Cloud", cloud))
    assert not cloud.answers, "the function asks less often than there are answers"
    return Ran(function.result.dump(answer), isinstance(answer, Partial), cloud.asked)
