from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement

from events.packaging import NotPackaged
from events.packaging.fetching import Fetcher
from events.packaging.interpreters import running
from events.packaging.targets import LAMBDA
from tests.events.packaging.support import stand_in, wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from events.packaging.distributions import Distribution

pytestmark = pytest.mark.slow

# Never the one that runs this, so that a marker judged by the wrong Python shows.
PYTHON = "3.12" if running() == "3.13" else "3.13"
CP = f"cp{PYTHON.replace('.', '')}"
CONSTRAINTS = f"""# As constraints.txt
alpha==1.1 ; python_version == "{PYTHON}"
alpha==1.2 ; python_version != "{PYTHON}"
beta==2.0
theirs==1.0
"""


@pytest.fixture(scope="module")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder of wheels, which is the only index that pip knows meanwhile."""
    folder = tmp_path_factory.mktemp("wheels")
    for version in ("1.0", "1.1", "1.2"):
        files = {"alpha/__init__.py": f"V = {version!r}\n", "alpha/tests/test_alpha.py": "", "alpha/data.txt": "data"}
        there, here = f"python_version == '{PYTHON}'", f"python_version == '{running()}'"
        wheel(folder, "alpha", version, files, f"beta; {there}", f"never; {here}", "socks; extra == 'socks'")
    for machine in ("aarch64", "x86_64"):
        for glibc in ("2_17", "2_28", "2_99"):
            tag = f"{CP}-{CP}-manylinux_{glibc}_{machine}"
            wheel(folder, "beta", "2.0", {"beta.so": f"{glibc} {machine}"}, "gamma>=1", tag=tag)
    wheel(folder, "gamma", "1.0", {"gamma.py": ""})
    wheel(folder, "theirs", "1.0", {"theirs.py": ""})
    before = dict(os.environ)
    os.environ |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_CONFIG_FILE": os.devnull}
    yield folder
    os.environ.clear()
    os.environ.update(before)


Fetched = tuple[dict[str, bytes], dict[str, "Distribution"], list[str]]


@pytest.fixture(scope="module")
def fetched(wheelhouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Fetched:
    roots = [
        Requirement("alpha>=1"),
        Requirement(f"theirs; python_version == '{PYTHON}'"),
        Requirement(f"never; python_version == '{running()}'"),
    ]
    return Fetcher(LAMBDA, PYTHON, "arm64", CONSTRAINTS, tmp_path_factory.mktemp("fetched")).fetch(roots)


def test_markers_count_as_on_the_target_and_not_as_on_this_python(fetched: Fetched) -> None:
    _, packages, _ = fetched
    assert {name: package.version for name, package in packages.items()} == {
        "alpha": "1.1",
        "beta": "2.0",
        "gamma": "1.0",
        "theirs": "1.0",
    }


def test_of_the_wheels_for_the_target_the_one_that_asks_least_of_the_system_is_taken(fetched: Fetched) -> None:
    files, _, _ = fetched
    assert files["beta.so"] == b"2_17 aarch64"


def test_what_nothing_pins_is_told(fetched: Fetched) -> None:
    _, _, unpinned = fetched
    assert unpinned == ["gamma"]


def test_the_files_of_all_rounds_come_without_scripts_tests_and_records(fetched: Fetched) -> None:
    files, _, _ = fetched
    infos = {name.rpartition("/")[2] for name in files if name.startswith("alpha-1.1.dist-info/")}
    assert infos == {"METADATA", "WHEEL", "LICENSE", "entry_points.txt"}
    assert {name for name in files if ".dist-info/" not in name} == {
        "alpha/__init__.py",
        "alpha/data.txt",
        "beta.so",
        "gamma.py",
        "theirs.py",
    }


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (
            ["Collecting alpha", "ERROR: no version of alpha", "hint", "ERROR: none"],
            "ERROR: no version of alpha\nhint\nERROR: none",
        ),
        (["ERROR: 0", *map(str, range(1, 20))], "ERROR: 0\n1\n2\n3\n4\n5\n6\n7"),
        (list(map(str, range(10, 20))), "12\n13\n14\n15\n16\n17\n18\n19"),
        (["No module named pip"], "No module named pip"),
        ([], "it said nothing and ended with 7"),
    ],
)
def test_pips_own_last_words_tell_why_it_failed(
    says: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", stand_in(tmp_path / "python", *says, code=7))
    with pytest.raises(NotPackaged) as caught:
        Fetcher(LAMBDA, PYTHON, "arm64", "", tmp_path).fetch([Requirement("alpha")])
    assert str(caught.value) == f"pip could not fetch the packages that a function needs:\n{told}"
