"""Every error body shape is read; a success that is not what the page promises is an error."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from functions.cloud.answers import MOST_ITEMS, Answer, objects, read, refusal, retry_after
from functions.cloud.errors import CallError, CloudRefused, UnreadableAnswer


def answer(status: int, body: Any, **headers: str) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, CaseInsensitiveDict({name.replace("_", "-"): value for name, value in headers.items()}), raw)


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"error_code": "APIG.2004", "error_msg": "out of range", "details": {"a": 1}}, "APIG.2004", "out of range"),
        ({"error_msg": "throttled", "error_code": "APIGW.0308", "request_id": "r1"}, "APIGW.0308", "throttled"),
        ({"error": {"message": "no", "code": "EndPoint.0004"}}, "EndPoint.0004", "no"),
        ({"error": {"code": 403, "message": "no right", "title": "Forbidden"}}, "403", "no right"),
        ({"error_msg": "no right", "error_code": "IAM.0002"}, "IAM.0002", "no right"),
        ({"badRequest": {"message": "bad", "code": 400}}, "badRequest", "bad"),
        ({"NeutronError": {"type": "NotFound", "message": "gone", "detail": ""}}, "NotFound", "gone"),
        ({"code": "X.1", "message": "m"}, "X.1", "m"),
        ({"errorCode": "X.2", "errorMsg": "n"}, "X.2", "n"),
        (b"<html>Bad Gateway</html>", None, None),
        (b"", None, None),
        (b"[" * 100_000, None, None),
        ([1, 2], None, None),
        ({"error": "text"}, None, None),
        ({"error_code": True, "error_msg": {"a": 1}}, None, None),
    ],
)
def test_each_shape_of_error_is_read(body: Any, code: str | None, message: str | None) -> None:
    error = refusal(answer(400, body))
    assert error.code == code
    assert (message or "gave no reason") in error.message


def test_the_request_id_is_the_headers_else_the_bodys() -> None:
    body = {"error_code": "APIGW.0301", "error_msg": "m", "request_id": "from-body"}
    assert refusal(answer(401, body, X_Request_Id="from-header")).request_id == "from-header"
    assert refusal(answer(401, body)).request_id == "from-body"
    assert refusal(answer(401, {"request_id": "alone"})).request_id == "alone"


def test_the_clouds_message_is_cut_and_cleaned() -> None:
    error = refusal(answer(400, {"error_code": "A\n.1", "error_msg": "a\x00b\ud800" + "x" * 10_000}))
    assert error.code == "A .1"
    assert len(error.message) < 600
    assert error.message.isprintable()


@pytest.mark.parametrize(
    ("status", "body", "what"),
    [
        (200, b"", "not JSON"),
        (200, b"<html>", "not JSON"),
        (200, b'{"members": [', "not JSON"),
        (200, b"\xff", "not JSON"),
        (200, b"[" * 100_000, "not JSON"),
        (200, [], "not an object"),
        (200, "text", "not an object"),
        (201, {}, "HTTP 201 where 200 is promised"),
        (202, {}, "HTTP 202 where 200 is promised"),
        (204, b"", "HTTP 204 where 200 is promised"),
    ],
)
def test_a_success_that_is_none(status: int, body: Any, what: str) -> None:
    with pytest.raises(UnreadableAnswer, match=what) as caught:
        read(answer(status, body, X_Request_Id="r"), 200, dict)
    assert (caught.value.status, caught.value.request_id, caught.value.in_doubt) == (status, "r", True)


def test_a_redirect_is_a_refusal_that_names_the_setting() -> None:
    with pytest.raises(CloudRefused, match="HUAWEICLOUD_SDK_REGION_") as caught:
        read(answer(302, b"", Location="http://elsewhere.example.com"), 200, dict)
    assert (caught.value.kind, caught.value.in_doubt, caught.value.refused) == ("internal", True, False)


def test_refused_credentials_are_ours_and_not_the_senders() -> None:
    error = refusal(answer(401, {"error": {"code": 401, "message": "wrong password", "title": "Unauthorized"}}))
    assert "not the sender's" in error.message
    assert error.code is None


def test_an_array_where_one_is_promised() -> None:
    assert read(answer(200, []), 200, list) == []
    with pytest.raises(UnreadableAnswer, match="not an array"):
        read(answer(200, {}), 200, list)


def test_integers_stay_integers() -> None:
    assert read(answer(200, b'{"marker_id": 422321321312321321}'), 200, dict) == {"marker_id": 422_321_321_312_321_321}


@pytest.mark.parametrize("items", [None, {}, "x", [1], [{}, None]])
def test_an_array_of_objects_is_insisted_on(items: Any) -> None:
    with pytest.raises(UnreadableAnswer, match="members"):
        objects(items, "members")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("-1", None),
        ("soon", None),
        ("9" * 400, 86_400.0),
        ("٧", None),
    ],
)
def test_retry_after_in_seconds(header: str | None, seconds: float | None) -> None:
    assert retry_after(header) == seconds


def test_more_items_than_any_page_has_are_not_read() -> None:
    assert len(objects([{}] * MOST_ITEMS, "members")) == MOST_ITEMS
    with pytest.raises(UnreadableAnswer, match=f"more than {MOST_ITEMS} members"):
        objects([{}] * (MOST_ITEMS + 1), "members")


def test_a_request_id_is_cut() -> None:
    assert len(answer(200, {}, X_Request_Id="x" * 60_000).request_id or "") == 128


def test_retry_after_as_a_date() -> None:
    soon = retry_after(format_datetime(datetime.now(timezone.utc) + timedelta(seconds=90), usegmt=True))
    assert soon is not None
    assert 60 < soon <= 90
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert retry_after("Wed, 21 Oct 2015 07:28:00 -0000") == 0.0
    assert retry_after("Fri, 31 Dec 9999 23:59:59 GMT") == 86_400.0


@pytest.mark.parametrize(("hours", "word"), [(2, "behind"), (-2, "ahead of")])
def test_a_refused_signature_with_clocks_apart_says_so(hours: int, word: str) -> None:
    date = format_datetime(datetime.now(timezone.utc) + timedelta(hours=hours), usegmt=True)
    error = refusal(answer(401, {"error_code": "APIGW.0303", "error_msg": "m"}, Date=date))
    assert f"s {word} the cloud's" in error.message
    assert "clock" not in refusal(answer(404, {}, Date=date)).message


def test_clocks_that_agree_are_not_blamed() -> None:
    date = format_datetime(datetime.now(timezone.utc), usegmt=True)
    assert "clock" not in refusal(answer(401, {}, Date=date)).message


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from(["error", "code"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.integers(100, 999),
    st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()),
    st.text(max_size=20),
)
def test_any_answer_is_a_value_or_a_typed_error(status: int, body: bytes, header: str) -> None:
    given_answer = answer(status, body, Retry_After=header, Date=header)
    outcome: object
    try:
        outcome = read(given_answer, 200, dict)
    except CallError as error:
        outcome = error
    assert isinstance(outcome, (dict, CloudRefused, UnreadableAnswer))
    assert isinstance(outcome, dict) or outcome.message.encode()
