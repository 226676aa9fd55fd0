"""A package from beginning to end: chosen, fetched, compiled, zipped and put in its place."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from events.packaging import NotPackaged
from events.packaging.archive import check_place, put, zipped
from events.packaging.compiling import compiled
from events.packaging.contents import project_files
from events.packaging.fetching import Fetcher
from events.packaging.includes import check_free, included, senders_files
from events.packaging.interpreters import interpreter
from events.packaging.requirements import roots
from events.packaging.targets import MIB
from events.senders import document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from events.packaging import Files
    from events.packaging.targets import Target

ROOT = Path(__file__).parents[2]
"""The project's folder."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to pack: for which platform, Python (as `3.13`) and architecture, with which extras of pyproject.toml and which files more."""

    target: Target
    python: str
    architecture: str
    output: Path
    extras: Sequence[str] = ()
    include: Sequence[str] = ()
    compile: bool = True
    force: bool = False


@dataclass(frozen=True, slots=True)
class Package:
    """What was packed: sizes in bytes, the versions of its packages by name, its senders files, and what its maker should know."""

    size: int
    unpacked: int
    files: int
    sha256: str
    packages: Mapping[str, str]
    senders: Sequence[str] = ()
    warnings: Sequence[str] = field(default=())


def pack(plan: Plan, folder: Path, root: Path = ROOT) -> Package:
    """Make the zip that a plan describes; paths of `include` start at `folder`. Raises NotPackaged."""
    target = plan.target
    # What can be refused at once is, before anything is fetched.
    check_place(plan.output, force=plan.force)
    python = interpreter(plan.python) if plan.compile else ""
    extra = included(plan.include, folder)
    own = {**project_files(root), **target.files}
    if not any(name in own for name in (f"{target.module}.py", f"{target.module}/__init__.py")):
        raise NotPackaged(f"{target.module} is not there, and {target.handler} is what {target.name} is to call")
    fetched, packages, unpinned = _fetched(plan, root)
    files = {**fetched, **own}
    check_free(extra, files)
    files |= extra
    if plan.compile:
        files |= compiled(files, python, target.folder)
    raw, unpacked = zipped(files), sum(map(len, files.values()))
    if unpacked > target.most_unpacked:
        raise NotPackaged(
            f"it is {unpacked / MIB:.1f} MiB unpacked, and {target.name} takes {target.most_unpacked / MIB:.0f}"
        )
    put(raw, plan.output)
    return Package(
        size=len(raw),
        unpacked=unpacked,
        files=len(files),
        sha256=hashlib.sha256(raw).hexdigest(),
        packages={name: packages[name] for name in sorted(packages)},
        senders=senders_files(extra),
        warnings=list(_warnings(plan, len(raw), unpinned)),
    )


def _fetched(plan: Plan, root: Path) -> tuple[Files, dict[str, str], list[str]]:
    """Return the files of the packages needed, their versions by name, and those that no constraint pins."""
    project = document.parse((root / "pyproject.toml").read_text(encoding="utf-8"))
    constraints = (root / "constraints.txt").read_text(encoding="utf-8")
    wanted = roots(project, plan.extras)
    with tempfile.TemporaryDirectory(prefix="hongyan-") as folder:
        fetcher = Fetcher(plan.target, plan.python, plan.architecture, constraints, Path(folder))
        files, packages, unpinned = fetcher.fetch(wanted)
    return files, {name: package.version for name, package in packages.items()}, unpinned


def _warnings(plan: Plan, size: int, unpinned: Sequence[str]) -> list[str]:
    target, found = plan.target, []
    if size > target.most_direct:
        most = target.most_direct / MIB
        found.append(f"{size / MIB:.1f} MiB are more than the {most:.0f} of a direct upload: {target.beyond_direct}")
    if plan.python not in target.offered:
        offered = " and ".join(target.offered)
        found.append(f"{target.name} is known to offer Python {offered}: look whether your region has {plan.python}")
    if not plan.compile:
        found.append("nothing is compiled: the platform does that at every cold start, and it may take seconds")
    if unpinned:
        found.append(
            f"constraints.txt does not pin {', '.join(unpinned)}: another day may bring another version and other bytes"
        )
    return found
