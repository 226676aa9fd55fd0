"""GitHub: the documented example, an id that is not signed, and a fingerprint that no header can change."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.signatures import BadSecret, Secret, Secrets, Verified
from events.signatures.github import GitHub
from tests.events.signatures.contract import ANY_TEXT, BODY, NOW, Request, SchemeContract, telling, thoroughly

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEME = GitHub()
SIGNATURE = "x-hub-signature-256"
DELIVERY = "x-github-delivery"


def signature(key: bytes, body: bytes) -> str:
    return "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()


class TestGitHub(SchemeContract):
    scheme = SCHEME
    secret: ClassVar[dict[str, str]] = {"secret": "not-a-real-secret-é"}
    other: ClassVar[dict[str, str]] = {"secret": "another unreal one"}
    needed = (SIGNATURE,)
    signs_time = False
    same_when_fresh = True

    def request(
        self,
        body: bytes = BODY,
        now: float = NOW,
        secret: dict[str, str] | None = None,
        id: str = "72d3162e-cc78-11e3-81ab-4c9367dc0958",  # noqa: A002
    ) -> Request:
        key = (secret or self.secret)["secret"].encode()
        return Request(body, {SIGNATURE: signature(key, body), DELIVERY: id})

    def test_the_documented_example(self) -> None:
        known = Secrets("monitoring", (Secret(SCHEME.key({"secret": "It's a Secret to Everybody"}), "docs"),))
        signed = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        taken = self.accepted(Request(b"Hello, World!", {SIGNATURE: signed}), known)
        assert (taken.id, taken.time, taken.body) == (None, None, b"Hello, World!")
        fresh = SCHEME.sign(known.each[0].key, b"Hello, World!", NOW, "1")
        assert dict(fresh.headers) == {"X-Hub-Signature-256": signed, "X-GitHub-Delivery": "1"}

    @pytest.mark.parametrize("spoilt", ["{}0", "{}\n", " {}", "sha1={}", "{},{}", "{}, {}", "{}="])
    def test_a_signature_of_another_form_is_refused(self, spoilt: str) -> None:
        good = self.request()
        self.refused(good.put(SIGNATURE, spoilt.replace("{}", good.headers[SIGNATURE])), "header_malformed")

    def test_a_signature_in_capitals_or_without_its_name_is_refused(self) -> None:
        good = self.request()
        text = good.headers[SIGNATURE]
        for spoilt in (text.upper(), "sha256=" + text[7:].upper(), "SHA256=" + text[7:], text[7:], text[:-1]):
            self.refused(good.put(SIGNATURE, spoilt), "header_malformed")

    def test_the_old_header_alone_is_not_enough(self) -> None:
        old = "sha1=" + hmac.new(self.secret["secret"].encode(), BODY, hashlib.sha1).hexdigest()
        self.refused(Request(BODY, {"x-hub-signature": old}), "header_missing")

    @pytest.mark.parametrize("id_", [None, "", " "])
    def test_the_id_may_be_missing(self, id_: str | None) -> None:
        assert self.accepted(self.request().put(DELIVERY, id_)).id is None

    @pytest.mark.parametrize("id_", ["1", "x" * 255, "a/b:c+d"])
    def test_the_id_is_what_was_sent(self, id_: str) -> None:
        assert self.accepted(self.request().put(DELIVERY, id_)).id == id_

    @pytest.mark.parametrize("id_", ["a,a", "a, a", "x" * 256, "é", "a b", "a\n", "\x7f", "\udcff"])
    def test_a_malformed_id_is_refused(self, id_: str) -> None:
        self.refused(self.request().put(DELIVERY, id_), "header_malformed")

    def test_the_id_is_not_believed(self) -> None:
        one, other = self.accepted(self.request()), self.accepted(self.request(id="other"))
        assert one.fingerprint == other.fingerprint

    def test_a_body_is_remembered_for_a_day(self) -> None:
        assert SCHEME.window_s == 86_400
        assert GitHub(window_s=60).window_s == 60

    @thoroughly
    @given(ANY_TEXT, st.sampled_from([str.strip, str.upper, str.title, str.swapcase, " {}".format, "{0},{0}".format]))
    def test_nothing_that_an_attacker_may_do_to_the_headers_makes_another_fingerprint(
        self, id_: str, change: Callable[[str], str]
    ) -> None:
        good = self.request()
        text = change(good.headers[SIGNATURE])
        result = self.verify(good.put(SIGNATURE, text).put(DELIVERY, id_))
        if isinstance(result, Verified):
            assert text == good.headers[SIGNATURE]
            assert result.fingerprint == self.accepted(good).fingerprint

    @thoroughly
    @given(st.lists(st.binary(max_size=20), min_size=2, max_size=2, unique=True))
    def test_two_bodies_have_two_fingerprints(self, two: list[bytes]) -> None:
        assert len({self.accepted(self.request(body)).fingerprint for body in two}) == 2


# Secrets


@pytest.mark.parametrize(("text", "told"), [("", "has 0"), ("x" * 15, "has 15"), ("\udcff" * 16, "UTF-8")])
def test_a_secret_of_the_wrong_form_is_told(text: str, told: str) -> None:
    with pytest.raises(BadSecret, match=told):
        SCHEME.key({"secret": text})


def test_a_secret_is_its_text() -> None:
    assert SCHEME.key({"secret": "名" * 16}) == ("名" * 16).encode()


@pytest.mark.parametrize(
    ("text", "used", "label"),
    [
        ("not a real secret", b"not a real secret\n", "line break"),
        ("00ff" * 8, bytes.fromhex("00ff" * 8), "in hex"),
        (base64.b64encode(b"not a real secret").decode(), b"not a real secret", "in base64"),
        ("whsec_bm90IGEgcmVhbCBzZWNyZXQ", b"not a real secret", "in base64"),
        ("whsec_bm90IGEgcmVhbCBzZWNyZXQ", b"bm90IGEgcmVhbCBzZWNyZXQ", "without whsec_"),
    ],
)
def test_a_mistake_of_an_operator_is_found(text: str, used: bytes, label: str) -> None:
    found = [told for told, key in SCHEME.readings({"secret": text}) if key == used]
    assert len(found) == 1
    assert label in found[0]


@thoroughly
@given(st.text() | st.text("whsec_0aF=") | st.sampled_from(["whsec_", "=", "\udcff" * 20]))
def test_any_text_is_a_key_or_a_bad_secret_and_has_readings(text: str) -> None:
    with telling(BadSecret) as told:
        SCHEME.key({"secret": text})
    assert len(text) < 16 or text not in "".join(told)
    assert all(key and label for label, key in SCHEME.readings({"secret": text}))
