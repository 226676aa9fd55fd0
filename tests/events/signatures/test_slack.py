"""Slack: handshakes, ids of its three kinds of bodies, what its SDK stumbles over, and that SDK as an oracle."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import ClassVar
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.signature import Clock, SignatureVerifier

from events.problems import HttpAnswer
from events.signatures import BadSecret, Verified
from events.signatures.slack import MAX_CHALLENGE, MAX_FIELDS, Slack
from tests.events.signatures.contract import ANY_TEXT, BODY, NOW, Request, SchemeContract, thoroughly

SCHEME = Slack()
TIME, SIGNATURE = "x-slack-request-timestamp", "x-slack-signature"
SECRET = "0123456789abcdef0123456789abcdef"  # As long as Slack's are.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def request_of(body: bytes, time: str = f"{NOW:.0f}", secret: str = SECRET) -> Request:
    signed = hmac.new(secret.encode(), b"v0:" + time.encode() + b":" + body, hashlib.sha256).hexdigest()
    return Request(body, {TIME: time, SIGNATURE: f"v0={signed}"})


class TestSlack(SchemeContract):
    scheme = SCHEME
    secret: ClassVar[dict[str, str]] = {"secret": SECRET}
    other: ClassVar[dict[str, str]] = {"secret": SECRET[::-1]}
    needed = (TIME, SIGNATURE)

    def request(
        self,
        body: bytes = BODY,
        now: float = NOW,
        secret: dict[str, str] | None = None,
        id: str = "Ev1",  # noqa: A002
    ) -> Request:
        return request_of(body, f"{now:.0f}", (secret or self.secret)["secret"])

    @pytest.mark.parametrize(
        "time", ["abc", "1.5", "1750000000.0", "01750000000", "+1750000000", "１７５０００００００"]
    )
    def test_a_time_that_is_no_whole_number_is_refused(self, time: str) -> None:
        self.refused(request_of(BODY, time), "header_malformed")

    @pytest.mark.parametrize("text", ["v0=é", "v0=", "v1=" + "0" * 64, "0" * 64, "v0=" + "A" * 64, "v0=" + "0" * 65])
    def test_a_signature_of_another_form_is_refused(self, text: str) -> None:
        self.refused(self.request().put(SIGNATURE, text), "header_malformed")

    def test_a_body_that_is_not_utf_8_and_wrongly_signed_is_refused(self) -> None:
        self.refused(Request(b"\xff\xfe", self.request().headers), "signature_mismatch")

    def test_a_signature_in_capitals_is_refused(self) -> None:
        good = self.request()
        self.refused(good.put(SIGNATURE, "v0=" + good.headers[SIGNATURE][3:].upper()), "header_malformed")

    def test_the_time_cannot_run_into_the_body(self) -> None:
        """`v0:17:50:x` is signed for the time 17 and the body `50:x`, or for nothing."""
        signed = request_of(b"50:x", "17").headers[SIGNATURE]
        for time, body in (("17:50", b"x"), ("17:", b"50:x")):
            self.refused(Request(body, {TIME: time, SIGNATURE: signed}), "header_malformed")

    # Handshakes

    @pytest.mark.parametrize("challenge", ["3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P", '名"\\', "x" * 1000])
    def test_a_challenge_is_echoed(self, challenge: str) -> None:
        body = json.dumps({"token": "old", "challenge": challenge, "type": "url_verification"}).encode()
        taken = self.accepted(self.request(body))
        assert taken.answer
        assert (taken.answer.status, taken.answer.headers) == (200, {"Content-Type": "application/json"})
        assert json.loads(taken.answer.body) == {"challenge": challenge}

    @pytest.mark.parametrize("challenge", [None, 1, "", "a\nb", "\x00", "x" * (MAX_CHALLENGE + 1), ["x"], {"a": "b"}])
    def test_a_challenge_that_cannot_be_echoed_is_refused(self, challenge: object) -> None:
        body = json.dumps({"type": "url_verification", "challenge": challenge}).encode()
        self.refused(self.request(body), "body_malformed")

    def test_a_challenge_that_is_not_there_is_refused(self) -> None:
        self.refused(self.request(b'{"type":"url_verification"}'), "body_malformed")

    @pytest.mark.parametrize("body", [b'{"type":"url_verification","challenge":"x"}', b"ssl_check=1&token=old"])
    def test_a_handshake_is_answered_only_when_signed_and_in_time(self, body: bytes) -> None:
        assert self.accepted(self.request(body)).answer
        self.refused(self.request(body, secret=self.other), "signature_mismatch")
        self.refused(self.request(body), "too_old", now=NOW + 301)

    def test_a_probe_is_answered(self) -> None:
        taken = self.accepted(self.request(b"token=old&ssl_check=1"))
        assert (taken.answer, taken.id) == (HttpAnswer(200), None)

    @pytest.mark.parametrize(
        "body",
        [
            b"ssl_check=0",
            b"ssl_check=",
            b"ssl_check=1&ssl_check=1",
            b"text=ssl_check%3D1",
            b'{"ssl_check":"1"}',
            b'["url_verification"]',
            b'{"event":{"type":"url_verification","challenge":"x"}}',
            b'{"type":["url_verification"],"challenge":"x"}',
            b'{"type":"url_verification","type":"url_verification","challenge":"x"}',
            b'{"type":"url_verification","challenge":"x"',
            b"payload=" + b"%7B" * 100,
            b"ssl_check=1" + b"&x=" * MAX_FIELDS,
            b"ssl_check=1&x=\xff",
        ],
    )
    def test_what_only_looks_like_a_handshake_has_no_answer(self, body: bytes) -> None:
        assert self.accepted(self.request(body)).answer is None

    # Ids

    @pytest.mark.parametrize(
        ("body", "id_"),
        [
            (b'{"type":"event_callback","event_id":"Ev0PV52K21"}', "Ev0PV52K21"),
            (b' \n{"event_id":"Ev1"}', "Ev1"),
            (b'{"trigger_id":"1.2.abc"}', None),
            (b'{"event_id":7}', None),
            (b'{"event_id":""}', None),
            (b'{"event_id":"a b"}', None),
            ('{"event_id":"é"}'.encode(), None),
            (b'{"event_id":"%b"}' % (b"x" * 255), "x" * 255),
            (b'{"event_id":"%b"}' % (b"x" * 256), None),
            (b'{"event_id":"a","event_id":"b"}', None),
            (b"command=%2Fweather&trigger_id=13345224609.738474920.80", "13345224609.738474920.80"),
            (b"trigger_id=a&trigger_id=b", None),
            (b"trigger_id=", None),
            (b"trigger_id=a%20b", None),
            (b"text=trigger_id%3Da", None),
            (urlencode({"payload": '{"type":"block_actions","trigger_id":"12.98.9d"}'}).encode(), "12.98.9d"),
            (urlencode({"payload": '{"trigger_id":["a"]}'}).encode(), None),
            (urlencode({"payload": "[1]"}).encode(), None),
            (urlencode({"payload": "[" * 1000}).encode(), None),
            (b"payload=%FF", None),
            (b"{" * 100_000, None),
            (b"", None),
            (b"[]", None),
            (b"%", None),
            (b"\xff", None),
        ],
    )
    def test_the_id_of_a_body(self, body: bytes, id_: str | None) -> None:
        taken = self.accepted(self.request(body))
        assert (taken.id, taken.body, taken.content_type) == (id_, body, None)

    def test_a_retry_is_signed_afresh_and_has_the_same_id(self) -> None:
        body = b'{"type":"event_callback","event_id":"Ev1"}'
        first, retry = self.accepted(self.request(body)), self.accepted(self.request(body, NOW + 60))
        assert first.id == retry.id == "Ev1"
        assert first.fingerprint != retry.fingerprint

    @pytest.mark.parametrize("type_", ["application/json", "application/x-www-form-urlencoded", "", "nonsense"])
    def test_the_content_type_which_is_not_signed_changes_nothing(self, type_: str) -> None:
        for body in (b'{"event_id":"Ev1"}', b"trigger_id=1.2", b'{"type":"url_verification","challenge":"x"}'):
            good = self.request(body)
            assert self.accepted(good.put("content-type", type_)) == self.accepted(good)

    # Replays

    @thoroughly
    @given(st.data())
    def test_nothing_that_an_attacker_may_do_to_the_headers_makes_another_fingerprint(
        self, data: st.DataObject
    ) -> None:
        good = self.request(data.draw(st.binary(max_size=20)))
        forms = st.sampled_from(["{}", "{}", "0{}", "{}.0", " {}", "{} ", "+{}", "{}_0", "{}:", "{},{}"])
        time, text = (data.draw(forms).replace("{}", good.headers[name]) for name in (TIME, SIGNATURE))
        text = data.draw(st.sampled_from([text, text.upper(), text.swapcase()]))
        extra = data.draw(st.dictionaries(st.sampled_from(["content-type", "x-slack-retry-num"]), ANY_TEXT))
        result = self.verify(Request(good.body, {**extra, TIME: time, SIGNATURE: text}))
        if isinstance(result, Verified):
            assert result == self.accepted(good)
        else:
            assert (time, text) != (good.headers[TIME], good.headers[SIGNATURE])

    @thoroughly
    @given(st.lists(st.tuples(st.integers(-300, 300), st.binary(max_size=4)), min_size=2, max_size=2, unique=True))
    def test_two_requests_have_two_fingerprints(self, two: list[tuple[int, bytes]]) -> None:
        assert len({self.accepted(self.request(body, NOW + shift)).fingerprint for shift, body in two}) == 2

    # Bodies and Slack's SDK

    @thoroughly
    @given(st.data())
    def test_any_signed_body_is_taken_or_its_challenge_refused(self, data: st.DataObject) -> None:
        keys = st.sampled_from(["type", "challenge", "event_id", "trigger_id", "payload", "ssl_check"])
        plain = st.sampled_from(["url_verification", "1", "Ev1", '{"trigger_id":"a"}', None, 1]) | TEXT
        fields = st.dictionaries(keys, plain | st.lists(plain, max_size=1), max_size=4)
        bodies = fields.map(lambda value: json.dumps(value).encode()) | fields.map(
            lambda value: urlencode(value).encode()
        )
        body = data.draw(bodies | st.binary(max_size=50))
        result = self.verify(self.request(body))
        if isinstance(result, Verified):
            assert result.body == body
            assert result.id is None or (result.id.isascii() and result.id.isprintable() and len(result.id) <= 255)
        else:
            assert result.reason == "body_malformed"

    @thoroughly
    @given(st.data())
    def test_the_sdk_gives_the_same_answer(self, data: st.DataObject) -> None:
        verifier = SignatureVerifier(SECRET, Stopped())
        body = data.draw(TEXT)
        time = str(int(NOW) + data.draw(st.integers(-302, 302) | st.sampled_from([-301, -300, 300, 301])))
        signed = verifier.generate_signature(timestamp=time, body=body)
        assert signed == request_of(body.encode(), time).headers[SIGNATURE]
        body = data.draw(st.sampled_from([body, body, f"{body} ", body[1:]]))
        time = data.draw(st.sampled_from([time, time, str(int(time) + 1)]))
        signed = data.draw(st.sampled_from([signed, signed, "v0=" + signed[:2:-1], signed.upper(), signed[:-1]]))
        request = Request(body.encode(), {TIME: time, SIGNATURE: signed})
        assert isinstance(self.verify(request), Verified) is verifier.is_valid_request(request.body, request.headers)

    @thoroughly
    @given(TEXT)
    def test_the_sdk_takes_what_we_sign(self, body: str) -> None:
        fresh = SCHEME.sign(SCHEME.key(self.secret), body.encode(), NOW + 0.9, "Ev1")
        assert SignatureVerifier(SECRET, Stopped()).is_valid_request(fresh.body, dict(fresh.headers))


class Stopped(Clock):
    def now(self) -> float:
        return NOW


def test_a_secret_of_the_wrong_form_is_told() -> None:
    with pytest.raises(BadSecret, match="has 8"):
        SCHEME.key({"secret": "01234567"})


def test_a_mistake_of_an_operator_is_found() -> None:
    found = {key: told for told, key in SCHEME.readings({"secret": SECRET})}
    assert "in hex" in found[bytes.fromhex(SECRET)]
    assert "line break" in found[SECRET.encode() + b"\n"]


def test_slack_waits_three_seconds() -> None:
    assert SCHEME.answer_within_s == 3.0
