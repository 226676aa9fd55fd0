"""The packages that a function needs, fetched by pip for the target's Python and system, in the versions that constraints.txt pins."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from events.packaging import NotPackaged
from events.packaging.distributions import distribution_files, installed, needed
from events.packaging.requirements import environment, pins, unmarked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from packaging.requirements import Requirement

    from events.packaging.distributions import Distribution
    from events.packaging.targets import Target

# Lines of pip that are repeated: it says first what is wrong, and then at length what could be tried.
_WORDS = 8


class Fetcher:
    """Fetches packages for one target, Python and architecture into folders below `folder`, one a round."""

    def __init__(self, target: Target, python: str, architecture: str, constraints: str, folder: Path) -> None:
        self._where = environment(python, architecture)
        self._pins = pins(constraints, self._where)
        self._folder = folder
        self._rounds: list[Path] = []
        tags = [f"--platform={tag}" for tag in target.platforms(python, architecture)]
        abi = f"cp{python.replace('.', '')}"
        self._options = [*tags, f"--python-version={python}", "--implementation=cp", f"--abi={abi}"]

    def fetch(self, roots: Sequence[Requirement]) -> tuple[dict[str, bytes], dict[str, Distribution], list[str]]:
        """Return the files of all packages needed, the packages by name, and the names of those without a pin. Raises NotPackaged."""
        packages = needed(roots, self._where, self._round)
        files: dict[str, bytes] = {}
        for folder in self._rounds:
            files.update(distribution_files(folder))
        return files, packages, sorted(packages.keys() - self._pins.keys())

    def _round(self, wanted: list[Requirement]) -> list[Distribution]:
        folder = self._folder / f"round-{len(self._rounds)}"
        self._rounds.append(folder)
        listed, pinned = self._folder / "requirements.txt", self._folder / "constraints.txt"
        listed.write_text("".join(f"{unmarked(each)}\n" for each in wanted), encoding="utf-8")
        pinned.write_text("".join(f"{unmarked(each)}\n" for each in self._pins.values()), encoding="utf-8")
        _pip(
            "install", f"--target={folder}", "--no-deps", "--no-compile", "--only-binary=:all:", *self._options,
            f"--constraint={pinned}", f"--requirement={listed}",
        )  # fmt: skip
        return installed(folder)


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    done = subprocess.run(  # noqa: S603 - this very Python's pip
        command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        said = [line.strip() for line in done.stdout.decode("utf-8", "replace").splitlines() if line.strip()]
        first = next((number for number, line in enumerate(said) if line.startswith("ERROR")), len(said) - _WORDS)
        words = said[max(0, first) :][:_WORDS] or [f"it said nothing and ended with {done.returncode}"]
        raise NotPackaged("\n".join(["pip could not fetch the packages that a function needs:", *words]))
