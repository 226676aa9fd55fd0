"""What a sender prefers (RFC 7240): to be answered before its request is done, for every HTTP door."""

from __future__ import annotations

import re

from events.problems import HttpAnswer, problem

RESPOND_ASYNC = "respond-async"
"""The preference for an answer before it is done (RFC 7240, section 4.1)."""

# A quoted string (RFC 9110, section 5.6.4), also one that never ends: its commas and semicolons part nothing.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)', re.DOTALL)
_EMPTY = '""'


def responds_async(prefer: str) -> bool:
    """Whether a Prefer header, several of them joined by commas, holds `respond-async`; what is malformed prefers nothing.

    Names are compared in any case, an empty value is none, parameters are passed over, and of a preference that is given twice the first
    counts (RFC 7240, section 2).
    """
    for each in _QUOTED.sub(_hidden, prefer).split(","):
        name, _, value = each.partition(";")[0].partition("=")
        if name.strip().lower() == RESPOND_ASYNC:
            return value.strip() in ("", _EMPTY)
    return False


def no_queue() -> HttpAnswer:
    """Return the answer to who prefers that where nothing can be stored for later."""
    return problem(
        501, "unimplemented", "nothing is stored for later here: that takes the web server, with HONGYAN_QUEUE set"
    )


def _hidden(quoted: re.Match[str]) -> str:
    return _EMPTY if quoted[0] == _EMPTY else '"x"'
