"""The Python that compiles: what is compiled by one version is read by that version alone, so it must be the target's."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from events.packaging import NotPackaged

if TYPE_CHECKING:
    from collections.abc import Iterator

_ASK = "import sys; print('%d.%d' % sys.version_info[:2], sys.implementation.name, sys.version_info.releaselevel)"
_WAIT_S = 20


def interpreter(python: str) -> str:
    """Return the path of a released CPython of this version, as `3.13`: the running one, one on PATH, or one of pyenv's.

    Raises NotPackaged when there is none.
    """
    for candidate in _candidates(python):
        if _is(candidate, python):
            return candidate
    raise NotPackaged(
        f"there is no Python {python} here to compile with: install it (pyenv install {python}), package for another with "
        f"--python, or leave compiling to the platform with --no-compile, which makes every cold start slower"
    )


def running() -> str:
    """Return the version of the Python that runs this, as `3.13`."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def _candidates(python: str) -> Iterator[str]:
    if running() == python:
        yield sys.executable
    if on_path := shutil.which(f"python{python}"):
        yield on_path
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    # The newest first: 3.13.10 after 3.13.9.
    found = pyenv.glob(f"versions/{python}.*/bin/python{python}")
    yield from map(str, sorted(found, key=lambda path: (len(path.parts[-3]), path.parts[-3]), reverse=True))


def _is(candidate: str, python: str) -> bool:
    """Tell whether this is what it seems to be: a name on PATH may be a shim that runs nothing, or something else."""
    if candidate == sys.executable:
        return platform.python_implementation() == "CPython" and sys.version_info.releaselevel == "final"
    try:
        asked = subprocess.run(  # noqa: S603 - a Python that this user has put on PATH or into pyenv
            [candidate, "-S", "-c", _ASK], check=False, capture_output=True, timeout=_WAIT_S, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.stdout.decode("utf-8", "replace").split() == [python, "cpython", "final"]
