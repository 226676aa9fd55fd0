"""How many examples property tests try, and the table of triggers and cases that the contract of triggers prints.

HYPOTHESIS_PROFILE=fast has a few of the examples (see also `events/signatures/contract.py`).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hypothesis import settings

if TYPE_CHECKING:
    import pytest

settings.register_profile("fast", max_examples=15)
if os.environ.get("HYPOTHESIS_PROFILE") == "fast":
    settings.load_profile("fast")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print which triggers passed which cases, as records/result events, when tests said so by the property `trigger`."""
    told = [
        value
        for report in terminalreporter.stats.get("passed", [])
        for name, value in getattr(report, "user_properties", [])
        if name == "trigger"
    ]
    if not told:
        return
    cells = {(kind, case): cell for kind, case, cell in told}
    cases, kinds = (sorted({one[place] for one in told}) for place in (1, 0))
    widths = [max(9, len(case) + 2) for case in cases]
    terminalreporter.section("triggers and cases, as records/result events")
    for kind, row in [("", cases), *((kind, [cells.get((kind, case), "") for case in cases]) for kind in kinds)]:
        padded = (f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
        terminalreporter.line(f"{kind:<14}" + "".join(padded))
