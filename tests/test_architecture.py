"""The rooms and their doors: which way imports point, who may import what, and that nothing is installed under our names."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
# Each room may import those to its right.
ROOMS = ("events", "functions", "schemas")
EMULATOR = "functions.cloud.emulator"
WEB = {"flask", "werkzeug", "click"}
WEB_MODULES = (
    *(f"events.triggers.{name}" for name in ("webhook", "reading", "docs")),
    "events.cli",
    f"{EMULATOR}.app",
    f"{EMULATOR}.server",
)
HTTP = {"requests", "urllib3"}
HTTP_MODULES = ("functions.cloud", "events.sinks")


def modules() -> list[str]:
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return sorted(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in files)


def source(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@lru_cache(maxsize=1024)
def imports(module: str) -> frozenset[str]:
    """Return what a module imports, anywhere in it, also for type checking only; `from a import b` is `a` and `a.b`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source(module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            found.update([str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)])
    return frozenset(found)


def is_in(module: str, places: tuple[str, ...]) -> bool:
    return any(module == place or module.startswith(place + ".") for place in places)


def tops(module: str) -> set[str]:
    return {name.partition(".")[0] for name in imports(module)}


def test_there_are_modules_in_every_room() -> None:
    assert {module.partition(".")[0] for module in modules()} == set(ROOMS)
    assert {"functions.elb_list_members", "schemas.elb", "events.dispatch", f"{EMULATOR}.core"} <= set(modules())
    assert {"functions.registry", "marshmallow", "marshmallow.ValidationError"} <= imports("events.running")


@pytest.mark.parametrize("module", modules())
def test_imports_point_one_way(module: str) -> None:
    room = ROOMS.index(module.partition(".")[0])
    assert not tops(module) & set(ROOMS[:room])
    assert not tops(module) & {"tests"}


@pytest.mark.parametrize("module", [module for module in modules() if module.startswith("schemas")])
def test_schemas_need_marshmallow_only(module: str) -> None:
    assert tops(module) <= sys.stdlib_module_names | {"marshmallow", "schemas"}


@pytest.mark.parametrize("module", modules())
def test_only_the_clouds_client_and_the_sinks_speak_http(module: str) -> None:
    assert is_in(module, HTTP_MODULES) or not tops(module) & HTTP


@pytest.mark.parametrize("module", modules())
def test_only_the_webhook_the_command_line_and_the_emulators_door_are_web(module: str) -> None:
    assert is_in(module, WEB_MODULES) or not tops(module) & WEB


@pytest.mark.parametrize("module", [module for module in modules() if is_in(module, (EMULATOR,))])
def test_the_emulator_knows_nothing_of_our_functions_and_schemas(module: str) -> None:
    ours = {name for name in imports(module) if name.partition(".")[0] in ROOMS}
    assert not {name for name in ours if not is_in(name, (EMULATOR,))}


@pytest.mark.parametrize(
    "module",
    [
        "events.dispatch",
        "events.triggers.hooks",
        "events.triggers.aws_lambda",
        "events.triggers.functiongraph",
        *(module for module in modules() if module.startswith("functions.") and module.count(".") == 1),
    ],
)
def test_a_function_starts_without_the_web(module: str) -> None:
    unwanted = sorted({*WEB, "apispec", "dotenv", "gunicorn", "yaml", EMULATOR})
    code = (
        f"import sys, {module}\nfound = [name for name in {unwanted} if name in sys.modules]\nassert not found, found"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("room", ROOMS)
def test_no_installed_distribution_owns_our_names(room: str) -> None:
    assert room not in importlib.metadata.packages_distributions()
    found = importlib.util.find_spec(room)
    assert found is not None
    assert found.origin is not None
    assert Path(found.origin).resolve().is_relative_to(ROOT.resolve())
