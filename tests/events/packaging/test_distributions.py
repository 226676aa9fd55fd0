from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from events.packaging import NotPackaged
from events.packaging.distributions import Distribution, belongs, needed
from events.packaging.requirements import environment

WHERE = environment("3.10", "arm64")


def distribution(name: str, version: str, *requires: str) -> Distribution:
    return Distribution(name, version, tuple(map(Requirement, requires)))


class Index:
    """An index in memory that knows what it was asked for, round by round."""

    def __init__(self, *has: Distribution) -> None:
        self._has = {each.name: each for each in has}
        self.asked: list[list[str]] = []

    def get(self, wanted: list[Requirement]) -> list[Distribution]:
        self.asked.append(sorted(str(each) for each in wanted))
        return [self._has[name] for name in {each.name for each in wanted}]


def test_what_packages_need_in_turn_is_fetched_once_and_only_where_it_counts() -> None:
    index = Index(
        distribution(
            "a", "1", "b>=1", "c; python_version < '3.11'", "never; python_version >= '3.11'", "d; extra == 'd'"
        ),
        distribution("b", "1", "a", "c"),
        distribution("c", "1"),
    )
    roots = [Requirement("a"), Requirement("b"), Requirement("windows; sys_platform == 'win32'")]
    assert sorted(needed(roots, WHERE, index.get)) == ["a", "b", "c"]
    assert index.asked == [["a", "b"], ["c", 'c; python_version < "3.11"']]


def test_extras_are_followed_also_when_they_are_asked_for_later() -> None:
    index = Index(
        distribution("a", "1", "b"),
        distribution("b", "1", "a[more]"),
        distribution("extra", "1"),
    )
    index._has["a"] = distribution("a", "1", "b", "extra; extra == 'more'")
    assert sorted(needed([Requirement("a")], WHERE, index.get)) == ["a", "b", "extra"]
    assert index.asked == [["a"], ["b"], ['extra; extra == "more"']]


def test_two_that_cannot_agree_are_told_apart_from_a_fault_of_pip() -> None:
    index = Index(distribution("a", "1", "b>=2"), distribution("b", "1.5"))
    with pytest.raises(NotPackaged, match=r"b 1\.5 is pinned, and b>=2 is needed: correct constraints\.txt"):
        needed([Requirement("a"), Requirement("b")], WHERE, index.get)


@pytest.mark.parametrize(
    ("name", "goes_in"),
    [
        ("requests/api.py", True),
        ("single.py", True),
        ("requests-2.dist-info/METADATA", True),
        ("requests-2.dist-info/licenses/LICENSE", True),
        ("requests-2.dist-info/licenses/tests/LICENSE", True),
        ("requests-2.dist-info/RECORD", False),
        ("requests-2.dist-info/INSTALLER", False),
        ("requests-2.dist-info/REQUESTED", False),
        ("requests-2.dist-info/direct_url.json", False),
        ("bin/normalizer", False),
        ("requests/bin/data.txt", True),
        ("requests/__pycache__/api.cpython-313.pyc", False),
        ("requests/old.pyc", False),
        ("requests/tests/test_api.py", False),
        ("tests/test_all.py", False),
        ("requests/test.py", True),
    ],
)
def test_scripts_tests_and_how_it_was_installed_stay_out(name: str, goes_in: bool) -> None:
    assert belongs(name) is goes_in
