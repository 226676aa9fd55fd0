from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from events.packaging import NotPackaged
from events.packaging.interpreters import interpreter, running
from tests.events.packaging.support import stand_in

if TYPE_CHECKING:
    from pathlib import Path

OTHER = "3.12" if running() == "3.13" else "3.13"


@pytest.fixture
def _nothing_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))


def test_the_running_python_compiles_for_its_own_version() -> None:
    assert interpreter(running()) == sys.executable


@pytest.mark.usefixtures("_nothing_found")
def test_another_is_looked_for_on_the_path(tmp_path: Path) -> None:
    there = stand_in(tmp_path / "bin" / f"python{OTHER}", f"{OTHER} cpython final")
    assert interpreter(OTHER) == there


@pytest.mark.usefixtures("_nothing_found")
def test_then_among_pyenvs_the_newest_first(tmp_path: Path) -> None:
    versions = tmp_path / "pyenv" / "versions"
    for micro in (9, 10, 2):
        stand_in(versions / f"{OTHER}.{micro}" / "bin" / f"python{OTHER}", f"{OTHER} cpython final")
    assert interpreter(OTHER) == str(versions / f"{OTHER}.10" / "bin" / f"python{OTHER}")


@pytest.mark.usefixtures("_nothing_found")
@pytest.mark.parametrize("said", [f"{OTHER} pypy final", f"{OTHER} cpython candidate", "3.9 cpython final", ""])
def test_one_that_is_not_what_it_seems_is_passed_over(said: str, tmp_path: Path) -> None:
    stand_in(tmp_path / "bin" / f"python{OTHER}", said, code=0 if said else 127)
    good = stand_in(tmp_path / "pyenv" / "versions" / f"{OTHER}.1" / "bin" / f"python{OTHER}", f"{OTHER} cpython final")
    assert interpreter(OTHER) == good


@pytest.mark.usefixtures("_nothing_found")
def test_one_that_cannot_be_run_is_passed_over(tmp_path: Path) -> None:
    broken = tmp_path / "bin" / f"python{OTHER}"
    broken.write_text("#!/nowhere/at/all\n")
    broken.chmod(0o755)
    with pytest.raises(NotPackaged):
        interpreter(OTHER)


@pytest.mark.usefixtures("_nothing_found")
def test_where_there_is_none_every_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotPackaged) as caught:
        interpreter(OTHER)
    for words in (f"there is no Python {OTHER} here", f"pyenv install {OTHER}", "--python", "--no-compile"):
        assert words in str(caught.value)
    monkeypatch.setattr("platform.python_implementation", lambda: "PyPy")
    with pytest.raises(NotPackaged):
        interpreter(running())
