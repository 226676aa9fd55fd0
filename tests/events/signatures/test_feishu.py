"""Feishu: encrypted and signed events, events with a token alone, old cards, and URL checks that must not help to decrypt."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from events.signatures import BadOption, BadSecret, Delivery, Refused, Secrets
from events.signatures.feishu import Feishu
from tests.events.signatures.contract import ANY_TEXT, BODY, NOW, Request, SchemeContract, thoroughly

TOKEN = "fake-verification-token"
KEY = "fake encrypt key"
BOTH = {"token": TOKEN, "encrypt_key": KEY}
TIME, NONCE, SIGNATURE = HEADERS = ("x-lark-request-timestamp", "x-lark-request-nonce", "x-lark-signature")
CHECK = {"type": "url_verification", "token": TOKEN, "challenge": "ajls384k-é"}
V2 = {"schema": "2.0", "header": {"event_id": "ev_2", "token": TOKEN, "event_type": "x"}, "event": {"token": "c-1"}}
V1 = {"uuid": "ev_1", "token": TOKEN, "type": "event_callback", "event": {"type": "x"}}
CARD = {"open_id": "ou_1", "open_message_id": "om_1", "token": "c-fake-of-the-card", "action": {"value": {}}}
IV = b"0123456789abcdef"


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def cipher(key: str, iv: bytes) -> Cipher[modes.CBC]:
    return Cipher(algorithms.AES(hashlib.sha256(key.encode()).digest()), modes.CBC(iv))


def sealed(body: bytes, key: str = KEY, padding: bytes | None = None) -> bytes:
    """Return the outer body, padded by PKCS#7 unless other padding is given."""
    count = 16 - len(body) % 16
    encryptor = cipher(key, IV).encryptor()
    raw = IV + encryptor.update(body + (bytes([count]) * count if padding is None else padding))
    return dumps({"encrypt": b64(raw + encryptor.finalize())})


def signed(body: bytes, secret: str = KEY, now: float = NOW, nonce: str = "12ab", name: str = "sha256") -> Request:
    time = f"{now:.0f}"
    digest = hashlib.new(name, f"{time}{nonce}{secret}".encode() + body).hexdigest()
    return Request(body, dict(zip(HEADERS, (time, nonce, digest), strict=True)))


NO_TEXTS: list[Any] = [None, 1, "", "=", "é", "AAAA", "A" * 64 + "!", ["A"], {}]
BAD_ENDS = [b"\x00", b"\x11" * 23, b"\x07" * 6, b"\xff", b"\x01\x02\x03"]
UNDECRYPTABLE = [
    *(dumps({"encrypt": text}) for text in NO_TEXTS),
    *(sealed(b"x" * (48 - len(end)), padding=end) for end in BAD_ENDS),
]


class Feishus(SchemeContract):
    __test__ = False
    scheme = Feishu()
    secret: ClassVar[dict[str, str]] = BOTH
    other: ClassVar[dict[str, str]] = {"token": "other-fake-token", "encrypt_key": "other fake key"}
    needed: ClassVar[tuple[str, ...]] = HEADERS

    def answered(self, request: Request) -> None:
        taken = self.accepted(request)
        assert taken.answer
        assert (taken.answer.status, taken.answer.headers) == (200, {"Content-Type": "application/json"})
        assert json.loads(taken.answer.body) == {"challenge": CHECK["challenge"]}
        assert json.loads(taken.body) == CHECK


class TestEncrypted(Feishus):
    __test__ = True

    def request(
        self,
        body: bytes = BODY,
        now: float = NOW,
        secret: dict[str, str] | None = None,
        id: str = "msg_1",  # noqa: A002
    ) -> Request:
        key = (secret or self.secret)["encrypt_key"]
        return signed(sealed(body, key), key, now)

    def plain(self, request: Request) -> bytes:
        raw = base64.b64decode(json.loads(request.body)["encrypt"])
        decryptor = cipher(KEY, raw[:16]).decryptor()
        padded = decryptor.update(raw[16:]) + decryptor.finalize()
        return padded[: -padded[-1]]

    @pytest.mark.parametrize(("event", "its_id"), [(V2, "ev_2"), (V1, "ev_1"), ({}, None)])
    def test_it_tells_what_was_sent(self, event: dict[str, Any], its_id: str | None) -> None:
        request = self.request(dumps(event))
        taken = self.accepted(request)
        assert (taken.id, taken.time, taken.body) == (its_id, NOW, dumps(event))
        assert (taken.content_type, taken.answer, taken.confirm) == ("application/json", None, None)
        assert taken.fingerprint == request.headers[SIGNATURE]

    @pytest.mark.parametrize("wrong", ["", "fake", 1, TOKEN.upper(), [TOKEN], "é", {"$ne": ""}, False])
    def test_a_token_inside_must_be_the_right_one(self, wrong: object) -> None:
        for event in (
            {**V1, "token": wrong},
            {**V2, "header": {"token": wrong}},
            {**V2, "header": {"token": wrong}, "token": TOKEN},
        ):
            self.refused(self.request(dumps(event)), "token_mismatch")
            self.refused(signed(dumps(event)), "token_mismatch")

    @pytest.mark.parametrize("event_id", ["", "a b", "é", 7, None, "x" * 256, ["a"]])
    def test_an_id_that_cannot_be_is_none(self, event_id: object) -> None:
        event = {**V2, "header": {"event_id": event_id}}
        assert self.accepted(self.request(dumps(event))).id is None
        assert self.accepted(self.request(dumps({"uuid": event_id}))).id is None

    @pytest.mark.parametrize("inner", [b"", b"[]", b'"text"', b"{", b'{"a":1,"a":1}', b"\xff"])
    def test_content_that_is_no_json_object_is_malformed(self, inner: bytes) -> None:
        self.refused(self.request(inner), "body_malformed")

    @pytest.mark.parametrize("outer", UNDECRYPTABLE)
    def test_whatever_cannot_be_decrypted_is_refused_in_the_same_words(self, outer: bytes) -> None:
        told = "the body cannot be decrypted with this sender's key"
        assert self.refused(signed(outer), "decrypt_failed") == Refused("decrypt_failed", told)

    @pytest.mark.parametrize("outer", [b"", b"[]", b'"text"', b"{", b"\xff", b'{"encrypt":"a","encrypt":"b"}'])
    def test_an_outer_body_that_is_no_json_object_is_malformed(self, outer: bytes) -> None:
        self.refused(signed(outer), "body_malformed")

    @pytest.mark.parametrize("appended", [b"\x80" + b"\x00" * 40, b"\x80\x00\x01{}", b"{}", b"x"])
    def test_nothing_can_be_appended_even_with_a_right_signature(self, appended: bytes) -> None:
        """Of a hash that is not an HMAC, whoever knows it can make that of a longer text: what follows begins with 0x80."""
        self.refused(signed(sealed(BODY) + appended), "body_malformed")

    def test_an_unencrypted_event_is_taken_when_the_key_signed_it(self) -> None:
        taken = self.accepted(signed(dumps(V2)))
        assert (taken.id, taken.body, taken.content_type) == ("ev_2", dumps(V2), None)

    def test_an_event_must_be_signed(self) -> None:
        for body in (sealed(dumps(V2)), dumps(V2), dumps(V1), sealed(dumps(V1)), b"x", b"", b" " * 9000 + dumps(CHECK)):
            self.refused(Request(body), "header_missing")
            self.refused(signed(body, "wrong key"), "signature_mismatch")

    def test_the_token_alone_signs_no_event(self) -> None:
        """A structured CloudEvent, or whatever else runs an operation, must not be signed by the token where there is a key."""
        event = b'{"specversion":"1.0","id":"1","source":"/s","type":"hongyan.elb.list_members","data":{}}'
        for body in (
            event,
            BODY,
            dumps(V2),
            dumps(V1),
            sealed(dumps(V2)),
            b'{"event": {}}',
            b'{"uuid": 1}',
            b'{"header": {}}',
        ):
            self.refused(signed(body, TOKEN, name="sha1"), "signature_mismatch")
            self.refused(signed(body, KEY, name="sha1"), "signature_mismatch")

    def test_every_flipped_bit_is_refused(self) -> None:
        good = self.request(b'{"a":1}')
        text = json.loads(good.body)["encrypt"]
        raw = base64.b64decode(text)
        for bit in range(8 * len(raw)):
            changed = bytearray(raw)
            changed[bit // 8] ^= 1 << bit % 8
            outer = dumps({"encrypt": b64(bytes(changed))})
            self.refused(replace(good, body=outer), "signature_mismatch")
            again = self.verify(signed(outer))
            assert isinstance(again, Refused) or again.body != b'{"a":1}'

    # The same request in another form

    @thoroughly
    @given(capitals=st.integers(0, 2**64 - 1), split=st.integers(0, 14), blank=st.sampled_from(["", " ", "\t", "0"]))
    def test_what_is_still_taken_has_the_same_fingerprint(self, capitals: int, split: int, blank: str) -> None:
        """Case of the digits, blanks and zeros, and where the time ends and the nonce begins."""
        good = self.request(b"{}")
        both = good.headers[TIME] + good.headers[NONCE]
        cased = "".join(
            digit.upper() if capitals >> place & 1 else digit for place, digit in enumerate(good.headers[SIGNATURE])
        )
        for changed in (
            {TIME: both[:split], NONCE: both[split:]},
            {SIGNATURE: cased},
            {SIGNATURE: good.headers[SIGNATURE] + blank},
            {TIME: blank + good.headers[TIME]},
            {NONCE: good.headers[NONCE] + blank},
        ):
            result = self.verify(replace(good, headers={**good.headers, **changed}))
            assert isinstance(result, Refused) or result.fingerprint == good.headers[SIGNATURE]

    @thoroughly
    @given(
        encrypt=st.none() | st.integers() | ANY_TEXT | st.binary(max_size=80).map(b64),
        more=st.dictionaries(
            st.sampled_from(["type", "token", "challenge", "header", "uuid"]),
            st.sampled_from([None, 1, TOKEN, "url_verification", {}, {"token": TOKEN}]),
        ),
        secret=st.sampled_from([("sha256", KEY), ("sha1", TOKEN), ("sha1", KEY), None]),
    )
    def test_any_wrapper_is_answered(self, encrypt: Any, more: dict[str, Any], secret: tuple[str, str] | None) -> None:
        for outer in ({"encrypt": encrypt, **more}, more):
            body = json.dumps(outer).encode()
            result = self.verify(signed(body, secret[1], name=secret[0]) if secret else Request(body))
            assert isinstance(result, Refused) or result.answer or secret in (("sha256", KEY), ("sha1", TOKEN))

    # URL checks

    def test_a_url_check_is_answered_signed_or_not_encrypted_or_not(self) -> None:
        for body in (dumps(CHECK), sealed(dumps(CHECK))):
            self.answered(Request(body))
            self.answered(signed(body))
            self.answered(signed(body, "wrong key"))
        self.answered(signed(dumps(CHECK), TOKEN, name="sha1"))

    def test_a_signed_url_check_is_remembered_and_an_unsigned_one_is_not(self) -> None:
        known = signed(sealed(dumps(CHECK)))
        assert self.accepted(known).fingerprint == known.headers[SIGNATURE]
        for body in (dumps(CHECK), sealed(dumps(CHECK))):
            taken = self.accepted(Request(body))
            assert (taken.fingerprint, taken.id, taken.time) == ("", None, None)

    @pytest.mark.parametrize("token", [None, "", "fake", TOKEN.upper(), 1, [TOKEN]])
    def test_a_url_check_needs_the_token(self, token: object) -> None:
        body = dumps({**CHECK, "token": token})
        self.refused(Request(body), "token_mismatch")
        self.refused(signed(body), "token_mismatch")
        self.refused(signed(sealed(body)), "token_mismatch")
        self.refused(Request(sealed(body)), "header_missing")

    @pytest.mark.parametrize("challenge", [None, "", 1, "a\nb", "\x00", "x" * 1001, ["a"]])
    def test_a_challenge_that_is_no_short_text_is_not_echoed(self, challenge: object) -> None:
        body = dumps({**CHECK, "challenge": challenge})
        self.refused(Request(body), "body_malformed")
        self.refused(signed(sealed(body)), "body_malformed")
        self.refused(Request(sealed(body)), "header_missing")

    def test_the_longest_challenge_is_echoed(self) -> None:
        taken = self.accepted(Request(sealed(dumps({**CHECK, "challenge": "é" * 1000}))))
        assert taken.answer
        assert json.loads(taken.answer.body) == {"challenge": "é" * 1000}

    def test_unsigned_ciphertexts_are_all_refused_in_the_same_words(self) -> None:
        """Whether padding, JSON, type or token was wrong would let a stranger decrypt by trying."""
        wrong = [b"", b"[]", dumps(V2), dumps(V1), dumps({**CHECK, "token": "x"}), dumps({**CHECK, "challenge": 1})]
        bodies = [*UNDECRYPTABLE, *map(sealed, wrong), sealed(dumps(CHECK), "x")]
        assert len({self.verify(Request(body)) for body in bodies}) == 1
        self.refused(Request(bodies[0]), "header_missing")

    # Secrets

    def test_of_two_secrets_with_one_encrypt_key_the_token_chooses(self) -> None:
        secrets = self.secrets(({**BOTH, "token": "new-fake-token"}, None), (BOTH, None))
        assert self.accepted(self.request(dumps(V2)), secrets).id == "ev_2"
        neither = self.request(dumps({**V1, "token": "x"}))
        self.refused(neither, "token_mismatch", secrets=secrets)

    def test_an_old_secret_is_good_for_url_checks_until_its_end(self) -> None:
        secrets = self.secrets((self.other, None), (BOTH, NOW))
        for body in (dumps(CHECK), sealed(dumps(CHECK))):
            assert self.accepted(Request(body), secrets).answer
            self.refused(Request(body), "token_mismatch", "header_missing", secrets=secrets, now=NOW + 1)

    def test_it_signs_as_by_hand(self) -> None:
        fresh = self.scheme.sign(self.scheme.key(BOTH), BODY, NOW + 0.9, "msg_1")
        assert fresh.headers == signed(fresh.body, nonce=fresh.headers[NONCE]).headers
        assert self.plain(Request(fresh.body)) == BODY
        assert fresh.body != self.scheme.sign(self.scheme.key(BOTH), BODY, NOW, "msg_1").body

    def test_swapped_parts_are_found_out(self) -> None:
        request = signed(sealed(BODY, TOKEN), TOKEN)
        read = self.scheme.read(Delivery(request.body, request.headers, {}))
        found = [why for why, key in self.scheme.readings(BOTH) if self.scheme.matches(key, read)]
        assert found == ["encrypt_key and token are the wrong way round"]
        assert not list(self.scheme.readings({"token": TOKEN}))

    def test_a_key_shows_nothing_and_must_have_a_token(self) -> None:
        assert repr(self.scheme.key(BOTH)) == "FeishuKey()"
        for parts in ({}, {"encrypt_key": KEY}, {**BOTH, "encrypt_key": ""}):
            with pytest.raises(BadSecret, match="must be there"):
                self.scheme.key(parts)

    def test_what_it_says_of_itself(self) -> None:
        assert Feishu.default_window_s == 3600
        assert Feishu.answer_within_s == 3
        assert Feishu.needs_https


class TestToken(Feishus):
    """An app without an Encrypt Key: a token in the body is all."""

    __test__ = True
    secret: ClassVar[dict[str, str]] = {"token": TOKEN}
    other: ClassVar[dict[str, str]] = {"token": "other-fake-token"}
    needed: ClassVar[tuple[str, ...]] = ()
    signs_body = False
    signs_time = False
    same_when_fresh = True

    def request(
        self,
        body: bytes = BODY,
        now: float = NOW,
        secret: dict[str, str] | None = None,
        id: str = "msg_1",  # noqa: A002
    ) -> Request:
        header = {"event_id": id, "token": (secret or self.secret)["token"]}
        return Request(dumps({**json.loads(body), "header": header}) if body.startswith(b"{") else body)

    def tampered(self, body: bytes) -> bytes:
        """Another body that is JSON as well."""
        return body.replace(b"6509", b"6508", 1)

    def refused(self, request: Request, *reasons: str, secrets: Secrets | None = None, now: float = NOW) -> Refused:
        """As in the contract, but here a mismatch is one of the token."""
        more = ("token_mismatch",) if self.scheme.mismatch in reasons else ()
        return super().refused(request, *reasons, *more, secrets=secrets, now=now)

    def test_a_body_that_is_not_utf_8(self) -> None:
        """Overridden: the body must be a JSON object."""
        self.refused(self.request(body=b"\xff\xfe\x00 not text"), "body_malformed")

    def test_no_secret_at_all(self) -> None:
        """Overridden: then nothing says that events need not be signed."""
        self.refused(self.request(), "header_missing", secrets=Secrets("monitoring", ()))

    def test_what_it_signs_it_takes(self) -> None:
        """Overridden: the token has to be put into the body."""
        key = self.scheme.key(self.secret)
        for event in (json.loads(BODY), {"header": {"event_type": "x", "token": "old"}}, {"header": 1}):
            fresh = self.scheme.sign(key, dumps(event), NOW, "msg_1")
            taken = self.accepted(Request(fresh.body))
            assert (taken.id, dict(fresh.headers)) == ("msg_1", {})
            sent = json.loads(taken.body)
            assert sent.pop("header")["token"] == TOKEN
            assert {**sent, "header": event.get("header")} == {"header": None, **event}
        with pytest.raises(BadSecret, match="give a JSON object"):
            self.scheme.sign(key, b"[]", NOW, "msg_1")

    @pytest.mark.parametrize(("event", "its_id"), [(V2, "ev_2"), (V1, "ev_1")], ids=["version 2.0", "version 1.0"])
    def test_it_tells_what_was_sent(self, event: dict[str, Any], its_id: str) -> None:
        taken = self.accepted(Request(dumps(event)))
        assert (taken.id, taken.time, taken.fingerprint) == (its_id, None, "")
        assert (taken.content_type, taken.answer, taken.confirm) == (None, None, None)

    def test_signature_headers_of_whatever_form_change_nothing(self) -> None:
        plain = self.accepted(Request(dumps(V2)))
        for secret, name in (("", "sha256"), (KEY, "sha256"), ("x", "sha1"), (TOKEN, "sha1"), (TOKEN, "md5")):
            assert self.accepted(signed(dumps(V2), secret, name=name)) == plain

    @pytest.mark.parametrize("token", [None, "", "x", 1, TOKEN + " ", [TOKEN]])
    def test_a_wrong_token_is_refused_wherever_it_is(self, token: object) -> None:
        self.refused(
            Request(dumps({**V2, "header": {"token": token, "event_id": "a"}, "token": TOKEN})), "token_mismatch"
        )
        self.refused(Request(dumps({**V1, "token": token})), "token_mismatch")
        self.refused(Request(dumps({**CHECK, "token": token})), "token_mismatch")

    @pytest.mark.parametrize(
        "event", [{"token": TOKEN}, {"header": {"token": TOKEN}, "uuid": "a"}, {**V1, "uuid": "é"}]
    )
    def test_an_event_without_an_id_is_malformed(self, event: dict[str, Any]) -> None:
        """Nothing of it could be remembered."""
        self.refused(Request(dumps(event)), "body_malformed")

    def test_a_url_check_is_answered(self) -> None:
        self.answered(Request(dumps(CHECK)))
        self.refused(Request(sealed(dumps(CHECK))), "header_missing")
        self.refused(signed(sealed(dumps(CHECK))), "signature_mismatch")

    def test_beside_a_secret_with_an_encrypt_key_it_counts_until_its_end(self) -> None:
        secrets = self.secrets((TestEncrypted.other, None), (self.secret, NOW))
        event = Request(b" " * 9000 + dumps(V2))
        assert self.accepted(event, secrets).id == "ev_2"
        self.refused(event, "header_missing", secrets=secrets, now=NOW + 1)


class TestOldCard(Feishus):
    """Old card callbacks: SHA-1 with the token; the `token` in the body is the card's own."""

    __test__ = True
    scheme = Feishu(old_cards=True)

    def test_they_are_not_taken_unless_the_settings_say_so(self) -> None:
        request = self.request()
        result = Feishu().verify(request.body, request.headers, request.query, self.secrets(), NOW)
        assert isinstance(result, Refused)

    def test_with_them_the_token_alone_still_signs_no_event(self) -> None:
        for body in (dumps(V2), dumps(V1), sealed(dumps(V2)), b'{"event": {}}', b'{"uuid": 1}', b'{"header": {}}'):
            self.refused(signed(body, TOKEN, name="sha1"), "signature_mismatch")

    @pytest.mark.parametrize("given", [1, "true", None])
    def test_the_option_is_a_boolean(self, given: Any) -> None:
        with pytest.raises(BadOption, match="true or false"):
            Feishu(old_cards=given)

    def request(
        self,
        body: bytes = BODY,
        now: float = NOW,
        secret: dict[str, str] | None = None,
        id: str = "msg_1",  # noqa: A002
    ) -> Request:
        return signed(body, (secret or self.secret)["token"], now, name="sha1")

    def test_a_body_that_is_not_utf_8(self) -> None:
        """Overridden: the body must be a JSON object."""
        self.refused(self.request(body=b"\xff\xfe\x00 not text"), "body_malformed")

    def test_a_card_is_taken_with_or_without_an_encrypt_key(self) -> None:
        request = self.request(dumps(CARD))
        for secrets in (self.secrets(), self.secrets(({"token": TOKEN}, None))):
            taken = self.accepted(request, secrets)
            assert (taken.id, taken.time, taken.body) == (None, NOW, dumps(CARD))
            assert taken.fingerprint == request.headers[SIGNATURE]

    def test_a_card_without_its_signature_is_refused(self) -> None:
        weak = self.secrets(({"token": TOKEN}, None))
        self.refused(Request(dumps(CARD)), "header_missing")
        self.refused(Request(dumps(CARD)), "token_mismatch", secrets=weak)
        self.refused(self.request(dumps(CARD)), "too_old", secrets=weak, now=NOW + 3601)
