from __future__ import annotations

import pytest

from events.deployment.tree import Spot, Table, joined


def table(home: str, line: int, **values: object) -> Table:
    made = Table()
    for key, value in values.items():
        made.put(key, value, (joined(home, key), line))
    return made


def test_a_table_over_another_wins_and_each_key_keeps_its_home() -> None:
    below = table("Globals", 1, A=1, B=2, C=table("Globals.C", 1, D=1, E=1))
    above = table("Own", 9, B=3, C=table("Own.C", 9, E=2))
    laid = Spot(above.over(below), "Own", 8)
    assert laid.value == {"A": 1, "B": 3, "C": {"D": 1, "E": 2}}
    assert [(spot.where, spot.line) for spot in (laid / "A", laid / "B", laid / "C" / "D", laid / "C" / "E")] == [
        ("Globals.A", 1),
        ("Own.B", 9),
        ("Globals.C.D", 1),
        ("Own.C.E", 9),
    ]


def test_what_takes_the_place_of_a_table_is_taken_whole() -> None:
    assert table("Own", 9, C=7).over(table("Globals", 1, C=table("Globals.C", 1, D=1))) == {"C": 7}


@pytest.mark.parametrize("value", [None, "text", [1], 7])
def test_what_is_absent_is_nothing_on_the_line_of_what_it_is_absent_from(value: object) -> None:
    found = Spot(value, "A", 5) / "B" / "C"
    assert found == Spot(None, "A.B.C", 5)
    assert found.each() == []


def test_a_list_has_places_too() -> None:
    assert Spot(["x", "y"], "A", 5).each() == [Spot("x", "A[0]", 5), Spot("y", "A[1]", 5)]


def test_places_leave_out_what_all_have() -> None:
    assert joined("Resources", "Queue") == "Queue"
    assert joined("Queue", "Properties") == "Queue"
    assert joined("", "Outputs") == "Outputs"
    assert joined("Queue", "VisibilityTimeout") == "Queue.VisibilityTimeout"


def test_the_whole_template_has_a_name() -> None:
    assert Spot(None, "", 1).wrong("it is wrong", "mend it").where == "the template"
