"""What a function needs of others' packages: from pyproject.toml and constraints.txt, as it is on the target and not on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from events.packaging import NotPackaged
from events.packaging.targets import ARCHITECTURES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

GROUP = "function"
"""The dependency group of pyproject.toml that every zip has."""


def environment(python: str, architecture: str) -> dict[str, str]:
    """Return what markers are judged by (PEP 508): every variable, none of this machine's."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "posix",
        "platform_machine": ARCHITECTURES[architecture],
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
    }


def roots(project: Mapping[str, Any], extras: Sequence[str]) -> list[Requirement]:
    """Return what pyproject.toml, parsed, lists in its group `function` and in these extras. Raises NotPackaged."""
    optional = project.get("project", {}).get("optional-dependencies", {})
    lines = list(_group(project, GROUP))
    for extra in extras:
        if extra not in optional:
            raise NotPackaged(f"pyproject.toml has no extra {extra!r:.100}; it has {', '.join(optional) or 'none'}")
        lines += optional[extra]
    return [_read(line, "pyproject.toml") for line in lines]


def pins(constraints: str, where: Mapping[str, str]) -> dict[str, Requirement]:
    """Return by name what constraints.txt, a text, says for an environment. Raises NotPackaged."""
    found: dict[str, Requirement] = {}
    for line in constraints.splitlines():
        text = line.partition("#")[0].strip()
        if text and applies(pin := _read(text, "constraints.txt"), where):
            found[name_of(pin)] = pin
    return found


def applies(requirement: Requirement, where: Mapping[str, str], extras: Sequence[str] = ()) -> bool:
    """Tell whether a requirement counts in an environment, for whoever asked for these extras of the package that has it."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({**where, "extra": extra}) for extra in ("", *extras))


def unmarked(requirement: Requirement) -> str:
    """Return a requirement as text without its marker, which pip would judge by this machine's Python."""
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    at = f" @ {requirement.url}" if requirement.url else ""
    return f"{requirement.name}{extras}{requirement.specifier}{at}"


def name_of(requirement: Requirement) -> str:
    """Return a package's name as indexes compare it."""
    return canonicalize_name(requirement.name)


def _group(project: Mapping[str, Any], name: str) -> Iterator[str]:
    groups = project.get("dependency-groups", {})
    if name not in groups:
        raise NotPackaged(f"pyproject.toml has no dependency group {name!r}: it lists what a deployed function needs")
    for line in groups[name]:
        if isinstance(line, str):
            yield line
        else:
            yield from _group(project, line["include-group"])


def _read(line: str, file: str) -> Requirement:
    try:
        return Requirement(line)
    except InvalidRequirement as error:
        raise NotPackaged(f"{file}: {line!r:.100} is no requirement: {str(error).splitlines()[0]}") from None
