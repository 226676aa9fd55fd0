"""One invocation of a deployed function: who calls, and until when the answer must be out, read off either platform's context."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from events.calls import is_name
from functions.cloud.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds that an invocation has when its context does not say: by hand, or in a test.
_UNTOLD_S = 30.0
# No platform gives a function a day.
_MOST_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Invocation:
    """One invocation.

    `id` is the platform's own, the same when the platform repeats an asynchronous invocation; `function` names the function that runs.
    `deadline` is when the answer must be ready: the platform's own end less the margin.
    """

    id: str
    function: str
    deadline: Deadline

    @classmethod
    def of(cls, id: Any, function: Any, remaining_s: float | None, margin_s: float) -> Invocation:  # noqa: A002
        """Return an invocation of what a context says; `remaining_s` (seconds) until the platform ends it, None when that is not told."""
        seconds = _UNTOLD_S if remaining_s is None else remaining_s
        return cls(
            id if is_name(id) else str(uuid.uuid4()),
            function if is_name(function) else "/hongyan/function",
            Deadline.after(seconds, margin=margin_s),
        )


def remaining_s(context: Any, name: str) -> float | None:
    """Return the seconds that a context's method of this name gives in milliseconds, None when it has none or gives no number."""
    method: Callable[[], Any] | None = getattr(context, name, None)
    milliseconds = method() if callable(method) else None
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, (int, float)):
        return None
    if isinstance(milliseconds, float) and math.isnan(milliseconds):
        return None
    return min(max(0, milliseconds), _MOST_MS) / 1000
