"""Every row of the cloud's published error tables has a decided kind; the traps among them are spelled out."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.cloud.codes import (
    BY_CODE,
    BY_STATUS,
    BY_STATUS_AND_CODE,
    certainly_refused,
    classify,
    lost_behind_gateway,
)
from functions.cloud.errors import KINDS, RETRYABLE_KINDS

LINES = Path(__file__).with_name("error_codes.tsv").read_text(encoding="utf-8").splitlines()
ROWS = list(csv.DictReader(LINES, delimiter="\t"))
TABLES = ("apig-api", "apig-gateway-runtime", "csbs", "elb-classic-v1", "vpcep")
PAGE = Path(__file__).parents[3] / "docs" / "error-codes.md"


@pytest.mark.parametrize("table", TABLES)
def test_each_row_has_its_decided_kind_and_retryability(table: str) -> None:
    rows = [row for row in ROWS if row["table"] == table]
    wrong = [row for row in rows if classify(int(row["http"]), row["code"]) != row["kind"]]
    assert rows
    assert not wrong
    assert all((row["retryable"] == "yes") == (row["kind"] in RETRYABLE_KINDS) for row in rows)


def test_the_tables_are_whole() -> None:
    assert Counter(row["table"] for row in ROWS) == {
        "apig-api": 185,
        "apig-gateway-runtime": 43,
        "csbs": 53,
        "elb-classic-v1": 111,
        "vpcep": 157,
    }


def test_the_page_of_counts_is_true() -> None:
    counted = Counter((row["table"], row["kind"]) for row in ROWS)
    for kind in sorted({row["kind"] for row in ROWS}):
        cells = [str(counted[table, kind]) for table in TABLES]
        line = f"| {kind} | {' | '.join(cells)} | {sum(map(int, cells))} |"
        assert line in PAGE.read_text(encoding="utf-8"), line


def test_every_kind_in_the_rules_is_a_known_one() -> None:
    assert {*BY_CODE, *BY_STATUS.values(), *BY_STATUS_AND_CODE.values()} <= KINDS


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (429, "APIGW.0308", "resource_exhausted"),
        (429, "IAM.0012", "resource_exhausted"),
        (429, None, "resource_exhausted"),
        (400, "EndPoint.0022", "resource_exhausted"),
        (500, "APIG.9008", "resource_exhausted"),
        (504, "EndPoint.0011", "invalid_argument"),
        (504, "EndPoint.0012", "invalid_argument"),
        (504, "EndPoint.0013", "deadline_exceeded"),
        (503, "ELB.6002", "not_found"),
        (500, "CSBS.6019", "failed_precondition"),
        (500, "CSBS.6023", "failed_precondition"),
    ],
)
def test_trap_1_the_status_alone_does_not_tell_what_is_retryable(status: int, code: str | None, kind: str) -> None:
    assert classify(status, code) == kind


@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize("code", ["ELB.1102", "ELB.1103", "ELB.1104", "ELB.1105", "ELB.1109"])
def test_trap_2_a_token_failure_is_not_always_401(status: int, code: str) -> None:
    assert classify(status, code) == "unauthenticated"


@pytest.mark.parametrize("status", [401, 403])
def test_trap_2_no_permission_is_one_kind_under_either_status(status: int) -> None:
    assert classify(status, "APIG.1005") == "permission_denied"


def test_trap_3_one_code_of_vpcep_is_written_with_a_small_p() -> None:
    assert classify(400, "Endpoint.1018") == classify(400, "EndPoint.1018") == "failed_precondition"


def test_trap_4_one_code_can_have_two_meanings() -> None:
    assert classify(403, "CSBS.9009") == "permission_denied"
    assert classify(400, "CSBS.9009") == "failed_precondition"
    found = [classify(status, "APIG.0201") for status in (400, 413, 414, 494, 500, 502, 504)]
    assert found == ["invalid_argument"] * 4 + ["internal", "unavailable", "deadline_exceeded"]


def test_the_gateways_two_prefixes_mean_the_same() -> None:
    assert classify(401, "APIGW.0307") == classify(401, "apig.0307") == "unauthenticated"


@pytest.mark.parametrize(
    ("status", "code", "refused", "lost"),
    [
        (400, None, True, False),
        (429, "APIGW.0308", True, False),
        (500, "APIG.9008", True, False),
        (503, None, False, True),
        (503, "X.1", False, False),
        (503, "APIG.0613", True, False),
        (502, "APIG.0610", True, False),
        (504, "EndPoint.0011", True, False),
        (500, "APIG.9999", False, False),
        (502, None, False, True),
        (504, "APIG.0201", False, True),
        (504, "EndPoint.0013", False, True),
    ],
)
def test_only_some_errors_prove_that_nothing_happened(status: int, code: str | None, refused: bool, lost: bool) -> None:
    assert certainly_refused(status, code) is refused
    assert lost_behind_gateway(status, code) is lost


@given(st.integers(-1000, 5000), st.none() | st.text(max_size=30) | st.sampled_from([row["code"] for row in ROWS]))
def test_any_status_and_code_has_a_kind(status: int, code: str | None) -> None:
    assert classify(status, code) in KINDS | {"ok"}
    assert not (lost_behind_gateway(status, code) and certainly_refused(status, code))
