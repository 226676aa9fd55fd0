"""Standard Webhooks: both versions, both sets of headers, what the reference library stumbles over, and that library as an oracle."""

from __future__ import annotations

import base64
import hashlib
import hmac
import subprocess
import sys
from datetime import datetime, timezone, tzinfo
from pathlib import Path
from typing import ClassVar
from unittest.mock import patch

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from events.signatures import BadSecret, CryptoMissing, Secret, Secrets, Verified
from events.signatures.standard import MAX_ITEMS, HmacKey, Standard
from tests.events.signatures.contract import BODY, NOW, Request, SchemeContract, telling, thoroughly

SCHEME = Standard()
RAW = b"not a real secret, only for tests"
OTHER = b"another secret, and as unreal one"
SEED = bytes(range(32))
IDS = st.text("".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "."), min_size=1, max_size=40)


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def message(id_: str, time: str, body: bytes) -> bytes:
    return id_.encode() + b"." + time.encode() + b"." + body


def v1(raw: bytes, signed: bytes) -> str:
    return "v1," + b64(hmac.new(raw, signed, hashlib.sha256).digest())


def v1a(seed: bytes, signed: bytes) -> str:
    return "v1a," + b64(Ed25519PrivateKey.from_private_bytes(seed).sign(signed))


def public(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def request_of(items: str, body: bytes = BODY, id_: str = "msg_1", time: str = f"{NOW:.0f}") -> Request:
    return Request(body, {"webhook-id": id_, "webhook-timestamp": time, "webhook-signature": items})


def verify(request: Request, *keys: str, now: float = NOW) -> str:
    """Return "taken", or the reason of the refusal."""
    secrets = Secrets("monitoring", tuple(Secret(SCHEME.key({"secret": key}), "test") for key in keys))
    result = SCHEME.verify(request.body, request.headers, request.query, secrets, now)
    return "taken" if isinstance(result, Verified) else result.reason


class TestHmac(SchemeContract):
    scheme = SCHEME
    secret: ClassVar[dict[str, str]] = {"secret": f"whsec_{b64(RAW)}"}
    other: ClassVar[dict[str, str]] = {"secret": f"whsec_{b64(OTHER)}"}
    needed = ("webhook-id", "webhook-timestamp", "webhook-signature")

    def item(self, secret: str, signed: bytes) -> str:
        return v1(base64.b64decode(secret.removeprefix("whsec_")), signed)

    def request(
        self,
        body: bytes = BODY,
        now: float = NOW,
        secret: dict[str, str] | None = None,
        id: str = "msg_1",  # noqa: A002
    ) -> Request:
        time = f"{now:.0f}"
        item = self.item((secret or self.secret)["secret"], message(id, time, body))
        return Request(body, dict(zip(self.needed, (id, time, item), strict=True)))

    def test_it_tells_what_was_sent(self) -> None:
        taken = self.accepted(self.request())
        assert (taken.id, taken.time, taken.body) == ("msg_1", NOW, BODY)
        assert (taken.content_type, taken.answer, taken.confirm) == (None, None, None)

    def test_a_retry_has_the_same_id_and_another_fingerprint(self) -> None:
        first, retry = self.accepted(self.request()), self.accepted(self.request(now=NOW + 60))
        assert first.id == retry.id
        assert first.fingerprint != retry.fingerprint

    @pytest.mark.parametrize("text", ["a.b", "msg_1.", "a b", "x" * 256])
    def test_an_id_that_could_run_into_the_time_is_refused(self, text: str) -> None:
        self.refused(self.request(id=text), "header_malformed")


class TestSvix(TestHmac):
    needed = ("svix-id", "svix-timestamp", "svix-signature")


class TestEd25519(TestHmac):
    secret: ClassVar[dict[str, str]] = {"secret": f"whsk_{b64(SEED)}"}
    other: ClassVar[dict[str, str]] = {"secret": f"whsk_{b64(SEED[::-1])}"}

    def item(self, secret: str, signed: bytes) -> str:
        return v1a(base64.b64decode(secret.removeprefix("whsk_")), signed)

    def test_the_public_key_takes_what_the_secret_key_signed(self) -> None:
        assert verify(self.request(), f"whpk_{b64(public(SEED))}") == "taken"
        assert verify(self.request(), f"whpk_{b64(public(SEED[::-1]))}") == "signature_mismatch"

    def test_a_public_key_cannot_sign(self) -> None:
        with pytest.raises(BadSecret, match="cannot sign"):
            SCHEME.sign(SCHEME.key({"secret": f"whpk_{b64(public(SEED))}"}), BODY, NOW, "msg_1")


def test_published_vectors() -> None:
    """The example of Standard Webhooks and Svix; RFC 8032, 7.1, test 1."""
    request = request_of(
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        b'{"test": 2432232314}',
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
    )
    assert verify(request, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", now=1614265330) == "taken"
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    known = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    signature = bytes.fromhex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    assert public(seed) == known
    key = SCHEME.key({"secret": f"whsk_{b64(seed + known)}"})
    assert key.item(b"") == f"v1a,{b64(signature)}"
    assert SCHEME.key({"secret": f"whpk_{b64(known)}"}).made([f"v1a,{b64(signature)}"], b"")


# The signature header

SIGNED = message("msg_1", f"{NOW:.0f}", BODY)
GOOD = v1(RAW, SIGNED)
WHSEC = f"whsec_{b64(RAW)}"
BITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
TWINS = [f"{GOOD[:-2]}{BITS[BITS.index(GOOD[-2]) ^ bit]}=" for bit in (1, 2, 3)]
"""Other texts for the bytes of the good signature: bits differ that stand for nothing."""
MALFORMED = [
    "v1",
    "v1,",
    ",",
    "v1,a,b",
    f"{GOOD},",
    f"{GOOD},x",
    "v1,!!!!",
    "v1,YQ==",
    "v1,====",
    GOOD.rstrip("="),
    f"{GOOD}=",
    GOOD.upper(),
    GOOD.replace("v1", "V1"),
    GOOD.replace("v1", "v1a"),
    f"v1,{hmac.new(RAW, SIGNED, hashlib.sha256).hexdigest()}",
    f"v2,{GOOD[3:]}",
    *TWINS,
]


@pytest.mark.parametrize("item", MALFORMED)
def test_a_malformed_or_unknown_item_is_refused_alone_and_skipped_beside_a_good_one(item: str) -> None:
    assert verify(request_of(item), WHSEC) == "signature_mismatch"
    beside = (
        "header_malformed" if item.endswith(",") else "taken"
    )  # ", " is how a header that was sent twice is joined.
    assert verify(request_of(f"{item} {GOOD}"), WHSEC) == beside
    assert verify(request_of(f"{GOOD} {item}"), WHSEC) == "taken"


def test_twins_are_the_same_bytes() -> None:
    assert {base64.b64decode(twin[3:]) for twin in TWINS} == {base64.b64decode(GOOD[3:])}


@pytest.mark.parametrize(
    "items", [f"{GOOD}  {GOOD}", f"v1,x  {GOOD}", f" {GOOD} ", f"v2,x v1a,x {v1(OTHER, SIGNED)} {GOOD}"]
)
def test_any_match_accepts(items: str) -> None:
    assert verify(request_of(items), WHSEC) == "taken"


def test_no_known_version_is_said() -> None:
    secrets = Secrets("monitoring", ())
    request = request_of("v2,YQ== v3,YQ==")
    result = SCHEME.verify(request.body, request.headers, {}, secrets, NOW)
    assert "version v1 or v1a" in str(result)


def test_only_so_many_items_are_looked_at() -> None:
    wrong = v1(OTHER, SIGNED)
    assert verify(request_of(" ".join([wrong] * (MAX_ITEMS - 1) + [GOOD])), WHSEC) == "taken"
    assert verify(request_of(" ".join([wrong] * MAX_ITEMS + [GOOD])), WHSEC) == "signature_mismatch"


def test_a_signature_of_one_version_is_not_one_of_the_other() -> None:
    whpk = f"whpk_{b64(public(SEED))}"
    both = request_of(f"{GOOD} {v1a(SEED, SIGNED)}")
    assert verify(both, WHSEC) == verify(both, whpk) == verify(both, whpk, WHSEC) == "taken"
    assert verify(request_of(GOOD), whpk) == verify(request_of(v1a(SEED, SIGNED)), WHSEC) == "signature_mismatch"
    twin = v1a(SEED, SIGNED)[:-3] + BITS[BITS.index(v1a(SEED, SIGNED)[-3]) ^ 1] + "=="
    for item in (f"v1a,{b64(bytes(64))}", twin, v1a(SEED, SIGNED).rstrip("=")):
        assert verify(request_of(item), whpk) == "signature_mismatch"


@pytest.mark.parametrize("name", ["id", "timestamp", "signature"])
def test_the_two_sets_of_headers_are_never_mixed(name: str) -> None:
    good = request_of(GOOD).headers
    svix = {key.replace("webhook", "svix"): value for key, value in good.items()}
    assert verify(Request(BODY, svix), WHSEC) == "taken"
    assert verify(Request(BODY, {**svix, **dict.fromkeys(good, "1")}), WHSEC) == "signature_mismatch"
    assert verify(Request(BODY, {**svix, f"webhook-{name}": good[f"webhook-{name}"]}), WHSEC) == "header_missing"


@pytest.mark.parametrize(
    "time", ["1674087231.9", "1.674087231e+09", "01750000000", "+1750000000", " 1750000000", "1_750"]
)
def test_a_time_that_only_reads_like_a_number_is_refused(time: str) -> None:
    """The reference library takes the first two, and verifies another text than came."""
    assert (
        verify(request_of(v1(RAW, message("msg_1", time, BODY)), time=time), WHSEC, now=1674087231)
        == "header_malformed"
    )


@pytest.mark.parametrize("body", [b"\xff\xfe", b"not json", b""])
def test_what_the_body_is_does_not_matter(body: bytes) -> None:
    assert verify(request_of(v1(RAW, message("msg_1", f"{NOW:.0f}", body)), body), WHSEC) == "taken"
    assert verify(request_of(GOOD, body), WHSEC) == "signature_mismatch"


# Secrets

BARE = b64(RAW[:32])


@pytest.mark.parametrize("text", [f"whsec_{BARE}", BARE, f"whsec_{BARE.rstrip('=')}", BARE.rstrip("=")])
def test_prefix_and_padding_of_a_secret_may_be_missing(text: str) -> None:
    assert SCHEME.key({"secret": text}) == HmacKey(RAW[:32])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("whsec_YQ==", "this one has 1"),
        ("whsec_", "this one has 0"),
        (f"whsec_{b64(bytes(23))}", "this one has 23"),
        (b64(bytes(65)), "this one has 65"),
        ("whsec_-_" + "A" * 38, "url-safe"),
        ("whsec_" + "A" * 41, "base64"),
        (f"whsec_{BARE[:20]} {BARE[20:]}", "base64"),
        (f"whsec_whsec_{BARE}", "base64"),
        ("whsec_é" + "A" * 40, "base64"),
        (f"whpk_{b64(bytes(31))}", "this one has 31"),
        (f"whsk_{b64(bytes(33))}", "this one has 33"),
        (f"whsk_{b64(bytes(64))}", "second half"),
    ],
)
def test_a_secret_of_the_wrong_form_is_told(text: str, told: str) -> None:
    with pytest.raises(BadSecret, match=told) as error:
        SCHEME.key({"secret": text})
    assert len(text) < 8 or text[6:] not in str(error.value)


@pytest.mark.parametrize("raw", [bytes(24), bytes(64)])
def test_a_secret_may_be_24_to_64_bytes(raw: bytes) -> None:
    assert SCHEME.key({"secret": b64(raw)}) == HmacKey(raw)


@pytest.mark.parametrize("text", [WHSEC, f"whsk_{b64(SEED)}", f"whpk_{b64(public(SEED))}"])
def test_no_repr_shows_a_key(text: str) -> None:
    key = SCHEME.key({"secret": text})
    assert repr(key) in ("HmacKey()", "Ed25519Key()")
    assert not hasattr(key, "__dict__")


def test_without_cryptography_only_ed25519_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric", None)
    assert SCHEME.key({"secret": WHSEC}) == HmacKey(RAW)
    for text in (f"whpk_{b64(public(SEED))}", f"whsk_{b64(SEED)}"):
        with pytest.raises(CryptoMissing, match="pip install"):
            SCHEME.key({"secret": text})


def test_cryptography_is_not_imported_before_a_key_needs_it() -> None:
    code = "import sys, events.signatures.standard; sys.exit('cryptography' in sys.modules)"
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False, timeout=60).returncode == 0


HEX = (b"%x" % int.from_bytes(RAW[:32], "big")).decode()


@pytest.mark.parametrize(
    ("text", "used", "label"),
    [
        (WHSEC, WHSEC.encode(), "the text of the secret as its key, not"),
        (WHSEC[6:], WHSEC.encode(), "the text of the secret as its key, not"),
        (WHSEC, WHSEC[6:].encode(), "the text after whsec_ as its key, not"),
        (WHSEC, WHSEC.encode() + b"\n", "a line break"),
        (HEX, RAW[:32], "hex"),
        (b64(b64(RAW).encode()), RAW, "twice over"),
    ],
)
def test_a_mistake_of_an_operator_is_found(text: str, used: bytes, label: str) -> None:
    found = [told for told, key in SCHEME.readings({"secret": text}) if key == HmacKey(used)]
    assert len(found) == 1
    assert label in found[0]


@thoroughly
@given(st.text() | st.text("whsecpk_AQ=-ab0") | st.just("whpk_AAAA") | st.sampled_from(["whsec_", "=", "\udcff"]))
def test_any_text_is_a_key_or_a_bad_secret_and_has_readings(text: str) -> None:
    with telling(BadSecret) as told:
        SCHEME.key({"secret": text})
    assert len(text) < 12 or text not in "".join(told)
    for label, key in SCHEME.readings({"secret": text}):
        assert key.raw
        assert len(text) < 12 or text not in label + repr(key)


# Replays

KEYS = (WHSEC, f"whsec_{b64(OTHER)}", f"whpk_{b64(public(SEED))}")


@thoroughly
@given(st.data())
def test_nothing_that_an_attacker_may_do_to_the_headers_makes_another_fingerprint(data: st.DataObject) -> None:
    """Signed with two secrets and an ed25519 key; what is replayed keeps any of these, in any order, among anything."""
    id_, body, time = data.draw(IDS), data.draw(st.binary(max_size=20)), f"{NOW:.0f}"
    signed = message(id_, time, body)
    valid = [v1(RAW, signed), v1(OTHER, signed), v1a(SEED, signed)]
    junk = [
        *MALFORMED[:9],
        *(item.rstrip("=") for item in valid),
        *(f"{item}=" for item in valid),
        "v1," + valid[2][4:],
    ]
    junk += [f"{item[:-2]}{BITS[BITS.index(item[-2]) ^ 1]}=" for item in valid[:2]] + [
        item.swapcase() for item in valid
    ]
    items = data.draw(st.lists(st.sampled_from(valid + junk), min_size=1, max_size=6))
    header = data.draw(st.sampled_from([" ", "  "])).join(items)
    name = data.draw(st.sampled_from(["webhook", "svix"]))
    time = data.draw(st.sampled_from([time, time, f"0{time}", f"{time}.0", f"+{time}"]))
    given_id = data.draw(st.sampled_from([id_, id_, f"{id_}.", f"{id_}.{time}"]))
    headers = {f"{name}-id": given_id, f"{name}-timestamp": time, f"{name}-signature": header}
    if data.draw(st.booleans()):
        headers["svix-id"] = given_id
    secrets = Secrets("monitoring", tuple(Secret(SCHEME.key({"secret": key}), "test") for key in KEYS))
    result = SCHEME.verify(body, headers, {}, secrets, NOW)
    first = SCHEME.verify(body, request_of(" ".join(valid), body, id_).headers, {}, secrets, NOW)
    assert isinstance(first, Verified)
    if isinstance(result, Verified):
        assert result == first
        assert set(items) & set(valid)


@thoroughly
@given(
    st.lists(
        st.tuples(IDS, st.integers(int(NOW) - 300, int(NOW) + 300), st.binary(max_size=4)),
        min_size=2,
        max_size=2,
        unique=True,
    )
)
def test_two_requests_have_two_fingerprints(two: list[tuple[str, int, bytes]]) -> None:
    secrets = Secrets("monitoring", (Secret(HmacKey(RAW), "test"),))
    prints = set()
    for id_, time, body in two:
        request = request_of(v1(RAW, message(id_, str(time), body)), body, id_, str(time))
        result = SCHEME.verify(request.body, request.headers, {}, secrets, NOW)
        assert isinstance(result, Verified)
        prints.add(result.fingerprint)
    assert len(prints) == 2


# The reference library


class Frozen(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Frozen:
        return cls.fromtimestamp(NOW, tz)


def theirs(secret: str, request: Request) -> bool:
    with patch("standardwebhooks.webhooks.datetime", Frozen):
        try:
            Webhook(secret).verify(request.body, dict(request.headers), json_parse=False)
        except WebhookVerificationError:
            return False
    return True


@thoroughly
@given(st.data())
def test_the_reference_library_gives_the_same_answer(data: st.DataObject) -> None:
    secret = "whsec_" + b64(data.draw(st.binary(min_size=24, max_size=64)))
    id_, body = data.draw(IDS), data.draw(st.text(max_size=30))
    time = int(NOW) + data.draw(st.integers(-302, 302) | st.sampled_from([-301, -300, 300, 301]))
    item = Webhook(secret).sign(id_, datetime.fromtimestamp(time, timezone.utc), body)
    others = data.draw(st.lists(st.sampled_from(["v2,YQ==", "v1a,YQ==", GOOD]), max_size=2))
    items = " ".join(data.draw(st.permutations([item, *others])))
    request = request_of(items, body.encode(), id_, str(time))
    changed = data.draw(st.sampled_from(["", "id", "time", "body", "items", "secret"]))
    if changed == "id":
        request = request.put("webhook-id", data.draw(IDS))
    elif changed == "time":
        request = request.put("webhook-timestamp", str(time + data.draw(st.integers(-2, 2))))
    elif changed == "body":
        request = Request(data.draw(st.text(max_size=3)).encode(), request.headers)
    elif changed == "items":
        request = request.put("webhook-signature", data.draw(st.sampled_from([GOOD, "v2,YQ==", f"{GOOD} v2,YQ=="])))
    elif changed == "secret":
        secret = WHSEC
    assert (verify(request, secret) == "taken") is theirs(secret, request)


@thoroughly
@given(IDS, st.text(max_size=30))
def test_the_reference_library_takes_what_we_sign(id_: str, body: str) -> None:
    fresh = SCHEME.sign(SCHEME.key({"secret": WHSEC}), body.encode(), NOW + 0.9, id_)
    assert theirs(WHSEC, Request(fresh.body, dict(fresh.headers)))
