from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from events.packaging import NotPackaged, packing
from events.packaging.distributions import Distribution
from events.packaging.interpreters import running
from events.packaging.packing import Plan, pack
from events.packaging.targets import FUNCTIONGRAPH, LAMBDA

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from packaging.requirements import Requirement

    from events.packaging.targets import Target

HANDLER = "import alpha, json\n\ndef handler(event, context):\n    return {'got': event, 'alpha': alpha.V}\n"
FILES = {
    "events/__init__.py": "",
    "events/cli/__init__.py": "raise ImportError",
    "events/triggers/__init__.py": "",
    "events/triggers/aws_lambda/__init__.py": HANDLER,
    "events/triggers/functiongraph.py": HANDLER,
    "functions/registry.py": "",
    "pyproject.toml": "[dependency-groups]\nfunction = ['alpha']\n[project.optional-dependencies]\nmore = ['beta']\n",
    "constraints.txt": "alpha==1\n",
}


class Fetched:
    """Stands in for pip: `alpha` is pinned, `beta` is not."""

    def __init__(self, target: Target, python: str, architecture: str, constraints: str, folder: Path) -> None:
        assert (constraints, folder.is_dir()) == (FILES["constraints.txt"], True)

    def fetch(self, roots: Sequence[Requirement]) -> Any:
        found = [each.name for each in roots]
        files = {f"{name}/__init__.py": b"V = 1\n" for name in found}
        return files, {name: Distribution(name, "1") for name in found}, [name for name in found if name == "beta"]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project of its own, for which pip need not be asked."""
    monkeypatch.setattr(packing, "Fetcher", Fetched)
    for name, text in FILES.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "project"


def plan(folder: Path, target: Target = LAMBDA, **changes: Any) -> Plan:
    return replace(Plan(target, running(), "x86_64", folder / "a.zip"), **changes)


@pytest.mark.parametrize("target", [LAMBDA, FUNCTIONGRAPH], ids=lambda target: target.name)
def test_the_unpacked_zip_runs_its_handler_with_nothing_else(target: Target, root: Path, tmp_path: Path) -> None:
    package = pack(plan(tmp_path, target), tmp_path, root)
    code = tmp_path / "code"
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        archive.extractall(code)
        unpacked = sum(entry.file_size for entry in archive.infolist())
        assert package.files == len(archive.infolist())
        assert ("index.py" in archive.namelist()) == (target is FUNCTIONGRAPH)
    assert (package.size, package.unpacked) == ((tmp_path / "a.zip").stat().st_size, unpacked)
    assert package.sha256 == hashlib.sha256((tmp_path / "a.zip").read_bytes()).hexdigest()
    assert (package.packages, package.senders) == ({"alpha": "1"}, [])
    assert not (code / "events" / "cli").exists()
    module, _, name = target.handler.rpartition(".")
    script = f"import sys; sys.path.insert(0, {str(code)!r}); import {module} as m, json; print(json.dumps(m.{name}([1], None)))"
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    assert json.loads(ran.stdout) == {"got": [1], "alpha": 1}


def test_the_same_sources_give_the_same_bytes(root: Path, tmp_path: Path) -> None:
    (tmp_path / "senders.toml").write_text("[senders.a]\n")
    first = pack(plan(tmp_path, include=["senders.toml"]), tmp_path, root)
    (root / "events" / "__pycache__").mkdir()
    (root / "events" / "__pycache__" / "x.pyc").write_text("")
    moved = root.rename(tmp_path / "elsewhere")
    second = pack(plan(tmp_path, include=["./senders.toml"]), tmp_path, moved)
    assert second == first
    assert first.senders == ["senders.toml"]
    assert pack(plan(tmp_path), tmp_path, moved).sha256 != first.sha256


def test_what_its_maker_should_know_is_told(root: Path, tmp_path: Path) -> None:
    tiny = replace(LAMBDA, most_direct=100, offered={"3.9": "python3.9", "3.14": "python3.14"})
    package = pack(plan(tmp_path, tiny, extras=["more"], compile=False), tmp_path, root)
    direct, offered, uncompiled, unpinned = package.warnings
    assert direct == "0.0 MiB are more than the 0 of a direct upload: upload it through S3"
    assert offered == f"lambda is known to offer Python 3.9 and 3.14: look whether your region has {running()}"
    assert "nothing is compiled" in uncompiled
    assert unpinned.startswith("constraints.txt does not pin beta: ")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert not [name for name in archive.namelist() if name.endswith(".pyc")]


def test_nothing_is_written_that_the_platform_would_not_take(root: Path, tmp_path: Path) -> None:
    with pytest.raises(NotPackaged, match=r"it is 0\.0 MiB unpacked, and lambda takes 0"):
        pack(plan(tmp_path, replace(LAMBDA, most_unpacked=100)), tmp_path, root)
    assert not (tmp_path / "a.zip").exists()


def test_a_trigger_that_is_not_there_is_told(root: Path, tmp_path: Path) -> None:
    (root / "events/triggers/functiongraph.py").unlink()
    with pytest.raises(NotPackaged, match=r"events/triggers/functiongraph is not there, and index\.handler is what"):
        pack(plan(tmp_path, FUNCTIONGRAPH), tmp_path, root)


def test_what_can_be_refused_at_once_is_before_anything_is_fetched(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "Fetcher", None)
    (tmp_path / "notes.zip").write_text("notes")
    for wrong in (plan(tmp_path, output=tmp_path / "notes.zip"), plan(tmp_path, include=["none"])):
        with pytest.raises(NotPackaged):
            pack(wrong, tmp_path, root)


def test_an_included_file_may_not_hide_a_package(root: Path, tmp_path: Path) -> None:
    (tmp_path / "alpha.py").write_text("")
    with pytest.raises(NotPackaged, match=r"--include alpha\.py: it would be imported instead"):
        pack(plan(tmp_path, include=["alpha.py"]), tmp_path, root)
