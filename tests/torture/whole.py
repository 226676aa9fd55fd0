"""A run from its folder to its verdict: files that are kept when a property is broken, a queue that is removed in the end."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from tests.torture.judge import judge
from tests.torture.places import place
from tests.torture.plan import plan
from tests.torture.removing import remove
from tests.torture.run import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.torture.judge import Verdict
    from tests.torture.options import Options


def torture(transport: str, options: Options, say: Callable[[str], None]) -> Verdict:
    """Run the crash test on a transport and return its verdict; `say` is told of its progress, and where its files are if they are kept."""
    name = f"torture-{uuid.uuid4().hex[:12]}"
    folder = Path(tempfile.mkdtemp(prefix="hongyan-torture-"))
    where = place(transport, name, folder)
    kept = True
    try:
        verdict = judge(run(where, options, folder, say))
        kept = any(verdict.broken.values())
    finally:
        remove(where, plan(options.seed, options.messages, name, name).sent)
        if kept:
            say(f"{transport}: logs and files are kept in {folder}")
        else:
            shutil.rmtree(folder)
    return verdict
