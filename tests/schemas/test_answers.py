"""The vocabulary of results: what the cloud said in one form, and null for whatever it did not say."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.answers import Result, SaidFlag, SaidIds, SaidText, SaidTime, SaidWhole, SaidWord, said_flag
from tests.schemas.support import JSON, assert_utf8_json, patient, same_json

WORD = SaidWord({"up": "healthy", "1": "active"}, other="unknown")
SILENT_WORD = SaidWord({"up": "healthy"}, other=None)
FIELDS = [SaidText(), SaidWhole(), SaidFlag(), SaidTime(), SaidIds(), WORD, SILENT_WORD]


def said(field: Any, answer: Any) -> Any:
    return Result.from_dict({"it": field})().dump(answer)["it"]


def name(field: Any) -> str:
    return type(field).__name__


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        (SaidText(), "雁 🦢", "雁 🦢"),
        (SaidText(), "", ""),
        (SaidText(), 0, "0"),
        (SaidText(), 422321321312321321, "422321321312321321"),
        (SaidText(), "a\ud800b", "a?b"),
        (SaidText(), True, None),
        (SaidText(), 1.5, None),
        (SaidText(), ["a"], None),
        (SaidText(), {"a": "b"}, None),
        (SaidWhole(), 422321321312321321, 422321321312321321),
        (SaidWhole(), 2**53 + 1, 2**53 + 1),
        (SaidWhole(), "9007199254740993", 9007199254740993),
        (SaidWhole(), "-1", -1),
        (SaidWhole(), 0, 0),
        (SaidWhole(), True, None),
        (SaidWhole(), 1.0, None),
        (SaidWhole(), "1.0", None),
        (SaidWhole(), "1e3", None),
        (SaidWhole(), " 1", None),
        (SaidWhole(), "١", None),
        (SaidWhole(), "9" * 20, None),
        (SaidWhole(), "", None),
        (SaidWhole(), [1], None),
        (SaidFlag(), True, True),
        (SaidFlag(), False, False),
        (SaidFlag(), "true", True),
        (SaidFlag(), "False", False),
        (SaidFlag(), 1, None),
        (SaidFlag(), 0, None),
        (SaidFlag(), "yes", None),
        (SaidFlag(), "", None),
        (SaidFlag(), {}, None),
        (WORD, "up", "healthy"),
        (WORD, "UP", "healthy"),
        (WORD, 1, "active"),
        (WORD, "sideways", "unknown"),
        (WORD, True, "unknown"),
        (WORD, ["up"], "unknown"),
        (SILENT_WORD, "Up", "healthy"),
        (SILENT_WORD, "down", None),
        (SaidIds(), [{"id": "a"}, {"id": "b", "more": 1}], ["a", "b"]),
        (SaidIds(), [], []),
        (SaidIds(), ["a", None, {"id": None}, {}, {"id": ["b"]}, {"id": "\udfff"}], ["?"]),
        (SaidIds(), {"id": "a"}, None),
        (SaidIds(), "abc", None),
        (SaidIds(), 5, None),
        (SaidTime(), "2015-12-28 10:35:51", "2015-12-28T10:35:51Z"),
        (SaidTime(), "2020-07-23T09:13:24Z", "2020-07-23T09:13:24Z"),
        (SaidTime(), "2018-01-30T07:42:01.174", "2018-01-30T07:42:01.174Z"),
        (SaidTime(), "2022-04-14T02:09:08.123456789Z", "2022-04-14T02:09:08.123456789Z"),
        (SaidTime(), "2022-04-14T02:09:08+08:00", "2022-04-13T18:09:08Z"),
        (SaidTime(), "2022-12-31T23:30:00.5-0130", "2023-01-01T01:00:00.5Z"),
        (SaidTime(), "2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
        (SaidTime(), "0099-01-01T00:00:00Z", "0099-01-01T00:00:00Z"),
        (SaidTime(), "2023-02-29T00:00:00Z", None),
        (SaidTime(), "2022-04-1402:09:08Z", None),
        (SaidTime(), "2022-04-14T25:09:08Z", None),
        (SaidTime(), "2022-04-14T02:09:08+99:00", None),
        (SaidTime(), "0001-01-01T00:00:00+01:00", None),
        (SaidTime(), "9999-12-31T23:59:59-01:00", None),
        (SaidTime(), "0000-00-00 00:00:00", None),
        (SaidTime(), "2022-04-14", None),
        (SaidTime(), "2022-04-14T02:09:08Z\n", None),
        (SaidTime(), "yesterday", None),
        (SaidTime(), "", None),
        (SaidTime(), 1649902148, None),
        (SaidTime(), True, None),
    ],
)
def test_what_the_cloud_said_is_told_in_one_form(field: Any, value: Any, expected: Any) -> None:
    assert same_json(said(field, {"it": value}), expected)


@pytest.mark.parametrize("field", [SaidText(), SaidWhole(), SaidFlag(), SaidTime(), SaidIds(), SILENT_WORD], ids=name)
def test_what_the_cloud_left_out_is_null(field: Any) -> None:
    assert said(field, {}) is None
    assert said(field, {"it": None}) is None


def test_a_word_may_say_that_it_is_not_known() -> None:
    assert said(WORD, {}) == "unknown"
    assert said(WORD, {"it": None}) == "unknown"


def test_fields_that_we_do_not_know_are_let_pass() -> None:
    assert Result.from_dict({"it": SaidText()})().dump({"it": "a", "new": {"deep": [1]}, "\ud800": 1}) == {"it": "a"}


@pytest.mark.parametrize(("value", "flag"), [(True, True), ("FALSE", False), (1, None), (None, None)])
def test_a_flag_is_read_alike_outside_of_schemas(value: Any, flag: bool | None) -> None:
    assert said_flag(value) is flag


@given(st.integers(-62_135_500_000, 253_402_200_000), st.integers(-1439, 1439))
@patient
def test_a_time_of_any_zone_is_the_same_moment_in_utc(seconds: int, zone_minutes: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)
    local = moment.astimezone(timezone(timedelta(minutes=zone_minutes)))
    assert said(SaidTime(), {"it": local.isoformat()}) == moment.isoformat().replace("+00:00", "Z")


@given(st.integers())
@patient
def test_an_integer_stays_what_it_is(number: int) -> None:
    assert said(SaidWhole(), {"it": number}) == number


@given(JSON)
@patient
def test_nothing_that_the_cloud_says_breaks_a_field(value: Any) -> None:
    for field in FIELDS:
        assert_utf8_json(said(field, {"it": value}))
