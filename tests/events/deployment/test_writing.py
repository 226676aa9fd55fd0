from __future__ import annotations

import re

import pytest

from events.deployment.check import check
from events.deployment.writing import CannotCopy, add, prefix, renamed
from functions.registry import names
from tests.events.deployment.support import TWO, template, two

NEW = "elb.show_listener"


def test_what_was_taken_out_comes_back_as_it_was() -> None:
    assert add(two(), names()) == template()


def test_nothing_is_added_to_a_template_that_has_all() -> None:
    assert add(template(), names()) == template()


def test_a_new_operation_gets_all_that_it_needs() -> None:
    text = add(two(), [*TWO, NEW])
    assert check(text, [*TWO, NEW]) == []
    assert re.findall(r"  # --- (\S+)", text) == [*TWO, NEW] * 2
    assert "ElbShowListenerQueueUrl:" in text
    assert "-elb-show_listener-dead" in text


def test_a_new_operation_stands_in_the_order_of_names() -> None:
    text = add(two(), ["apig.a_first", *TWO])
    assert re.findall(r"  # --- (\S+)", text) == ["apig.a_first", *TWO] * 2
    assert two().replace("\n", "") == re.sub(r"(?s)  # --- apig.a_first.*?(?=  # ---)", "", text).replace("\n", "")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  # --- ", "  # ", "no block begins with a comment"),
        (
            "VisibilityTimeout: 180",
            "VisibilityTimeout: 1",
            "a copy of elb.list_members would not be right: VpcListAllQueue.VisibilityTimeout",
        ),
        (
            "      Environment: {Variables: {HONGYAN_OPERATION",
            "      X: {Variables: {HONGYAN_OPERATION",
            "would not be right",
        ),
    ],
)
def test_only_a_right_copy_is_written(old: str, new: str, told: str) -> None:
    with pytest.raises(CannotCopy) as refused:
        add(two().replace(old, new), [*TWO, "vpc.list_all"])
    assert told in str(refused.value)


def test_another_neighbour_is_copied_where_one_is_wrong() -> None:
    text = two().replace("VisibilityTimeout: 180", "VisibilityTimeout: 1", 1)
    made = add(text, [*TWO, "vpc.list_all"])
    assert [mistake.where for mistake in check(made, [*TWO, "vpc.list_all"])] == [
        "ApigAddMembersQueue.VisibilityTimeout"
    ]


def test_a_block_that_names_no_operation_is_no_help() -> None:
    text = two().replace("HONGYAN_OPERATION: apig.add_members", "HONGYAN_OPERATION: elb.list_members")
    with pytest.raises(CannotCopy, match=r"apig\.add_members"):
        add(text.replace("# --- elb.list_members", "# elb.list_members"), TWO)


def test_names_are_replaced_in_their_three_forms() -> None:
    assert prefix("vpcep.update_connection_descriptions") == "VpcepUpdateConnectionDescriptions"
    assert renamed("ElbListMembersQueue elb.list_members elb-list_members", "elb.list_members", "obs.list_all") == (
        "ObsListAllQueue obs.list_all obs-list_all"
    )


def test_windows_lines_are_not_mixed_in() -> None:
    with pytest.raises(CannotCopy, match="no block"):
        add(two().replace("\n", "\r\n"), names())
