"""Sources compiled as the platform will have them: it may not write where the code is, so else it compiles at every cold start."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from events.packaging import NotPackaged

if TYPE_CHECKING:
    from events.packaging import Files

# Runs in the target's Python, on 3.10 as well, and alone: without site, and without its own folder as a place to import from.
_SCRIPT = """\
import sys
del sys.path[0]
import json, py_compile
unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
folder, deployed, names = json.load(sys.stdin)
for name in names:
    try:
        py_compile.compile(f"{folder}/{name}", dfile=f"{deployed}/{name}", doraise=True, invalidation_mode=unchecked)
    except py_compile.PyCompileError as error:
        sys.exit(f"{name}: {error.msg.strip().splitlines()[-1]}")
"""


def compiled(files: Files, interpreter: str, deployed: str) -> dict[str, bytes]:
    """Return by name the `__pycache__/….pyc` of every source among some files, as bytes that follow from the sources alone.

    `interpreter` is the path of a Python as it will run them, `deployed` the folder where they will be. Python is told not to look at the
    sources again (PEP 552, unchecked hash). Raises NotPackaged for a source that cannot be compiled.
    """
    sources = sorted(name for name in files if name.endswith(".py"))
    with tempfile.TemporaryDirectory(prefix="hongyan-") as folder:
        for name in sources:
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(files[name])
        done = subprocess.run(  # noqa: S603 - a Python that was found to be one
            [interpreter, "-S", "-s", "-W", "ignore", "-c", _SCRIPT],
            check=False, capture_output=True, env=_environment(), input=json.dumps([folder, deployed, sources]).encode(),
        )  # fmt: skip
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise NotPackaged(
                f"not compiled: {said[-1] if said else interpreter + ' ended without a word'}; "
                "--no-compile leaves it to the platform"
            )
        made = Path(folder).rglob("__pycache__/*.pyc")
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(made)}


def _environment() -> dict[str, str]:
    """Return the environment without what could show in the bytes: the order of sets, and what the interpreter loads for a locale."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
