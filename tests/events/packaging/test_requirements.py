from __future__ import annotations

from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

from events.packaging import NotPackaged
from events.packaging.requirements import applies, environment, pins, roots, unmarked

PROJECT: dict[str, Any] = {
    "project": {"optional-dependencies": {"crypto": ["cryptography>=43"], "docs": []}},
    "dependency-groups": {
        "function": ["requests>=2.32", "tomli>=2; python_version < '3.11'", {"include-group": "more"}],
        "more": ["urllib3>=2"],
    },
}


def names(found: list[Requirement]) -> list[str]:
    return [each.name for each in found]


def test_the_group_of_deployed_functions_is_read_with_the_groups_in_it() -> None:
    assert names(roots(PROJECT, [])) == ["requests", "tomli", "urllib3"]
    assert names(roots(PROJECT, ["crypto", "docs"])) == ["requests", "tomli", "urllib3", "cryptography"]


@pytest.mark.parametrize(
    ("project", "extras", "said"),
    [
        (PROJECT, ["cripto"], "pyproject.toml has no extra 'cripto'; it has crypto, docs"),
        ({"dependency-groups": {"function": []}}, ["crypto"], "has no extra 'crypto'; it has none"),
        ({"project": {}}, [], "has no dependency group 'function'"),
        ({"dependency-groups": {"function": ["requests>>2"]}}, [], "pyproject.toml: 'requests>>2' is no requirement: "),
    ],
)
def test_what_cannot_be_read_is_told(project: dict[str, Any], extras: list[str], said: str) -> None:
    with pytest.raises(NotPackaged) as caught:
        roots(project, extras)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_environment_is_the_targets_and_none_of_this_machines() -> None:
    where = environment("3.10", "arm64")
    assert where.keys() == default_environment().keys()
    assert (where["python_version"], where["platform_machine"], where["sys_platform"]) == ("3.10", "aarch64", "linux")


@pytest.mark.parametrize(
    ("line", "python", "counts"),
    [
        ("tomli; python_version < '3.11'", "3.10", True),
        ("tomli; python_version < '3.11'", "3.13", False),
        ("x; python_full_version < '3.11'", "3.10", True),
        ("x; platform_machine == 'aarch64' and sys_platform == 'linux'", "3.13", True),
        ("x; sys_platform == 'win32' or os_name == 'nt'", "3.13", False),
        ("x", "3.13", True),
    ],
)
def test_markers_are_judged_for_the_target(line: str, python: str, counts: bool) -> None:
    assert applies(Requirement(line), environment(python, "arm64")) is counts


def test_a_packages_extras_count_for_those_who_asked_for_them() -> None:
    where = environment("3.13", "arm64")
    socks = Requirement("pysocks; extra == 'socks'")
    assert not applies(socks, where)
    assert applies(socks, where, ["other", "socks"])
    assert applies(Requirement("idna"), where, ["socks"])


def test_pins_are_those_of_the_target() -> None:
    text = '# About\nx==1 ; python_version < "3.11"\nX==2 ; python_version >= "3.11"  # newer\n\nFlask_Thing==3\n'
    assert {name: str(pin.specifier) for name, pin in pins(text, environment("3.10", "arm64")).items()} == {
        "x": "==1",
        "flask-thing": "==3",
    }
    assert str(pins(text, environment("3.12", "arm64"))["x"].specifier) == "==2"


def test_a_pin_that_is_none_is_told() -> None:
    with pytest.raises(NotPackaged, match=r"constraints\.txt: '-r other\.txt' is no requirement: "):
        pins("-r other.txt", environment("3.10", "arm64"))


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("tomli>=2; python_version < '3.11'", "tomli>=2"),
        ("requests[socks,a]<3,>=2; os_name == 'x'", "requests[a,socks]<3,>=2"),
        (
            "mine @ https://127.0.0.1/mine-1-py3-none-any.whl ; os_name == 'x'",
            "mine @ https://127.0.0.1/mine-1-py3-none-any.whl",
        ),
    ],
)
def test_pip_is_told_no_markers(line: str, text: str) -> None:
    assert unmarked(Requirement(line)) == text
