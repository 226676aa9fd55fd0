"""DingTalk's robots: two headers that prove the sender and the time, and must not be good for a second body."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import ClassVar
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.signatures import BadSecret, Delivery, Refused, Verified
from events.signatures.dingtalk import DingTalk
from tests.events.signatures.contract import BODY, NOW, Request, SchemeContract, thoroughly

BITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def sign(secret: str, time: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), f"{time}\n{secret}".encode(), hashlib.sha256).digest()).decode()


class TestDingTalk(SchemeContract):
    scheme = DingTalk()
    secret: ClassVar[dict[str, str]] = {"secret": "fake-app-secret-of-the-tests"}
    other: ClassVar[dict[str, str]] = {"secret": "another-fake-app-secret"}
    needed = ("timestamp", "sign")
    signs_body = False

    def request(
        self,
        body: bytes = BODY,
        now: float = NOW,
        secret: dict[str, str] | None = None,
        id: str = "msg_1",  # noqa: A002
    ) -> Request:
        time = f"{now * 1000:.0f}"
        return Request(body, {"timestamp": time, "sign": sign((secret or self.secret)["secret"], time)})

    def tampered(self, body: bytes) -> bytes:
        """Another body that is JSON as well."""
        return body.replace(b"6", b"7", 1)

    def test_a_body_that_is_not_utf_8(self) -> None:
        """Overridden: the body must be a JSON object."""
        self.refused(self.request(body=b"\xff\xfe\x00 not text"), "body_malformed")

    def test_it_tells_what_was_sent(self) -> None:
        taken = self.accepted(self.request(b'{"msgId": "msgA+/=="}', NOW + 0.125))
        assert (taken.id, taken.time, taken.body) == ("msgA+/==", NOW + 0.125, b'{"msgId": "msgA+/=="}')
        assert (taken.content_type, taken.answer, taken.confirm) == (None, None, None)

    @pytest.mark.parametrize("given", ["null", '""', "1", "[]", '"a b"', '"é"', '"a\\u0000"', f'"{"x" * 256}"'])
    def test_an_id_that_cannot_be_is_none(self, given: str) -> None:
        assert self.accepted(self.request(f'{{"msgId": {given}}}'.encode())).id is None

    @pytest.mark.parametrize("body", [b"", b"[]", b'"text"', b"{", b'{"a":1,"a":1}', b'{"a":NaN}', b"text=hello"])
    def test_a_body_that_is_no_json_object_is_refused_after_the_signature(self, body: bytes) -> None:
        self.refused(self.request(body), "body_malformed")
        self.refused(self.request(body).put("sign", "A" * 43 + "="), "signature_mismatch")
        self.refused(self.request(body), "too_old", now=NOW + 3601)

    def test_it_is_taken_over_https_only_and_for_an_hour(self) -> None:
        assert DingTalk.needs_https
        assert DingTalk.default_window_s == 3600

    @thoroughly
    @given(
        body=st.dictionaries(st.text(max_size=5), st.integers(), max_size=3).map(lambda each: repr(each).encode())
        | st.binary(max_size=50)
        | st.sampled_from([b"{}", b'{"msgId":"a"}', b'{"msgId":"b"}', BODY])
    )
    def test_a_captured_pair_has_one_fingerprint_whatever_body_it_comes_with(self, body: bytes) -> None:
        result = self.verify(self.request(body))
        if isinstance(result, Verified):
            assert result.fingerprint == self.accepted(self.request()).fingerprint
        else:
            assert result.reason == "body_malformed"

    def test_two_bodies_within_a_millisecond_are_one_request(self) -> None:
        first, second = self.request(b'{"msgId": "a"}'), self.request(b'{"msgId": "b"}', NOW + 0.0004)
        assert self.accepted(first).fingerprint == self.accepted(second).fingerprint

    def test_no_other_text_for_the_same_bytes_is_taken(self) -> None:
        good = self.request()
        text = good.headers["sign"]
        twins = [f"{text[:-2]}{BITS[BITS.index(text[-2]) ^ bit]}=" for bit in (1, 2, 3)]
        others = [text[:-1], text + "=", f" {text}", f"{text}\t", text.replace("+", "-"), quote_plus(text)]
        assert all(base64.b64decode(twin) == base64.b64decode(text) for twin in twins)
        for other in {*twins, *others} - {text}:
            self.refused(good.put("sign", other), "header_malformed", "signature_mismatch")

    @pytest.mark.parametrize("form", ["0{}", "+{}", " {}", "{}.0", "{}e0", "{}000", "{:.3}"])
    def test_no_other_text_for_the_same_time_is_taken(self, form: str) -> None:
        good = self.request()
        time = form.format(good.headers["timestamp"])
        self.refused(good.put("timestamp", time), "header_malformed", "signature_mismatch")

    @pytest.mark.parametrize("time", ["1", "9" * 16, f"{NOW:.0f}"])
    def test_a_time_that_is_not_in_milliseconds_is_outside_the_window(self, time: str) -> None:
        asked = Request(BODY, {"timestamp": time, "sign": sign(self.secret["secret"], time)})
        self.refused(asked, "too_old", "too_new")

    def test_it_signs_as_by_hand(self) -> None:
        fresh = self.scheme.sign(self.scheme.key(self.secret), BODY, NOW + 0.125, "msg_1")
        assert (fresh.body, fresh.headers, fresh.query) == (BODY, self.request(now=NOW + 0.125).headers, {})

    def test_a_secret_that_is_too_short_is_told(self) -> None:
        with pytest.raises(BadSecret, match="at least 16"):
            self.scheme.key({"secret": "x" * 15})

    def test_a_line_break_in_the_senders_secret_is_found_out(self) -> None:
        time = f"{NOW * 1000:.0f}"
        asked = Request(BODY, {"timestamp": time, "sign": sign(self.secret["secret"] + "\n", time)})
        signed = self.scheme.read(Delivery(asked.body, asked.headers, asked.query))
        assert [why for why, key in self.scheme.readings(self.secret) if self.scheme.matches(key, signed)] == [
            "the sender's secret has a line break at its end"
        ]
        assert isinstance(self.verify(asked), Refused)
