"""Helpers of the packaging's tests: wheels and programs made by hand, and what modules import when they run."""

from __future__ import annotations

import ast
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


def wheel(
    folder: Path, name: str, version: str, files: Mapping[str, str], *requires: str, tag: str = "py3-none-any"
) -> None:
    """Put a wheel with these files into a folder; `requires` are what its metadata say it needs."""
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {line}\n" for line in requires)
    texts = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/licenses/LICENSE": "Do as you like.\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
    }
    record = "".join(f"{file},,\n" for file in [*texts, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as archive:
        for file, text in {**texts, f"{info}/RECORD": record}.items():
            archive.writestr(file, text)


def stand_in(path: Path, *says: str, code: int = 0) -> str:
    """Put a program there that says this whatever it is asked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in says) + f"exit {code}\n")
    path.chmod(0o755)
    return str(path)


def run_time_imports(source: bytes) -> Iterator[str]:
    """Yield every name that a source imports when it runs, anywhere in it; `from a import b` is `a` and `a.b`."""
    nodes: list[ast.AST] = [ast.parse(source)]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            nodes += node.orelse
            continue
        nodes += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_of(name: str) -> str:
    """Return the module that a file is: `events/senders/__init__.py` is `events.senders`."""
    return name.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def modules(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the sources among some files by the module that each is."""
    return {module_of(name): raw for name, raw in files.items() if name.endswith(".py")}
