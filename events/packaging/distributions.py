"""Packages as pip has laid them into a folder: what they are, what they need in turn, and which of their files a function needs."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from events.packaging import NotPackaged
from events.packaging.requirements import applies, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

# How it was installed: different with every machine, and of no use where nothing is installed.
_DROPPED = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})
_TESTS = frozenset({"test", "tests"})


@dataclass(frozen=True, slots=True)
class Distribution:
    """A package: its name as indexes compare it, its version, and what it needs."""

    name: str
    version: str
    requires: tuple[Requirement, ...] = ()


def installed(folder: Path) -> list[Distribution]:
    """Return the packages in a folder."""
    return list(map(described, importlib.metadata.distributions(path=[str(folder)])))


def described(found: importlib.metadata.Distribution) -> Distribution:
    """Return what a package's own metadata say."""
    return Distribution(canonicalize_name(found.name), found.version, tuple(map(Requirement, found.requires or ())))


def needed(
    roots: Iterable[Requirement],
    where: Mapping[str, str],
    get: Callable[[list[Requirement]], Iterable[Distribution]],
) -> dict[str, Distribution]:
    """Return by name every package that is needed in an environment, those that others need included.

    `get` returns the packages of one round, and is asked for each once. Which package needs which is judged here, since pip
    asks markers about the Python that it runs on itself. Raises NotPackaged when two ask for what cannot be had at once.
    """
    found: dict[str, Distribution] = {}
    seen: set[str] = set()
    wanted = [each for each in roots if applies(each, where)]
    while wanted:
        if new := [each for each in wanted if name_of(each) not in found]:
            found.update({got.name: got for got in get(new)})
        following: list[Requirement] = []
        for each in wanted:
            following += _following(each, found, where)
            seen.add(str(each))
        wanted = [each for each in following if str(each) not in seen]
    return found


def _following(
    requirement: Requirement, found: Mapping[str, Distribution], where: Mapping[str, str]
) -> Sequence[Requirement]:
    has = found[name_of(requirement)]
    if not requirement.specifier.contains(has.version, prereleases=True):
        raise NotPackaged(f"{has.name} {has.version} is pinned, and {requirement} is needed: correct constraints.txt")
    return [each for each in has.requires if applies(each, where, tuple(requirement.extras))]


def distribution_files(folder: Path) -> dict[str, bytes]:
    """Return by name the files in a folder of packages that a function needs."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in paths}
    return {name: path.read_bytes() for name, path in named.items() if belongs(name)}


def belongs(name: str) -> bool:
    """Tell whether a file of a package goes in: no scripts, tests or compiled files, nor what tells how it was installed."""
    path = PurePosixPath(name)
    if path.parts[0].endswith(".dist-info"):
        return path.name not in _DROPPED
    folders = set(path.parts[:-1])
    return path.parts[0] != "bin" and not folders & {*_TESTS, "__pycache__"} and path.suffix not in (".pyc", ".pyo")
