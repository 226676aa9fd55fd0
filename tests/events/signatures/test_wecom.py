"""WeCom: messages in XML and JSON, the URL check, the vendor's own sample, and wrappers made to be dangerous."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from events.signatures import BadOption, BadSecret, Refused, Secret, Secrets, Verified
from events.signatures.wecom import WeCom
from tests.events.signatures.contract import ANY_TEXT, BODY, NOW, Request, SchemeContract, thoroughly

TOKEN = "FakeToken"
AES_KEY = "FakeEncodingAESKeyFakeEncodingAESKeyFakeEnc"
OTHER_KEY = "OtherEncodingAESKeyOtherEncodingAESKeyOther"
CORP = "wwfakecorp"
ASKED = ("msg_signature", "timestamp", "nonce")
XML = b"<xml><ToUserName>to</ToUserName><FromUserName><![CDATA[mycreate]]></FromUserName><CreateTime>1409659813</CreateTime>%b</xml>"


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def cipher(aes_key: str) -> Cipher[modes.CBC]:
    key = base64.b64decode(aes_key + "=")
    return Cipher(algorithms.AES(key), modes.CBC(key[:16]))


def encrypted(plain: bytes, aes_key: str = AES_KEY, padding: bytes | None = None) -> str:
    """Return the ciphertext of a whole plaintext, padded by PKCS#7 unless other padding is given."""
    count = 32 - len(plain) % 32
    encryptor = cipher(aes_key).encryptor()
    return b64(
        encryptor.update(plain + (bytes([count]) * count if padding is None else padding)) + encryptor.finalize()
    )


def decrypted(text: str) -> bytes:
    """Return the message that is in a ciphertext for CORP."""
    decryptor = cipher(AES_KEY).decryptor()
    padded = decryptor.update(base64.b64decode(text)) + decryptor.finalize()
    return padded[20 : -padded[-1]].removesuffix(CORP.encode())


def framed(message: bytes, receiver: str = CORP) -> bytes:
    return b"16 random bytes!" + len(message).to_bytes(4, "big") + message + receiver.encode()


def signature(*texts: str) -> str:
    return hashlib.sha1("".join(sorted(texts)).encode()).hexdigest()


def query(text: str, now: float = NOW, token: str = TOKEN, nonce: str = "380320359") -> dict[str, list[str]]:
    time = f"{now:.0f}"
    return {"msg_signature": [signature(token, time, nonce, text)], "timestamp": [time], "nonce": [nonce]}


def xml(text: str) -> bytes:
    return f"<xml><ToUserName><![CDATA[to]]></ToUserName><Encrypt><![CDATA[{text}]]></Encrypt></xml>".encode()


def posted(text: str, body: bytes | None = None) -> Request:
    return Request(xml(text) if body is None else body, {}, query(text))


class WeComs(SchemeContract):
    __test__ = False
    scheme = WeCom(receive_id=CORP)
    secret: ClassVar[dict[str, str]] = {"token": TOKEN, "aes_key": AES_KEY}
    other: ClassVar[dict[str, str]] = {"token": "OtherFakeToken", "aes_key": OTHER_KEY}
    asked: ClassVar[tuple[str, ...]] = ASKED

    def wrapped(self, text: str) -> bytes:
        return xml(text)

    def request(
        self,
        body: bytes = BODY,
        now: float = NOW,
        secret: dict[str, str] | None = None,
        id: str = "msg_1",  # noqa: A002
    ) -> Request:
        known = secret or self.secret
        text = encrypted(framed(body), known["aes_key"])
        return Request(self.wrapped(text), {}, query(text, now, known["token"]))

    @pytest.mark.parametrize("nonce", ["n" * 65, "a b", "\x7f", "a\n"])
    def test_a_nonce_that_could_hold_part_of_the_ciphertext_is_refused(self, nonce: str) -> None:
        good = self.request()
        text = good.query.get("echostr", [""])[0]
        self.refused(replace(good, query={**good.query, **query(text, nonce=nonce)}), "header_malformed")

    @pytest.mark.parametrize("given", ["", "A" * 40, "0" * 39, "0" * 41, "0" * 64, " " + "0" * 40])
    def test_a_signature_is_40_lower_case_digits(self, given: str) -> None:
        self.refused(self.request().ask("msg_signature", given), "header_malformed", "header_missing")

    @thoroughly
    @given(data=st.data())
    def test_what_is_still_taken_has_the_same_fingerprint(self, data: st.DataObject) -> None:
        """Whatever of the signed texts is given out as another: the digest cannot tell."""
        good = self.request()
        known = [good.query[name][0] for name in ASKED]
        joined = "".join(sorted(known[1:]))
        split = data.draw(st.integers(0, len(joined)))
        time, nonce = data.draw(
            st.sampled_from([(known[1], known[2]), (known[2], known[1]), (joined[:split], joined[split:])])
        )
        digits = data.draw(st.sampled_from([known[0], known[0].upper(), known[0] + " "]))
        asked = {**good.query, "msg_signature": [digits], "timestamp": [time], "nonce": [nonce]}
        result = self.verify(replace(good, query=asked), now=data.draw(st.sampled_from([NOW, 380320359.0])))
        assert isinstance(result, Refused) or result.fingerprint == known[0]


class TestXml(WeComs):
    __test__ = True

    def plain(self, request: Request) -> bytes:
        return decrypted(request.body.decode().split("[")[-1].split("]")[0])

    @pytest.mark.parametrize(
        ("more", "its_id"),
        [
            (b"<MsgId>4561255354251345929</MsgId>", "4561255354251345929"),
            (b"\n<MsgId> <![CDATA[a/b=]]> </MsgId>\n", "a/b="),
            (b"<Content><![CDATA[<MsgId>1</MsgId><!DOCTYPE a>]]></Content><MsgId>2</MsgId>", "2"),
            (b"<Content>x<MsgId>1</MsgId></Content><MsgId>2</MsgId>", "2"),
            ("<MsgId>é</MsgId>".encode(), None),
            (b"<MsgId>" + b"1" * 256 + b"</MsgId>", None),
        ],
    )
    def test_it_tells_what_was_sent(self, more: bytes, its_id: str | None) -> None:
        request = self.request(XML % more)
        taken = self.accepted(request)
        assert (taken.id, taken.time, taken.body) == (its_id, NOW, XML % more)
        assert (taken.content_type, taken.answer, taken.confirm) == ("application/xml", None, None)
        assert taken.fingerprint == request.query["msg_signature"][0]

    @pytest.mark.parametrize("more", [b"", b"<MsgId/>", b"<MsgId></MsgId>", b"<MsgId>1</MsgId><MsgId>2</MsgId>"])
    def test_an_event_is_known_by_its_user_its_time_and_what_it_is(self, more: bytes) -> None:
        digest = hashlib.sha256(XML % more).hexdigest()[:16]
        assert self.accepted(self.request(XML % more)).id == f"mycreate-1409659813-{digest}"
        same_second = self.accepted(self.request(XML % (more + b"<Event>other</Event>"))).id
        assert same_second not in (None, f"mycreate-1409659813-{digest}")

    @pytest.mark.parametrize("message", [b"<xml/>", b"<xml><FromUserName>a</FromUserName></xml>", b"<a>text</a>"])
    def test_a_message_with_neither_has_no_id(self, message: bytes) -> None:
        assert self.accepted(self.request(message)).id is None

    @pytest.mark.parametrize(
        "message",
        [
            b"",
            b"text",
            b"<xml>",
            b"<xml>&unknown;</xml>",
            b"<xml>\xff</xml>",
            b"<xml/><xml/>",
            b"{",
            b"{} {}",
            b'{"a":1,"a":1}',
            b"<!DOCTYPE xml><xml/>",
            b'<!DOCTYPE a SYSTEM "file:///etc/hostname" [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>',
            '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a><a/>'.encode("utf-16"),
            b'<?xml version="1.0" encoding="utf-7"?>+ADwAIQ-DOCTYPE a><a/>',
        ],
    )
    def test_a_message_that_is_neither_json_nor_plain_xml_is_malformed(self, message: bytes) -> None:
        self.refused(self.request(message), "body_malformed")

    def test_a_text_that_says_it_is_of_another_encoding_is_read_as_utf_8(self) -> None:
        message = '<?xml version="1.0" encoding="gb2312"?><xml><MsgId>1</MsgId><Content>雁</Content></xml>'.encode()
        assert self.accepted(self.request(message)).id == "1"

    def test_entities_are_refused_before_they_grow(self) -> None:
        lines = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
        laughs = f'<!DOCTYPE a [<!ENTITY e0 "ha">{lines}]><a>&e11;</a>'.encode()
        assert self.refused(self.request(laughs), "body_malformed").detail == "the message has a DTD"
        self.refused(posted(encrypted(framed(XML)), laughs), "body_malformed")

    def test_a_deep_message_of_a_mebibyte_is_read(self) -> None:
        for message in (
            b"<a>" * 150_000 + b"</a>" * 150_000,
            b"<a>" * 350_000,
            b"<xml>" + b"<b/>" * 260_000 + b"</xml>",
        ):
            assert isinstance(self.verify(self.request(message)), (Verified, Refused))

    # The wrapper

    @pytest.mark.parametrize(
        "form",
        [
            "<xml><Encrypt>{}</Encrypt></xml>",
            '\n<?xml version="1.0"?>\n<xml>\n<Encrypt>\n<![CDATA[{}]]>\t</Encrypt><AgentID>218</AgentID></xml>\n',
            "<xml><ToUserName>another, or what you like</ToUserName><Encrypt>{}</Encrypt>",
        ],
    )
    def test_what_is_around_the_ciphertext_does_not_matter(self, form: str) -> None:
        text = encrypted(framed(BODY))
        taken = self.accepted(posted(text, form.format(text).encode()))
        assert taken == self.accepted(posted(text))

    @pytest.mark.parametrize(
        "form",
        [
            "{}",
            "Encrypt={}",
            "<xml></xml>",
            "<xml><encrypt>{}</encrypt></xml>",
            "<xml><Encrypt>{0}</Encrypt><Encrypt>{0}</Encrypt></xml>",
            "<xml><Encrypt><Encrypt>{}</Encrypt></Encrypt></xml>",
            "<xml><Encrypt><![CDATA[{}</Encrypt></xml>",
            "<xml><Encrypt>{}]]></Encrypt></xml>",
            "<xml><Encrypt><!-- -->{}</Encrypt></xml>",
            "<xml><Encrypt a='b'>{}</Encrypt></xml>",
            "<xml><Encrypt>{}",
            "<!DOCTYPE xml><xml><Encrypt>{}</Encrypt></xml>",
            "<xml><Encrypt>{}</Encrypt></xml><!doctype xml>",
            '<xml><!eNtItY a "b"><Encrypt>{}</Encrypt></xml>',
            "=xml><Encrypt>{}</Encrypt></xml>",
            '{{"encrypt":1}}',
            '{{"encrypt":""}}',
            '{{"encrypt":"{0}","encrypt":"{0}"}}',
            '{{"Encrypt":"{}"}}',
            '["{}"]',
            '{{"encrypt":"{} "}}',
        ],
    )
    def test_another_wrapper_is_malformed(self, form: str) -> None:
        text = encrypted(framed(BODY))
        self.refused(posted(text, form.format(text).encode()), "body_malformed")

    @pytest.mark.parametrize(
        "body",
        [
            b"<xml>" + b"<Encrypt>" * 116_000,
            b"<xml><Encrypt>" + b" " * 1_048_000,
            b"<xml><Encrypt>" + b"A" * 1_048_000,
            b"<xml><Encrypt>" + b"A" * 524_000 + b" " * 524_000,
            b"<xml><Encrypt><![CDATA[" + b"A" * 1_048_000 + b"]]>",
            b"<!" * 524_000,
            b"<!DOCTYPE" * 110_000,
            b'{"encrypt":"' + b"A" * 1_048_000 + b'"',
            b"{" * 1_048_000,
            b" " * 1_048_000,
        ],
    )
    def test_a_wrapper_of_a_mebibyte_is_read_once(self, body: bytes) -> None:
        self.refused(posted("AAAA", body), "body_malformed")

    @thoroughly
    @given(
        text=ANY_TEXT | st.binary(max_size=100).map(b64),
        form=st.sampled_from(["<xml><Encrypt>{}</Encrypt></xml>", '{{"encrypt":"{}"}}', "<xml>{}</xml>", "{}"]),
        more=st.binary(max_size=10),
    )
    def test_any_wrapper_is_answered(self, text: str, form: str, more: bytes) -> None:
        """Also when the signature is right."""
        body = form.format(text).encode("utf-8", "surrogatepass") + more
        safe = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        assert isinstance(self.verify(Request(body, {}, query(safe))), Refused)

    # What is encrypted

    @thoroughly
    @given(plain=st.binary(max_size=80), length=st.integers(0, 2**32 - 1) | st.integers(0, 40))
    def test_any_plaintext_is_answered(self, plain: bytes, length: int) -> None:
        for whole in (plain, plain[:16].ljust(16) + length.to_bytes(4, "big") + plain[16:]):
            self.refused(posted(encrypted(whole)), "decrypt_failed", "receiver_mismatch", "body_malformed")

    @pytest.mark.parametrize(
        "text",
        [
            encrypted(b""),
            encrypted(b"x" * 16),
            encrypted(b"x" * 19),
            encrypted(framed(BODY)[:-1].replace(b"\x00\x00\x00", b"\x00\x00\x01", 1)),
            encrypted(framed(BODY).replace(b"\x00\x00\x00", b"\xff\xff\xff", 1)),
            encrypted(framed(BODY), OTHER_KEY),
            encrypted(b"x" * 63, padding=b"\x00"),
            encrypted(b"x" * 31, padding=b"\x21" * 33),
            encrypted(b"x" * 31, padding=b"\x01" * 17),
            encrypted(framed(BODY))[4:],
            encrypted(framed(BODY)).rstrip("=") + "A",
            "AAAA",
            "A",
        ],
    )
    def test_whatever_cannot_be_decrypted_is_refused_in_the_same_words(self, text: str) -> None:
        told = "the body cannot be decrypted with this sender's key"
        assert self.refused(posted(text), "decrypt_failed") == Refused("decrypt_failed", told)

    def test_every_flipped_bit_is_refused(self) -> None:
        good = self.request(b"<a/>")
        raw = base64.b64decode(encrypted(framed(b"<a/>")))
        for bit in range(8 * len(raw)):
            changed = bytearray(raw)
            changed[bit // 8] ^= 1 << bit % 8
            self.refused(replace(good, body=xml(b64(bytes(changed)))), "signature_mismatch")
            assert isinstance(self.verify(posted(b64(bytes(changed)))), (Verified, Refused))

    @pytest.mark.parametrize("receiver", ["", "wwfakecorp1", "wwfakecor", "WWFAKECORP", "é" * 300, "\n"])
    def test_another_receiver_is_refused(self, receiver: str) -> None:
        refused = self.refused(posted(encrypted(framed(BODY, receiver))), "receiver_mismatch")
        assert refused.detail.isprintable()
        assert len(refused.detail) < 120

    # Secrets and options

    def test_of_two_secrets_with_one_token_the_aes_key_chooses(self) -> None:
        new = {"token": TOKEN, "aes_key": OTHER_KEY}
        secrets = self.secrets((new, None), (self.secret, None))
        assert self.accepted(self.request(), secrets).body == BODY
        assert self.accepted(self.request(secret=new), secrets).body == BODY
        neither = self.request(secret={"token": TOKEN, "aes_key": "x" * 43})
        self.refused(neither, "decrypt_failed", secrets=secrets)

    @pytest.mark.parametrize("given", [None, [], (), 1, [1], [CORP, None], b"corp", {"a": 1}])
    def test_a_receiver_must_be_named(self, given: Any) -> None:
        with pytest.raises(BadOption, match="must be the id of the corp or suite") as caught:
            WeCom(receive_id=given)
        assert caught.value.option == "receive_id"
        with pytest.raises(BadOption):
            WeCom()

    @pytest.mark.parametrize("option", ["", ["ww1", ""], ["ww1", CORP], (CORP,), "企业"])
    def test_receivers_may_be_several_or_empty(self, option: Any) -> None:
        scheme = WeCom(receive_id=option)
        for receiver in (CORP, "", "ww1", "企业"):
            asked = posted(encrypted(framed(BODY, receiver)))
            result = scheme.verify(asked.body, asked.headers, asked.query, self.secrets(), NOW)
            known = [option] if isinstance(option, str) else option
            assert isinstance(result, Verified) is (receiver in known)

    @pytest.mark.parametrize(
        "aes_key", ["", "A" * 42, "A" * 44, "A" * 42 + "=", "A" * 42 + "+", "A" * 42 + "é", "A" * 42 + " "]
    )
    def test_an_aes_key_is_43_letters_and_digits(self, aes_key: str) -> None:
        with pytest.raises(
            BadSecret, match=r"^aes_key must be 43 letters and digits; this one has 4?[0-4] characters$"
        ):
            self.scheme.key({"token": TOKEN, "aes_key": aes_key})

    @pytest.mark.parametrize("token", ["", "A" * 33, "a b", "a-b", "é"])
    def test_a_token_is_letters_and_digits(self, token: str) -> None:
        with pytest.raises(BadSecret, match=r"^token must be 1 to 32 letters and digits$"):
            self.scheme.key({"token": token, "aes_key": AES_KEY})

    def test_a_key_shows_nothing(self) -> None:
        assert repr(self.scheme.key(self.secret)) == "WeComKey()"

    @pytest.mark.parametrize("message", [BODY, XML % b"", b'\n{"a": 1}'])
    def test_it_signs_as_by_hand(self, message: bytes) -> None:
        fresh = self.scheme.sign(self.scheme.key(self.secret), message, NOW + 0.9, "msg_1")
        text = (
            json.loads(fresh.body)["encrypt"]
            if message.lstrip().startswith(b"{")
            else fresh.body.decode().split("[")[-1].split("]")[0]
        )
        assert fresh.query == {name: values[0] for name, values in query(text, nonce=fresh.query["nonce"]).items()}
        assert decrypted(text) == message
        taken = self.accepted(Request(fresh.body, {}, {name: [value] for name, value in fresh.query.items()}))
        assert (taken.body, fresh.headers) == (message, {})

    def test_what_it_says_of_itself(self) -> None:
        assert (WeCom.reads_get, WeCom.needs_https) == (True, False)
        assert (WeCom.default_window_s, WeCom.answer_within_s) == (300, 5)


class TestJson(WeComs):
    __test__ = True

    def wrapped(self, text: str) -> bytes:
        return json.dumps({"encrypt": text, "agentid": 1}).encode()

    def plain(self, request: Request) -> bytes:
        return decrypted(json.loads(request.body)["encrypt"])

    @pytest.mark.parametrize(
        ("message", "its_id"),
        [
            ({"msgid": "CAIQ16HMjQYY/NGagIOAgAMgq4KM0AI="}, "CAIQ16HMjQYY/NGagIOAgAMgq4KM0AI="),
            ({"MsgId": 4561255354251345929}, "4561255354251345929"),
            ({"msgid": "a b"}, None),
            ({"msgid": ["a"], "MsgId": True}, None),
            ({"text": {"msgid": "a"}}, None),
        ],
    )
    def test_it_tells_what_was_sent(self, message: dict[str, Any], its_id: str | None) -> None:
        body = json.dumps(message).encode()
        taken = self.accepted(self.request(body))
        assert (taken.id, taken.time, taken.body) == (its_id, NOW, body)
        assert (taken.content_type, taken.answer, taken.confirm) == ("application/json", None, None)


class TestUrlCheck(WeComs):
    """A GET: the ciphertext is in the query, and what it holds is the answer. Here it holds the digest of the contract's bodies."""

    __test__ = True
    asked: ClassVar[tuple[str, ...]] = (*ASKED, "echostr")

    def request(
        self,
        body: bytes = BODY,
        now: float = NOW,
        secret: dict[str, str] | None = None,
        id: str = "msg_1",  # noqa: A002
    ) -> Request:
        known = secret or self.secret
        text = encrypted(framed(hashlib.md5(body).hexdigest().encode()), known["aes_key"])
        return Request(b"", {}, {**query(text, now, known["token"]), "echostr": [text]})

    def plain(self, request: Request) -> bytes:
        return decrypted(request.query["echostr"][0])

    def test_a_body_changed_by_one_byte(self) -> None:
        """Overridden: what is signed is in the query."""
        text = self.request().query["echostr"][0]
        for changed in ("A" + text[1:], text[:-2] + "A=", text[::-1], text + " ", text.replace("+", " ")):
            if changed != text:
                self.refused(self.request().ask("echostr", changed), "signature_mismatch", "header_malformed")

    @pytest.mark.parametrize("echo", [b"1616140317555161061", b"a", b"x" * 256, b'"&lt;+/=~!'])
    def test_it_is_answered_with_the_very_bytes(self, echo: bytes) -> None:
        text = encrypted(framed(echo))
        taken = self.accepted(Request(b"", {}, {**query(text), "echostr": [text]}))
        assert taken.answer
        assert (taken.answer.status, taken.answer.body) == (200, echo)
        assert taken.answer.headers == {"Content-Type": "text/plain; charset=utf-8"}
        assert (taken.id, taken.time, taken.body) == (None, NOW, echo)

    @pytest.mark.parametrize("message", [XML % b"", BODY, b"", b"<", b"{", b" <a/>", b"a\n", b"\xff", b"x" * 257])
    def test_a_message_sent_as_a_check_is_not_decrypted_for_the_asker(self, message: bytes) -> None:
        text = encrypted(framed(message))
        self.refused(Request(b"", {}, {**query(text), "echostr": [text]}), "body_malformed")

    def test_a_check_sent_as_a_message_is_malformed(self) -> None:
        self.refused(posted(self.request().query["echostr"][0]), "body_malformed")

    def test_a_check_for_another_receiver_is_refused(self) -> None:
        text = encrypted(framed(b"1", "another"))
        self.refused(Request(b"", {}, {**query(text), "echostr": [text]}), "receiver_mismatch")


SAMPLE = {"token": "QDG6eK", "aes_key": "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"}
SAMPLE_CHECK = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
SAMPLE_MESSAGE = (
    "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qh"
    "xchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s"
    "4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/u"
    "h9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q=="
)


@pytest.mark.parametrize("receive_id", ["wx5823bf96d3bd56c7", "wx5823bf96d3bd56c8"])
def test_the_vendors_sample(receive_id: str) -> None:
    """The published sample; its EncodingAESKey ends in a character whose left-over bits are not zero."""
    scheme = WeCom(receive_id=receive_id)
    secrets = Secrets("sample", (Secret(scheme.key(SAMPLE), "sample"),))
    asked = {
        "msg_signature": ["5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3"],
        "timestamp": ["1409659589"],
        "nonce": ["263014780"],
    }
    check = scheme.verify(b"", {}, {**asked, "echostr": [SAMPLE_CHECK]}, secrets, 1409659589)
    asked = {
        "msg_signature": ["477715d11cdb4164915debcba66cb864d751f3e6"],
        "timestamp": ["1409659813"],
        "nonce": ["1372623149"],
    }
    message = scheme.verify(xml(SAMPLE_MESSAGE), {}, asked, secrets, 1409659813)
    if receive_id.endswith("8"):
        assert [each.reason for each in (check, message) if isinstance(each, Refused)] == ["receiver_mismatch"] * 2
        return
    assert isinstance(check, Verified)
    assert check.answer
    assert check.answer.body == b"1616140317555161061"
    assert isinstance(message, Verified)
    assert message.id == "4561255354251345929"
    assert b"<Content><![CDATA[hello]]></Content>" in message.body


def test_the_order_of_what_is_sorted_does_not_matter() -> None:
    """Tokens that sort before, between and after the other texts."""
    scheme = WeCom(receive_id=CORP)
    for token, nonce in itertools.product(["0", "Z" * 5, "zzz"], ["0a", "2a", "zz"]):
        text = encrypted(framed(BODY))
        secrets = Secrets("test", (Secret(scheme.key({"token": token, "aes_key": AES_KEY}), "test"),))
        assert isinstance(scheme.verify(xml(text), {}, query(text, token=token, nonce=nonce), secrets, NOW), Verified)
