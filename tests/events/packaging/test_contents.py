from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

from events.packaging.contents import LEFT_OUT, ROOMS, names, project_files, reason
from events.packaging.distributions import described, needed
from events.packaging.interpreters import running
from events.packaging.packing import ROOT
from events.packaging.requirements import environment, roots
from events.senders import document
from tests.events.packaging.support import modules, run_time_imports

# Only HONGYAN_EMULATOR=local comes here, and a deployed function has no emulator inside.
NEVER_RUN = {
    ("functions.cloud.transport", "functions.cloud.emulator.adapter"),
    ("functions.cloud.transport", "functions.cloud.emulator.core"),
}
OPTIONAL = {"cryptography"}


def run_time() -> dict[str, importlib.metadata.Distribution]:
    """Return by name the packages that a function has on this Python, as they are installed here."""
    project = document.parse((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found = needed(
        roots(project, []),
        environment(running(), "x86_64"),
        lambda wanted: [described(importlib.metadata.distribution(each.name)) for each in wanted],
    )
    return {name: importlib.metadata.distribution(name) for name in found}


@pytest.mark.parametrize("pattern", LEFT_OUT)
def test_every_line_of_the_table_leaves_something_out_and_says_why(pattern: str) -> None:
    assert any(fnmatchcase(name, pattern) for name in names(ROOT))
    assert len(LEFT_OUT[pattern]) > 10


@cache
def inside() -> dict[str, frozenset[str]]:
    """Return what each module that goes in imports when it runs, by the module's name."""
    return {module: frozenset(run_time_imports(raw)) for module, raw in modules(project_files(ROOT)).items()}


def test_nothing_left_out_is_imported_by_what_goes_in() -> None:
    left_out = modules(dict.fromkeys(names(ROOT), b"")).keys() - inside().keys()
    assert {(module, each) for module, imported in inside().items() for each in imported & left_out} == NEVER_RUN


def test_what_goes_in_imports_no_package_that_does_not() -> None:
    allowed = {*sys.stdlib_module_names, *ROOMS, *OPTIONAL, "tomllib", "tomli"}
    for found in run_time().values():
        allowed |= {path.parts[0].removesuffix(".py") for path in found.files or ()}
    tops = {(module, each.partition(".")[0]) for module, imported in inside().items() for each in imported}
    assert not {(module, top) for module, top in tops if top not in allowed}


def test_nothing_goes_in_that_no_trigger_comes_to() -> None:
    found_by_name = (path for path in inside() if path.startswith(("functions.", "events.signatures.")))
    reached = {"events.triggers.aws_lambda", "events.triggers.functiongraph"}
    reached |= {module for module in found_by_name if "cloud" not in module}
    coming = reached
    while coming:
        # Whoever imports a module imports the packages that it is in.
        coming = {
            each for module in coming for each in (*inside()[module], module.rpartition(".")[0])
        } & inside().keys()
        coming -= reached
        reached = reached | coming
    # What stays is for the table of what is left out.
    assert inside().keys() - reached == set()


def test_every_module_that_goes_in_can_be_imported_with_nothing_else(tmp_path: Path) -> None:
    files = project_files(ROOT)
    for name, raw in files.items():
        path = tmp_path / "code" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
    packages = tmp_path / "packages"
    packages.mkdir()
    for found in run_time().values():
        for top in {path.parts[0] for path in found.files or () if path.parts[0] not in ("..", "__pycache__")}:
            (packages / top).symlink_to(Path(str(found.locate_file(top))))
    script = (
        f"import importlib, sys\nsys.path[:0] = {[str(tmp_path / 'code'), str(packages)]}\n"
        f"print([importlib.import_module(name).__file__ for name in {sorted(modules(files))}][0])"
    )
    alone = [sys.executable, "-I", "-S", "-B", "-c", script]
    ran = subprocess.run(alone, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert (ran.stderr, ran.returncode) == ("", 0)
    assert ran.stdout.strip() == str(tmp_path / "code" / "events" / "__init__.py")


def test_the_functions_their_shapes_and_the_triggers_go_in_and_the_web_does_not() -> None:
    files = project_files(ROOT)
    assert {
        "events/dispatch.py",
        "events/signatures/github.py",
        "functions/elb_list_members.py",
        "functions/cloud/emulator/credentials.py",
        "functions/cloud/emulator/seed.json",
        "schemas/elb.py",
    } <= files.keys()
    assert not [name for name in files if name.startswith(("events/cli/", "events/openapi/", "tests/"))]
    assert "events/triggers/webhook.py" not in files
    assert files["events/dispatch.py"] == (ROOT / "events/dispatch.py").read_bytes()


@pytest.mark.parametrize(
    ("name", "goes_in"),
    [
        ("functions/elb_list_members.py", True),
        ("functions/cloud/emulator/__init__.py", True),
        ("functions/cloud/emulator/services/__init__.py", False),
        ("functions/cloud/emulator/core.py", False),
        ("events/seed.json", True),
        ("events/cli/__init__.py", False),
    ],
)
def test_the_emulator_keeps_its_fake_keys_only(name: str, goes_in: bool) -> None:
    assert (reason(name) is None) is goes_in


def test_what_is_no_source_stays_where_it_is(tmp_path: Path) -> None:
    for name in (
        "events/a.py",
        "events/b/data.json",
        "events/.env",
        "events/.hidden/x.py",
        "events/b/__pycache__/a.cpython-313.pyc",
        "events/b/__pycache__/stray.py",
        "functions/.a.py.swp",
        "functions/a.py~",
        "functions/secret.key",
        "schemas/c.py",
        "tests/test_a.py",
        ".venv/lib/x.py",
        "index.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    assert project_files(tmp_path) == {
        name: name.encode() for name in ("events/a.py", "events/b/data.json", "schemas/c.py")
    }
